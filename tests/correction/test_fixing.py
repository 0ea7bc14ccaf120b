"""Correcting outlines over HTTP: what is asked, what is answered, and what stands in the run's folder afterwards."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import id_of
from lib_photoshoot.catalog.replacement import PENDING
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.fixer import Fixer
from lib_photoshoot.journal import json_line
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import SoftCandidate
from tests.bright_squares import BrightSquares
from tests.pages import read_page
from tests.shoot.test_review import Served
from tests.test_catalog import PRODUCTS, files_of, paint

SETTINGS = {"retouch": "faithful"}


def clicked(x: float, y: float, add: bool = True) -> dict[str, Any]:
    return {"kind": "click", "add": add, "path": [[x, y]], "reach": 2}


def likely(answer: dict[str, Any]) -> np.ndarray:
    """The outline of an answer that the page takes, bool."""
    return mask_of(answer["answers"][answer["likely"]]["mask"])


class FloodSegmenter:
    """Answers with the even area at the last click, or with the box: quick, and a real answer to the prompts."""

    def __init__(self) -> None:
        self.asked: list[tuple[Box | None, list[Any], bool]] = []
        self.ahead: list[tuple[int, ...]] = []

    def prompted(
        self, image: np.ndarray, box: Box | None, points: Sequence[Any], shape: Any, prior: np.ndarray | None = None
    ) -> list[SoftCandidate]:
        self.asked.append((box, list(points), prior is not None))
        mask = np.zeros(image.shape[:2], np.float32) if prior is None else prior.copy()
        if prior is None and box is not None:
            x0, y0, x1, y1 = (round(side) for side in box)
            mask[y0:y1, x0:x1] = 1
        for x, y, inside in points:
            flooded = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
            cv2.floodFill(image.copy(), flooded, (int(x), int(y)), 0, (3,) * 3, (3,) * 3, cv2.FLOODFILL_MASK_ONLY)
            mask[flooded[1:-1, 1:-1] > 0] = inside
        return [SoftCandidate(mask, 0.9)]

    def embed_ahead(self, image: np.ndarray) -> None:
        self.ahead.append(image.shape)


def small_outliner() -> ClickOutliner:
    return ClickOutliner(FloodSegmenter())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    paint(folder / "two.png", (5, 5, 25, 25), (40, 20, 70, 50))
    paint(folder / "none.png")
    return folder


def go(photos: Path, out: Path, **settings: Any) -> Any:
    return run_catalog(
        Retouching(), collect_inputs([photos], out), PRODUCTS, out, resume=True, settings={**SETTINGS, **settings}
    )


class Retouching(BrightSquares):
    """The same regions, retouched as a run's settings say, so that a correction has to make the same of them."""

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
        from dataclasses import replace

        from lib_photoshoot.enhancement.applying import enhance_products
        from lib_photoshoot.enhancement.retouch import retouch_of

        self.calls += 1
        found = self.detect(image, products)
        enhancer = retouch_of("faithful")
        if not found.regions or enhancer is None:
            return found
        done = enhance_products(image, space, found.regions, products, enhancer)
        return replace(found, image=done.image, regions=tuple(done.regions))


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    go(photos, tmp_path / "out")
    return tmp_path / "out"


class Fixed(Served):
    """A run under review whose outlines are corrected by a small segmenter."""

    def __init__(self, out: Path) -> None:
        self.run = ReviewedRun(out)
        self.segmenter, self.loaded = FloodSegmenter(), 0
        self.run.fixing = self.fixer = Fixer(self.run, self._load)
        super().__init__(out, self.run)

    def _load(self) -> ClickOutliner:
        self.loaded += 1
        return ClickOutliner(self.segmenter)

    def ask(self, name: str, values: Any, **headers: str) -> tuple[int, Any]:
        return self.post(values, headers, f"/{self.token}/fix/{name}")

    def save(self, file: Path, *regions: dict[str, Any]) -> tuple[int, Any]:
        return self.ask("save", {"id": number(file), "regions": list(regions)})


@pytest.fixture
def served(out: Path) -> Iterator[Fixed]:
    one = Fixed(out)
    yield one
    one.close()


def number(file: Path) -> int:
    return id_of(os.path.abspath(file))


def png(mask: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def mask_of(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) > 127


def square(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def record_of(out: Path, file: Path) -> Record:
    (found,) = [one for one in current_records(out / LEDGER_NAME) if one.file == os.path.abspath(file)]
    return found


def read(out: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(out / name))


def test_the_page_knows_what_can_be_corrected_and_where(served: Fixed, photos: Path) -> None:
    page = read_page(served.get("report.html")[2].decode())
    assert page.head["fix"] == "fix" and [item["fixable"] for item in page.items] == [True, True]
    assert page.items[1]["regions"][0]["mask"] == "masks/two_1_lamp.png"
    written = read_page((served.out / "report.html").read_text())
    assert written.head["fix"] == "" and not any(item["fixable"] for item in written.items)
    assert served.loaded == 0


def test_the_original_is_served_as_it_lies_in_its_own_folder(served: Fixed, photos: Path) -> None:
    status, headers, body = served.get(f"fix/original/{number(photos / 'two.png')}")
    image = Image.open(io.BytesIO(body))
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and image.size == (80, 60)
    assert image.getpixel((10, 10))[0] > 240 and served.get("fix/original/7")[0] == 409
    assert served.get("fix/original/../../x")[0] == 404 and served.loaded == 0


def test_a_click_adds_a_click_takes_away_and_a_box_begins_anew(served: Fixed, photos: Path) -> None:
    ask = {"id": number(photos / "two.png"), "region": 0, "steps": [clicked(50, 30)], "mask": None}
    status, answer = served.ask("outline", ask)
    assert status == 200 and 0 <= answer["seconds"] < 5
    assert np.array_equal(likely(answer), square(5, 5, 25, 25) | square(40, 20, 70, 50))
    drawn = png(square(0, 0, 30, 30))
    status, answer = served.ask("outline", {**ask, "mask": drawn, "steps": [clicked(10, 10, add=False)]})
    assert np.array_equal(likely(answer), square(0, 0, 30, 30) & ~square(5, 5, 25, 25))
    status, answer = served.ask("outline", {"id": ask["id"], "steps": [{"kind": "box", "path": [[70, 50], [40, 20]]}]})
    assert np.array_equal(likely(answer), square(40, 20, 70, 50))
    assert served.loaded == 1


def test_what_comes_next_is_prepared_and_the_answer_does_not_wait(served: Fixed, photos: Path) -> None:
    ids = [number(photos / name) for name in ("two.png", "none.png", "gone.png")]
    assert served.ask("ready", {"ids": ids}) == (202, {})
    served.fixer._ahead.wait(5)
    assert served.segmenter.ahead == [(60, 80, 3)] * 2


def test_a_corrected_outline_flows_into_everything_and_the_rest_stays(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    before = record_of(served.out, file)
    kept = {name: (served.out / name).read_bytes() for name in ("masks/two_2_lamp.png", "cutouts/two_2_lamp.png")}
    old = read(served.out, "enhanced/two.png")
    served.post({"decisions": [{"file": before.file, "decision": "accepted"}]})
    status, answer = served.save(file, {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))})
    assert status == 200 and answer["products"] == []
    (item,) = answer["shots"]
    record = record_of(served.out, file)
    first, second = record.entry["regions"]
    assert first["outline"] == {"quality": 1.0, "doubts": [], "source": "hand"} and record.corrected == 1
    assert (item["by_hand"], item["fixable"], item["id"]) == ("accepted", True, number(file))
    assert [region.get("by_hand") for region in item["regions"]] == [True, None]
    assert item["regions"][0]["mask"] == first["mask"] and item["file"] == record.output_in("overlays")
    assert {file: hand.decision for file, hand in read_hands(served.out).items()} == {before.file: "accepted"}
    mask = read(served.out, first["mask"]) > 127
    assert np.count_nonzero(mask ^ square(5, 5, 25, 15)) <= 40
    x, y = first["cutout_at"]
    cutout = read(served.out, first["mask"].replace("masks", "cutouts"))
    assert (cutout[..., 3] > 127).sum() == mask.sum() and cutout[10 - y, 15 - x, 3] == 255
    assert record.annotations[0]["area"] == mask.sum() and record.annotations[1] == before.annotations[1]
    assert {**second, "mask": ""} == {**before.entry["regions"][1], "mask": ""}
    for name, data in kept.items():
        assert (served.out / name.replace("two", "two-by-hand-1")).read_bytes() == data
    new = read(served.out, record.output_in("enhanced"))
    assert np.array_equal(new[20:50, 40:70], old[20:50, 40:70]), "the other region's pixels"
    assert np.array_equal(new[17:25, 5:25], read(photos, "two.png")[17:25, 5:25]), "no longer product: the original's"
    drawing = Image.open(served.out / first["correction"])
    assert np.array_equal(np.asarray(drawing) > 127, square(5, 5, 25, 15)) and "by hand" in drawing.info["Comment"]
    assert not [name for name in before.outputs if (served.out / name).exists()]
    assert all((served.out / name).is_file() for name in record.outputs) and not (served.out / PENDING).exists()
    assert served.get(item["file"])[0] == 200 and served.get(first["mask"])[0] == 200
    assert not list(served.out.glob(".correction-*"))


def test_reports_are_written_anew_at_the_end_and_a_resumed_run_keeps_it(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    served.save(file, {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))})
    record = record_of(served.out, file)
    served.server.finish()
    report = json.loads((served.out / "report.json").read_text())
    assert record.entry in report["images"]
    coco = json.loads((served.out / "coco.json").read_text())
    assert [one["area"] for one in coco["annotations"]] == [one["area"] for one in record.annotations]
    assert record.entry["regions"][0]["mask"] in (served.out / "report.csv").read_text()
    files = files_of(served.out)
    assert go(photos, served.out).resumed == 2 and files_of(served.out) == files
    assert record_of(served.out, file) == record


def test_another_name_flows_into_everything_and_the_outline_stays(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    before = record_of(served.out, file)
    old = {name: (served.out / f"{name}/two_1_lamp.png").read_bytes() for name in ("masks", "cutouts")}
    overlay = read(served.out, before.output_in("overlays"))
    status, answer = served.save(file, {"region": 0, "product": "Tea Cup"})
    assert status == 200 and answer["told"] == []
    record = record_of(served.out, file)
    first, second = record.entry["regions"]
    assert (first["product"], first["outline"]["source"], second["product"]) == ("tea cup", "hand", "lamp")
    assert {**first, "mask": "", "product": "", "outline": ""} == {
        **before.entry["regions"][0], "mask": "", "product": "", "outline": ""
    }  # fmt: skip
    assert first["mask"].startswith("masks/two-by-hand-1_1_tea")
    for folder, data in old.items():
        assert (served.out / first["mask"].replace("masks", folder)).read_bytes() == data, "not a pixel is another"
    assert [one["product"] for one in record.annotations] == ["tea cup", "lamp"]
    assert (read(served.out, record.output_in("overlays")) != overlay).any()
    (item,) = answer["shots"]
    assert item["products"] == ["tea cup", "lamp"] and item["regions"][0]["by_hand"] is True
    assert served.save(file, {"region": 0, "product": "lamp"})[0] == 200
    assert record_of(served.out, file).entry["regions"][0]["product"] == "lamp"
    assert served.save(file, {"region": 0, "product": "cup, lid"})[0] == 409
    assert served.save(file, {"region": 0, "product": " "})[0] == 400
    assert served.save(file, {"region": 0, "product": "cup", "remove": True})[0] == 200


def test_another_name_is_in_the_reports_and_a_resumed_run_keeps_it(served: Fixed, photos: Path) -> None:
    served.save(photos / "two.png", {"region": 1, "product": "vase"})
    served.server.finish()
    report = json.loads((served.out / "report.json").read_text())
    assert [one["product"] for one in report["images"][1]["regions"]] == ["lamp", "vase"]
    coco = json.loads((served.out / "coco.json").read_text())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    assert [names[one["category_id"]] for one in coco["annotations"]] == ["lamp", "vase"]
    assert "vase" in (served.out / "report.csv").read_text()
    files = files_of(served.out)
    assert go(photos, served.out).resumed == 2 and files_of(served.out) == files


def test_a_new_product_and_its_word(served: Fixed, photos: Path) -> None:
    file = photos / "none.png"
    status, answer = served.save(file, {"region": None, "product": "Tea Cup", "mask": png(square(20, 20, 40, 40))})
    assert status == 200 and answer["shots"][0]["products"] == ["tea cup"]
    record = record_of(served.out, file)
    assert record.entry["decision"] == "match" and record.entry["regions"][0]["score"] == 1.0
    assert record.annotations[0]["product"] == "tea cup"
    served.server.finish()
    coco = json.loads((served.out / "coco.json").read_text())
    assert [one["name"] for one in coco["categories"]] == ["lamp", "tea cup"]
    assert coco["annotations"][0]["category_id"] in (1, 2)
    go(photos, served.out)
    assert json.loads((served.out / "coco.json").read_text()) == coco


@pytest.mark.parametrize("word", ["a, b", "cup = mug", "cup [threshold=0.3]", "#", "x" * 61])
def test_a_word_that_is_no_products_is_refused(served: Fixed, photos: Path, word: str) -> None:
    before = files_of(served.out)
    status, answer = served.save(
        photos / "none.png", {"region": None, "product": word, "mask": png(square(1, 1, 9, 9))}
    )
    assert status == 409 and answer["error"].endswith(".") and files_of(served.out) == before


def test_a_removed_product_and_the_last_one(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    status, answer = served.save(file, {"region": 0, "remove": True})
    record = record_of(served.out, file)
    assert status == 200 and len(record.entry["regions"]) == 1 and record.entry["decision"] == "match"
    assert record.entry["rejected"][-1]["reason"] == "removed_by_hand"
    assert np.array_equal(
        read(served.out, record.output_in("enhanced"))[5:25, 5:25], read(photos, "two.png")[5:25, 5:25]
    )
    status, answer = served.save(file, {"region": 0, "remove": True})
    record = record_of(served.out, file)
    assert (record.entry["decision"], record.entry["reason"]) == ("skip", "removed_by_hand")
    assert record.outputs == ("thumbnails/before/two-by-hand-2.jpg",) and answer["shots"][0]["filter"] == "rejected"
    assert go(photos, served.out).resumed == 2 and record_of(served.out, file) == record


def test_holes_of_the_drawing_stay_open(served: Fixed, photos: Path) -> None:
    drawn = square(40, 20, 70, 50) & ~square(50, 30, 60, 40)
    served.save(photos / "two.png", {"region": 1, "product": "lamp", "mask": png(drawn)})
    record = record_of(served.out, photos / "two.png")
    region = record.entry["regions"][1]
    x, y = region["cutout_at"]
    cutout = read(served.out, region["mask"].replace("masks", "cutouts"))
    assert cutout[35 - y, 55 - x, 3] == 0 and read(served.out, region["mask"])[35, 55] == 255
    _, answer = served.ask("outline", {"id": number(photos / "two.png"), "region": 1, "steps": []})
    assert not likely(answer)[35, 55] and likely(answer)[25, 45]


def test_a_source_that_vanished_or_changed_is_said(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    drawn = {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))}
    before = files_of(served.out)
    paint(file, (1, 1, 20, 20))
    for status, answer in (
        served.save(file, drawn),
        served.ask("outline", {"id": number(file), "region": 0, "steps": [clicked(1, 1)]}),
    ):
        assert status == 409 and "was changed since" in answer["error"]
    assert served.get(f"fix/original/{number(file)}")[0] == 409
    file.unlink()
    status, answer = served.save(file, drawn)
    assert status == 409 and "put it back" in answer["error"] and files_of(served.out) == before


def test_of_a_picture_that_changed_after_its_correction_the_correction_is_set_aside(out: Path, photos: Path) -> None:
    served = Fixed(out)
    served.save(photos / "two.png", {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))})
    served.close()
    correction = record_of(out, photos / "two.png").entry["regions"][0]["correction"]
    paint(photos / "two.png", (1, 1, 20, 20))
    summary = go(photos, out)
    assert "corrections by hand of 1 picture" in summary.notes[0] and (out / "withdrawn" / correction).is_file()
    assert record_of(out, photos / "two.png").corrected == 0 and go(photos, out).notes == ()


def test_a_strangers_ledger_has_nothing_read(out: Path, photos: Path, tmp_path: Path) -> None:
    secret = paint(tmp_path / "secret.png", (0, 0, 60, 60))
    status = secret.stat()
    text = (out / LEDGER_NAME).read_text()
    names = [str(secret), "/etc/passwd", "file:///etc/passwd", "//host/share/x.png", "relative.png", str(tmp_path)]
    lines = text.splitlines(keepends=True)[:1]
    for name in names:
        line = json.loads(text.splitlines()[2])
        lines.append(json_line({**line, "file": name}).decode())
    (out / LEDGER_NAME).write_text("".join(lines))
    served = Fixed(out)
    try:
        for name in names:
            status_, _, body = served.get(f"fix/original/{id_of(name)}")
            assert status_ == 409 and b"root:" not in body and b"no such picture" not in body
        owned = json.loads(lines[1]) | {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
        (out / LEDGER_NAME).write_text(lines[0] + json_line(owned).decode())
        assert served.get(f"fix/original/{id_of(str(secret))}")[0] == 200, "who knows its time to the nanosecond has it"
    finally:
        served.close()


def test_a_strangers_names_lead_nowhere(out: Path, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (out / "corrections").symlink_to(tmp_path / "outside", target_is_directory=True)
    served = Fixed(out)
    try:
        status, answer = served.save(
            photos / "two.png", {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))}
        )
        assert status == 409 and "leads out" in answer["error"] and not list((tmp_path / "outside").iterdir())
        assert record_of(out, photos / "two.png").corrected == 0 and (out / "masks/two_1_lamp.png").is_file()
    finally:
        served.close()
    (out / PENDING).write_text(
        json.dumps({"place": 0, "length": 1, "digest": "", "new": ["../photos/two.png", "ledger.jsonl"], "old": []})
    )
    go(photos, out)
    assert (photos / "two.png").is_file() and (out / LEDGER_NAME).is_file() and not (out / PENDING).exists()


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("outline", {"id": "x"}, 400), ("outline", [], 400), ("outline", {"id": 1, "steps": [[1, 2]]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "click", "path": [[1e400, 2]]}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "box", "path": [[1, 2]]}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "loop", "path": [[1, 2], [3, 4]]}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "line", "path": [[1, 2]] * 601}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "star", "path": [[1, 2]]}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "click", "path": [[1, 2]], "add": 3}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "click", "path": [[1, 2]], "choice": -1}]}, 400),
        ("outline", {"id": 1, "steps": [{"kind": "click", "path": [[1, 2]], "reach": "far"}]}, 400),
        ("outline", {"id": 1, "mask": "?"}, 400), ("outline", {"id": 1, "steps": [clicked(0, 0)] * 201}, 400),
        ("outline", {"id": 1, "other": 1}, 400), ("outline", {"id": 1}, 409), ("ready", {"ids": [1] * 4}, 400),
        ("save", {"id": 1, "regions": []}, 400), ("save", {"id": 1, "regions": [{"region": 0}]}, 400),
        ("save", {"id": 1, "regions": [{"region": None, "product": " ", "mask": "AAAA"}]}, 400),
        ("elsewhere", {}, 404),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused_in_a_sentence(served: Fixed, name: str, values: Any, status: int) -> None:
    answered, answer = served.ask(name, values)
    assert answered == status and answer["error"].endswith(".") and served.loaded == 0


def test_masks_of_another_size_or_of_nothing_are_refused(served: Fixed, photos: Path) -> None:
    before = files_of(served.out)
    for mask, words in ((np.ones((60, 81), bool), "load the page again"), (np.zeros((60, 80), bool), "is empty")):
        status, answer = served.save(photos / "two.png", {"region": 0, "product": "lamp", "mask": png(mask)})
        assert status == 409 and words in answer["error"] and files_of(served.out) == before
    mask = base64.b64encode(b"no picture").decode()
    assert served.save(photos / "two.png", {"region": 0, "product": "lamp", "mask": mask})[0] == 409
    assert served.save(photos / "two.png", {"region": 5, "remove": True})[0] == 409


def test_the_same_guards_as_for_decisions(served: Fixed, photos: Path) -> None:
    values = {"id": number(photos / "two.png"), "regions": [{"region": 0, "remove": True}]}
    assert served.ask("save", values, Origin="http://evil.example")[0] == 403
    assert served.ask("save", values, Host="evil.example")[0] == 403
    assert served.ask("save", values, **{"Content-Type": "text/plain"})[0] == 415
    assert served.post(values, path="/wrong/fix/save")[0] == 404
    assert record_of(served.out, photos / "two.png").corrected == 0


def test_an_overlay_tells_outlines_by_hand_from_scores(
    served: Fixed, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(cv2, "putText", lambda canvas, text, *_: said.append(text))
    for region, sides in ((1, (40, 20, 60, 50)), (0, (5, 5, 25, 15))):
        said.clear()
        served.save(photos / "two.png", {"region": region, "product": "lamp", "mask": png(square(*sides))})
        (other,) = [text for text in said if not text.startswith(f"{region + 1} ")]
        assert f"{region + 1} lamp by hand" in said and other.endswith("by hand") == (region == 0)
