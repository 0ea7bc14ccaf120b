"""The house's floors: what a part of the package may import, read from the code."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = "lib_photoshoot"

FLOORS = (
    # What knows nothing of pictures or products.
    (
        "errors",
        "allocator",
        "declared",
        "fusing",
        "locks",
        "model_names",
        "paths",
        "perceptual_hash",
        "safetensors_header",
        "typed",
        "wording",
    ),
    (
        "file_names",
        "files",
        "grey",
        "journal",
        "more_formats",
        "onnx_session",
        "product_text",
        "scene_settings",
        "provenance",
        "spreadsheet",
        "toml_text",
    ),
    ("scene_units",),
    (
        "confined",
        "prompts",
        "settings",
        "weights",
        "workload",
        "webui.hosts.protocol",
        "webui.hosts.requirements",
    ),
    # Pictures, colours, outlines, products.
    ("masks", "pages"),
    ("colour", "compose", "presets"),
    ("picture",),
    ("decoding",),
    ("images", "products", "results"),
    (
        "calibration",
        "consistency",
        "enhancement",
        "kept_examples",
        "references",
        "segmentation",
        "staging",
        "transparency",
        "verdict",
    ),
    # The path of one picture, and of many.
    ("detection", "new_scene", "wished_scene"),
    ("catalog", "examples"),
    ("pipeline",),
    ("build",),
    ("__init__", "registry"),
    # What is done with the results, and what serves it.
    ("correction", "training", "export", "ranking", "webui.http"),
    ("shoot",),
    # The surfaces.
    ("cli",),
    ("__main__",),
    ("webui.generate", "webui.hosts.control_files", "webui.hosts.options"),
    ("webui.hosts.control",),
    ("webui.hosts.forge",),
    ("webui.folder", "webui.train", "webui.shoot"),
    ("webui.hosts.a1111",),
    ("webui.interface",),
)
"""From the ground up; a part imports from the floors below its own, and of its own floor nothing but itself."""

APART = {
    "shoot": ("training",),
    "webui.generate": ("training", "export", "ranking", "shoot"),
    "webui.folder": ("training", "export", "ranking", "shoot"),
    "webui.train": ("export", "ranking", "shoot"),
    "webui.shoot": ("training", "ranking"),
}
"""Features that have nothing to do with each other, though one stands above the other."""

_LEVEL = {part: level for level, parts in enumerate(FLOORS) for part in parts}


@cache
def modules() -> dict[str, Path]:
    """The package's files by their dotted names, below the package."""
    folder = ROOT / PACKAGE
    names = {".".join(path.relative_to(folder).with_suffix("").parts): path for path in folder.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


@cache
def imports_of(name: str) -> frozenset[str]:
    """The modules of ours that a module imports anywhere: at its top, in a function, or for its types alone."""
    ours = {item.removeprefix(f"{PACKAGE}.") for item in imported(name) if item.startswith(f"{PACKAGE}.")}
    return frozenset(item for item in ours if item in modules() and item != name)


def imported(name: str) -> frozenset[str]:
    """All that a module imports, and each name that it takes from there."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return frozenset(found)


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


def test_features_stay_apart() -> None:
    pairs = {(part_of(name), part_of(other)) for name in modules() for other in imports_of(name)}
    assert not pairs & {(part, other) for part, others in APART.items() for other in others}


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({name: imports_of(name) for name in modules()}).prepare()  # raises CycleError, which names it


def test_the_hosts_side_stands_in_wings() -> None:
    assert [path.name for path in (ROOT / PACKAGE / "webui").glob("*.py")] == ["__init__.py"]


HOSTS = {"modules", "modules_forge", "backend", "ldm_patched", "lib_controlnet", "internal_controlnet", "networks"}
"""The top names of what WebUIs bring along."""


def test_little_of_the_hosts_side_knows_a_host() -> None:
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in modules().items() if "webui." in name}
    knowing = [name for name in lines if HOSTS & {item.partition(".")[0] for item in imported(name)}]
    assert knowing and sum(lines[name] for name in knowing) <= 0.15 * sum(lines.values())


def test_a_dialect_is_small() -> None:
    """What Forge and its descendants have otherwise than all other WebUIs of the family."""
    texts = [path.read_text(encoding="utf-8") for name, path in modules().items() if ".forge" in name]
    assert texts and sum(bool(line.strip()) for text in texts for line in text.splitlines()) <= 250


def test_one_module_knows_where_things_live() -> None:
    marks = ("platformdirs", "gettempdir", "Path(__file__).resolve().parents", '"PHOTOSHOOT_MODELS"', '"HF_HOME"')
    found = {name for name, path in modules().items() if any(mark in path.read_text("utf-8") for mark in marks)}
    assert found == {"paths"}


LONGEST = 350
ALONE = ("training.hook.entry", "shoot.review")
"""The first runs in the trainer's own Python, as one file that imports nothing of ours; the second has a server by
hand."""


def test_no_file_is_too_long_to_be_taken_in() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert not {name: count for name, count in lines.items() if count > LONGEST and name not in ALONE}


def test_every_public_function_and_class_says_what_it_is() -> None:
    silent = [
        f"{name}.{node.name}"
        for name, path in modules().items()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_a_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for name, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    # Both networks name their parts as their papers do.
    assert {name: found for name, found in homes.items() if len(found) > 1 and name != "Block"} == {}


PRINTS = {"webui.hosts.requirements"}
"""What the WebUI runs before it is up, and whose output it shows."""


def test_only_surfaces_print() -> None:
    """Whoever is told anything by the library is told by a function that the surface gave, or by ``logging``."""
    found = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {name for name in found if not name.startswith("cli.")} == PRINTS
