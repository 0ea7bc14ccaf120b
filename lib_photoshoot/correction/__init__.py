"""Outlines corrected by a person: clicks to masks, masks to regions, and a run's record and files made anew."""
