"""What the host has written into its pictures about how they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


def infotext_in(image: Image.Image) -> str:
    """Return the parameters that a picture carries; empty without."""
    from modules import images

    return str(images.read_info_from_image(image)[0] or "")


def fields_of(infotext: str) -> dict[str, Any]:
    """Return an infotext's fields by their names."""
    from modules.infotext_utils import parse_generation_parameters

    return dict(parse_generation_parameters(infotext, [])) if infotext.strip() else {}
