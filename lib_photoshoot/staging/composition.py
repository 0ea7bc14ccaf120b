"""The products put back into a scene: bit for bit where a pixel is all product, by alpha along their edges."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.compose import compose
from lib_photoshoot.staging.cast import with_cast
from lib_photoshoot.staging.plan import Staged


def put_back(scene: np.ndarray, staged: Staged) -> np.ndarray:
    """Return the scene, uint8 or uint16 (height, width, 3) like ``staged.image``, with the products in it.

    Where alpha is 255 it is ``staged.article`` exactly, unless ``staged.cast`` asks for the scene's colours; where it
    is 0 the scene. ValueError for another size or type.
    """
    article = staged.article
    if staged.cast > 0:
        article = with_cast(article, staged.alpha, scene, staged.cast, staged.space)
    return compose(scene, article, staged.alpha.astype(np.float32) / np.float32(255))


def changed_product_pixels(staged: Staged, picture: np.ndarray) -> int:
    """Count the pixels that are all product (alpha 255) and differ from ``staged.article`` in any channel.

    ValueError for a picture of another size or type.
    """
    if picture.shape != staged.article.shape or picture.dtype != staged.article.dtype:
        raise ValueError(
            f"the picture must be {staged.article.dtype} of shape {staged.article.shape}, not {picture.dtype} "
            f"{picture.shape}"
        )
    differs = (picture != staged.article).any(axis=2)
    return int(np.count_nonzero(differs & (staged.alpha == 255)))
