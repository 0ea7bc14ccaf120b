"""What we rely on in the WebUI's and ControlNet's source, checked without starting either.

``PHOTOSHOOT_WEBUI`` names the folder of a WebUI 1.10.1 with sd-webui-controlnet in its ``extensions``.
"""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lib_photoshoot.settings import FilterSettings, settings_from_json
from lib_photoshoot.webui.generate.infotext import RESULT_KEY, SETTINGS_KEY
from tests.conftest import ROOT
from tests.test_settings import ALL_VALUES

ADAPTER = ROOT / "lib_photoshoot" / "webui" / "hosts" / "a1111"
INTERFACE = ROOT / "lib_photoshoot" / "webui" / "interface"


@pytest.fixture(scope="module")
def webui() -> Path:
    folder = os.environ.get("PHOTOSHOOT_WEBUI")
    if not folder:
        pytest.skip("no WebUI folder named: set PHOTOSHOOT_WEBUI")
    return Path(folder)


@pytest.fixture(scope="module")
def controlnet(webui: Path) -> Path:
    found = sorted(webui.glob("extensions/*/internal_controlnet/external_code.py"))
    if not found:
        pytest.skip(f"{webui} has no sd-webui-controlnet")
    return found[0].parents[1]


def classes(path: Path) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.walk(ast.parse(path.read_text("utf8"))) if isinstance(node, ast.ClassDef)}


def fields(node: ast.ClassDef) -> set[str]:
    return {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}  # type: ignore[union-attr]


def keywords_of_call(path: Path, name: str) -> set[str]:
    """The keyword arguments with which our code calls ``name`` in ``path``."""
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        called = node.func if isinstance(node, ast.Call) else None
        if name == getattr(called, "id", getattr(called, "attr", None)):
            return {keyword.arg for keyword in node.keywords if keyword.arg}  # type: ignore[union-attr]
    raise AssertionError(f"{name} is not called in {path.name}")


def test_our_hooks_are_the_hosts_with_its_parameters(webui: Path) -> None:
    def hooks(node: ast.ClassDef) -> dict[str, int]:
        return {f.name: len(f.args.args) for f in node.body if isinstance(f, ast.FunctionDef) and f.name[0] != "_"}

    theirs = hooks(classes(webui / "modules" / "scripts.py")["Script"])
    ours = hooks(classes(INTERFACE / "script.py")["ProductPhotoshoot"])
    assert {"process", "postprocess_batch_list", "postprocess_image_after_composite", "postprocess"} <= set(ours)
    for name, count in ours.items():
        assert theirs.get(name) == count, name


def test_the_host_calls_the_hooks_in_the_order_that_we_rely_on(webui: Path) -> None:
    source = (webui / "modules" / "processing.py").read_text("utf8")
    body = source[source.index("def process_images_inner(") :]
    order = [
        "p.scripts.process(p)", "p.init(", "p.scripts.before_process_batch(", "p.sample(", "p.prompts = p.all_prompts[",
        "p.scripts.postprocess_batch_list(", "save_samples = p.save_samples(", "p.scripts.postprocess_image(",
        "apply_overlay(image, p.paste_to", "p.scripts.postprocess_image_after_composite(", "infotexts.append(text)",
        "if not infotexts:", "images.image_grid(", "p.scripts.postprocess(p, res)",
    ]  # fmt: skip
    places, start = [], 0
    for call in order:
        places.append(body.find(call, start))
        start = places[-1] + 1
    assert -1 not in places and places == sorted(places)


def test_a_nested_pass_uses_fields_that_exist(webui: Path) -> None:
    found = classes(webui / "modules" / "processing.py")
    known = fields(found["StableDiffusionProcessing"]) | fields(found["StableDiffusionProcessingImg2Img"])
    used = keywords_of_call(ADAPTER / "nested.py", "StableDiffusionProcessingImg2Img")
    assert used and used <= known, used - known


def test_the_unit_uses_fields_that_exist(controlnet: Path) -> None:
    used = keywords_of_call(ADAPTER / "controlnet.py", "ControlNetUnit")
    known = fields(classes(controlnet / "internal_controlnet" / "args.py")["ControlNetUnit"])
    assert used and used <= known, used - known


def test_controlnet_has_what_we_ask_for(controlnet: Path) -> None:
    api = (controlnet / "internal_controlnet" / "external_code.py").read_text("utf8")
    for function in ("get_models(update", "get_modules(alias_names", "find_cn_script(script_runner"):
        assert f"def {function}" in api
    script = (controlnet / "scripts" / "controlnet.py").read_text("utf8")
    assert "self.latest_network = None" in script and "processed.images.extend(" in script
    state = (controlnet / "scripts" / "global_state.py").read_text("utf8")
    assert "cn_models = OrderedDict()" in state and "cn_models_names = {}" in state
    assert "upscale" in script, "ControlNet still decides about its crop by the infotext's keys"
    assert not any("upscale" in key.lower() for key in (SETTINGS_KEY, RESULT_KEY))


@pytest.fixture(scope="module")
def infotext(webui: Path) -> dict[str, Any]:
    """The host's own quoting and its expression for parameters, taken out of its source."""
    tree = ast.parse((webui / "modules" / "infotext_utils.py").read_text("utf8"))
    wanted = [
        node
        for node in tree.body
        if getattr(node, "name", None) in ("quote", "unquote")
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").startswith("re_param"))
    ]
    scope: dict[str, Any] = {"json": json, "re": re}
    exec(compile(ast.Module(wanted, []), "infotext_utils", "exec"), scope)
    return scope


@settings(max_examples=60, deadline=None)
@given(values=ALL_VALUES)
def test_settings_survive_the_hosts_infotext(infotext: dict[str, Any], values: dict[str, Any]) -> None:
    before = FilterSettings(**{**values, "enabled": True})
    line = f"Steps: 20, Product filter: {infotext['quote'](before.to_json())}, Version: 1.10.1"
    pairs = dict(infotext["re_param"].findall(line))
    assert pairs["Version"] == "1.10.1"
    text = pairs["Product filter"]
    assert settings_from_json(infotext["unquote"](text) if text.startswith('"') else text) == before


def test_selectable_scripts_are_run_as_we_follow_them(webui: Path) -> None:
    runner = (webui / "modules" / "scripts.py").read_text("utf8")
    assert "def run(self, p, *args):" in runner
    assert "self.selectable_scripts[script_index-1]" in runner.replace("script_index - 1", "script_index-1")
    processing = (webui / "modules" / "processing.py").read_text("utf8")
    # What is refused must be gone before the host notes what it has to put back.
    assert processing.index("p.scripts.before_process(p)") < processing.index("stored_opts = {")
    images = (webui / "modules" / "images.py").read_text("utf8")
    assert "image.already_saved_as = fullfn" in images


def test_a_results_button_and_its_infotext_are_where_we_look(webui: Path) -> None:
    panel = (webui / "modules" / "ui_common.py").read_text("utf8")
    gallery, button, info = (
        panel.index(f"elem_id=f'{name}'") if f"elem_id=f'{name}'" in panel else panel.index(f'elem_id=f"{name}"')
        for name in ("{tabname}_gallery", "{tabname}_send_to_extras", "generation_info_{tabname}")
    )
    assert gallery < button < info, "in this order they are made"
    reader = (webui / "modules" / "images.py").read_text("utf8")
    assert "def read_info_from_image(image: Image.Image) -> tuple[str | None, dict]:" in reader
    written = (webui / "modules" / "processing.py").read_text("utf8")
    assert all(f'"{name}":' in written for name in ("Steps", "Sampler", "Schedule type", "CFG scale", "Seed"))
