"""``finish``: from accepted pictures to exports, with nothing done twice and nothing of the user's lost.

The shoots are written by the shoot's own ledger; a small real filter cuts bright squares out of drawn pictures.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot import build
from lib_photoshoot.build import ModelChoice, model_choice
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import ExportError, ImageError, ProductsError, ShootError, WeightsError
from lib_photoshoot.export.checking import check_file
from lib_photoshoot.export.profile import PROFILES, load_profile
from lib_photoshoot.export.provenance import metadata_of
from lib_photoshoot.export.review.records import EXPORTED_NAME
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.shoot.finish import exports as finish_exports
from lib_photoshoot.shoot.finish import finishing as finish
from lib_photoshoot.shoot.finish.finishing import finish_shoot
from lib_photoshoot.shoot.finish.ledger import FinishLedger
from lib_photoshoot.shoot.finish.ranking import FinishedProduct
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder
from lib_photoshoot.shoot.run.ledger import ShootLedger, Try, read_state
from lib_photoshoot.shoot.shot_list.reading import read_shot_list, write_shot_list
from tests.corrected import drawn_by_hand
from tests.ranking.test_rank_cli import draw
from tests.test_catalog import BrightSquares, files_of, paint


class Squares(BrightSquares):
    """Finds as its base does, and enhances nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[ModelChoice] = []

    def load(self, choice: ModelChoice) -> Squares:
        self.loads.append(choice)
        return self

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
        self.calls += 1
        return self.detect(image, products)


def profile(folder: Path, name: str = "small", **values: Any) -> str:
    """A quick profile of the user's own: eBay's on a small canvas, with other values."""
    text = (PROFILES / "ebay.toml").read_text("utf-8").replace("{stem}-ebay", "{stem}")
    lines = {"width": 320, "height": 320, "least_width": 100, "least_height": 100, "enlarge": 4.0, **values}
    for key, value in lines.items():
        before, _, rest = text.partition(f"\n{key} = ")
        text = f"{before}\n{key} = {value}\n{rest.partition(chr(10))[2]}"
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


Draw = Callable[[Path, int], None]


def add(out: Path, name: str, seeds: Sequence[int], picture: Draw = draw, accepted: bool = True) -> None:
    """Take shots of a listed product with these seeds, which must be its next ones."""
    products = read_shot_list(out / "list.yaml")
    (product,) = [each for each in products if each.name == name]
    with ShootLedger(out, products, resume=True) as ledger:
        for seed in seeds:
            number = sum(entry.product == name for entry in ledger.tries)
            shot = product.shot(number)
            assert shot.seed == seed
            file = f"{product.folder}/{seed}.png" if accepted else f"{product.folder}/rejected/{seed}.png"
            ledger.claim(shot)
            picture(out / file, seed)
            decision = "accepted" if accepted else "rejected"
            ledger.finish(Try(name, number, seed, "", "http://webui", 1.0, (), decision, "found", file))


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """A lamp with four accepted pictures, one of them blurred, one nearly another's copy; a bag that has none yet."""
    out = tmp_path / "out"
    out.mkdir()
    small = "small.toml"
    rows = [
        {"name": "Lamp 7", "class": "lamp", "count": 3, "exports": [small]},
        {"name": "bag", "count": 2, "first_seed": 100, "exports": [small]},
    ]
    write_shot_list(out, rows)
    add(out, "Lamp 7", (1,))
    add(out, "Lamp 7", (2,), lambda path, _: draw(path, 2, 0.8))
    add(out, "Lamp 7", (3,), lambda path, _: draw(path, 1, 1))  # looks as the first does, less sharp
    add(out, "Lamp 7", (4,), lambda path, _: draw(path, 5, 3))
    profile(out)
    return out


def run(out: Path, squares: Squares | None = None, **more: Any) -> dict[str, FinishedProduct]:
    squares = squares or Squares()
    found = finish_shoot(out, lambda settings: model_choice(settings, "cpu"), squares.load, **more)
    return {product.name: product for product in found}


def exports(out: Path, name: str = "small") -> list[str]:
    return sorted(file for file in files_of(out / "finished" / "exports" / name) if file != EXPORTED_NAME)


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in files_of(folder)}


def test_from_accepted_pictures_to_exports(shoot: Path, tmp_path: Path) -> None:
    before = {name: (shoot / name).read_bytes() for name in files_of(shoot)}
    squares, states = Squares(), []
    result = run(shoot, squares, tell=states.append)
    assert list(result) == ["Lamp 7"] and squares.calls == 4
    lamp = result["Lamp 7"]
    assert (lamp.accepted, lamp.wanted, lamp.problems, lamp.withdrawn) == (4, 3, (), ())
    assert lamp.ranking[0].measured.file == "Lamp 7/1.png" and len(lamp.ranking) == 3
    assert [other.measured.file for other in lamp.ranking[0].duplicates] == ["Lamp 7/3.png"]
    # The copy is not counted, and not exported.
    (channel,) = lamp.channels
    assert [f"{item.measured.file}".replace("/", "-").replace("png", "jpg") for item in lamp.ranking] == [*channel.made]
    assert exports(shoot) == ["Lamp 7-1.jpg", "Lamp 7-2.jpg", "Lamp 7-4.jpg"] and not channel.kept + channel.missed
    for name in channel.made:
        path = shoot / "finished" / "exports" / "small" / name
        assert metadata_of(path).terms == ("trainedAlgorithmicMedia",)
        assert not check_file(path, load_profile(str(shoot / "small.toml"))).findings
    with Image.open(shoot / "finished/Lamp 7/enhanced/1.png") as after, Image.open(shoot / "Lamp 7/1.png") as taken:
        assert np.array_equal(np.asarray(after), np.asarray(taken)), "nothing is enhanced any more"
    ranking = json.loads((shoot / "finished" / "ranking.json").read_text())
    (product,) = ranking["products"]
    first = product["ranking"][0]
    assert (product["name"], first["seed"], first["file"]) == ("Lamp 7", 1, "Lamp 7/1.png")
    assert first["cutouts"] == ["finished/Lamp 7/cutouts/1_1_lamp.png"] and (shoot / first["cutouts"][0]).is_file()
    assert "predicted IoU 0.95" in first["qualities"]["mask"]["reason"]
    assert first["duplicates"][0]["file"] == "Lamp 7/3.png"
    assert states[-1].done == states[-1].total == 11 and all(0 <= state.done <= 11 for state in states)
    # The shoot itself is only read.
    assert {name: (shoot / name).read_bytes() for name in before} == before


def test_again_does_nothing_and_loads_nothing(shoot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(shoot)["Lamp 7"]
    finished = shoot / "finished"
    before = times(finished), {path: path.read_bytes() for path in finished.rglob("*.json*")}
    squares = Squares()
    monkeypatch.setattr(finish, "measure", lambda *_: 1 / 0)
    again = run(shoot, squares)["Lamp 7"]
    assert not squares.loads and again.ranking == first.ranking
    assert (again.channels[0].made, again.channels[0].kept) == ((), first.channels[0].made)
    after = times(finished), {path: path.read_bytes() for path in finished.rglob("*.json*")}
    assert before[1] == after[1]
    # Reports are written again, and so say the same; of the pictures none is.
    assert not [name for name, time in before[0].items() if name.endswith(("png", "jpg")) and after[0][name] != time]


def test_further_pictures_and_decisions(shoot: Path) -> None:
    run(shoot)
    folder = shoot / "finished" / "exports" / "small"
    second = (folder / "Lamp 7-2.jpg").read_bytes()
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 1, Hand("rejected"))])
    add(shoot, "bag", (100,))
    add(shoot, "bag", (101,), accepted=False)
    squares = Squares()
    result = run(shoot, squares)
    assert squares.calls == 1 and result["bag"].channels[0].made == ("bag-100.jpg",)
    assert result["Lamp 7"].withdrawn == (
        "small/Lamp 7-2.jpg is no longer accepted, and was moved to small/withdrawn.",
    )
    assert exports(shoot) == ["Lamp 7-1.jpg", "Lamp 7-4.jpg", "bag-100.jpg", "withdrawn/Lamp 7-2.jpg"]
    assert (folder / "withdrawn" / "Lamp 7-2.jpg").read_bytes() == second
    assert not run(shoot)["Lamp 7"].withdrawn
    # Accepted again: the very file comes back.
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 1, None)])
    assert run(shoot)["Lamp 7"].channels[0].made == ()
    assert exports(shoot) == ["Lamp 7-1.jpg", "Lamp 7-2.jpg", "Lamp 7-4.jpg", "bag-100.jpg"]
    # Nothing is accepted any more: that is no reason to leave its pictures on sale.
    ShootFolder(shoot).decide([ChosenShot("bag", 0, Hand("rejected"))])
    assert "no longer accepted" in run(shoot)["bag"].withdrawn[0] and "bag-100.jpg" not in exports(shoot)
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", number, Hand("rejected")) for number in range(4)])
    assert len(run(shoot)["Lamp 7"].withdrawn) == 3 and all("withdrawn" in name for name in exports(shoot))


def test_a_rejection_is_told_with_its_reason_and_what_was_accepted_comes_first(shoot: Path, loads: Any) -> None:
    run(shoot)
    decisions = ((1, Hand("rejected", "outline", "crooked")), (3, Hand("accepted")))
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", *one) for one in decisions])
    lamp = run(shoot)["Lamp 7"]
    assert lamp.withdrawn == (
        "small/Lamp 7-2.jpg is no longer accepted (Outline: crooked), and was moved to small/withdrawn.",
    )
    assert [item.measured.file for item in lamp.ranking] == ["Lamp 7/4.png", "Lamp 7/1.png"], "the blurred one is first"
    assert lamp.left_out.startswith("1 picture (Lamp 7/rejected/2.png first) rejected by hand: left out;")
    assert lamp.left_out in CliRunner().invoke(app, ["finish", str(shoot)]).stdout
    (ranked,) = json.loads((shoot / "finished" / "ranking.json").read_text())["products"]
    assert ranked["left_out"] == lamp.left_out and ranked["ranking"][0]["by_hand"] == "accepted"


def test_decisions_about_the_cut_outs_themselves_hold_too(shoot: Path) -> None:
    """The folder of a product's cut-outs is a run of the filter, and can be reviewed as one."""
    run(shoot)
    reviewed = ReviewedRun(shoot / "finished" / "Lamp 7")
    file = os.path.abspath(shoot / "Lamp 7" / "1.png")
    reviewed.decide(reviewed.chosen([{"file": file, "decision": "rejected", "reason": "outline"}]))
    lamp = run(shoot)["Lamp 7"]
    assert lamp.withdrawn == ("small/Lamp 7-1.jpg is no longer accepted, and was moved to small/withdrawn.",)
    assert "Lamp 7-1.jpg" not in exports(shoot) and not lamp.problems
    assert "1 picture (Lamp 7/1.png first) rejected by hand" in lamp.left_out
    reviewed.decide(reviewed.chosen([{"file": file, "decision": None}]))
    assert not run(shoot)["Lamp 7"].left_out and "Lamp 7-1.jpg" in exports(shoot)


def test_an_outline_drawn_by_hand_is_exported_instead_of_the_first_one(shoot: Path) -> None:
    run(shoot)
    exported = shoot / "finished/exports/small/Lamp 7-1.jpg"
    before, folder = exported.read_bytes(), shoot / "finished" / "Lamp 7"
    drawn_by_hand(folder, "1", lambda mask: mask[: mask.shape[0] // 2].fill(0), added="saucer")
    squares = Squares()
    lamp = run(shoot, squares)["Lamp 7"]
    assert lamp.channels[0].made == ("Lamp 7-1.jpg",) and not squares.calls and not lamp.problems
    assert exported.read_bytes() != before and exported.is_file()
    assert lamp.cutouts["Lamp 7/1.png"] == ("finished/Lamp 7/cutouts/1-by-hand-1_1_lamp.png",)
    assert all((shoot / name).is_file() for names in lamp.cutouts.values() for name in names)


def test_colours_that_tell_variants_apart_are_remembered(shoot: Path) -> None:
    """A cup in blue is no copy of the same cup in red, the second time neither."""

    def tinted(path: Path, seed: int) -> None:
        draw(path, 1)
        with Image.open(path) as image:
            pixels = np.array(image)
        pixels[pixels.min(axis=2) > 200] = (255, 205, 205) if seed == 5 else (205, 255, 205)
        Image.fromarray(pixels).save(path)

    add(shoot, "Lamp 7", (5, 6), tinted)
    first = run(shoot, top=9)["Lamp 7"].ranking
    assert {"Lamp 7/5.png", "Lamp 7/6.png"} <= {item.measured.file for item in first}
    assert run(shoot, top=9)["Lamp 7"].ranking == first


def test_the_folder_holds_the_best_that_are_wanted(shoot: Path, tmp_path: Path) -> None:
    run(shoot)
    fewer = run(shoot, top=1)["Lamp 7"]
    assert [name for name in exports(shoot) if "withdrawn" not in name] == ["Lamp 7-1.jpg"]
    assert (
        all("is no longer among the best 1" in sentence for sentence in fewer.withdrawn) and len(fewer.withdrawn) == 2
    )
    other = profile(tmp_path, "other")
    result = run(shoot, profiles=(other, other))["Lamp 7"]
    assert [channel.profile for channel in result.channels] == ["other"] and len(exports(shoot, "other")) == 3
    # A channel that is not asked for keeps what may be sold, and loses what may not.
    assert not result.withdrawn and [name for name in exports(shoot) if "withdrawn" not in name] == ["Lamp 7-1.jpg"]
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 0, Hand("rejected"))])
    assert len(run(shoot, profiles=(other,))["Lamp 7"].withdrawn) == 2
    assert all("withdrawn" in name for name in exports(shoot))


def test_a_picture_without_the_product_or_unreadable_is_told(shoot: Path) -> None:
    run(shoot)
    paint(shoot / "Lamp 7" / "1.png")
    (shoot / "Lamp 7" / "2.png").unlink()
    lamp = run(shoot)["Lamp 7"]
    told = sorted(lamp.problems)
    assert "Lamp 7/1.png is accepted, but the product is no longer found in it (nothing in the picture" in told[1]
    assert "2.png does not exist" in told[0] and len(told) == 2
    assert lamp.withdrawn == ("small/Lamp 7-1.jpg no longer shows the product, and was moved to small/withdrawn.",)
    # Whether the one that is gone may be sold is not known: it stays. The first one's copy takes its place.
    assert exports(shoot) == ["Lamp 7-2.jpg", "Lamp 7-3.jpg", "Lamp 7-4.jpg", "withdrawn/Lamp 7-1.jpg"]


def test_a_damaged_mask_is_told(shoot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: Any) -> Any:
        raise ImageError("masks/1_1_lamp.png is damaged.")

    monkeypatch.setattr(finish, "measure", damaged)
    lamp = run(shoot)["Lamp 7"]
    assert len(lamp.problems) == 4 and not lamp.ranking and lamp.channels[0].made == ()


def test_what_somebody_changed_is_kept(shoot: Path, tmp_path: Path) -> None:
    folder = shoot / "finished" / "exports" / "small"
    folder.mkdir(parents=True)
    (folder / "Lamp 7-1.jpg").write_bytes(b"mine")
    result = run(shoot)["Lamp 7"]
    (problem,) = result.problems
    assert "Lamp 7-1.jpg was not written by `finish`, or changed since, and is kept" in problem
    assert (folder / "Lamp 7-1.jpg").read_bytes() == b"mine"
    assert set(result.channels[0].made) == {"Lamp 7-2.jpg", "Lamp 7-4.jpg"}
    # Retouched by hand: kept as long as nothing else changes, and then told.
    (folder / "Lamp 7-2.jpg").write_bytes(b"retouched")
    assert len(run(shoot)["Lamp 7"].problems) == 1
    (folder / "Lamp 7-1.jpg").unlink()
    fourth = (folder / "Lamp 7-4.jpg").read_bytes()
    profile(shoot, fill=0.7)
    result = run(shoot)["Lamp 7"]
    assert "Lamp 7-2.jpg was not written by `finish`, or changed since" in result.problems[0]
    assert (
        set(result.channels[0].made) == {"Lamp 7-1.jpg", "Lamp 7-4.jpg"}
        and (folder / "Lamp 7-4.jpg").read_bytes() != fourth
    )
    assert (folder / "Lamp 7-2.jpg").read_bytes() == b"retouched"
    # Withdrawn twice with other bytes: both are kept.
    (folder / "withdrawn").mkdir()
    (folder / "withdrawn" / "Lamp 7-2.jpg").write_bytes(b"older")
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 1, Hand("rejected"))])
    run(shoot)
    assert (folder / "withdrawn" / "Lamp 7-2 (2).jpg").read_bytes() == b"retouched"
    assert (folder / "withdrawn" / "Lamp 7-2.jpg").read_bytes() == b"older"


def test_rules_that_are_missed_are_told_each_time(shoot: Path, tmp_path: Path) -> None:
    profile(shoot, enlarge=1.0, least_width=320, least_height=320)
    for _ in range(2):
        missed = run(shoot)["Lamp 7"].channels[0].missed
        assert len(missed) == 3 and missed[0].startswith("Lamp 7-1.jpg misses fill: the product fills ")


def test_all_that_a_picture_holds_of_a_product_is_exported_together(shoot: Path) -> None:
    def pair(path: Path, _: int) -> None:
        paint(path, (5, 20, 25, 40), (50, 20, 70, 40))

    add(shoot, "bag", (100,), pair)
    bag = run(shoot)["bag"]
    assert len(bag.cutouts["bag/100.png"]) == 2
    with Image.open(shoot / "finished" / "exports" / "small" / "bag-100.jpg") as image:
        row = np.asarray(image)[160].astype(int)
    assert (row[[40, 280]] > 240).all() and len(bag.channels[0].made) == 1
    widths = np.flatnonzero((np.abs(row - 255) > 2).any(axis=1))
    assert widths[-1] - widths[0] > 200


def test_a_shoot_that_runs_is_only_read(shoot: Path) -> None:
    with ShootLedger(shoot, read_shot_list(shoot / "list.yaml"), resume=True):
        assert len(run(shoot)["Lamp 7"].channels[0].made) == 3
    with FinishLedger(shoot / "finished"), pytest.raises(ShootError, match="Another `finish` is writing"):
        run(shoot)


def test_cut_off_anywhere_the_same_comes_out(shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(shoot)
    made = {name: (shoot / "finished" / "exports" / "small" / name).read_bytes() for name in exports(shoot)}
    ranking = (shoot / "finished" / "ranking.json").read_bytes()
    ledger = shoot / "finished" / "finish.jsonl"
    whole = ledger.read_bytes()
    for size in range(0, len(whole), 211):
        ledger.write_bytes(whole[:size])
        result = run(shoot, Squares())["Lamp 7"]
        assert not result.problems and ledger.read_bytes().startswith(whole[: whole.rfind(b"\n", 0, size) + 1])
        assert {name: (shoot / "finished" / "exports" / "small" / name).read_bytes() for name in exports(shoot)} == made
        assert (shoot / "finished" / "ranking.json").read_bytes() == ranking
    # A line that the file system spoiled.
    lines = whole.splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:1], b'{"export":{}}\n\0\n', *lines[2:]]))
    assert not run(shoot)["Lamp 7"].problems
    # Stopped while it cuts out, measures and exports.
    for module, function in ((finish, "run_catalog"), (finish, "measure"), (finish_exports, "_cut_out")):
        shutil.rmtree(shoot / "finished")
        real, calls = getattr(module, function), []

        def stopping(*arguments: Any, real: Any = real, calls: list[int] = calls, **more: Any) -> Any:
            calls.append(1)
            if len(calls) == 2 or real.__name__ == "run_catalog":
                raise KeyboardInterrupt
            return real(*arguments, **more)

        with monkeypatch.context() as patch:
            patch.setattr(module, function, stopping)
            with pytest.raises(KeyboardInterrupt):
                run(shoot)
        run(shoot)
        assert {name: (shoot / "finished" / "exports" / "small" / name).read_bytes() for name in exports(shoot)} == made
        assert (shoot / "finished" / "ranking.json").read_bytes() == ranking


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8, 0.9, 0.97])
def test_a_full_disk_is_one_sentence_and_it_goes_on(
    shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    shutil.copytree(shoot, tmp_path / "copy")
    real, written, left = os.fsync, [], [10**6]

    def fsync(descriptor: int) -> None:
        written.append(1)
        if len(written) > left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        run(tmp_path / "copy")
        left[0] = int(share * len(written))
        written.clear()
        with pytest.raises(ShootError, match=r"The disk of .* is full; make room and run `finish` again") as caught:
            run(shoot)
        assert "--resume" not in str(caught.value)
    assert not [name for name in files_of(shoot / "finished") if name.endswith(".part")]
    (channel,) = run(shoot)["Lamp 7"].channels
    assert len(channel.made + channel.kept) == 3 == len(exports(shoot))


def test_products_named_as_our_own_files_and_the_folders_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    names = ("Exports", "ranking.json", "finish.jsonl")
    write_shot_list(out, [{"name": name, "class": "lamp", "count": 1, "exports": ["small.toml"]} for name in names])
    for name in names:
        add(out, name, (1,))
    profile(out)
    result = run(out)
    assert all(len(result[name].channels[0].made) == 1 and not result[name].problems for name in names)
    assert (out / "finished" / "Exports-" / "cutouts").is_dir() and len(exports(out)) == 3
    for name in ("finished", "Finished"):
        (tmp_path / "list.csv").write_text(f"name,class,count\n{name},lamp,1\n")
        with pytest.raises(ShootError, match="is that of a file of the shoot"):
            read_shot_list(tmp_path / "list.csv")


def test_the_settings_of_each_product_choose_its_models(shoot: Path, tmp_path: Path) -> None:
    rows = [
        {"name": "Lamp 7", "class": "lamp", "aliases": ["light"], "count": 3, "filter": {"threshold": 0.25}},
        {"name": "bag", "count": 2, "first_seed": 100, "filter": {"segmenter": "sam-vit-b", "detector": "embedded"}},
    ]
    out = tmp_path / "other"
    out.mkdir()
    write_shot_list(out, rows)
    add(out, "Lamp 7", (1,))
    add(out, "bag", (100,))
    squares = Squares()
    run(out, squares)
    assert [(choice.segmenter.value, choice.threshold) for choice in squares.loads] == [
        ("mobile-sam", 0.25),
        ("sam-vit-b", None),
    ]
    report = json.loads((out / "finished" / "Lamp 7" / "report.json").read_text())
    assert report["products"] == ["lamp"] and report["settings"]["threshold"] == 0.25
    header = json.loads((out / "finished" / "Lamp 7" / "ledger.jsonl").read_text().splitlines()[0])
    assert header["settings"]["products"][0]["aliases"] == ["light"]


def test_a_product_that_cannot_be_finished_holds_up_no_other(shoot: Path) -> None:
    add(shoot, "bag", (100,))
    run(shoot)
    before = exports(shoot)

    class NoLamp(Squares):
        def run(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
            if products[0].name == "lamp":
                raise ProductsError("The embedded detector knows no lamp.")
            return super().run(image, products)

    shutil.rmtree(shoot / "finished" / "Lamp 7")
    add(shoot, "bag", (101,))
    result = run(shoot, NoLamp())
    assert result["Lamp 7"].problems == ("Lamp 7: The embedded detector knows no lamp.",)
    assert result["bag"].channels[0].made == ("bag-101.jpg",) and exports(shoot) == [*before, "bag-101.jpg"]
    # Models or settings that differ from those of the cut-outs that are there.
    choose = lambda settings: ModelChoice(threshold=0.9)  # noqa: E731
    (lamp, bag) = finish_shoot(shoot, choose, Squares().load)
    for product in (lamp, bag):
        assert (
            "holds cut-outs with other settings or models, or other files; move that folder away" in product.problems[0]
        )
    assert exports(shoot) == [*before, "bag-101.jpg"]


def test_folders_and_profiles_that_cannot_be_used(shoot: Path, tmp_path: Path) -> None:
    with pytest.raises(ShootError, match="holds no shoot"):
        run(tmp_path)
    with pytest.raises(ShootError, match="nowhere is no folder"):
        run(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    write_shot_list(empty, [{"name": "bag", "count": 1}])
    with pytest.raises(ShootError, match=r"No picture in .* is accepted yet"):
        run(empty)
    assert not (empty / "finished").exists()
    (tmp_path / "deep").mkdir()
    twin = profile(tmp_path / "deep", "Small")
    for error, profiles, words in (
        (ExportError, ("amazon",), "known are amazon-main"),
        (ExportError, (str(shoot / "small.toml"), twin), "would share one folder"),
        (ExportError, (str(tmp_path / "gone.toml"),), "cannot be read"),
        (ImageError, (profile(tmp_path, "wood", kind='"picture"\npicture = "wood.png"'),), "wood.png does not exist"),
    ):
        with pytest.raises(error, match=words):
            run(shoot, profiles=profiles)
    assert not (shoot / "finished").exists()
    (shoot / "finished").write_text("")
    with pytest.raises(ShootError, match=r"Writing to .* failed"):
        run(shoot)
    (shoot / "finished").unlink()
    (shoot / "finished").mkdir()
    (shoot / "finished" / "finish.jsonl").write_text("my notes\n")
    with pytest.raises(ShootError, match="was not written by `finish`"):
        run(shoot)
    assert (shoot / "finished" / "finish.jsonl").read_text() == "my notes\n"


# The command


def test_a_list_from_somebody_else_names_no_profile_elsewhere(shoot: Path, tmp_path: Path) -> None:
    elsewhere = profile(tmp_path)
    with_picture = profile(shoot, kind='"picture"\npicture = "../wood.png"')
    for name in (elsewhere, "../small.toml", with_picture):
        write_shot_list(shoot, [{"name": "Lamp 7", "class": "lamp", "count": 3, "exports": [name]}])
        with pytest.raises(ExportError, match="which lies elsewhere, or its picture does"):
            run(shoot)


def test_a_record_of_an_export_elsewhere_moves_nothing(shoot: Path) -> None:
    run(shoot)
    victim = shoot / "finished" / "victim.png"
    victim.write_bytes(b"mine")
    ledger = shoot / "finished" / "finish.jsonl"
    (line,) = [line for line in ledger.read_text().splitlines() if '"export"' in line][:1]
    values = json.loads(line)["export"]
    for file, place in (("../../victim.png", "small"), ("victim.png", "../"), (str(victim), "small")):
        changed = {"export": values | {"file": file, "profile": place, "seed": 99, "made_from": ""}}
        ledger.write_text(ledger.read_text() + json.dumps(changed) + "\n")
    assert not run(shoot)["Lamp 7"].withdrawn and victim.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["finished", "finished/exports", "finished/Lamp 7", "finished/exports/small"])
def test_a_link_among_the_finished_leads_nowhere(shoot: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (shoot / name).parent.mkdir(parents=True, exist_ok=True)
    (shoot / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    try:
        problems = run(shoot)["Lamp 7"].problems
    except ShootError as error:
        problems = (str(error),)
    assert any("leads out of that folder" in text for text in problems)
    assert not files_of(tmp_path / "elsewhere")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[ModelChoice]:
    """The real models are not needed: which are loaded is counted, and bright squares are found."""
    made: list[ModelChoice] = []

    def load(choice: ModelChoice) -> build.Models:
        made.append(choice)
        return build.Models(choice, None, None, None, None)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "load_models", load)
    monkeypatch.setattr(build.Models, "filter", lambda self: Squares())
    monkeypatch.setattr("lib_photoshoot.weights.store.find", lambda name, *_: _found(name))
    return made


def _found(name: str) -> Path:
    if name.startswith("groundingdino"):
        raise WeightsError(f"{name} is missing.")
    return Path(name)


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["finish", *(str(item) for item in arguments)])


def test_the_command(shoot: Path, loads: list[ModelChoice]) -> None:
    add(shoot, "bag", (100,))
    result = invoke(shoot)
    assert result.exit_code == 0, result.output
    # One load for all products.
    assert [choice.detector.value for choice in loads] == ["embedded"]
    lines = result.stdout.splitlines()
    assert lines[0] == "Lamp 7: 4 accepted, 3 of them different"
    assert lines[1].endswith("Lamp 7/1.png, 1 more look the same") and lines[1].startswith("   1. 0.")
    assert lines[4].startswith("  small: 3 written, in ") and sorted(lines[5:8]) == [
        "    Lamp 7-1.jpg",
        "    Lamp 7-2.jpg",
        "    Lamp 7-4.jpg",
    ]
    assert "ranking.json" in result.stderr
    again = invoke(shoot, "--top", 1)
    assert again.exit_code == 0 and "  small: 0 written, 1 kept, in " in again.stdout and len(loads) == 1
    assert "is no longer among the best 1, and was moved to small/withdrawn." in again.stdout


def test_the_commands_exit_codes(shoot: Path, tmp_path: Path, loads: list[ModelChoice], monkeypatch: Any) -> None:
    strict = profile(tmp_path, "strict", enlarge=1.0, least_width=320, least_height=320)
    missed = invoke(shoot, "--profile", strict)
    assert missed.exit_code == 1 and "Lamp 7-1.jpg misses fill: the product fills " in missed.stdout
    paint(shoot / "Lamp 7" / "2.png")
    told = invoke(shoot)
    assert told.exit_code == 1 and "the product is no longer found in it" in told.stderr
    wrong = invoke(shoot, "--profile", "amazon")
    assert wrong.exit_code == 2 and "known are amazon-main" in wrong.stderr
    assert invoke(tmp_path).exit_code == 2 and invoke(shoot, "--top", 0).exit_code == 2
    add(shoot, "bag", (100,))

    def missing(choice: ModelChoice) -> Any:
        raise WeightsError("mobile-sam is missing.")

    monkeypatch.setattr(build, "load_models", missing)
    monkeypatch.setattr("lib_photoshoot.registry.REGISTRY", None)
    gone = invoke(shoot)
    assert gone.exit_code == 3 and "mobile-sam is missing" in gone.stderr
    # What was done before is told all the same.
    assert "Lamp 7: 4 accepted" in gone.stdout


def test_without_profiles_it_ranks_and_says_how_to_name_them(tmp_path: Path, loads: list[ModelChoice]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_shot_list(out, [{"name": "lamp", "count": 1}])
    add(out, "lamp", (1,))
    result = invoke(out)
    assert result.exit_code == 0, result.output
    assert "No export profile is named, so nothing was exported; add --profile NAME (amazon-main, " in result.stderr
    assert (out / "finished" / "lamp" / "cutouts" / "1_1_lamp.png").is_file()
    assert json.loads((out / "finished" / "ranking.json").read_text())["products"][0]["ranking"]
    assert not (out / "finished" / "exports").exists() and read_state(out).tries[0].accepted
