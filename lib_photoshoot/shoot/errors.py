"""What a shoot tells the user when it cannot go on."""

from __future__ import annotations

from lib_photoshoot.errors import PhotoshootError


class ShootError(PhotoshootError):
    """A shot list, a WebUI or an output folder cannot be used for a shoot."""
