"""A picture's products on a canvas: to the pixel where nothing is resized, at all depths and in all spaces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib_photoshoot.colour.profiles import srgb_profile
from lib_photoshoot.colour.space import MatrixSpace
from lib_photoshoot.staging.composition import changed_product_pixels, put_back
from lib_photoshoot.staging.plan import StageError, StagePlan
from lib_photoshoot.staging.stage import stage
from tests.staging.standing import BOTTLE, CUP, HEIGHT, WIDTH, photo, region

WISHES = [
    StagePlan(),
    StagePlan(canvas=(512, 640), backdrop="#f4f4f4", ground=0.9),
    StagePlan(canvas=4 / 5, backdrop="#ffffff to #d8d8d8", shadow=0.5, reflection=0.4),
    StagePlan(canvas=(700, 700), share=0.8, ground=0.9, backdrop="blurred", shadow=0.4),
    StagePlan(canvas=(500, 333), backdrop="@picture.png"),
    StagePlan(canvas=(900, 300)),
]


@pytest.mark.parametrize("plan", WISHES, ids=[plan.backdrop for plan in WISHES])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_pixel_that_is_all_product_is_the_articles(plan: StagePlan, dtype: type) -> None:
    staged = stage(photo(dtype), [BOTTLE, CUP], plan, backdrop=photo(seed=2))
    assert staged.image.dtype == staged.article.dtype == staged.surface.dtype == dtype
    assert staged.image.shape == staged.surface.shape == (*staged.alpha.shape, 3)
    assert changed_product_pixels(staged, staged.image) == 0
    scene = photo(dtype, seed=3)
    scene = np.resize(scene, staged.image.shape)
    result = put_back(scene, staged)
    assert changed_product_pixels(staged, result) == 0
    assert (result[staged.alpha == 0] == scene[staged.alpha == 0]).all()
    assert np.count_nonzero(staged.alpha == 255) > 1000


def test_without_wishes_the_start_is_the_picture_itself() -> None:
    image = photo()
    staged = stage(image, [BOTTLE], StagePlan())
    assert (staged.image == image).all() and staged.image is not image and staged.scale == 1
    behind = BOTTLE.alpha > 0
    assert (staged.surface[~behind][::50] == image[~behind][::50]).mean() > 0.9
    assert (staged.surface[behind] != image[behind]).any(axis=1).mean() > 0.99, "the product is not on the surface"


def test_moved_without_resizing_the_products_pixels_are_the_photos() -> None:
    image = photo()
    staged = stage(image, [BOTTLE], StagePlan(canvas=(512, 640), backdrop="#ffffff", ground=0.9))
    rows, columns = np.nonzero(staged.alpha == 255)
    own_rows, own_columns = np.nonzero(BOTTLE.alpha == 255)
    assert staged.scale == 1 and len(rows) == len(own_rows)
    assert (staged.image[rows, columns] == image[own_rows, own_columns]).all()
    assert rows.max() + 1 == pytest.approx(576, abs=2)


def test_several_products_keep_their_distance_and_their_regions() -> None:
    staged = stage(photo(), [BOTTLE, CUP], StagePlan(canvas=(800, 600), share=0.8, backdrop="white"))
    assert [placed.product for placed in staged.regions] == ["bottle", "cup"]
    first, second = (placed.box for placed in staged.regions)
    assert second[0] - first[2] == pytest.approx(staged.scale * 70, abs=2)
    for placed in staged.regions:
        assert placed.mask.shape == staged.alpha.shape and placed.mask.any()
        assert (placed.alpha <= staged.alpha).all()
    assert (first[2] - first[0]) / (first[3] - first[1]) == pytest.approx(80 / 150, rel=0.02)


def test_nothing_to_stage() -> None:
    with pytest.raises(StageError, match="no product"):
        stage(photo(), [], StagePlan())
    with pytest.raises(StageError, match=r"'wood\.jpg' was not read"):
        stage(photo(), [BOTTLE], StagePlan(backdrop="@wood.jpg"))


def test_a_mask_alone_gets_a_soft_edge() -> None:
    staged = stage(photo(), [replace(BOTTLE, alpha=None)], StagePlan(backdrop="#ffffff"))
    assert np.count_nonzero((staged.alpha > 0) & (staged.alpha < 255)) > 100


def test_colours_are_srgbs_in_every_space() -> None:
    space = MatrixSpace(srgb_profile())
    staged = stage(photo(np.uint16), [BOTTLE], StagePlan(backdrop="#f4f4f4"), space=space)
    assert (space.to_srgb(staged.surface)[0, 0] == 244).all()


def test_shadow_and_reflection_lie_below_the_product_and_not_above() -> None:
    plain = stage(photo(), [BOTTLE], StagePlan(backdrop="#c0c0c0"))
    shaded = stage(photo(), [BOTTLE], StagePlan(backdrop="#c0c0c0", shadow=0.6))
    mirrored = stage(photo(), [BOTTLE], StagePlan(backdrop="#c0c0c0", reflection=0.8))
    changed = (shaded.surface != plain.surface).any(axis=2)
    assert changed[202, 110:170].all() and not changed[:180].any() and not changed[:, 300:].any()
    assert (shaded.surface <= plain.surface).all()
    changed = (mirrored.surface != plain.surface).any(axis=2)
    assert changed[205, 110:170].mean() > 0.9 and not changed[:195].any()
    near, far = (np.abs(mirrored.surface[y, 110:170].astype(int) - 192).mean() for y in (204, 250))
    assert near > 3 * far


def test_the_scenes_cast_is_taken_only_if_asked_and_then_counted() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    plan = StagePlan(backdrop="#ff6040", cast=1.0)
    staged = stage(grey, [BOTTLE], plan)
    assert (staged.article[BOTTLE.alpha == 255] == 128).all(), "the article keeps its own colours"
    assert changed_product_pixels(staged, staged.image) == np.count_nonzero(BOTTLE.alpha == 255)
    red, _, blue = staged.image[120, 140].astype(int)
    assert red > blue + 5
    cold = put_back(np.full_like(grey, (60, 90, 255)), staged)[120, 140].astype(int)
    assert cold[2] > cold[0] + 5, "the painted scene's cast, not that of the start"


def test_a_product_at_the_pictures_edge_and_one_that_fills_it() -> None:
    for box, scale in (((0, 0, WIDTH, HEIGHT), 0.675), ((0, 100, 60, HEIGHT), 1.0)):
        staged = stage(photo(), [region(*box)], StagePlan(canvas=(300, 400), backdrop="blurred", shadow=0.5))
        assert changed_product_pixels(staged, staged.image) == 0
        assert staged.scale == pytest.approx(scale) and (staged.alpha == 255).any()
