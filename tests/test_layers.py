"""The house's floors: what a part of the package may import, read from the code."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = "lib_photoshoot"

FLOORS = (
    # What knows nothing of pictures or products.
    ("errors", "allocator", "fusing", "model_names", "places", "safetensors_header", "typed", "wording"),
    ("file_names", "files", "grey", "more_formats", "provenance", "spreadsheet"),
    ("confined", "prompts", "settings", "weights", "workload", "webui.hosts.protocol", "webui.hosts.requirements"),
    # Pictures, colours, outlines, products.
    ("masks", "pages"),
    ("colour", "compose", "presets"),
    ("picture",),
    ("decoding",),
    ("images", "products", "results"),
    ("calibration", "enhancement", "references", "segmentation", "transparency", "verdict"),
    # The path of one picture, and of many.
    ("catalog", "detection"),
    ("pipeline",),
    ("build",),
    ("__init__", "registry"),
    # What is done with the results.
    ("training", "export"),
    ("ranking",),
    ("shoot",),
    # The surfaces.
    ("cli", "webui.http"),
    ("__main__",),
    ("webui.generate", "webui.folder", "webui.train", "webui.shoot"),
    ("webui.hosts.a1111",),
)
"""From the ground up; a part imports from the floors below its own, and of its own floor nothing but itself."""

_LEVEL = {part: level for level, parts in enumerate(FLOORS) for part in parts}


@cache
def modules() -> dict[str, Path]:
    """The package's files by their dotted names, below the package."""
    folder = ROOT / PACKAGE
    names = {".".join(path.relative_to(folder).with_suffix("").parts): path for path in folder.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


@cache
def imports_of(name: str) -> frozenset[str]:
    """The modules that a module imports anywhere: at its top, in a function, or for its types alone."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    ours = {item.removeprefix(f"{PACKAGE}.") for item in found if item.startswith(f"{PACKAGE}.")}
    return frozenset(item for item in ours if item in modules() and item != name)


def part_of(name: str) -> str:
    """The part of the house that a module belongs to."""
    parts = name.split(".")
    for length in (3, 2, 1):
        if ".".join(parts[:length]) in _LEVEL:
            return ".".join(parts[:length])
    return name


def test_every_module_has_its_floor() -> None:
    homeless = [name for name in modules() if part_of(name) not in _LEVEL and name not in ("webui", "webui.hosts")]
    assert not homeless
    assert not [part for part in _LEVEL if not any(part_of(name) == part for name in modules())]


def test_imports_lead_down() -> None:
    wrong = [
        f"{name} imports {other}"
        for name in modules()
        for other in imports_of(name)
        if part_of(name) != part_of(other) and _LEVEL[part_of(other)] >= _LEVEL[part_of(name)]
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in imports_of(name):
                visit(other, (*way, name))
            done.add(name)

    for name in modules():
        visit(name, ())


def test_the_hosts_side_stands_in_wings() -> None:
    assert [path.name for path in (ROOT / PACKAGE / "webui").glob("*.py")] == ["__init__.py"]
