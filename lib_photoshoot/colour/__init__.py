"""Colour as a colour-managed reader shows it: profiles, CIE L*a*b*, differences."""
