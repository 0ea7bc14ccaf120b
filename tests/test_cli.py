"""The command line in its own process or through Typer's runner, with the bright-squares filter in place of models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lib_photoshoot import __version__, build
from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import DeviceError, UnknownProductError, WeightsError
from lib_photoshoot.model_names import DetectorName
from tests.test_catalog import BrightSquares, paint

ROOT = Path(__file__).parents[1]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(build, "build_filter", lambda *_: BrightSquares())
    paint(tmp_path / "photos" / "lit.png", (5, 5, 30, 30))
    paint(tmp_path / "photos" / "dark.png")
    return tmp_path / "photos"


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(item) for item in arguments])


def test_filter_then_refuse_then_resume(photos: Path, tmp_path: Path) -> None:
    command = ("filter", photos, "--products", "lamp", "--out", tmp_path / "out")
    first = invoke(*command)
    assert first.exit_code == 0 and first.stdout == "" and "1 matched, 1 skipped, 0 unreadable" in first.stderr
    assert (tmp_path / "out" / "report.html").is_file()
    again = invoke(*command)
    assert again.exit_code == 2 and "add --resume" in again.stderr and "Traceback" not in again.stderr
    resumed = invoke(*command, "--resume")
    assert resumed.exit_code == 0 and "(2 from the earlier run)" in resumed.stderr


def test_unreadable_files_give_exit_code_1(photos: Path, tmp_path: Path) -> None:
    (photos / "text.png").write_text("no picture")
    result = invoke("filter", photos, "--products", "lamp", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "1 matched, 1 skipped, 1 unreadable" in result.stderr
    assert "text.png is not a picture" in result.stderr
    result = invoke("detect", photos, "--products", "lamp")
    assert result.exit_code == 1 and len(result.stdout.splitlines()) == 2


def test_words_that_nothing_knows_are_left_out_and_the_exit_code_tells(photos: Path, tmp_path: Path) -> None:
    words = ("--products", "lamp, Zzyx, armchair")
    for command in (("filter", photos, *words, "--out", tmp_path / "out"), ("detect", photos, *words)):
        result = invoke(*command)
        assert result.exit_code == 1
        assert result.stderr.count("Zzyx: not looked for") == result.stderr.count("armchair: looked for as chair") == 1
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert (
        report["products"] == ["lamp", "armchair"]
        and "1 matched, 1 skipped" in invoke("filter", photos, *words, "--out", tmp_path / "out", "--resume").stderr
    )
    none = invoke("detect", photos, "--products", "Zzyx")
    assert none.exit_code == 2 and none.stdout == "" and len(none.stderr.strip().splitlines()) == 1
    every = invoke("detect", photos, *words, "--all")
    assert every.exit_code == 2 and "not all can be looked for: Zzyx" in every.stderr


def test_detect_prints_one_object_a_line(photos: Path) -> None:
    result = invoke("detect", photos, "--products", "lamp")
    dark, lit = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert (dark["decision"], dark["reason"], dark["regions"]) == ("skip", "nothing_found", [])
    assert lit["regions"] == [{"product": "lamp", "score": 0.9, "box": [5.0, 5.0, 30.0, 30.0], "mask": None}]
    assert set(lit) == {"file", "width", "height", "decision", "reason", "regions", "rejected", "seconds"}


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("embedded", DetectorName.EMBEDDED),
        ("groundingdino-swint", DetectorName.GROUNDINGDINO),
        ("groundingdino_swint_ogc", DetectorName.GROUNDINGDINO),
        ("groundingdino-b", DetectorName.GROUNDINGDINO_B),
    ],
)
def test_a_detector_may_be_called_as_its_checkpoint(
    photos: Path, monkeypatch: pytest.MonkeyPatch, name: str, detector: DetectorName
) -> None:
    asked = []
    monkeypatch.setattr(build, "build_filter", lambda choice, *_: asked.append(choice.detector) or BrightSquares())
    assert invoke("detect", photos, "--products", "lamp", "--detector", name).exit_code == 0
    assert asked == [detector] and isinstance(asked[0], DetectorName)


def test_usage_and_input_errors_give_exit_code_2(photos: Path, tmp_path: Path) -> None:
    assert invoke("filter", photos).exit_code == 2
    other = invoke("detect", photos, "--products", "lamp", "--detector", "other")
    assert other.exit_code == 2 and "'other' is not one of embedded" in other.stderr
    gone = invoke("detect", tmp_path / "gone", "--products", "lamp")
    assert gone.exit_code == 2 and gone.stdout == "" and "does not exist" in gone.stderr
    empty = invoke("detect", photos, "--products", " ")
    assert empty.exit_code == 2 and len(empty.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("error", "code"), [(WeightsError("w is missing."), 3), (UnknownProductError("u."), 2)])
def test_errors_of_the_models(photos: Path, tmp_path: Path, monkeypatch, error: Exception, code: int) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(build, "build_filter", fail)
    for command in (("filter", photos, "--out", tmp_path / "out"), ("detect", photos)):
        result = invoke(*command, "--products", "lamp")
        assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{error}\n")


def test_interrupt_gives_130_and_is_resumable(photos: Path, tmp_path: Path, monkeypatch) -> None:
    class Interrupted(BrightSquares):
        def run(self, image, products, space=None):
            if self.calls == 1:
                raise KeyboardInterrupt
            return super().run(image, products)

    command = ("filter", photos, "--products", "lamp", "--out", tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(build, "build_filter", lambda *_: Interrupted())
        result = invoke(*command)
    assert result.exit_code == 130 and "--resume" in result.stderr
    assert "(1 from the earlier run)" in invoke(*command, "--resume").stderr


@pytest.mark.parametrize("device", ["cuda:99", "mps:7", "cdua"])
def test_a_device_that_is_not_there_is_one_sentence(device: str) -> None:
    assert build.resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match=f"The device '{device}' cannot be used here") as error:
        build.resolve_device(device)
    assert len(str(error.value).splitlines()) == 1


def test_version_and_help_name_the_exit_codes() -> None:
    assert invoke("--version").stdout.strip().endswith(__version__)
    for command in (("--help",), ("filter", "--help"), ("detect", "--help")):
        text = " ".join(invoke(*command).stdout.split())
        assert "130 interrupted" in text and "3 a model file is missing" in text


def test_help_in_a_process_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['x', '--help']\n"
        "from lib_photoshoot.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: code = stop.code\n"
        "heavy = {'torch', 'cv2', 'PIL', 'numpy', 'timm', 'transformers'} & set(sys.modules)\n"
        "sys.exit(code or ','.join(heavy) or 0)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert (result.returncode, result.stderr) == (0, "") and "filter" in result.stdout


def test_every_unknown_word_is_told_before_a_model_is_loaded(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build_filter", lambda *_: pytest.fail("loaded"))
    result = invoke("detect", photos, "--products", "Ohrringe, blorp")
    assert result.exit_code == 2 and result.stdout == ""
    assert "Ohrringe and blorp (Ohrringe is German for earring): not looked for" in result.stderr


@pytest.mark.parametrize("command", ["filter", "detect"])
def test_an_alias_that_finds_nothing_is_told_and_the_work_goes_on(photos: Path, tmp_path: Path, command: str) -> None:
    out = ("--out", tmp_path / "out") if command == "filter" else ()
    result = invoke(command, photos, "--products", "Lamp = Xyzzy | lampshade", *out)
    assert result.exit_code == 0 and "Lamp: looked for without Xyzzy" in result.stderr
    assert "Xyzzy" not in result.stdout


def test_how_a_word_is_typed_makes_no_other_run(photos: Path, tmp_path: Path) -> None:
    command = ("filter", photos, "--out", tmp_path / "out", "--products")
    assert invoke(*command, "Lamp").exit_code == 0
    assert b"Lamp" not in (tmp_path / "out" / "ledger.jsonl").read_bytes()
    assert invoke(*command, "LAMP", "--resume").exit_code == 0


def test_an_unknown_word_begins_no_output_folder(tmp_path):
    paint(tmp_path / "a.png")
    done = invoke("filter", str(tmp_path / "a.png"), "--products", "zxqv", "--out", str(tmp_path / "out"))
    assert done.exit_code == 2 and "zxqv" in done.output
    assert not (tmp_path / "out").exists(), "the same command with another word must go"


def test_the_retouch_and_white_balance_reach_the_filter(photos: Path, tmp_path: Path, monkeypatch) -> None:
    asked: list[tuple] = []
    monkeypatch.setattr(build, "build_filter", lambda *given: (asked.append(given[2:]), BrightSquares())[1])
    command = ("filter", photos, "--products", "lamp", "--out")
    assert invoke(*command, tmp_path / "a").exit_code == 0
    assert invoke(*command, tmp_path / "b", "--retouch", "lively", "--white-balance", "sweep").exit_code == 0
    assert asked == [("faithful", "off"), ("lively", "sweep")]
    other = invoke(*command, tmp_path / "b", "--resume")
    assert other.exit_code == 2 and "Traceback" not in other.stderr
    wrong = invoke(*command, tmp_path / "c", "--white-balance", "left")
    assert wrong.exit_code == 2 and "neutral place as X,Y" in wrong.stderr and not (tmp_path / "c").exists()


def test_the_folder_of_the_pictures_is_no_output_folder(photos: Path) -> None:
    for inputs in ((photos,), (photos / "lit.png", photos)):
        result = invoke("filter", *inputs, "--products", "lamp", "--out", photos)
        assert result.exit_code == 2 and "lies in the output folder, whose files are no inputs" in result.stderr
    assert sorted(path.name for path in photos.iterdir()) == ["dark.png", "lit.png"]
