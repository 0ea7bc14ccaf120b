"""Products in a new scene on the one path: what stays of them, what fails, and what runs and files tell."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.inputs import InputFile, collect_inputs
from lib_photoshoot.catalog.outputs import scene_entry
from lib_photoshoot.catalog.ray_worker import Finished, Job, Worker
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.colour.space import SRGB, space_of
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.enhancement.retouch import Retouch
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.images import read_picture
from lib_photoshoot.new_scene import make_picture
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.provenance.metadata import NOTHING, save_options
from lib_photoshoot.ranking.run_folder import measure, read_candidates, read_mask
from lib_photoshoot.results import Decision, NewScene, ProductRegion, Reason
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.plan import StagePlan
from lib_photoshoot.staging.scene import SceneLimits
from lib_photoshoot.staging.scenery import Scenery, SurfacePainter
from lib_photoshoot.wished_scene import remembered_scene, wished_scene
from tests.pages import read_page
from tests.test_pipeline import BAG, BoxSegmenter, BrightSquare, Darkening

GREY = StagePlan(backdrop="#404040")
MOVED = StagePlan(canvas=(300, 400), ground=0.9, backdrop="#404040", shadow=0.5)


@pytest.fixture
def picture() -> np.ndarray:
    image = np.random.default_rng(1).integers(0, 90, (100, 120, 3), dtype=np.uint8)
    image[30:70, 20:60] = np.random.default_rng(2).integers(170, 256, (40, 40, 3))
    return image


def scene_filter(plan: StagePlan, enhancer=None, painter=None, **limits) -> ProductFilter:
    scenery = Scenery(plan, painter or SurfacePainter(), SceneLimits(**limits))
    return ProductFilter(BrightSquare(), BoxSegmenter(), enhancer, recheck=False, scenery=scenery)


class Flat(SurfacePainter):
    """Paints one colour over everything, as a model that keeps nothing."""

    name = "flat"
    can_grow = True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def paint(self, staged, attempt):
        if self.error is not None:
            raise self.error
        return np.full_like(staged.image, 17)


@pytest.mark.parametrize("painter", [SurfacePainter(), Flat()])
@pytest.mark.parametrize("plan", [GREY, MOVED, replace(GREY, reflection=0.5, canvas=2.0)])
def test_no_pixel_of_the_product_changes_and_that_is_measured(picture, plan, painter):
    before = picture.copy()
    result = scene_filter(plan, painter=painter).run(picture, [BAG])
    scene = result.scene
    assert result.decision is Decision.MATCH and (picture == before).all() and scene is not None
    assert scene.changed_product == 0 and scene.kept >= 36 * 36 and scene.painter == painter.name
    assert scene.generated == painter.can_grow
    # Compared here once more, by the places themselves.
    (there,), (here,) = scene.regions, result.regions
    x, y = (round(b - a) for a, b in zip(here.box[:2], there.box[:2], strict=True))
    inner = np.s_[33:67, 23:57]
    moved = np.s_[33 + y : 67 + y, 23 + x : 57 + x]
    assert scene.scale == 1 and (result.image[moved] == picture[inner]).all()
    assert (result.width, result.height) == (120, 100) and here.mask.shape == (100, 120)
    assert there.mask.shape == result.image.shape[:2]


def test_a_skip_keeps_the_picture_itself(picture):
    dark = picture // 4
    result = scene_filter(MOVED).run(dark, [BAG])
    assert result.decision is Decision.SKIP and result.image is dark and result.scene is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [(EnhancementError("no."), Reason.NOT_ENHANCED), (EnhancementStopped("stop."), Reason.INTERRUPTED)],
)
def test_where_the_scene_fails_the_original_stays(picture, error, reason):
    result = scene_filter(GREY, Retouch(), Flat(error)).run(picture, [BAG])
    assert result.image is picture and result.scene is None and result.note == str(error)
    assert [item.reason for item in result.rejected] == [reason] and result.decision is Decision.MATCH
    assert result.regions[0].colour is None  # of a retouch that is not there


def test_a_canvas_that_cannot_be_is_one_sentence(picture):
    result = scene_filter(StagePlan(canvas=0.001)).run(picture, [BAG])
    assert result.image is picture and "canvas" in str(result.note)
    assert [item.reason for item in result.rejected] == [Reason.NOT_ENHANCED]


def test_a_retouch_comes_first_and_any_other_enhancer_in_the_scene(picture):
    retouched = ProductFilter(BrightSquare(), BoxSegmenter(), Retouch(), recheck=False).run(picture, [BAG])
    both = scene_filter(GREY, Retouch()).run(picture, [BAG])
    assert both.scene.retouched and (both.scene.photo == retouched.image).all()
    assert both.scene.changed_product == 0 and both.regions[0].colour is not None
    assert (both.image[35:65, 25:55] == retouched.image[35:65, 25:55]).all()
    painted = scene_filter(GREY, Darkening()).run(picture, [BAG])
    assert not painted.scene.retouched and painted.scene.photo is picture
    assert painted.image[35:65, 25:55].max() == 230 < picture[35:65, 25:55].max()
    assert painted.scene.regions[0].colour is not None
    assert painted.regions[0].colour == painted.scene.regions[0].colour


def test_what_an_enhancer_loses_in_the_scene_is_told_of_the_photos_product(picture):
    class Forgetful:
        def scores(self, images, box, product):
            return [0.9, 0.1]

    scenery = Scenery(MOVED, SurfacePainter())
    lost = ProductFilter(BrightSquare(), BoxSegmenter(), Darkening(), Forgetful(), scenery=scenery).run(picture, [BAG])
    (item,) = lost.rejected
    assert item.reason is Reason.LOST_IN_ENHANCEMENT and item.box == lost.regions[0].box
    assert lost.scene.changed_product == 0 and lost.image.shape == (400, 300, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sixteen_bits_and_another_space_stay(picture, adobe_rgb, dtype):
    space = space_of(adobe_rgb)
    deep = picture if dtype == np.uint8 else picture.astype(np.uint16) * 257 + 3
    result = scene_filter(StagePlan(backdrop="#c08040")).run(deep, [BAG], space)
    assert result.image.dtype == dtype and result.scene.changed_product == 0
    assert (result.image[35:65, 25:55] == deep[35:65, 25:55]).all()
    # The colour is meant in sRGB.
    assert np.abs(space.to_srgb(result.image)[2, 2].astype(int) - (0xC0, 0x80, 0x40)).max() <= 1
    assert dtype == np.uint16 or (result.image[2, 2] != (0xC0, 0x80, 0x40)).any()


def test_a_transparent_picture_stands_on_what_is_asked_for_and_on_white_by_itself(picture):
    alpha = np.zeros((100, 120, 1), np.uint8)
    alpha[25:75, 15:65] = 255
    rgba = np.concatenate([picture, alpha], axis=2)
    plain = scene_filter(StagePlan(shadow=0.4)).run(rgba, [BAG])
    assert plain.image.shape == (100, 120, 3) and (plain.image[2, 2] == 255).all()
    assert (scene_filter(GREY).run(rgba, [BAG]).image[2, 2] == 0x40).all()
    assert plain.scene.changed_product == 0


def test_a_run_keeps_both_geometries_and_ranks_what_is_in_the_scene(picture, tmp_path: Path):
    Image.fromarray(picture).save(tmp_path / "bag.png")
    out = tmp_path / "out"
    scene_filter_ = scene_filter(replace(MOVED, share=0.5), Retouch())
    run_catalog(scene_filter_, collect_inputs([tmp_path / "bag.png"]), [BAG], out)
    (entry,) = json.loads((out / "report.json").read_text())["images"]
    scene = entry["scene"]
    assert (entry["width"], entry["height"], scene["width"], scene["height"]) == (120, 100, 300, 400)
    assert scene["changed_product_pixels"] == 0 < scene["kept_pixels"] and "grown" not in scene
    # Pictures are compared with each other as they stand in their scenes.
    assert entry["traits"]["bag"]["ground"]["value"][0] == pytest.approx(0.9, abs=0.02)
    sizes = {path.parent.name: Image.open(path).size for path in out.rglob("bag*.png")}
    assert sizes["masks"] == sizes["overlays"] == sizes["retouched"] == (120, 100)
    assert sizes["enhanced"] == sizes["placed"] == (300, 400) and sizes["cutouts"] == (52, 52)
    page = read_page((out / "report.html").read_text("utf-8"))
    (item,) = page.items
    kept = f"0 of the {scene['kept_pixels']:,} pixels that are all"
    assert f"New scene, 300 × 400: it changed {kept} retouched product, at " in page.words and scene["retouched"]
    assert f"stand in a new scene, which changed {kept} product." in page.head["lead"]
    # The new picture is what is seen first, in its own size; before and after cannot lie above one another.
    assert [view["name"] for view in page.head["views"]] == ["after", "retouched", "found", "before"]
    assert (item["view"], item["cropped"], item["file"]) == ("after", True, "enhanced/bag.png")
    csv = (out / "report.csv").read_text().splitlines()
    assert csv[0].endswith("changed_product_pixels,scene_doubts") and csv[1].endswith(",0,")
    (candidate,) = read_candidates(out)
    mask = read_mask(out, candidate, (400, 300))
    assert mask.any() and not read_picture(out / candidate.picture).pixels[mask].min() < 100
    assert measure(out, candidate).product == "bag"


def test_a_run_tells_why_a_scene_was_not_made(picture, tmp_path: Path):
    Image.fromarray(picture).save(tmp_path / "bag.png")
    failing = scene_filter(GREY, painter=Flat(EnhancementError("The painter fell over.")))
    summary = run_catalog(failing, collect_inputs([tmp_path / "bag.png"]), [BAG], tmp_path / "out")
    assert summary.matched == 1 and "The painter fell over." in summary.notes[0]
    (entry,) = json.loads((tmp_path / "out" / "report.json").read_text())["images"]
    assert "scene" not in entry and entry["rejected"][0]["reason"] == "not_enhanced"
    assert (np.asarray(Image.open(tmp_path / "out" / "enhanced" / "bag.png")) == picture).all()


CAPTURE, COMPOSITE = "digitalCapture", "composite"
EDITED, GENERATED = "compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("before", "painter", "after"),
    [
        (None, SurfacePainter(), None),
        (CAPTURE, SurfacePainter(), COMPOSITE),
        (GENERATED, SurfacePainter(), GENERATED),
        (None, Flat(), EDITED),
        (CAPTURE, Flat(), EDITED),
        (GENERATED, Flat(), GENERATED),
    ],
)
def test_a_picture_says_how_its_scene_came_to_be(picture, tmp_path: Path, before, painter, after):
    options = NOTHING.with_term(before)
    Image.fromarray(picture).save(tmp_path / "bag.png", **save_options("PNG", options))
    out = tmp_path / "out"
    run_catalog(scene_filter(GREY, painter=painter), collect_inputs([tmp_path / "bag.png"]), [BAG], out)
    assert read_picture(out / "enhanced" / "bag.png").metadata.term == after
    assert read_picture(out / "thumbnails" / "after" / "bag.jpg").metadata.term == after
    # What was only cut out is as it was.
    assert read_picture(out / "cutouts" / "bag_1_bag.png").metadata.term == before
    assert read_picture(out / "overlays" / "bag.png").metadata.term == before


def test_a_run_remembers_its_scene_and_its_backdrop(tmp_path: Path):
    assert remembered_scene({"retouch": "faithful"}) is None
    Image.fromarray(np.full((40, 60, 3), (10, 120, 200), np.uint8)).save(tmp_path / "sea.png")
    settings = FilterSettings(
        repaint="scene", backdrop=f"@{tmp_path / 'sea.png'}", product_share=0.5, shadow=0.3, canvas="4:5"
    )
    wished = wished_scene(settings)
    told = json.loads(json.dumps(wished.told))
    assert told["product_share"] == 0.5 and "reflection" not in told
    again = remembered_scene(told)
    assert again is not None and again.plan == wished.scenery.plan
    assert (again.backdrop == wished.scenery.backdrop).all() and again.backdrop[0, 0].tolist() == [10, 120, 200]
    with pytest.raises(CatalogError, match="A WebUI painted"):
        remembered_scene({**told, "scene_painter": "img2img"})
    with pytest.raises(CatalogError, match="cannot be read"):
        remembered_scene({**told, "shadow": 7})
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "sea.png")
    with pytest.raises(CatalogError, match="gone, or another one"):
        remembered_scene(told)


def test_a_generated_backdrop_makes_the_picture_an_edited_one(tmp_path: Path):
    options = save_options("PNG", NOTHING.with_term(GENERATED))
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(tmp_path / "made.png", **options)
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    of = {name: FilterSettings(backdrop=f"@{tmp_path / name}.png", repaint="scene") for name in ("made", "photo")}
    assert wished_scene(of["made"]).scenery.generated and not wished_scene(of["photo"]).scenery.generated


@pytest.mark.parametrize("kind", ["whole", "one pixel", "soft", "three"])
@pytest.mark.parametrize("backdrop", ["original", "blurred", "#f4f4f4 to #808080", "@wide.png"])
def test_products_of_every_shape_stand_anywhere(kind, backdrop):
    rng = np.random.default_rng(len(kind))
    alpha = {"whole": np.full((30, 44), 255), "soft": rng.integers(0, 256, (30, 44)), "three": np.zeros((30, 44))}
    own = alpha.get(kind, np.zeros((30, 44))).astype(np.uint8)
    if kind == "one pixel":
        own[29, 43] = 255
    if kind == "three":
        own[2:9, 3:20], own[20:28, 30:44] = 255, 255
    regions = [ProductRegion("bag", (0.0, 0.0, 44.0, 30.0), 0.9, own > 127, 0.9, None, own)]
    photo = rng.integers(0, 256, (30, 44, 3), dtype=np.uint8)
    wide = rng.integers(0, 256, (2, 90, 3), dtype=np.uint8)
    for plan in (StagePlan(), StagePlan(canvas=(90, 16), share=1.0), StagePlan(canvas=0.3, share=0.2, ground=0.1)):
        plan = replace(plan, backdrop=backdrop, shadow=1.0, reflection=1.0)
        made, scene = make_picture(
            photo, None, SRGB, regions, [BAG], None, Scenery(plan, SurfacePainter(), backdrop=wide)
        )
        assert scene is not None and scene.changed_product == 0
        assert scene.regions[0].mask.shape == made.image.shape[:2]
        assert not isinstance(plan.canvas, tuple) or made.image.shape == (16, 90, 3)


@pytest.mark.parametrize(("painter", "source"), [(SurfacePainter(), "retouched"), (Flat(), "edited")])
def test_a_scene_that_lost_its_mark_is_known_by_its_run(picture, tmp_path: Path, painter, source):
    from lib_photoshoot.export.provenance import source_of

    Image.fromarray(picture).save(tmp_path / "bag.png")
    out = tmp_path / "out"
    run_catalog(scene_filter(GREY, painter=painter), collect_inputs([tmp_path / "bag.png"]), [BAG], out)
    made = out / "enhanced" / "bag.png"
    Image.fromarray(np.asarray(Image.open(made))).save(made)
    found = source_of(made)
    assert found.source.value == source and "scene" in found.reason
    assert source_of(out / "cutouts" / "bag_1_bag.png").source.value == "retouched"
    assert "scene" not in source_of(out / "overlays" / "bag.png").reason


def test_a_worker_elsewhere_sends_the_scene_back(picture, tmp_path: Path):
    Image.fromarray(picture).save(tmp_path / "bag.png")
    source = InputFile(str(tmp_path / "bag.png"), "bag")
    make = pickle.loads(pickle.dumps(partial(scene_filter, MOVED)))
    worker = Worker(make, [BAG], 1, str(tmp_path))
    done = worker.examine(Job(source, source.name, source.stamp()))
    assert isinstance(done, Finished) and done.record.entry["scene"]["changed_product_pixels"] == 0
    assert {"enhanced/bag.png", "placed/bag_1_bag.png"} <= set(done.files) == set(done.record.outputs)


def test_a_report_tells_of_what_nobody_looked_at_nothing() -> None:
    image = np.zeros((6, 8, 3), np.uint8)
    scene = NewScene("a painter", image, (), 1.0, 4, 0, tries=2, grown=0.01234)
    entry = scene_entry(scene, image)
    assert (entry["tries"], entry["grown"]) == (2, 0.0123) and "hidden" not in entry
    assert scene_entry(replace(scene, hidden=0.0), image)["hidden"] == 0.0
    assert not {"tries", "grown", "hidden"} & scene_entry(replace(scene, grown=None), image).keys()
