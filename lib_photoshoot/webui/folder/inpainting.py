"""A picture of a run, and its products as one mask, for the host's inpainting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.images import read_picture, to_image
from lib_photoshoot.webui.http.errors import RequestError

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.pages.application import Reviewed
    from lib_photoshoot.webui.http.folders import AllowedFolders


def picture_and_mask(reviewed: Reviewed, reference: Any, sources: AllowedFolders) -> tuple[Image.Image, Image.Image]:
    """Return the picture as it came, sRGB, and a mask of that size, white on its products.

    ``reference`` is an item's, and its picture has to lie in ``sources``: a run may come from a stranger. Raises
    PhotoshootError.
    """
    if not isinstance(reviewed, ReviewedRun) or not isinstance(reference, Mapping):
        raise RequestError("Only pictures of a filter's run have masks to send.")
    source, masks = reviewed.found(reference.get("file"))
    picture = read_picture(sources.file(str(source)))
    mask = np.zeros((picture.height, picture.width), np.uint8)
    for name in masks:
        pixels = read_picture(name).pixels[:, :, 0]
        if pixels.shape != mask.shape:
            raise RequestError("The picture has another size than its masks; filter it again.")
        mask = np.maximum(mask, pixels)
    return to_image(picture.srgb), to_image(mask)
