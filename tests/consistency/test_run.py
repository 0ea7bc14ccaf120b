"""Sets of pictures through the program: a run and its page, older ledgers, ``rank``, ``finish``, exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.consistency import measuring
from lib_photoshoot.consistency.traits import Trait, traits_from_json
from lib_photoshoot.products import parse_products
from lib_photoshoot.ranking import run_folder
from lib_photoshoot.shoot.review.report import report_chunks
from lib_photoshoot.shoot.review.view import shoot_view
from lib_photoshoot.shoot.run.ledger import read_state
from lib_photoshoot.shoot.shot_list.reading import read_shot_list, write_shot_list
from tests.bright_squares import BrightSquares
from tests.pages import items_of, read_page
from tests.shoot.test_finish import Squares, add, profile
from tests.shoot.test_finish import run as finish

LAMP = parse_products("lamp = light")


def draw(path: Path, seed: int = 0, side: int = 90, foot: int = 130, warm: int = 0, deep: bool = False) -> None:
    """A grey ground with a bright square that stands on row ``foot`` of 160; ``warm`` takes that much off its blue."""
    random = np.random.default_rng(seed)
    pixels = np.full((160, 200, 3), (185, 185, 185 - warm), np.uint8)
    pixels += random.integers(0, 4, pixels.shape, dtype=np.uint8)
    left = 40 + seed % 7
    pixels[foot - side : foot, left : left + side] = random.integers(215, 250, (side, side, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def photos(folder: Path, odd: bool = True) -> Path:
    for number in range(8):
        draw(folder / f"{number}.png", number)
    if odd:
        draw(folder / "small.png", 8, side=45)
        draw(folder / "high.png", 9, foot=105)
        draw(folder / "warm.png", 10, warm=30)
    return folder


def filtered(tmp_path: Path, odd: bool = True, resume: bool = False, name: str = "out") -> Path:
    run_catalog(BrightSquares(), collect_inputs([photos(tmp_path / "in", odd)]), LAMP, tmp_path / name, resume=resume)
    return tmp_path / name


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(item) for item in arguments])


def said(out: Path) -> dict[str, str]:
    found = json.loads(invoke("consistency", out, "--json").stdout)["differ"]
    return {Path(one["file"]).stem: one["says"] for one in found}


def without_traits(out: Path) -> None:
    """Make a run one of a release that measured nothing."""
    first, *lines = (out / LEDGER_NAME).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        del record["entry"]["traits"]
    compact = [json.dumps(record, separators=(",", ":")) for record in records]
    (out / LEDGER_NAME).write_text("\n".join([first, *compact]) + "\n", "utf-8")
    report = json.loads((out / "report.json").read_text("utf-8"))
    for entry in report["images"]:
        del entry["traits"]
    (out / "report.json").write_text(json.dumps(report, indent=1), "utf-8")


def test_what_differs_stands_in_the_report_and_on_the_page(tmp_path: Path) -> None:
    out = filtered(tmp_path)
    entries = json.loads((out / "report.json").read_text("utf-8"))["images"]
    traits = traits_from_json(entries[0]["traits"]["lamp"])
    assert traits[Trait.SIZE].values[0] == pytest.approx(90 / 160, abs=0.01)
    page = read_page((out / "report.html").read_text("utf-8"))
    apart = {item["name"]: item for item in page.items if item["apart"]}
    assert sorted(apart) == ["high", "small", "warm"]
    assert "3 of 11 pictures differ: " in page.head["lead"] and "product half as large" in page.head["lead"]
    assert "drift" in [one["name"] for one in page.head["shows"]]
    told = [note["text"] for note in apart["high"]["notes"]] + [apart["high"]["why"]]
    assert "Differs from the set: ground 16 % higher." in told


def test_the_command_names_them(tmp_path: Path) -> None:
    out = filtered(tmp_path)
    result = invoke("consistency", out)
    assert result.exit_code == 1 and "3 of 11 pictures differ" in result.stdout
    assert said(out)["small"] == "Differs from the set: product half as large."
    assert "white warmer by" in said(out)["warm"]


def test_pictures_that_are_alike(tmp_path: Path) -> None:
    out = filtered(tmp_path, odd=False)
    result = invoke("consistency", out)
    assert result.exit_code == 0 and result.stdout == "No picture differs from the others (8 pictures).\n"
    page = read_page((out / "report.html").read_text("utf-8"))
    assert not any(item["apart"] for item in page.items)
    assert "drift" not in [one["name"] for one in page.head["shows"]]


def test_one_picture_and_one_without_a_product_are_no_set(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "one.png")
    Image.new("RGB", (50, 50), (20, 20, 20)).save(tmp_path / "in" / "none.png")
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), LAMP, tmp_path / "out")
    result = invoke("consistency", tmp_path / "out")
    assert result.exit_code == 0 and "too few measured pictures" in result.stdout
    skipped = [
        one for one in json.loads((tmp_path / "out" / "report.json").read_text())["images"] if not one["regions"]
    ]
    assert len(skipped) == 1 and "traits" not in skipped[0]


def test_a_resumed_run_looks_at_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = filtered(tmp_path)
    before = said(out)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("lib_photoshoot.catalog.alike.measure_traits", never)
    monkeypatch.setattr(run_folder, "measure_traits", never)
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), LAMP, out, resume=True)
    assert said(out) == before and invoke("rank", out).exit_code == 0


def test_a_run_of_an_earlier_release_is_measured_when_asked(tmp_path: Path) -> None:
    out = filtered(tmp_path)
    before = said(out)
    ranked = invoke("rank", out, "--json").stdout
    without_traits(out)
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), LAMP, out, resume=True)
    page = read_page((out / "report.html").read_text("utf-8"))
    assert "differ" not in page.head["lead"] and not any(item["apart"] for item in page.items)
    assert set(said(out)) == set(before)
    assert json.loads(invoke("rank", out, "--json").stdout)["lamp"][0] == json.loads(ranked)["lamp"][0]


def test_half_of_a_run_is_of_an_earlier_release(tmp_path: Path) -> None:
    out = filtered(tmp_path)
    lines = (out / LEDGER_NAME).read_text("utf-8").splitlines()
    old = json.loads(lines[1])
    del old["entry"]["traits"]
    lines[1] = json.dumps(old, separators=(",", ":"))
    (out / LEDGER_NAME).write_text("\n".join(lines) + "\n", "utf-8")
    lead = ReviewedRun(out)
    head = read_page(b"".join(lead.page()).decode()).head["lead"]
    assert "1 picture of an earlier release not compared: `consistency FOLDER` measures what is missing." in head


def test_rank_prefers_what_is_like_the_others(tmp_path: Path) -> None:
    ranking = json.loads(invoke("rank", filtered(tmp_path), "--json").stdout)["lamp"]
    pictures = {Path(one["file"]).stem: one for item in ranking for one in (item, *item["duplicates"])}
    one = {Path(item["file"]).stem: item for item in ranking}
    assert pictures.keys() >= {"small", "high", "warm"}
    assert one["small"]["qualities"]["scale"]["score"] < 0.5 < one["warm"]["qualities"]["scale"]["score"]
    assert one["warm"]["qualities"]["white"]["reason"].startswith("white warmer")
    assert "product half as large" in invoke("rank", tmp_path / "out").stdout


def test_a_page_hears_that_a_new_picture_makes_another_differ(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(3):
        draw(tmp_path / "in" / f"{number}.png", number)
    draw(tmp_path / "in" / "small.png", 8, side=45)
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), LAMP, out)
    reviewed = ReviewedRun(out)
    page = read_page(b"".join(reviewed.page()).decode())
    assert not any(item["apart"] for item in page.items)
    for number in range(3, 6):
        draw(tmp_path / "in" / f"{number}.png", number)
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), LAMP, out, resume=True)
    news = reviewed.changes(page.head["changes"].partition("=")[2])
    apart = {item["name"]: item["apart"] for item in news["items"]}
    assert apart["small"] > 1 and apart["5"] == 0
    assert "1 of 7 pictures differs: product half as large." in news["page"]["lead"]


def test_a_picture_that_was_measured_in_sixteen_bits(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    photos(tmp_path / "in", odd=False)
    for path in (tmp_path / "in").glob("[0-3].png"):
        pixels = cv2.imread(str(path))
        cv2.imwrite(str(path), pixels.astype(np.uint16) * 257)
    run_catalog(DeepSquares(), collect_inputs([tmp_path / "in"]), LAMP, tmp_path / "out")
    assert invoke("consistency", tmp_path / "out").exit_code == 0


class DeepSquares(BrightSquares):
    """Finds bright squares in 16 bits too."""

    def detect(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
        from dataclasses import replace

        eight = (image // 257).astype(np.uint8) if image.dtype == np.uint16 else image
        return replace(super().detect(eight, products), image=image)

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
        return self.detect(image, products)


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    out = tmp_path / "shoot"
    out.mkdir()
    write_shot_list(out, [{"name": "Lamp 7", "class": "lamp", "count": 7, "exports": ["small.toml"]}])
    add(out, "Lamp 7", range(1, 7), draw)
    add(out, "Lamp 7", (7,), lambda path, seed: draw(path, seed, side=45))
    profile(out)
    return out


def shown(shoot: Path) -> tuple[str, list[dict[str, Any]]]:
    text = b"".join(report_chunks(shoot, shoot_view(read_shot_list(shoot / "list.yaml"), read_state(shoot)))).decode()
    return read_page(text).head["lead"], items_of(text)


def test_finish_says_which_pictures_of_a_shoot_differ(shoot: Path) -> None:
    lead, items = shown(shoot)
    assert lead == "" and not any("apart" in item for item in items)  # nobody has outlined them yet
    assert finish(shoot, Squares())["Lamp 7"].alike == ("1 of 7 pictures differs: product half as large.",)
    ranking = json.loads((shoot / "finished" / "ranking.json").read_text("utf-8"))["products"][0]
    assert ranking["alike"] == ["1 of 7 pictures differs: product half as large."]
    lead, items = shown(shoot)
    assert lead == "1 of 7 pictures differs: product half as large."
    (apart,) = [item for item in items if item.get("apart")]
    assert apart["detail"] == "7" and apart["notes"][0]["text"] == "Differs from the set: product half as large."
    assert invoke("consistency", shoot).exit_code == 1


def test_a_finish_of_an_earlier_release_is_measured_once_more(shoot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(shoot, Squares())
    ledger = shoot / "finished" / "finish.jsonl"
    first, *lines = ledger.read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        event.get("measured", {}).pop("traits", None)
    ledger.write_text("\n".join([first, *map(json.dumps, events)]) + "\n", "utf-8")
    assert finish(shoot, Squares())["Lamp 7"].alike == ("1 of 7 pictures differs: product half as large.",)
    monkeypatch.setattr(
        "lib_photoshoot.shoot.finish.finishing.measure", lambda *_: pytest.fail("measured a second time")
    )
    assert finish(shoot, Squares())["Lamp 7"].alike == ("1 of 7 pictures differs: product half as large.",)


def test_an_export_folder_is_a_set_too(tmp_path: Path) -> None:
    from tests.export.conftest import cutout, save_cutout

    for number in range(6):
        save_cutout(tmp_path / "in" / f"{number}.png", cutout(150 + number, 150))
    save_cutout(tmp_path / "in" / "odd.png", cutout(40, 40))
    name = profile(tmp_path, enlarge=1.0)
    made = tmp_path / "made"
    invoke("export", tmp_path / "in", "--profile", name, "--out", made)
    result = invoke("consistency", made)
    assert result.exit_code == 1 and "1 of 7 pictures differs: " in result.stdout
    assert "odd.jpg: Differs from the set: " in result.stdout and "product half as large" in result.stdout
    journal = made / "exported.jsonl"
    first, *lines = journal.read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        del event["picture"]["traits"]  # as an earlier release wrote it
    journal.write_text("\n".join([first, *map(json.dumps, events)]) + "\n", "utf-8")
    result = invoke("consistency", made)
    assert result.exit_code == 0 and "7 of 7 pictures were not measured" in result.stderr


def test_a_folder_of_anything_else(tmp_path: Path) -> None:
    result = invoke("consistency", tmp_path)
    assert result.exit_code == 2 and "holds no run of filter, no shoot and no export" in result.stderr
    assert measuring.measure_traits(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool)) == {}
