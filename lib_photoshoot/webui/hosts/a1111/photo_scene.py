"""img2img with a new scene: the photo's own pixels are what stays, so the host's pass over them is left out."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from lib_photoshoot.webui.hosts.a1111.decoding import as_decoded
from lib_photoshoot.webui.hosts.a1111.pictures import on_ground, resized

_SAMPLE = "sample"


class PhotosInstead:
    """Lets a processing object deliver its input pictures in its own size, sampling nothing; :meth:`end` undoes it."""

    def __init__(self, p: Any) -> None:
        setattr(p, _SAMPLE, partial(_photos, p))

    @staticmethod
    def can(p: Any) -> bool:
        """Whether the job is img2img over the whole picture: with a mask the user wants that part painted."""
        return bool(getattr(p, "init_images", None)) and getattr(p, "image_mask", None) is None

    def end(self, p: Any) -> None:
        """Give the host's own pass back, for the next run of the same object."""
        vars(p).pop(_SAMPLE, None)

    def picture(self, p: Any, index: int) -> Image.Image:
        """Return the input of number ``index`` of the batch, transparent where it is."""
        return _input(p, index)


def _photos(p: Any, *_: Any, **__: Any) -> Any:
    """Stand in for the host's ``sample``: its pictures, tensors (3, height, width) in [-1, 1]."""
    import torch

    if getattr(p, "rng", None) is not None:
        # The host's own pass would seed the random numbers of the whole WebUI so, and the encoder of the next job draws
        # from them.
        p.rng.next()
    made = []
    for index in range(len(p.seeds)):
        pixels = np.asarray(on_ground(_input(p, index)), np.float32)
        # The host cuts off what is behind the point when it makes pixels of these.
        made.append(torch.from_numpy(np.ascontiguousarray(np.moveaxis((pixels + 0.5) / 127.5 - 1, 2, 0))))
    return as_decoded(made)


def _input(p: Any, index: int) -> Image.Image:
    """Return an input picture in the job's size, resized as the host resizes it."""
    given = p.init_images
    photo = given[index] if index < len(given) else given[0]
    if photo.mode not in ("RGB", "RGBA"):
        photo = photo.convert("RGBA" if "transparency" in photo.info or photo.mode in ("LA", "PA") else "RGB")
    if photo.size == (p.width, p.height):
        return photo
    fitted = resized(p, photo.convert("RGB"), (p.width, p.height))
    if photo.mode == "RGBA" and photo.getchannel("A").getextrema()[0] < 255:
        alpha = photo.getchannel("A").convert("RGB")
        fitted.putalpha(resized(p, alpha, (p.width, p.height)).convert("L"))
    return fitted
