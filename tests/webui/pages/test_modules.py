"""The pages' modules: what the WebUI's page loads of ours, how the modules hang together, their own tests in node."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from lib_photoshoot.webui.http.page_files import PAGES
from tests.conftest import ROOT

AT_START_BYTES = 10_000
MODULES = sorted(path.relative_to(PAGES).as_posix() for path in PAGES.rglob("*.mjs"))
INTERFACE = ROOT / "lib_photoshoot" / "webui" / "interface"
IMPORT = re.compile(r'^import \{(.+?)\} from "(.+?)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
PART = re.compile(r'parts\.(?:make\("\w+", |(?:bar|button|fold|input|select|status|step)\()"(\w+)"')
"""An element with an id, whose name in its page is the first that is given."""
IN_PAGE = re.compile(r'in_page\((PANEL|FOLDER), "(\w+)"')
NODE = shutil.which("node")
NODE_LEAST = 20


@cache
def text_of(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def imports_of(name: str) -> dict[str, set[str]]:
    """The modules that a module imports, with the names that it takes from each."""
    found = ((PAGES / name).parent / place for _, place in IMPORT.findall(text_of(name)))
    names = [path.resolve().relative_to(PAGES).as_posix() for path in found]
    return {one: set(taken.split(", ")) for one, (taken, _) in zip(names, IMPORT.findall(text_of(name)), strict=True)}


def asked_by_the_first_script() -> set[tuple[str, str]]:
    """Module and function of each call that the script makes which the host's page loads."""
    return set(re.findall(r'run\("([\w/]+\.mjs)", "(\w+)"', (ROOT / "javascript" / "photoshoot.js").read_text("utf-8")))


def asked_by_python() -> set[tuple[str, str]]:
    """Module and function of each event that the adapter gives to the page."""
    from lib_photoshoot.webui.interface.page_actions import FOLDER, PANEL

    places = {"PANEL": PANEL, "FOLDER": FOLDER}
    texts = (path.read_text(encoding="utf-8") for path in INTERFACE.glob("*.py"))
    return {(places[place], name) for text in texts for place, name in IN_PAGE.findall(text)}


def test_the_hosts_page_loads_little_of_ours() -> None:
    at_start = [*(ROOT / "javascript").iterdir(), ROOT / "style.css"]
    assert [path.name for path in at_start] == ["photoshoot.js", "style.css"]
    assert sum(path.stat().st_size for path in at_start) <= AT_START_BYTES
    script = at_start[0].read_text(encoding="utf-8")
    assert re.findall(r"^\S.*", script, re.MULTILINE)[-3:] == ['"use strict";', "{", "}"], "no global names"
    assert re.findall(r"globalThis\.(\w+) =", script) == ["photoshoot"]


@pytest.mark.parametrize("page", ["shoot", "train"])
def test_no_two_elements_of_a_page_have_one_id(page: str) -> None:
    """A label is that of the first element with its id."""
    names = [name for module in MODULES if module.startswith(f"{page}/") for name in PART.findall(text_of(module))]
    assert len(names) > 20 and sorted(set(names)) == sorted(names)


def test_what_is_imported_is_exported() -> None:
    wrong = [
        f"{name} imports {taken} of {other}"
        for name in MODULES
        for other, names in imports_of(name).items()
        for taken in names - set(EXPORT.findall(text_of(other)))
    ]
    assert not wrong
    assert all(text_of(name).count("import {") == len(IMPORT.findall(text_of(name))) for name in MODULES)


def test_what_is_exported_is_used() -> None:
    used = {(other, taken) for name in MODULES for other, names in imports_of(name).items() for taken in names}
    own_tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.test.mjs"))
    used |= (
        asked_by_python()
        | asked_by_the_first_script()
        | {(name, "open") for name in MODULES if name.endswith("/page.mjs")}
    )
    idle = [(name, one) for name in MODULES for one in EXPORT.findall(text_of(name)) if (name, one) not in used]
    assert not [(name, one) for name, one in idle if not re.search(rf"\b{one}\b", own_tests)]


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    TopologicalSorter({name: imports_of(name) for name in MODULES}).prepare()  # raises CycleError, which names it


def test_what_python_asks_of_the_page_is_there() -> None:
    asked = asked_by_python() | asked_by_the_first_script()
    assert {name for _, name in asked} >= {"picture", "download", "confirmDelete", "writePrompt", "chosen", "follow"}
    assert not [(name, one) for name, one in asked if one not in EXPORT.findall(text_of(name))]
    tab = (INTERFACE / "tab.py").read_text(encoding="utf-8")
    pages = set(re.findall(r'data-photoshoot-page="([\w/]+\.mjs)"', tab))
    assert pages == {"train/page.mjs", "shoot/page.mjs"} and all(
        "open" in EXPORT.findall(text_of(one)) for one in pages
    )


def test_no_module_is_longer_than_350_lines() -> None:
    assert not [name for name in MODULES if text_of(name).count("\n") > 350]


def node(*arguments: str) -> None:
    """Run node; skip where there is none that has its own test runner."""
    if NODE is None:
        pytest.skip("no program 'node' on this machine")
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < NODE_LEAST:
        pytest.skip(f"node {version.strip()} is too old for these tests; {NODE_LEAST} will do")
    done = subprocess.run([NODE, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_the_modules_own_tests() -> None:
    tests = sorted(Path(__file__).parent.glob("*.test.mjs"))
    assert tests
    node("--test", *map(str, tests))


def test_the_scripts_are_javascript() -> None:
    """Each file is read by node, and the modules are imported: what a module does at its top needs no page."""
    node("--check", str(ROOT / "javascript" / "photoshoot.js"))
    imports = "".join(f'await import("{(PAGES / name).as_uri()}");' for name in MODULES)
    node("--input-type=module", "--eval", imports)
