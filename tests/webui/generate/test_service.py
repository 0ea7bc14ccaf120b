"""The HTTP API's operations without HTTP, the folder runs and the tab's HTML, with the bright-squares models."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.outputs import outline_entry
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.enhancement.retouch import Retouch
from lib_photoshoot.errors import ImageTooLargeError, MissingWeightsError, PhotoshootError, WeightsError
from lib_photoshoot.images import Picture, decode_picture
from lib_photoshoot.products import parse_products
from lib_photoshoot.provenance.metadata import NOTHING, Metadata, read_metadata, save_options
from lib_photoshoot.results import Decision, Doubt, FilterResult, Outline, ProductRegion
from lib_photoshoot.settings import FIELDS, VERSION
from lib_photoshoot.webui.folder.inpainting import picture_and_mask
from lib_photoshoot.webui.folder.progress import progress_html
from lib_photoshoot.webui.folder.run import FolderRun, FolderRunState
from lib_photoshoot.webui.generate import service as services
from lib_photoshoot.webui.generate.answers import entry_of
from lib_photoshoot.webui.generate.routes import sentence_of
from lib_photoshoot.webui.generate.schema import JobValues, settings_schema
from lib_photoshoot.webui.generate.service import PhotoshootService
from lib_photoshoot.webui.hosts.protocol import ControlModel
from lib_photoshoot.webui.http.downloads import Downloads
from lib_photoshoot.webui.http.errors import status_of
from lib_photoshoot.webui.http.folders import allowed_folders
from tests.pages import read_page
from tests.webui.fake_host import FakeControlNet, FakeHost
from tests.webui.generate.test_job import BrightModels, picture

CANNY = FakeControlNet([ControlModel("control_canny [1]", "sd1")])


class Bench:
    """A service on the in-memory host; remembers the jobs that were opened, and whether it was our turn."""

    def __init__(self, folder: Path, host: FakeHost, downloads: Downloads | None = None) -> None:
        self.host, self.jobs, self.ours, self.turns = host, [], False, 0
        host.before_paint = lambda number: self.check()
        self.service = PhotoshootService(
            host, self.turn, self.open_job, lambda: allowed_folders([str(folder)], folder), downloads
        )

    def check(self) -> None:
        assert self.ours

    @contextmanager
    def turn(self):
        self.ours, self.turns = True, self.turns + 1
        yield
        self.ours = False

    @contextmanager
    def open_job(self, values: JobValues, image: Image.Image):
        assert self.ours
        self.jobs.append(values)
        yield object()


@pytest.fixture(autouse=True)
def models(monkeypatch) -> BrightModels:
    bright = BrightModels()
    monkeypatch.setattr(services.REGISTRY, "get", lambda choice: bright)
    return bright


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, FakeHost(CANNY))


def base64_of(image: Image.Image, kind: str = "PNG", **options) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def image_of(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def body(lit: bool = True, **more) -> dict:
    settings = {"products": "bag", "recheck": False, **more.pop("settings", {})}
    return {"image": base64_of(picture(lit)), "settings": settings, **more}


def refused(call, request) -> tuple[int, str]:
    with pytest.raises(PhotoshootError) as error:
        call(request)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    return status_of(error.value), str(error.value)


def test_whether_a_scene_shows_the_photos_product_is_told_where_asked_for(bench: Bench) -> None:
    scene = {"repaint": "scene", "scene_denoise": 0, "backdrop": "#203040"}
    (one,) = bench.service.filter(body(settings=scene, identity=True))["identity"]
    assert one == {"product": "bag", "same": None, "says": "identity not checked: it is too small to be recognised"}
    assert bench.service.filter(body(settings={"enhancement": "retouch"}, identity=True))["identity"] == []
    assert "identity" not in bench.service.filter(body(settings=scene))
    assert refused(bench.service.enhance, body(settings=scene, identity=True))[0] == 422


def test_detect_answers_with_the_command_lines_object(bench: Bench) -> None:
    answer = bench.service.detect(body())
    assert list(answer) == ["file", "width", "height", "decision", "reason", "regions", "rejected", "seconds"]
    assert answer["regions"] == [{"product": "bag", "score": 0.9, "box": [20.0, 30.0, 60.0, 70.0], "mask": None}]
    assert answer["file"] == "image" and answer["decision"] == "match" and bench.turns == 1
    json.dumps(answer)


def test_detect_returns_masks_and_cut_outs_when_asked(bench: Bench) -> None:
    (region,) = bench.service.detect(body(masks=True, cutouts=True))["regions"]
    mask = np.asarray(image_of(region["mask"]))
    assert mask[30:70, 20:60].all() and (mask > 0).sum() == 1600
    assert image_of(region["cutout"]).mode == "RGBA"


def test_detect_reads_a_path_and_leaves_the_file_alone(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture().save(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    for operation in (bench.service.detect, bench.service.filter, bench.service.enhance):
        assert operation({"path": str(path), "settings": {"products": "bag"}})["file"] == str(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before and len(list(tmp_path.iterdir())) == 1


def test_a_skip_returns_no_image(bench: Bench) -> None:
    answer = bench.service.filter(body(lit=False))
    assert (answer["decision"], answer["reason"], answer["image"]) == ("skip", "nothing_found", None)
    assert not bench.host.requests


def test_filter_retouches_without_a_job(bench: Bench) -> None:
    answer = bench.service.filter(body(settings={"enhancement": "retouch"}))
    assert not bench.jobs and answer["changed_outside"] == 0 and answer["note"] is None
    after, before = np.asarray(image_of(answer["image"])), np.asarray(picture())
    assert (after != before).any() and (after[:20] == before[:20]).all()


def test_the_note_tells_aliases_that_find_nothing(bench: Bench) -> None:
    settings = {"enhancement": "retouch", "products": "bag = Xyzzy", "detector": "embedded"}
    assert "bag: looked for without Xyzzy" in bench.service.filter(body(settings=settings))["note"]


def test_words_that_nothing_knows_are_left_out_and_named(bench: Bench) -> None:
    settings = {"enhancement": "retouch", "products": "bag, Zzyx", "detector": "embedded"}
    for answer in (bench.service.filter(body(settings=settings)), bench.service.detect(body(settings=settings))):
        assert answer["note"].startswith("Zzyx: not looked for") and answer["left_out"] == ["zzyx"]
        assert answer["decision"] == "match" and {region["product"] for region in answer["regions"]} == {"bag"}
    with pytest.raises(PhotoshootError, match="not all can be looked for: Zzyx"):
        bench.service.detect(body(settings=settings | {"require_all": True}))


def test_filter_repaints_through_the_host(bench: Bench) -> None:
    job = {"prompt": "a bag", "seed": 7, "steps": 3, "width": 256}
    answer = bench.service.filter(body(job=job, settings={"mask_blur": 0, "mask_grow": 0, "colour_hold": "never"}))
    (request,) = bench.host.requests
    assert (request.prompt, request.seed, request.units[0].module) == ("a bag", 7, "canny")
    assert bench.jobs == [JobValues(**job)] and answer["seed"] == 7
    changed = (np.asarray(image_of(answer["image"])) != np.asarray(picture())).any(2)
    assert changed.sum() == 1600


def test_the_answer_tells_each_products_colour_before_and_after_the_hold(bench: Bench) -> None:
    bench.host.colour = (200, 150, 160)
    regions = bench.service.detect(body(masks=True))["regions"]
    for answer in (bench.service.filter(body()), bench.service.enhance(body(regions=regions))):
        (colour,) = answer["colour_hold"]
        assert (colour["product"], colour["box"]) == ("bag", [20.0, 30.0, 60.0, 70.0])
        assert colour["painted"]["mean"] > 10 > 2 > colour["held"]["mean"] > 0 and colour["held"]["percentile_95"] < 6
        assert np.abs(np.asarray(image_of(answer["image"]))[35:65, 25:55].astype(int) - 200).max() < 4
        json.dumps(answer)


def test_a_colour_beyond_the_limit_is_rejected_with_its_reason(bench: Bench) -> None:
    settings = {"colour_strength": 0.1}
    regions = bench.service.detect(body(masks=True))["regions"]
    for request in (body(settings=settings), body(settings=settings, regions=regions)):
        answer = bench.service.enhance(request)
        assert [item["reason"] for item in answer["rejected"]] == ["colour_off"] and answer["image"] is None
        assert answer["colour_hold"][0]["held"]["mean"] > 4


SCENE = {"products": "bag", "repaint": "scene", "scene_prompt": "on wood", "scene_denoise": 1.0, "only_masked": False}


def test_a_scene_is_painted_around_the_product_and_told(bench: Bench) -> None:
    answer = bench.service.filter(body(settings=SCENE, cutouts=True) | {"job": {"seed": 7}})
    (request,), scene = bench.host.requests, answer["scene"]
    assert (request.prompt, request.seed) == ("on wood", 7) and bench.turns == 1
    assert scene["changed_product_pixels"] == 0 < scene["kept_pixels"]
    after, before = np.asarray(image_of(answer["image"])), np.asarray(picture())
    assert (after[35:65, 25:55] == before[35:65, 25:55]).all() and (after[:20] == bench.host.colour).all()
    cutout = np.asarray(image_of(answer["regions"][0]["cutout"]))
    assert (cutout[cutout.shape[0] // 2, cutout.shape[1] // 2, :3] == 200).all()
    marked = marks_of(answer["image"]).term
    assert marked == "compositeWithTrainedAlgorithmicMedia"


def test_a_scene_of_given_regions_has_its_own_size_and_no_transparency(bench: Bench) -> None:
    mask = np.zeros((100, 120), np.uint8)
    mask[30:70, 20:60] = 255
    regions = [{"product": "bag", "mask": base64_of(Image.fromarray(mask))}]
    image = picture()
    image.putalpha(200)
    given = body(image=base64_of(image), settings={**SCENE, "products": "", "canvas": "80x72"}) | {"regions": regions}
    answer = bench.service.enhance(given)
    assert image_of(answer["image"]).size == (80, 72) and image_of(answer["image"]).mode == "RGB"
    assert (answer["width"], answer["height"]) == (120, 100), "the picture's own, in which its regions lie"


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"scene_units": "canny + nowhere"}, "is not installed"), ({"canvas": "huge"}, "canvas 'huge'")],
)
def test_a_scene_that_cannot_be_is_refused_before_anything_is_opened(
    bench: Bench, settings: dict[str, str], words: str
) -> None:
    code, said = refused(bench.service.filter, body(settings={**SCENE, **settings}))
    assert code == 422 and words in said and not bench.jobs


def test_without_a_prompt_the_product_is_named(bench: Bench) -> None:
    answer = bench.service.filter(body())
    assert bench.host.requests[0].prompt.startswith("bag, product photography")
    assert answer["seed"] == bench.jobs[0].seed >= 0


def test_cut_out_only_changes_nothing(bench: Bench) -> None:
    answer = bench.service.filter(body(cutouts=True, settings={"on_match": "mask and cut-out only"}))
    assert answer["image"] is None and answer["regions"][0]["cutout"] and not bench.host.requests


def test_a_missing_controlnet_is_told(tmp_path: Path) -> None:
    answer = Bench(tmp_path, FakeHost(None)).service.filter(body())
    assert answer["note"] == "ControlNet is not installed, so products are enhanced by plain inpainting."


def test_a_controlnet_that_cannot_be_had_is_refused_before_anything_is_opened(bench: Bench) -> None:
    assert refused(bench.service.filter, body(settings={"cn_model": "nope"}))[0] == 422 and not bench.jobs


@pytest.mark.parametrize(
    ("colour", "off"),
    [
        ("#c8c8c8", False),
        ("#ccc; tolerance=2,5", False),
        ("#CCC", False),
        ("Lab(80,6; 0; 0); tolerance=1", False),
        ("Lab(80.6, 0, 0) 98%", False),
        ("#c8c8c8 60% | #202020 40%", True),
        ("#b0b0b0; tolerance=4", True),
    ],
)
def test_product_lists_say_colours_as_everywhere(bench: Bench, colour: str, off: bool) -> None:
    products = f"bag [colour={colour}]"
    (bag,) = parse_products(products)
    answer = bench.service.detect(body(settings={"products": products}))
    (found,) = answer["rejected"] if off else answer["regions"]
    assert answer["reason"] == ("colour_off" if off else None)
    assert found["colour_check"]["off"] is off and found["colour_check"]["reference"] == str(bag.colour)
    assert found["colour_check"]["tolerance"] == bag.colour.tolerance
    status, sentence = refused(bench.service.detect, body(settings={"products": "bag [colour=#7a5c]"}))
    assert status == 422 and "The colour '#7a5c' is not known; write it as #7a5c3e" in sentence


def test_enhance_compares_given_regions_with_their_colour_too(bench: Bench) -> None:
    regions = bench.service.detect(body(masks=True))["regions"]
    bench.host.colour = (200, 150, 160)

    def enhanced(colour: str) -> dict:
        settings = {"products": f"bag [colour={colour}; tolerance=6]", "colour_hold": "never"}
        return bench.service.enhance(body(regions=regions, settings=settings))

    good, spoiled = enhanced("Lab(68, 22, 4)"), enhanced("#c8c8c8")
    assert good["image"] and not good["regions"][0]["colour_check"]["off"] and not good["rejected"]
    assert spoiled["image"] is None and [item["reason"] for item in spoiled["rejected"]] == ["colour_off"]
    assert spoiled["rejected"][0]["colour_check"]["off"] and not spoiled["regions"][0]["colour_check"]["off"]


def test_enhance_takes_back_whatever_detect_tells_of_a_region(bench: Bench) -> None:
    found = bench.service.detect(body(masks=True, cutouts=True))["regions"][0]
    found["outline"] = outline_entry(Outline(0.4, (Doubt.RAGGED,)))
    found["also"] = ["Tote bag"]
    answer = bench.service.enhance(body(regions=[found]))
    assert answer["decision"] == "match" and answer["regions"][0]["also"] == ["tote bag"]
    with pytest.raises(PhotoshootError, match="Region 1 is also 'tote'; give a list of product names"):
        bench.service.enhance(body(regions=[found | {"also": "tote"}]))


def test_a_missing_model_is_told_with_the_request_that_gets_it() -> None:
    error = MissingWeightsError("mobile-sam", "mobile_sam.pt is not in /models", "python -m x models get mobile-sam")
    assert sentence_of(error) == "mobile_sam.pt is not in /models: get it with POST /photoshoot/v1/models/mobile-sam."
    assert sentence_of(WeightsError("Another.")) == "Another."


def test_what_a_picture_hides_is_no_product_and_cutouts_are_no_more_opaque(bench: Bench) -> None:
    hidden, half = picture(), picture()
    hidden.putalpha(0)
    half.putalpha(100)
    assert bench.service.detect(body() | {"image": base64_of(hidden)})["decision"] == "skip"
    mask = Image.new("L", hidden.size, 255)
    request = {"image": base64_of(hidden), "regions": [{"mask": base64_of(mask)}]}
    assert "lies where the picture is transparent" in refused(bench.service.enhance, request)[1]
    found = bench.service.detect(body(cutouts=True) | {"image": base64_of(half)})["regions"][0]
    assert image_of(found["cutout"]).getchannel("A").getextrema()[1] == 100
    regions = [{"mask": base64_of(mask)}]
    drawn = bench.service.enhance(body(cutouts=True, regions=regions) | {"image": base64_of(half)})["regions"][0]
    assert image_of(drawn["cutout"]).getchannel("A").getextrema()[1] == 100


def test_enhance_takes_the_regions_of_detect_back(bench: Bench, models: BrightModels) -> None:
    regions = bench.service.detect(body(masks=True))["regions"]
    calls = models.calls
    own = {"mask_blur": 0, "mask_grow": 0, "colour_hold": "never"}
    answer = bench.service.enhance(body(regions=regions, settings=own))
    assert models.calls == calls and len(bench.host.requests) == 1
    assert (np.asarray(image_of(answer["image"])) != np.asarray(picture())).any(2).sum() == 1600
    assert answer["regions"][0]["product"] == "bag" and answer["changed_outside"] == 0


def test_enhance_with_a_drawn_mask_needs_no_product(bench: Bench) -> None:
    mask = Image.new("L", (120, 100))
    mask.paste(255, (5, 5, 15, 15))
    answer = bench.service.enhance(
        {"image": base64_of(picture(False)), "regions": [{"mask": base64_of(mask)}], "settings": {"mask_blur": 0}}
    )
    assert answer["regions"][0]["box"] == [5.0, 5.0, 15.0, 15.0] and answer["regions"][0]["product"] == "product"


def test_enhance_finds_the_product_itself_when_no_region_is_given(bench: Bench) -> None:
    assert bench.service.enhance(body())["decision"] == "match" and len(bench.host.requests) == 1


def test_a_failed_enhancement_keeps_the_picture_and_says_why(bench: Bench) -> None:
    bench.host.is_stopped = True
    mask = base64_of(Image.new("L", (120, 100), 255))
    for request in (body(), body(regions=[{"mask": mask}])):
        answer = bench.service.enhance(request)
        assert answer["image"] is None and "stopped" in answer["note"]


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ({}, "no 'mask'"),
        ({"mask": "!"}, "not base64"),
        ({"mask": base64_of(Image.new("L", (120, 100)))}, "empty mask"),
        ({"mask": base64_of(Image.new("L", (12, 10), 255))}, "same size"),
        ({"mask": base64_of(Image.new("L", (120, 100), 255)), "weight": 1}, "'weight'"),
        ({"mask": base64_of(Image.new("L", (120, 100), 255)), "product": 3}, "give its name"),
        ({"mask": base64_of(Image.new("L", (120, 100), 255)), "product": "a:b"}, "character"),
    ],
)
def test_unusable_regions(bench: Bench, region: dict, words: str) -> None:
    status, sentence = refused(bench.service.enhance, body(regions=[region]))
    assert status == 422 and words in sentence


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"imgae": "x"}, 422, "'imgae'"),
        ({"settings": {"threshhold": 0.3}}, 422, "'threshhold'"),
        ({"settings": {"version": VERSION + 1}}, 422, "version"),
        ({"settings": {"threshold": 2}}, 422, "Detection threshold"),
        ({"settings": {"products": ""}}, 422, "empty"),
        ({"settings": []}, 422, "'settings' must be"),
        ({"job": {"prompts": ""}}, 422, "'prompts'"),
        ({"job": {"steps": 0}}, 422, "'steps'"),
        ({"job": {"seed": True}}, 422, "'seed'"),
        ({"job": {"prompt": None}}, 422, "'prompt'"),
        ({"job": 3}, 422, "'job' must be"),
        ({"masks": "yes"}, 422, "'masks'"),
        ({"image": None}, 422, "either as 'image'"),
        ({"path": "/a.png"}, 422, "either as 'image'"),
        ({"image": "data:image/png;base64,@@"}, 422, "not base64"),
        ({"image": 5}, 422, "in base64"),
        ({"image": base64.b64encode(b"text").decode()}, 422, "not a picture"),
        ({"image": ""}, 422, "The image"),
        ({"image": None, "path": "/etc/passwd"}, 403, "outside"),
        ({"image": None, "path": 7}, 403, "path is missing"),
    ],
)
def test_what_is_wrong_is_named(bench: Bench, change: dict, status: int, words: str) -> None:
    found, sentence = refused(bench.service.filter, {**body(), **change} if "settings" in change else body() | change)
    assert (found, words in sentence) == (status, True), sentence
    assert not bench.turns


def test_a_file_that_is_not_there(bench: Bench, tmp_path: Path) -> None:
    request = body() | {"image": None, "path": str(tmp_path / "no.png")}
    assert refused(bench.service.detect, request)[0] == 404


def test_too_many_pixels_are_refused_before_they_are_decoded(bench: Bench, monkeypatch) -> None:
    monkeypatch.setattr(bench.host, "option", lambda name: {"api_megapixels": 0.01}.get(name))
    assert refused(bench.service.detect, body())[0] == 413
    with pytest.raises(ImageTooLargeError):
        decode_picture(base64.b64decode(base64_of(Image.new("RGB", (100, 100)))), "x", 9_999)
    # Whatever is allowed also fits into a request.
    monkeypatch.setattr(bench.host, "option", lambda name: 1)
    assert bench.service.body_limit() > 1_000_000 * 4 * 4 / 3


def test_missing_weights_are_the_servers_fault(bench: Bench, monkeypatch) -> None:
    def missing(choice):
        raise WeightsError("mobile_sam.pt is not there: get it.")

    monkeypatch.setattr(services.REGISTRY, "get", missing)
    assert refused(bench.service.detect, body())[0] == 503
    assert not bench.ours or bench.turns == 1


def test_transparency_profile_and_exif_come_back(bench: Bench) -> None:
    image = picture()
    image.putalpha(99)
    exif = Image.Exif()
    exif[0x010E] = "a bag"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    request = body(settings={"enhancement": "retouch"}, cutouts=True)
    request["image"] = base64_of(image, exif=exif, icc_profile=profile)
    answer = bench.service.filter(request)
    after = image_of(answer["image"])
    assert after.mode == "RGBA" and after.getexif()[0x010E] == "a bag" and after.info["icc_profile"] == profile
    assert image_of(answer["regions"][0]["cutout"]).info["icc_profile"] == profile


def marks_of(text: str) -> Metadata:
    with image_of(text) as image:
        image.load()
        return read_metadata(image)


@pytest.mark.parametrize("way", ["retouch", "inpaint"])
def test_the_pictures_marks_come_back_in_image_and_cut_outs(bench: Bench, way: str) -> None:
    given = NOTHING.with_term("compositeSynthetic")
    given = replace(given, texts=(("parameters", "a bag\nSteps: 20, Seed: 1"),))
    request = body(settings={"enhancement": way}, cutouts=True)
    request["image"] = base64_of(picture(), **save_options("PNG", given))
    answer = bench.service.filter(request)
    for text in (answer["image"], answer["regions"][0]["cutout"]):
        found = marks_of(text)
        assert found.terms == ("compositeSynthetic",) and found.texts == given.texts


def test_a_photo_whose_product_was_painted_anew_says_so_and_a_retouched_one_does_not(bench: Bench) -> None:
    painted = bench.service.filter(body(settings={"enhancement": "inpaint"}, cutouts=True))
    for text in (painted["image"], painted["regions"][0]["cutout"]):
        assert marks_of(text).terms == ("compositeWithTrainedAlgorithmicMedia",)
    retouched = bench.service.filter(body(settings={"enhancement": "retouch"}))
    assert marks_of(retouched["image"]) == NOTHING


def test_the_schema_is_made_of_the_fields() -> None:
    schema = settings_schema()
    json.dumps(schema, allow_nan=False)
    assert set(schema["properties"]) == {"version", *FIELDS} and schema["additionalProperties"] is False
    assert schema["properties"]["denoise"] == {
        "type": "number", "title": "Denoising strength", "minimum": 0, "maximum": 1, "default": 0.4,
    }  # fmt: skip
    assert schema["properties"]["enhancement"]["enum"] == ["ControlNet", "inpaint", "retouch"]
    assert schema["properties"]["version"]["const"] == VERSION
    assert schema["$defs"]["job"]["properties"]["seed"]["default"] == -1


def test_models_are_listed_and_brought_in_the_background(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path))
    go_on, told = threading.Event(), threading.Event()

    def get(name, progress):
        progress(10, 40)
        told.set()
        go_on.wait(5)
        raise WeightsError("No network.")

    service = Bench(tmp_path, FakeHost(), Downloads(get)).service
    listed = service.models()
    assert {"name", "file", "size", "licence", "present"} == set(listed["models"][0])
    assert not any(item["present"] for item in listed["models"] + listed["groups"])
    assert service.model("mobile-sam")["state"] == "missing"
    assert service.get_model("mobile-sam")["state"] == "downloading"
    assert told.wait(5)
    assert service.get_model("mobile-sam") | {"size": 0} == {
        "name": "mobile-sam", "size": 0, "error": None, "state": "downloading", "done": 10, "total": 40,
    }  # fmt: skip
    go_on.set()
    wait_until(lambda: service.model("mobile-sam")["state"] == "failed")
    assert service.model("mobile-sam")["error"] == "No network."
    assert service.model("embedded")["state"] == "missing"
    assert refused(service.get_model, "../manifest")[0] == 404


def wait_until(true, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos <b>"
    folder.mkdir()
    for name, lit in (("a", True), ("b", False), ("c", True)):
        picture(lit).save(folder / f"{name}.png")
    (folder / "d.png").write_text("no picture")
    return folder


def run_over(photos: Path, out: Path, models: BrightModels, turn=nullcontext, finish=lambda: None) -> FolderRun:
    inputs = collect_inputs([photos], out)
    return FolderRun(
        lambda: models.filter(Retouch(), recheck=False), inputs, parse_products("bag"), out, {"x": 1}, turn, finish
    )


def shown(out: Path) -> list[str]:
    """What the picture page of a run says of its pictures."""
    return [item["decision"] for item in read_page(page_of(out)).items]


def page_of(out: Path) -> str:
    return b"".join(ReviewedRun(out).page()).decode()


def test_a_folder_run_takes_a_turn_for_each_picture(photos: Path, tmp_path: Path, models: BrightModels) -> None:
    turns, finished = [], []

    @contextmanager
    def turn():
        turns.append(1)
        yield

    run = run_over(photos, tmp_path / "out", models, turn, lambda: finished.append(1)).start()
    wait_until(lambda: finished)
    found = run.snapshot()
    assert (found.state, found.done, found.total, found.matched, found.skipped) == (FolderRunState.DONE, 4, 4, 2, 1)
    assert len(turns) == 3 and len(found.summary.unreadable) == 1
    assert "Done in" in progress_html(found)


def test_a_stopped_run_has_a_report_and_goes_on(photos: Path, tmp_path: Path, models: BrightModels) -> None:
    out, stopped = tmp_path / "out", []

    @contextmanager
    def turn():
        yield
        stopped.append(run.stop())

    run = run_over(photos, out, models, turn).start()
    wait_until(lambda: run.snapshot().state.ended)
    assert run.snapshot().state is FolderRunState.STOPPED and len(stopped) == 1
    assert run.snapshot().done == 1 and shown(out) == ["accepted"]
    assert "3 pictures left" in progress_html(run.snapshot())
    calls = models.calls
    again = run_over(photos, out, models).start()
    wait_until(lambda: again.snapshot().state.ended)
    assert again.snapshot().state is FolderRunState.DONE and models.calls == calls + 2
    assert sorted(shown(out)) == ["accepted", "accepted", "rejected", "unreadable"]


def test_a_run_that_fails_says_why(photos: Path, tmp_path: Path, models: BrightModels) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    run = run_over(photos, tmp_path / "out", models).start()
    wait_until(lambda: run.snapshot().state.ended)
    assert run.snapshot().state is FolderRunState.FAILED and "not empty" in progress_html(run.snapshot())

    @contextmanager
    def turn():
        raise RuntimeError("<boom>")
        yield

    run = run_over(photos, tmp_path / "other", models, turn).start()
    wait_until(lambda: run.snapshot().state.ended)
    assert "&lt;boom&gt;" in progress_html(run.snapshot())


def test_a_cutout_over_http_is_open_where_the_background_shows_and_the_mask_is_not() -> None:
    pixels = np.full((60, 60, 3), 90, np.uint8)
    mask, openings = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    mask[10:50, 10:50] = openings[20:40, 20:40] = True
    region = ProductRegion("bag", (10, 10, 50, 50), 0.9, mask, 1.0, openings)
    result = FilterResult(60, 60, Decision.MATCH, None, (region,), (), pixels, 0, {})
    (entry,) = entry_of("a.png", result, Picture(pixels, None, 60, 60), masks=True, cutouts=True)["regions"]
    whole, cutout = (np.asarray(Image.open(io.BytesIO(base64.b64decode(entry[key])))) for key in ("mask", "cutout"))
    assert whole[30, 30] == 255
    assert cutout[cutout.shape[0] // 2, cutout.shape[1] // 2, 3] == 0 and (cutout[..., 3] == 255).any()


def test_the_page_shows_what_was_found_and_escapes_names(photos: Path, tmp_path: Path, models: BrightModels) -> None:
    (photos / "a.png").rename(photos / "<img src=x>.png")
    out = tmp_path / "out"
    run = run_over(photos, out, models)
    run.start()
    wait_until(lambda: run.snapshot().state.ended)
    assert sorted(shown(out)) == ["accepted", "accepted", "rejected", "unreadable"]
    page = page_of(out)
    assert "<img src=x>" not in page and "<b>/" not in page and "photos <b>" not in page
    assert "Nothing in the picture" in page and "not a picture" in page
    named = {item["name"]: item for item in read_page(page).items}
    for name in ("<img src=x>", "c"):
        image, mask = picture_and_mask(ReviewedRun(out), named[name]["id"])
        assert image.size == mask.size and mask.getextrema() == (0, 255)
    with pytest.raises(PhotoshootError, match="no such picture"):
        picture_and_mask(ReviewedRun(out), 7)
    (photos / "c.png").write_bytes((photos / "b.png").read_bytes())
    with pytest.raises(PhotoshootError, match="was changed"):
        picture_and_mask(ReviewedRun(out), named["c"]["id"])
