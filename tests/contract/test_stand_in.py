"""The stand-in host held against the source of the real WebUI and of ControlNet: the same names, the same parameters.

``PHOTOSHOOT_WEBUI`` names the folder of a WebUI 1.10.1, as in ``test_webui_source.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.contract.test_webui_source import controlnet, webui  # noqa: F401

STAND_IN = ROOT / "tests" / "webui" / "standin"
HOST = STAND_IN / "host"
OWN = {
    "gradio_extensons.py": {"install", "remove"},
    "ui_tempdir.py": {"install", "remove"},
    "images.py": {"default_folders"},
    "sd_models.py": {"Checkpoint", "SdModelData.loads"},
    "shared_cmd_options.py": {"parse", "DEFAULTS"},
    "errors.py": {"exception_records"},
    "sd_samplers.py": {"SamplerData"},
    "loopback.py": {"Script.run"},
    "xyz_grid.py": {"Script.run"},
    "shared.py": {"TotalTQDM", "cmd_opts"},
}
"""What the stand-in has for the tests, or in another place than the host, by module."""
FILES = sorted(path.relative_to(HOST) for path in HOST.rglob("*.py") if path.name != "__init__.py")
EXTENSION = sorted(
    path.relative_to(STAND_IN / "extensions/controlnet") for path in STAND_IN.glob("extensions/controlnet/**/*.py")
)

Named = dict[str, "ast.FunctionDef | ast.ClassDef | None"]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf8"))


def public(body: Iterable[ast.stmt]) -> Named:
    """The public names that a module or class makes; functions and classes with their definition."""
    found: Named = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, None)
    return {name: node for name, node in found.items() if name[0] != "_" or name == "__init__"}


def parameters(node: ast.FunctionDef) -> list[str]:
    """A function's parameters as a caller meets them: names, and which have a default or must be named."""
    given = node.args
    plain, optional = [a.arg for a in (*given.posonlyargs, *given.args)], len(given.defaults)
    required = len(plain) - optional
    named = [f"{arg.arg}=*" for arg in given.kwonlyargs]
    return [f"{name}{'=' if number >= required else ''}" for number, name in enumerate(plain)] + named


def attributes(node: ast.ClassDef) -> set[str]:
    """What a class has, with what its methods set on ``self``."""
    own = {
        name.attr
        for name in ast.walk(node)
        if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "self"
    }
    return set(public(node.body)) | own


def differences(ours: Named, theirs: Named, own: set[str], place: str = "") -> list[str]:
    """What a caller of the stand-in meets that the real one does not have, or has otherwise."""
    wrong = []
    for name, node in ours.items():
        where = f"{place}{name}"
        if where in own:
            continue
        if name not in theirs:
            wrong.append(f"{where} is not there")
            continue
        real = theirs[name]
        if isinstance(node, ast.FunctionDef) and isinstance(real, ast.FunctionDef):
            if not _property(real) and parameters(node) != parameters(real):
                wrong.append(f"{where}{parameters(node)} is {parameters(real)}")
        elif isinstance(node, ast.ClassDef) and isinstance(real, ast.ClassDef):
            inherited: Named = dict.fromkeys(attributes(real))
            wrong += differences(public(node.body), inherited | public(real.body), own, f"{where}.")
    return wrong


def _property(node: ast.FunctionDef) -> bool:
    return bool(node.decorator_list)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_the_hosts_modules_have_these_names_and_parameters(webui: Path, file: Path) -> None:  # noqa: F811
    ours, theirs = public(tree(HOST / file).body), public(tree(webui / file).body)
    # What the host imports is there for an extension too.
    theirs |= {
        alias.asname or alias.name: None
        for node in ast.walk(tree(webui / file))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert ours and not differences(ours, theirs, OWN.get(file.name, set()))


@pytest.mark.parametrize("file", EXTENSION, ids=str)
def test_controlnets_modules_have_these_names_and_parameters(controlnet: Path, file: Path) -> None:  # noqa: F811
    own = {"UNITS", "Network", "Script.uigroup", "Script.cache", "Script.clear_control_model_cache"}
    theirs = public(tree(controlnet / file).body)
    if file.name == "external_code.py":  # where the unit is imported to
        theirs |= public(tree(controlnet / file.with_name("args.py")).body)
    ours = public(tree(STAND_IN / "extensions/controlnet" / file).body)
    assert ours and not differences(ours, theirs, own)


def test_the_extensions_lets_its_models_go_by_that_name(controlnet: Path) -> None:  # noqa: F811
    script = public(tree(controlnet / "scripts" / "controlnet.py").body)["Script"]
    assert isinstance(script, ast.ClassDef) and "clear_control_model_cache" in public(script.body)


def assigned(path: Path, name: str) -> Any:
    """The dictionary that a module assigns: its keys."""
    for node in ast.walk(tree(path)):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(getattr(target, "id", None) == name for target in targets) and isinstance(node.value, ast.Dict):
            return [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
    raise AssertionError(name)


def test_switches_options_and_callbacks_are_the_hosts(webui: Path) -> None:  # noqa: F811
    modules = HOST / "modules"
    declared = re.findall(r"add_argument\([\"']--([\w-]+)", (webui / "modules/cmd_args.py").read_text("utf8"))
    switches = assigned(modules / "shared_cmd_options.py", "DEFAULTS")
    assert switches and set(switches) <= {name.replace("-", "_") for name in declared}
    source = (webui / "modules/shared_options.py").read_text("utf8")
    options = assigned(modules / "shared.py", "values")
    assert options and not [name for name in options if not re.search(f'"{name}": +OptionInfo', source)]
    real = (webui / "modules/script_callbacks.py").read_text("utf8")
    categories = re.findall(r"def on_(\w+)\(", (modules / "script_callbacks.py").read_text("utf8"))
    assert categories and not [name for name in categories if f"callbacks_{name}=[]" not in real]


def test_the_stand_in_calls_the_hooks_in_the_hosts_order(webui: Path) -> None:  # noqa: F811
    def order(path: Path) -> list[str]:
        text = path.read_text("utf8")
        calls = re.findall(r"p\.scripts\.(\w+)\(", text[text.index("def process_images(") :])
        return [name for name in dict.fromkeys(calls) if name != "postprocess"]  # the last, not in the text's order

    ours = order(HOST / "modules" / "processing.py")
    assert len(ours) == 8 and ours == [name for name in order(webui / "modules" / "processing.py") if name in ours]
