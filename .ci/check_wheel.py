#!/usr/bin/env python3
"""Builds the wheel, installs it into an environment of its own, and uses it: docs/python.md's example and ``detect``.

Run by the set-up's Python. The new environment downloads nothing: the packages that the wheel declares, and those that
these declare in turn, are linked into it out of the set-up's own, each distribution for itself. So one that the wheel
needs and does not declare is missing there as it would be on a user's machine, and pip, without an index, refuses the
wheel where a declared one is absent or has another version than the wheel allows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "coffee.jpg"


def main() -> None:
    """Check the wheel. Raises CalledProcessError or AssertionError for the first thing that does not work."""
    with tempfile.TemporaryDirectory(prefix="photoshoot-wheel-") as folder:
        work = Path(folder)
        wheel = build(work / "source", work / "dist")
        python = environment(work / "environment", wheel)
        use(python, work / "elsewhere")
    print(f"{wheel.name} was built, installed and used")


def build(source: Path, dist: Path) -> Path:
    """Build from a copy: a build folder in the clone would bring files that are no longer there into the next wheel."""
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "lib_photoshoot", source / "lib_photoshoot", ignore=ignored)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "--wheel-dir", str(dist))
    run(sys.executable, "-m", "pip", "wheel", *options, str(source))
    (wheel,) = dist.glob("*.whl")
    return wheel


def environment(folder: Path, wheel: Path) -> Path:
    """Make an environment with the wheel and what it declares; return its interpreter."""
    run(sys.executable, "-m", "venv", str(folder))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    packages = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for distribution in needed(wheel):
        link(distribution, packages)
    run(str(python), "-m", "pip", "install", "--no-index", "-q", "--disable-pip-version-check", str(wheel))
    return python


def needed(wheel: Path) -> list[metadata.Distribution]:
    """Return the distributions that the wheel needs, directly and through others, as far as they are installed here."""
    (own,) = metadata.distributions(path=[str(wheel)])
    found: dict[str, metadata.Distribution] = {}
    todo = declared(own, ())
    while todo:
        requirement = todo.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name not in found:
            try:
                found[name] = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue  # pip says which one, below
            todo += declared(found[name], tuple(requirement.extras))
    return list(found.values())


def declared(distribution: metadata.Distribution, extras: tuple[str, ...]) -> list[Requirement]:
    """Return what a distribution needs on this machine, with the extras that were asked for."""
    requirements = map(Requirement, distribution.requires or ())
    wanted = ({"extra": extra} for extra in ("", *extras))
    asked = list(wanted)
    return [item for item in requirements if item.marker is None or any(item.marker.evaluate(each) for each in asked)]


def link(distribution: metadata.Distribution, packages: Path) -> None:
    """Put a distribution's modules and metadata into another environment, as links."""
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        target = packages / top
        if not target.exists():
            target.symlink_to(Path(str(distribution.locate_file(top))).resolve())


def use(python: Path, elsewhere: Path) -> None:
    """Run what a user would, in a folder where nothing of the clone is found."""
    elsewhere.mkdir()
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"OMP_WAIT_POLICY": "PASSIVE", "PHOTOSHOOT_MODELS": str(ROOT / "models")}
    options: dict[str, Any] = {"cwd": elsewhere, "env": variables}

    where = run(str(python), "-c", "import lib_photoshoot; print(lib_photoshoot.__file__)", **options)
    assert Path(where.strip()).is_relative_to(python.parent.parent), f"imported from {where}"

    pages = Path(where.strip()).parent / "webui" / "pages"
    assert (pages / "train" / "page.mjs").is_file() and (pages / "train" / "style.css").is_file()

    command = python.parent / "product-photoshoot"
    listed = run(str(command), "models", "list", **{**options, "env": variables | {"PHOTOSHOOT_MODELS": ""}})
    assert "mobile-sam" in listed and "site-packages" not in listed, listed

    (line,) = run(str(command), "detect", str(SAMPLE), "--products", "cup", **options).splitlines()
    assert json.loads(line)["decision"] == "match", line

    shutil.copy2(SAMPLE, elsewhere / "photo.jpg")
    run(str(python), "-c", example(), **options)
    assert sorted(path.name for path in elsewhere.iterdir()) == ["cup-1.png", "enhanced.png", "photo.jpg"]


def example() -> str:
    """Return the example of docs/python.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.DOTALL)
    return code


def run(*command: str, **options: Any) -> str:
    """Run a command and return its standard output; what it prints besides is shown."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


if __name__ == "__main__":
    main()
