"""A picture of a run, and its products as one mask, for the host's inpainting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.confined import inside
from lib_photoshoot.correction.originals import read_original
from lib_photoshoot.images import read_picture, to_image
from lib_photoshoot.webui.http.errors import RequestError

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.pages.application import Reviewed


def picture_and_mask(reviewed: Reviewed, number: Any) -> tuple[Image.Image, Image.Image]:
    """Return the picture with that number on the page as it came, in sRGB, and a mask of its size, white on its
    products.

    Raises PhotoshootError.
    """
    if not isinstance(reviewed, ReviewedRun):
        raise RequestError("Only pictures of a filter's run have masks to send.")
    record = reviewed.record(number)
    picture = read_original(record)
    mask = np.zeros((picture.height, picture.width), np.uint8)
    for region in record.entry["regions"]:
        if region["mask"]:
            mask |= read_picture(inside(reviewed.out, region["mask"])).pixels[:, :, 0]
    return to_image(picture.srgb), to_image(mask)
