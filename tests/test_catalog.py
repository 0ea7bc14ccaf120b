"""Catalogue runs with a small real filter that finds bright squares: inputs, ledger, outputs, reports, resume."""

from __future__ import annotations

import csv
import dataclasses
import errno
import json
import os
import re
import shutil
import subprocess
import tracemalloc
from itertools import chain
from pathlib import Path, PurePath

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_photoshoot.catalog import outputs, runner
from lib_photoshoot.catalog.coco import polygons
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import CatalogProgress, run_catalog
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.images import Picture
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Decision, FilterResult, ProductRegion, Reason, Rejection
from tests.bright_squares import BrightSquares
from tests.pages import read_page

PRODUCTS = parse_products("lamp")


def paint(path: Path, *squares: tuple[int, int, int, int]) -> Path:
    pixels = np.full((60, 80, 3), 40, np.uint8)
    for x0, y0, x1, y1 in squares:
        pixels[y0:y1, x0:x1] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    paint(folder / "two.png", (5, 5, 25, 25), (40, 20, 70, 50))
    paint(folder / "none.png")
    paint(folder / "sub" / "one.bmp", (10, 10, 30, 40))
    (folder / "broken.jpg").write_text("no picture")
    return folder


def run(photos: Path, out: Path, **options):
    return run_catalog(BrightSquares(), collect_inputs([photos], out), PRODUCTS, out, **options)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def names(inputs) -> list[str]:
    return [str(item.relative) for item in inputs]


# Inputs


def test_inputs_are_ordered_and_hidden_files_and_other_suffixes_left_out(photos: Path) -> None:
    paint(photos / ".hidden.png")
    paint(photos / ".git" / "a.png")
    (photos / "notes.txt").touch()
    assert names(collect_inputs([photos])) == ["broken", "none", "two", "sub/one"]


def test_same_stems_get_distinct_names(tmp_path: Path) -> None:
    for name in ("x/a.jpg", "x/a.png", "x/A.bmp", "y/a.jpg", "y/a_jpg.png"):
        paint(tmp_path / name)
    found = names(collect_inputs([tmp_path / "x", tmp_path / "y", tmp_path / "x"]))
    assert len(found) == 5 == len({name.casefold() for name in found})


@given(st.lists(st.tuples(st.sampled_from("aAbé"), st.sampled_from(["", "_png", "_2"]), st.sampled_from(["", ".png"]))))
def test_output_names_never_clash(parts) -> None:
    from lib_photoshoot.catalog.inputs import _unique_names

    found = [name.casefold() for name in _unique_names("".join(part) for part in parts)]
    assert len(found) == len(parts) == len(set(found))


def test_links_are_followed_without_looping(photos: Path) -> None:
    (photos / "sub" / "up").symlink_to(photos, target_is_directory=True)
    (photos / "self").symlink_to(photos / "self")
    (photos / "dangling.png").symlink_to(photos / "nowhere.png")
    assert names(collect_inputs([photos])) == ["broken", "dangling", "none", "two", "sub/one"]


def test_globs_and_names_that_look_like_globs(tmp_path: Path) -> None:
    paint(tmp_path / "a [1].png")
    paint(tmp_path / "b.png")
    assert names(collect_inputs([tmp_path / "a [1].png"])) == ["a [1]"]
    assert names(collect_inputs([str(tmp_path / "*.png")])) == ["a [1]", "b"]


def test_unusable_inputs(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="does not exist"):
        collect_inputs([tmp_path / "gone"])
    with pytest.raises(CatalogError, match="There is no picture"):
        collect_inputs([tmp_path])


# Runs


def test_a_run_writes_everything_and_goes_on_past_a_broken_file(photos: Path, tmp_path: Path) -> None:
    before = {name: (photos / name).read_bytes() for name in files_of(photos)}
    out = tmp_path / "out"
    states: list[CatalogProgress] = []
    summary = run(photos, out, progress=states.append, settings={"detector": "bright", "bf16": False})
    assert (summary.matched, summary.skipped, len(summary.unreadable)) == (2, 1, 1)
    assert "broken.jpg is not a picture" in summary.unreadable[0]["error"]
    assert [state.done for state in states] == [0, 1, 2, 3, 4]
    thumbs = {"after/two", "after/sub/one", "overlay/two", "overlay/sub/one"}
    thumbs |= {"before/two", "before/none", "before/sub/one"}
    labels = ("two_1_lamp", "two_2_lamp", "sub/one_1_lamp")
    assert files_of(out) == {
        "ledger.jsonl", "report.json", "report.csv", "coco.json", "report.html",
        "overlays/two.png", "overlays/sub/one.png", "enhanced/two.png", "enhanced/sub/one.png",
        *(f"{kind}/{label}.png" for kind in ("masks", "cutouts") for label in labels),
        *(f"thumbnails/{name}.jpg" for name in thumbs),
    }  # fmt: skip
    assert {name: (photos / name).read_bytes() for name in files_of(photos)} == before

    report = json.loads((out / "report.json").read_text())
    assert (report["version"], report["products"], report["settings"]["detector"]) == (1, ["lamp"], "bright")
    assert "Detector: bright." in (out / "report.html").read_text()
    by_name = {Path(entry["file"]).name: entry for entry in report["images"]}
    two = by_name["two.png"]
    assert (two["decision"], two["reason"], two["width"], two["height"]) == ("match", None, 80, 60)
    assert [region["box"] for region in two["regions"]] == [[5, 5, 25, 25], [40, 20, 70, 50]]
    assert (by_name["none.png"]["decision"], by_name["none.png"]["reason"]) == ("skip", "nothing_found")
    mask = np.asarray(Image.open(out / two["regions"][1]["mask"]))
    expected = np.zeros((60, 80), np.uint8)
    expected[20:50, 40:70] = 255
    assert np.array_equal(mask, expected)
    assert Image.open(out / "cutouts/two_1_lamp.png").mode == "RGBA"
    enhanced, source = (np.asarray(Image.open(path)) for path in (out / "enhanced/two.png", photos / "two.png"))
    assert np.array_equal(enhanced != source, np.repeat((source > 200)[..., :1], 3, 2))


def test_csv_and_coco_agree_with_the_report(photos: Path, tmp_path: Path) -> None:
    paint(photos / "=cmd.png", (1, 1, 20, 20))
    out = tmp_path / "out"
    summary = run_catalog(BrightSquares(), collect_inputs([photos], out), PRODUCTS, out)
    with open(out / "report.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["decision"] for row in rows) == ["match"] * 4 + ["skip", "unreadable"]
    coco = json.loads((out / "coco.json").read_text())
    assert len(coco["images"]) == summary.matched + summary.skipped
    assert [item["id"] for item in coco["annotations"]] == [1, 2, 3, 4]
    files = {image["id"]: Path(image["file_name"]).name for image in coco["images"]}
    two = [item for item in coco["annotations"] if files[item["image_id"]] == "two.png"]
    assert [(item["bbox"], item["area"]) for item in two] == [([5, 5, 20, 20], 400), ([40, 20, 30, 30], 900)]


def test_a_csv_cell_is_no_formula() -> None:
    from lib_photoshoot.catalog.report import csv_rows

    assert "\r\n'=1+1.png," in "".join(csv_rows([], [{"file": "=1+1.png", "error": "x"}]))


@given(st.lists(st.tuples(*[st.integers(0, 39)] * 4), min_size=1, max_size=4))
def test_polygons_drawn_again_give_the_mask(rectangles) -> None:
    mask = np.zeros((40, 40), bool)
    for x0, y0, x1, y1 in rectangles:
        mask[min(y0, y1) : max(y0, y1) + 2, min(x0, x1) : max(x0, x1) + 2] = True
    drawn = np.zeros((40, 40), np.uint8)
    for polygon in polygons(mask):
        assert len(polygon) >= 6 and len(polygon) % 2 == 0
        cv2.fillPoly(drawn, [np.array(polygon).reshape(-1, 2)], 1)
    outer = mask.copy()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros((40, 40), np.uint8)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    outer |= filled.astype(bool)
    # A part one pixel thin is given by its box, one pixel wider than itself.
    assert not (outer & ~drawn.astype(bool)).any()


def test_html_is_self_contained_and_escapes_names(photos: Path, tmp_path: Path) -> None:
    paint(photos / "<img src=x onerror=alert(1)>\n袋.png", (5, 5, 30, 30))
    out = tmp_path / "out"
    run(photos, out)
    page = read_page((out / "report.html").read_text(encoding="utf-8"))
    assert "<img src=x" not in page.text and "袋" in page.words
    assert "http" not in page.text and sum(map(bool, chain(*page.thumbnails))) == 3 * 3 + 1
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page.text)
    assert "Nothing in the picture resembles the products." in page.words
    assert "broken.jpg is not a picture" in page.words


def test_undecodable_and_newline_names(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    paint(folder / "a.png", (5, 5, 30, 30))
    os.rename(folder / "a.png", os.fsencode(folder) + b"/\xff\nname.png")
    out = tmp_path / "out"
    assert run(folder, out).matched == 1
    report = json.loads((out / "report.json").read_text())
    assert os.fsencode(report["images"][0]["file"]).endswith(b"\xff\nname.png")
    assert (out / report["images"][0]["regions"][0]["mask"]).is_file()
    assert run(folder, out, resume=True).resumed == 1


def test_output_inside_the_input_is_not_read_again(photos: Path) -> None:
    out = photos / "out"
    first = run(photos, out)
    again = run(photos, out, resume=True)
    assert (again.matched, again.skipped, again.resumed) == (first.matched, first.skipped, 3)


def test_an_input_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    (out / "masks" / "two_1_lamp.png").unlink()
    (out / "enhanced" / "two.png").unlink()
    paint(out / "enhanced" / "two.png")
    original = (out / "enhanced" / "two.png").read_bytes()
    inputs = collect_inputs([photos, out / "enhanced" / "two.png"])
    with pytest.raises(CatalogError, match="not overwritten"):
        run_catalog(BrightSquares(), inputs, PRODUCTS, out, resume=True)
    assert (out / "enhanced" / "two.png").read_bytes() == original


def test_a_file_that_vanishes_meanwhile_is_listed(photos: Path, tmp_path: Path) -> None:
    inputs = collect_inputs([photos])
    (photos / "none.png").unlink()
    summary = run_catalog(BrightSquares(), inputs, PRODUCTS, tmp_path / "out")
    assert any("none.png does not exist" in item["error"] for item in summary.unreadable)
    assert summary.matched == 2


# Folders and resume


def test_unusable_output_folders(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="not empty"):
        run_catalog(BrightSquares(), collect_inputs([photos]), PRODUCTS, photos)
    out = tmp_path / "out"
    run(photos, out)
    with pytest.raises(CatalogError, match="--resume"):
        run(photos, out)
    with pytest.raises(CatalogError, match="other products or settings"):
        run(photos, out, resume=True, settings={"all": True})
    (out / "ledger.jsonl").write_text("something else\n")
    with pytest.raises(CatalogError, match="not a ledger of this program"):
        run(photos, out, resume=True)
    with pytest.raises(CatalogError, match="cannot be used"):
        run(photos, photos / "two.png")


def test_what_an_earlier_run_wrote_below_is_no_input(photos: Path, tmp_path: Path) -> None:
    inputs = collect_inputs([photos])
    run_catalog(BrightSquares(), inputs, PRODUCTS, photos / "first")
    assert collect_inputs([photos], tmp_path / "second") == inputs
    (photos / "first" / "ledger.jsonl").write_text("a file of the user's own")
    assert len(collect_inputs([photos])) > len(inputs)


def test_two_runs_in_one_folder(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class Second(BrightSquares):
        def run(self, image, products, space=None):
            with pytest.raises(CatalogError, match="Another run"):
                run(photos, out, resume=True)
            return super().run(image, products)

    assert run_catalog(Second(), collect_inputs([photos], out), PRODUCTS, out).matched == 2


def test_resume_does_again_what_changed_or_was_lost(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    paint(photos / "none.png", (5, 5, 20, 20))
    (out / "masks" / "two_2_lamp.png").unlink()
    paint(photos / "broken.jpg")
    filter_ = BrightSquares()
    summary = run_catalog(filter_, collect_inputs([photos], out), PRODUCTS, out, resume=True)
    assert (filter_.calls, summary.resumed, summary.matched, summary.skipped) == (3, 1, 3, 1)
    assert len(json.loads((out / "report.json").read_text())["images"]) == 4


def test_resume_removes_what_a_changed_picture_no_longer_has(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    paint(photos / "two.png", (5, 5, 20, 20))
    run(photos, out, resume=True)
    names = files_of(out)
    assert "masks/two_1_lamp.png" in names and "masks/two_2_lamp.png" not in names
    assert "cutouts/two_2_lamp.png" not in names and "masks/sub/one_1_lamp.png" in names


def test_what_was_made_of_a_picture_that_is_gone_is_withdrawn(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    made = {name for name in files_of(out) if "/two" in name}
    (out / "cutouts" / "mine.png").write_bytes(b"of the user")
    (photos / "two.png").unlink()
    (photos / "sub" / "one.bmp").write_text("no picture any more")
    summary = run(photos, out, resume=True)
    (note,) = summary.notes
    assert note.startswith(f"{out / 'withdrawn'} has what was made of 2 pictures")
    left = files_of(out)
    assert {f"withdrawn/{name}" for name in made} <= left and not made & left
    assert {"withdrawn/cutouts/sub/one_1_lamp.png", "cutouts/mine.png"} <= left
    assert not [name for name in left if name.startswith("cutouts/") and "lamp" in name]
    assert run(photos, out, resume=True).notes == () and files_of(out) == left, "told once"
    paint(photos / "two.png", (5, 5, 25, 25), (40, 20, 70, 50))
    run(photos, out, resume=True)
    assert made <= files_of(out)
    (photos / "two.png").unlink()
    run(photos, out, resume=True)
    assert {"withdrawn/cutouts/two_1_lamp.png", "withdrawn/cutouts/two_1_lamp (2).png"} <= files_of(out)


def test_other_inputs_withdraw_nothing_that_is_still_there(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    before = files_of(out)
    summary = run_catalog(BrightSquares(), collect_inputs([photos / "two.png"], out), PRODUCTS, out, resume=True)
    assert summary.notes == () and files_of(out) >= before


def test_an_outline_drawn_by_hand_stays_when_its_picture_is_gone(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    ledger = out / "ledger.jsonl"
    by_hand = b'"outline":{"quality":1.0,"doubts":[],"source":"hand"},"quality":0.95'
    ledger.write_bytes(ledger.read_bytes().replace(b'"quality":0.95', by_hand))
    for name in ("two.png", "sub/one.bmp"):
        (photos / name).unlink()
    assert run(photos, out, resume=True).notes == ()
    assert (out / "cutouts" / "two_1_lamp.png").is_file()


def test_a_strangers_ledger_moves_nothing_from_outside(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(photos, out)
    (tmp_path / "elsewhere").mkdir()
    victim = paint(tmp_path / "elsewhere" / "two_1_lamp.png")
    shutil.rmtree(out / "cutouts")
    (out / "cutouts").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for name in ("two.png", "sub/one.bmp"):
        (photos / name).unlink()
    run(photos, out, resume=True)
    assert victim.is_file() and not (out / "withdrawn" / "cutouts").exists()


@pytest.mark.parametrize("stem", ["n" * 250, "ä" * 124, "製" * 83])
def test_a_very_long_name_is_shortened_and_stays_unique(tmp_path: Path, stem: str) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    other = stem[:-1] + "x"
    paint(folder / f"{stem}.png", (5, 5, 25, 25))
    paint(folder / f"{other}.png", (5, 5, 25, 25))
    paint(folder / f"{stem}.jpg", (5, 5, 25, 25))
    product = parse_products("製品" * 20)
    inputs = collect_inputs([folder], out)
    assert all(item.stem.startswith(stem[:50]) for item in inputs)
    summary = run_catalog(BrightSquares(), inputs, product, out)
    assert (summary.matched, len(summary.unreadable)) == (3, 0)
    assert len([name for name in files_of(out) if name.startswith("cutouts/")]) == 3
    assert run(folder, tmp_path / "again").matched == 3
    assert [item.stem for item in collect_inputs([folder], out)] == [item.stem for item in inputs]


def test_a_path_that_would_be_too_long_is_one_pictures_problem(photos: Path, tmp_path: Path, monkeypatch) -> None:
    real = outputs.write_image

    def refusing(image, path, **options):
        if path.name.startswith("one"):
            raise OSError(errno.ENAMETOOLONG, "File name too long", str(path))
        real(image, path, **options)

    monkeypatch.setattr(outputs, "write_image", refusing)
    summary = run(photos, tmp_path / "out")
    problem = next(item["error"] for item in summary.unreadable if "one.bmp" in item["file"])
    assert "one.bmp has too long a name or path" in problem and (summary.matched, len(summary.unreadable)) == (1, 2)


def test_an_empty_input_among_others_is_told(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    told: list[str] = []
    assert collect_inputs([photos, tmp_path / "nothing", str(tmp_path / "*.webp")], tell=told.append)
    assert [text.split(";")[0] for text in told] == [
        f"There is no picture in {tmp_path / 'nothing'}",
        f"There is no picture in {tmp_path / '*.webp'}",
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("finished")
    for number in range(4):
        paint(folder / "photos" / f"p{number}.png", *([(5, 5, 20, 20)] if number % 2 else []))
    run(folder / "photos", folder / "out")
    return folder / "photos", folder / "out"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_cut_anywhere_nothing_is_lost_or_done_twice(finished, tmp_path_factory, share: float) -> None:
    photos, done = finished
    whole = (done / "ledger.jsonl").read_bytes()
    cut = round(share * len(whole))
    out = tmp_path_factory.mktemp("cut") / "out"
    shutil.copytree(done, out)
    (out / "ledger.jsonl").write_bytes(whole[:cut])
    (out / f".{'0' * 32}.part").touch()
    kept = max(0, whole[:cut].count(b"\n") - 1)
    filter_ = BrightSquares()
    summary = run_catalog(filter_, collect_inputs([photos], out), PRODUCTS, out, resume=True)
    assert (filter_.calls, summary.resumed) == (4 - kept, kept)
    assert len((out / "ledger.jsonl").read_bytes().splitlines()) == 5
    for name in ("report.json", "report.csv", "coco.json"):
        assert (out / name).read_bytes() == (done / name).read_bytes()
    assert files_of(out) == files_of(done)


def test_a_name_that_passes_between_pictures_keeps_its_files(tmp_path: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    for turn, names_then in enumerate((["a.jpg", "a.png"], ["a.png"], ["a.jpg", "a.png"])):
        shutil.rmtree(folder, ignore_errors=True)
        for index, name in enumerate(names_then):
            paint(folder / name, (5 + turn, 5, 30, 30), *[(40, 5, 60, 20)] * index)
        assert run(folder, out, resume=True).matched == len(names_then)
        run(folder, tmp_path / f"whole {turn}")
        assert files_of(tmp_path / f"whole {turn}") <= files_of(out)
    assert files_of(tmp_path / "whole 2") == {name for name in files_of(out) if not name.startswith("withdrawn/")}


@pytest.mark.parametrize("kept", [0, 1, 9, 60])
def test_a_spoiled_line_of_the_ledger_is_done_again(photos: Path, tmp_path: Path, kept: int) -> None:
    out = tmp_path / "out"
    run(photos, out)
    header, first, *others = (out / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    spoiled = first[:kept] + b"\xff\0" * 20 + b"\n"
    (out / "ledger.jsonl").write_bytes(b"".join([header, spoiled, *others]))
    filter_ = BrightSquares()
    summary = run_catalog(filter_, collect_inputs([photos], out), PRODUCTS, out, resume=True)
    assert (filter_.calls, summary.resumed, summary.matched) == (1, 2, 2)


class Talkative(BrightSquares):
    """Rejects so much that the reports of thirty pictures together are far larger than one."""

    def run(self, image, products, space=None):
        found = super().run(image, products)
        rejected = tuple(Rejection("lamp", (0, 0, i, i), 0.1, Reason.TOO_SMALL) for i in range(200))
        return dataclasses.replace(found, rejected=rejected)


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    for number in range(30):
        paint(tmp_path / "photos" / f"{number}.png", (5, 5, 30, 30))
    inputs, out, peaks = collect_inputs([tmp_path / "photos"]), tmp_path / "out", []
    # The first run has the imports; the last one is resumed.
    for count in (3, 3, 30, 30):
        tracemalloc.start()
        summary = run_catalog(Talkative(), inputs[:count], PRODUCTS, out, resume=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert summary.resumed == 30
    # Held together, the records of thirty pictures take three megabytes.
    assert max(peaks[2:]) < peaks[1] + 1_000_000, peaks


def test_reports_in_pieces_are_what_they_are_whole(photos: Path, tmp_path: Path) -> None:
    from lib_photoshoot.catalog.coco import coco_document
    from lib_photoshoot.catalog.ledger import Record
    from lib_photoshoot.catalog.report import coco_chunks, report_chunks, report_document

    run(photos, tmp_path / "out")
    lines = (tmp_path / "out" / "ledger.jsonl").read_bytes().splitlines()[1:]
    all_records = [Record.from_json(json.loads(line)) for line in lines]
    # A list of settings, and a product's name, that look like a place to write to.
    products, settings_ = ["lamp", '"images": [], "annotations": []'], {"images": [], "of": {"images": []}}
    for records in (all_records, all_records[:1], []):
        document = report_document(products, settings_, [{"file": "b", "error": "e"}])
        whole = json.dumps(document | {"images": [record.entry for record in records]}, indent=1) + "\n"
        assert "".join(report_chunks(document, records)) == whole
        assert "".join(coco_chunks(products, records)) == json.dumps(coco_document(products, records)) + "\n"


def test_interrupt_keeps_what_is_done(photos: Path, tmp_path: Path) -> None:
    class Interrupted(BrightSquares):
        def run(self, image, products, space=None):
            if self.calls == 2:
                raise KeyboardInterrupt
            return super().run(image, products)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_catalog(Interrupted(), collect_inputs([photos], out), PRODUCTS, out)
    filter_ = BrightSquares()
    summary = run_catalog(filter_, collect_inputs([photos], out), PRODUCTS, out, resume=True)
    assert (filter_.calls, summary.resumed, summary.matched) == (1, 2, 2)


@pytest.mark.parametrize("budget", [3, 12])
def test_full_disk_is_one_sentence_and_resumable(photos: Path, tmp_path: Path, monkeypatch, budget: int) -> None:
    real, left = os.fsync, [budget]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(CatalogError, match=r"full; make room .* --resume"):
            run(photos, out)
    assert not [name for name in files_of(out) if name.endswith(".part")]
    assert run(photos, out, resume=True).matched == 2


def test_full_disk_for_real(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("no permission to mount a small tmpfs")
    try:
        rng = np.random.default_rng(0)
        (tmp_path / "photos").mkdir()
        for number in range(6):
            pixels = rng.integers(0, 120, (120, 160, 3), dtype=np.uint8)
            pixels[20:60, 20:60] = 255
            Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
        with pytest.raises(CatalogError, match="full"):
            run(tmp_path / "photos", small / "out")
        subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
        summary = run(tmp_path / "photos", small / "out", resume=True)
        assert summary.matched == 6 and summary.resumed >= 1
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_cutout_is_open_where_the_background_shows_and_the_mask_is_not(tmp_path: Path) -> None:
    pixels = np.full((60, 60, 3), 90, np.uint8)
    mask, openings = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    mask[10:50, 10:50] = openings[20:40, 20:40] = True
    region = ProductRegion("bag", (10, 10, 50, 50), 0.9, mask, 1.0, openings)
    result = FilterResult(60, 60, Decision.MATCH, None, (region,), (), pixels, 0, {})
    outputs.write_outputs(tmp_path, PurePath("a"), Picture(pixels, None, 60, 60), result)
    cutout = np.asarray(Image.open(tmp_path / "cutouts" / "a_1_bag.png"))[..., 3]
    middle = cutout.shape[0] // 2
    assert cutout[middle, middle] == 0 and cutout[middle, middle - 15] == 255
    assert np.asarray(Image.open(tmp_path / "masks" / "a_1_bag.png"))[30, 30] == 255
    assert (np.asarray(Image.open(tmp_path / "overlays" / "a.png"))[30, 30] == 90).all()


def test_the_overlay_draws_a_line_around_holes_and_openings_too() -> None:
    pixels = np.full((120, 120, 3), 90, np.uint8)
    mask, openings = np.zeros((120, 120), bool), np.zeros((120, 120), bool)
    mask[10:110, 10:110] = openings[60:90, 30:90] = True
    mask[25:45, 30:90] = False
    region = ProductRegion("bag", (10, 10, 110, 110), 0.9, mask, 1.0, openings)
    drawn = outputs.draw_overlay(pixels, (region,))
    for row in (24, 45, 59, 90):
        assert (drawn[row - 2 : row + 3, 60].min(axis=1) > 200).any(), row
    assert (drawn[35, 60] == 90).all() and (drawn[75, 60] == 90).all()


def test_overlay_leaves_the_original_alone() -> None:
    pixels = np.full((40, 50, 3), 30, np.uint8)
    mask = np.zeros((40, 50), bool)
    mask[10:20, 10:20] = True
    drawn = outputs.draw_overlay(pixels, (ProductRegion("čaj", (10, 10, 20, 20), 0.5, mask, 1.0),))
    assert (pixels == 30).all() and drawn.shape == pixels.shape and (drawn != pixels).any()
    assert runner._cannot_write(Path("o"), OSError(errno.EACCES, "Permission denied")).args[0].endswith("--resume.")


def test_outputs_keep_profile_and_bits_and_what_is_looked_at_is_srgb(tmp_path: Path, adobe_rgb: bytes) -> None:
    from lib_photoshoot.colour.deep import encode_deep
    from lib_photoshoot.images import read_picture

    pixels = np.zeros((40, 50, 3), np.uint16)
    pixels[5:30, 5:30] = (60_000, 55_001, 53_003)
    photo = tmp_path / "photos" / "wide.png"
    photo.parent.mkdir()
    photo.write_bytes(encode_deep(pixels, None, {"icc_profile": adobe_rgb}))
    seen = read_picture(photo).srgb
    run_catalog(BrightSquares(), collect_inputs([photo]), PRODUCTS, tmp_path / "out")
    (cutout,) = (tmp_path / "out" / "cutouts").iterdir()
    for path in (cutout, tmp_path / "out" / "enhanced" / "wide.png"):
        written = read_picture(path)
        assert written.icc == adobe_rgb and written.best.dtype == np.uint16, path
        assert (written.best == (59_950, 54_951, 52_953)).all(axis=2).any(), path
    assert read_picture(tmp_path / "out" / "overlays" / "wide.png").icc is None
    thumbnail = read_picture(tmp_path / "out" / "thumbnails" / "before" / "wide.jpg")
    assert thumbnail.icc is None and np.abs(thumbnail.pixels[15, 15].astype(int) - seen[15, 15]).max() <= 4
