"""Importing the core is cheap and touches neither torch nor the host; what pip installs is whole."""

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lib_photoshoot
from lib_photoshoot.detection import verification  # noqa: F401  (importable without torch)
from lib_photoshoot.errors import WeightsError
from tests.conftest import ROOT


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_package_and_its_command_line_import_no_heavy_library():
    heavy = {"torch", "timm", "transformers", "gradio", "modules", "cv2"}
    light = _modules_after("import lib_photoshoot; dir(lib_photoshoot)")
    assert not (heavy | {"numpy", "PIL"}) & light
    assert not (heavy - {"cv2"}) & _modules_after("import lib_photoshoot.cli.main")


def test_the_core_never_imports_the_host_or_gradio():
    loaded = _modules_after(
        "import lib_photoshoot.pipeline, lib_photoshoot.detection.embedded.detector, lib_photoshoot.segmentation.sam, "
        "lib_photoshoot.enhancement.retouch"
    )
    assert "gradio" not in loaded and "modules" not in loaded


def test_the_packages_face():
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    (imports,) = re.findall(r"^from lib_photoshoot import (.+)$", page, re.MULTILINE)
    for name in {*imports.split(", "), *lib_photoshoot.__all__}:
        assert getattr(lib_photoshoot, name) is not None and name in dir(lib_photoshoot)
    assert not hasattr(lib_photoshoot, "no_such_name")


def test_the_wheel_holds_every_file_and_works_where_nothing_of_the_clone_is(tmp_path: Path):
    """``.ci/check_wheel.py`` installs it too, and uses it."""
    spec = importlib.util.spec_from_file_location("check_wheel", ROOT / ".ci" / "check_wheel.py")
    assert spec is not None and spec.loader is not None
    check_wheel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_wheel)
    wheel = zipfile.ZipFile(check_wheel.build(tmp_path / "source", tmp_path / "dist"))
    package = ROOT / "lib_photoshoot"
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert not {path.relative_to(ROOT).as_posix() for path in files} - set(wheel.namelist())
    wheel.extractall(tmp_path / "installed")
    code = (
        "from lib_photoshoot.paths import models_folder; from lib_photoshoot.presets import user_presets; "
        "from lib_photoshoot.weights import store; "
        "print(store.missing('mobile-sam')[0].name, models_folder(), user_presets().folder)"
    )
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PHOTOSHOOT_")}
    variables |= {"PYTHONPATH": str(tmp_path / "installed"), "XDG_DATA_HOME": str(tmp_path / "data")}
    variables |= {"HOME": str(tmp_path / "data"), "LOCALAPPDATA": str(tmp_path / "data")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=variables)
    name, *folders = done.stdout.split()
    assert name == "mobile-sam" and all(Path(folder).is_relative_to(tmp_path / "data") for folder in folders)


def test_no_sentence_advises_this_program_as_a_package_of_a_registry():
    for path in (ROOT / "lib_photoshoot").rglob("*.py"):
        assert not re.search(r"install[^\n]*\bproduct-photoshoot\b", path.read_text("utf-8")), path


@pytest.mark.parametrize(
    ("absent", "advice"), [("groundingdino", "--no-deps groundingdino-py==0.4.0"), ("timm", "timm")]
)
def test_the_package_that_groundingdino_lacks_is_named_with_a_command_that_adds_it(monkeypatch, absent, advice):
    model = pytest.importorskip("lib_photoshoot.detection.grounding_dino.model")
    for name in ("groundingdino.models", "groundingdino"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    broken = ModuleNotFoundError(f"No module named {absent!r}", name=absent)
    monkeypatch.setattr("builtins.__import__", _failing(broken, "groundingdino", __import__))
    with pytest.raises(WeightsError, match=rf"run `{re.escape(sys.executable)} -m pip install {re.escape(advice)}`"):
        model.import_package()


def _failing(error: ImportError, package: str, real):
    def import_(name, *rest, **options):
        if name.split(".")[0] == package:
            raise error
        return real(name, *rest, **options)

    return import_
