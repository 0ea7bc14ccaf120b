"""What a person decided about a run's pictures, obeyed by whatever is made of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lib_photoshoot.catalog.decisions import DECISIONS_NAME
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Decision, Doubt, FilterResult, Outline, ProductRegion, Reason
from tests.bright_squares import BrightSquares
from tests.corrected import drawn_by_hand
from tests.ranking.test_rank_cli import draw
from tests.shoot.test_finish import profile

LAMPS = parse_products("lamp")


class Seen:
    """Finds a lamp in whatever has a bright square, in doubt where its upper left pixel is red."""

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> FilterResult:
        mask = image.min(axis=2) > 200
        height, width = mask.shape
        size = (width, height)
        if not mask.any():
            return FilterResult(*size, Decision.SKIP, Reason.NOTHING_FOUND, (), (), image, 0, {"detect": 0.1})
        doubts = (Doubt.RAGGED,) if image[0, 0].tolist() == [255, 0, 0] else ()
        outline, (rows, columns) = Outline(0.9, doubts), np.where(mask)
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        region = ProductRegion("lamp", box, 0.9, mask, 0.95, outline=outline)
        return FilterResult(*size, Decision.MATCH, None, (region,), (), image, 0, {"detect": 0.1})

    detect = run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Of lamps, a sharp one and two blurred ones, and the sharpest of all in doubt; and one without any."""
    from PIL import Image

    folder = tmp_path / "photos"
    for name, seed, blur in (("sharp", 1, 0), ("second", 2, 3), ("third", 5, 0.8), ("doubted", 3, 0)):
        draw(folder / f"{name}.png", seed, blur)
    with Image.open(folder / "doubted.png") as image:
        image.putpixel((0, 0), (255, 0, 0))
        image.save(folder / "doubted.png")
    Image.new("RGB", (80, 60), (40, 40, 40)).save(folder / "dark.png")
    return folder


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Path:
    return go(photos, tmp_path / "run")


def go(photos: Path, out: Path) -> Path:
    run_catalog(Seen(), collect_inputs([photos]), LAMPS, out, resume=True)
    return out


def decide(run: Path, photos: Path, **decisions: str | None) -> None:
    """Decide as the page does, by the pictures' names."""
    reviewed = ReviewedRun(run)
    values = [{"file": os.path.abspath(photos / f"{name}.png"), "decision": to} for name, to in decisions.items()]
    reviewed.decide(reviewed.chosen(values))


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(item) for item in arguments])


def ranked(run: Path, *options: str) -> list[str]:
    found = json.loads(invoke("rank", run, "--json", *options).stdout)["lamp"]
    return [item["file"].removeprefix("enhanced/").removesuffix(".png") for item in found]


def export(out: Path, *arguments: object) -> Any:
    return invoke("export", *arguments, "--profile", profile(out.parent), "--out", out)


def exported(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix().replace("_1_lamp.jpg", "") for path in out.rglob("*.jpg")}


def test_rank_leaves_out_what_was_rejected_and_says_so(run: Path, photos: Path) -> None:
    assert ranked(run) == ["sharp", "second", "third", "doubted"]
    decide(run, photos, sharp="rejected")
    assert ranked(run) == ["second", "third", "doubted"]
    assert ranked(run, "--ignore-decisions") == ["sharp", "second", "third", "doubted"]
    told = invoke("rank", run)
    assert told.exit_code == 0 and "1 picture (enhanced/sharp.png first) rejected by hand: left out" in told.stderr
    assert "--ignore-decisions" in told.stderr and "rejected" not in invoke("rank", run, "--ignore-decisions").stderr
    decide(run, photos, sharp=None)
    assert ranked(run)[0] == "sharp"


def test_what_was_accepted_comes_first_whatever_was_measured_or_doubted(run: Path, photos: Path) -> None:
    decide(run, photos, second="accepted", doubted="accepted")
    assert ranked(run) == ["doubted", "second", "sharp", "third"]
    told = invoke("rank", run)
    assert "enhanced/doubted.png  accepted by hand" in told.stdout and "check the outline" not in told.stdout
    assert json.loads(invoke("rank", run, "--json").stdout)["lamp"][0]["by_hand"] == "accepted"
    assert "check the outline" in invoke("rank", run, "--ignore-decisions").stdout


def test_a_picture_worked_on_anew_has_to_be_decided_anew(run: Path, photos: Path) -> None:
    decide(run, photos, sharp="rejected")
    draw(photos / "sharp.png", 4)
    go(photos, run)
    assert "sharp" in ranked(run)


def test_export_obeys_and_says_what_is_left_out(run: Path, photos: Path, tmp_path: Path) -> None:
    first = export(tmp_path / "first", run)
    assert first.exit_code == 1 and exported(tmp_path / "first") == {"sharp", "third", "second", "to-check/doubted"}
    decide(run, photos, sharp="rejected", third="rejected", doubted="accepted")
    done = export(tmp_path / "shop", run)
    assert done.exit_code == 0 and exported(tmp_path / "shop") == {"second", "doubted"}, done.output
    assert f"2 cut-outs ({run / 'cutouts' / 'sharp_1_lamp.png'} first) rejected by hand: left out" in done.stderr
    assert "earlier export" not in done.stderr
    again = export(tmp_path / "first", run)
    assert "3 pictures (" in again.stderr and "of an earlier export in" in again.stderr, again.output
    as_if = export(tmp_path / "as if", run, "--ignore-decisions")
    assert exported(tmp_path / "as if") == {"sharp", "third", "second", "to-check/doubted"}
    assert "by hand" not in as_if.output


def test_a_rejected_cut_out_is_left_out_however_it_is_named(run: Path, photos: Path, tmp_path: Path) -> None:
    decide(run, photos, sharp="rejected", dark="rejected")
    cutouts = run / "cutouts"
    for number, named in enumerate(([cutouts], [cutouts / "*.png"], sorted(cutouts.iterdir()), [tmp_path])):
        done = export(tmp_path / f"out {number}", *named)
        names = {name.rpartition("/")[2] for name in exported(tmp_path / f"out {number}")}
        assert names == {"third", "second", "doubted"} and "1 cut-out (" in done.stderr, done.output
    by_name = export(tmp_path / "by name", photos, "--cutouts", run)
    assert exported(tmp_path / "by name") == {"third", "second", "to-check/doubted"}
    # The rejected picture is not exported in place of its cut-out; the one without any is told as before.
    assert by_name.stderr.count("has no transparent background") == 1 and "dark.png has no" in by_name.stderr
    assert "sharp_1_lamp.png first) rejected by hand" in by_name.stderr


def test_an_accepted_picture_without_a_cut_out_is_told_with_what_to_do(run: Path, photos: Path, tmp_path: Path) -> None:
    decide(run, photos, dark="accepted", sharp="accepted")
    sentence = f"1 picture ({photos / 'dark.png'} first) accepted by hand, but without a cut-out"
    done = export(tmp_path / "shop", run / "cutouts" / "sharp_1_lamp.png")
    assert done.exit_code == 1 and exported(tmp_path / "shop") == {"sharp"} and sentence in done.stderr
    assert f"draw the outline in `review {run}`" in done.stderr
    assert sentence in invoke("rank", run).stderr
    assert "dark.png" not in export(tmp_path / "as if", run, "--ignore-decisions").output


def test_an_outline_drawn_by_hand_is_ranked_and_exported_under_its_pictures_name(
    run: Path, photos: Path, tmp_path: Path
) -> None:
    """Though the report still names the files of before, and the picture was in doubt."""
    drawn_by_hand(run, "doubted", lambda mask: mask[:60].fill(0))
    told = invoke("rank", run)
    assert told.exit_code == 0 and "enhanced/doubted-by-hand-1.png" in told.stdout and not told.stderr.count("exist")
    assert export(tmp_path / "shop", run).exit_code == 0
    assert export(tmp_path / "by name", photos / "doubted.png", "--cutouts", run).exit_code == 0
    assert exported(tmp_path / "shop") == {"sharp", "second", "third", "doubted"}
    assert exported(tmp_path / "by name") == {"doubted"}
    decide(run, photos, doubted="rejected")
    assert "doubted-by-hand" not in invoke("rank", run).stdout
    assert "doubted-by-hand-1_1_lamp.png first) rejected by hand" in export(tmp_path / "shop", run).stderr
    assert "transparent" not in export(tmp_path / "none", photos / "doubted.png", "--cutouts", run).stderr


def test_the_best_of_a_run_are_exported(run: Path, photos: Path, tmp_path: Path) -> None:
    draw(photos / "copy.png", 1, 1)
    go(photos, run)
    assert export(tmp_path / "best", run, "--best", 2).exit_code == 0
    assert exported(tmp_path / "best") == {"sharp", "second"}, "no copy, and nothing in doubt"
    decide(run, photos, sharp="rejected", third="accepted")
    export(tmp_path / "decided", run, "--best", 1)
    assert exported(tmp_path / "decided") == {"third"}
    export(tmp_path / "as if", run, "--best", 1, "--ignore-decisions")
    assert exported(tmp_path / "as if") == {"sharp"}
    export(tmp_path / "by name", photos, "--cutouts", run, "--best", 1)
    assert exported(tmp_path / "by name") == {"third"}


def test_the_best_of_two_runs_are_the_best_of_all(run: Path, photos: Path, tmp_path: Path) -> None:
    """Though their pictures have names in common."""
    draw(tmp_path / "others" / "sharp.png", 2, 6)
    draw(tmp_path / "others" / "sharper.png", 7)
    other = go(tmp_path / "others", tmp_path / "other run")
    assert export(tmp_path / "best", run, other, "--best", 2).exit_code == 0
    assert exported(tmp_path / "best") == {"sharp", "sharper"}


def test_the_best_can_be_those_most_like_some_photos(run: Path, photos: Path, tmp_path: Path) -> None:
    plain = export(tmp_path / "best", run, "--best", 1, "--like", photos)
    assert plain.exit_code == 0 and len(exported(tmp_path / "best")) == 1
    assert ranked(run, "--like", str(photos))[0] in exported(tmp_path / "best")


def test_the_best_are_asked_for_of_runs_alone(run: Path, photos: Path, tmp_path: Path) -> None:
    for named in ((photos,), (run, photos)):
        refused = export(tmp_path / "shop", *named, "--best", 2)
        assert refused.exit_code == 2 and "name their folders alone" in refused.stderr
    (run / "enhanced" / "third.png").unlink()
    lacking = export(tmp_path / "shop", run, "--best", 2)
    assert lacking.exit_code == 1 and "third.png does not exist" in lacking.stderr
    assert exported(tmp_path / "shop") == {"sharp", "second"}


def test_decisions_that_cannot_be_read_are_no_reason_to_sell_everything(
    run: Path, photos: Path, tmp_path: Path
) -> None:
    decide(run, photos, sharp="rejected")
    decisions = run / DECISIONS_NAME
    kept = decisions.read_bytes()
    decisions.write_bytes(b"something else\n")
    for told in (invoke("rank", run), export(tmp_path / "shop", run)):
        assert told.exit_code == 2 and "holds no decisions of this program" in told.stderr
    (tmp_path / "elsewhere").write_bytes(kept)
    decisions.unlink()
    decisions.symlink_to(tmp_path / "elsewhere")
    for told in (invoke("rank", run), export(tmp_path / "shop", run)):
        assert told.exit_code == 2 and "leads out of that folder" in told.stderr
    assert not exported(tmp_path / "shop")


def test_at_a_runs_end_decisions_and_added_words_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run of 10,000 pictures each time takes seconds."""
    from lib_photoshoot.catalog import decisions, ledger

    draw(tmp_path / "in" / "1.png", 1)
    out, reads, gets = tmp_path / "out", [], []
    go = lambda: run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"], out), parse_products("lamp"), out, True)  # noqa: E731
    go()
    drawn_by_hand(out, "1", lambda pixels: None, added="saucer")
    real, get = decisions.read_hands, ledger.Ledger.get
    monkeypatch.setattr(decisions, "read_hands", lambda *given: (reads.append(given), real(*given))[1])
    monkeypatch.setattr(ledger.Ledger, "get", lambda *given: (gets.append(given[1]), get(*given))[1])
    go()
    assert len(reads) == 1 and json.loads((out / "report.json").read_text())["products"] == ["lamp", "saucer"]
    # For the words by hand alone nobody goes through the records once more; that pictures are compared is one time.
    assert len(gets) <= 10
