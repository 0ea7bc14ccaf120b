"""Finished pictures on their way to a shop: names, archives, importers' tables, contact sheets for sign-off."""
