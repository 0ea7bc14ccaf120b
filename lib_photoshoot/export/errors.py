"""What can go wrong in an export, as one sentence for the user."""

from lib_photoshoot.errors import PhotoshootError


class ExportError(PhotoshootError):
    """A profile cannot be used, or a picture cannot be made or checked for one."""
