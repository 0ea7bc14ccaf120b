"""Replacements of the network: none here."""

from __future__ import annotations


def apply_unet(option: str | None = None) -> None:
    """Take the checkpoint's own."""
