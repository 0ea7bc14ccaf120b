"""Finished product pictures for sales channels: profiles, placing, encoding, metadata, and the check of a file."""
