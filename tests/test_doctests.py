"""The examples in docstrings run as they stand; every public entry of the package has one."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lib_photoshoot
from tests.conftest import ROOT

PACKAGE = ROOT / "lib_photoshoot"
WITH_WEIGHTS = {"build_filter"}
"""Examples that load the embedded models."""


def modules() -> list[str]:
    """The modules with examples."""
    found = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found]


def examples() -> list[doctest.DocTest]:
    found = (doctest.DocTestFinder(exclude_empty=True).find(import_module(name)) for name in modules())
    return [test for tests in found for test in tests if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name.removeprefix("lib_photoshoot."))
def test_the_example_runs(
    test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """In a folder with a picture ``photo.png``, 60 pixels wide and 40 high."""
    if test.name.rpartition(".")[2] in WITH_WEIGHTS:
        request.getfixturevalue("product_filter")  # skips, saying so, without the embedded models
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((40, 60, 3), 128, np.uint8)).save("photo.png")
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.parametrize("name", sorted({*lib_photoshoot.__all__} - {"__version__"}))
def test_every_public_entry_has_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(lib_photoshoot, name)) or "")
