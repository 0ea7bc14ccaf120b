"""What we rely on in Forge, reForge and Forge Neo, read in their source without starting them.

``PHOTOSHOOT_WEBUI`` names the folder of one that brings its own ControlNet. The stand-in's ``forge_controlnet`` is held
to it as well.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.contract.test_stand_in import parameters, public, tree
from tests.contract.test_webui_source import classes, fields, webui  # noqa: F401

OURS = ROOT / "lib_photoshoot" / "webui" / "hosts"
STAND_IN = ROOT / "tests" / "webui" / "standin" / "extensions" / "forge_controlnet"
OF_A_DIALECT = {"image_fg"}
"""Fields of a unit that not all of these hosts have."""
MANAGERS = ("backend/memory_management.py", "ldm_patched/modules/model_management.py")


@pytest.fixture(scope="module")
def controlnet(webui: Path) -> Path:  # noqa: F811
    found = sorted(webui.glob("extensions-builtin/*/lib_controlnet/external_code.py"))
    if not found:
        pytest.skip(f"{webui} brings no ControlNet of its own")
    return found[0].parents[1]


def given_fields() -> set[str]:
    """The fields that our adapter may give a unit."""
    source = (OURS / "forge" / "controlnet.py").read_text("utf8")
    body = source[source.index("def _unit(") : source.index("def _modules(")]
    return set(re.findall(r'"(\w+)": ', body)) - {"mask"} | set(re.findall(r'wanted\["(\w+)"\]', body))


def test_a_unit_has_the_fields_that_we_give_it(controlnet: Path) -> None:
    theirs = fields(classes(controlnet / "lib_controlnet" / "external_code.py")["ControlNetUnit"])
    ours = given_fields()
    assert len(ours) >= 11 and ours - theirs <= OF_A_DIALECT
    stand_in = fields(classes(STAND_IN / "lib_controlnet" / "external_code.py")["ControlNetUnit"])
    assert ours <= stand_in and stand_in - theirs <= OF_A_DIALECT


def test_an_own_image_is_a_dictionary_where_there_is_no_layer_to_draw_on(controlnet: Path) -> None:
    theirs = fields(classes(controlnet / "lib_controlnet" / "external_code.py")["ControlNetUnit"])
    script = (controlnet / "scripts" / "controlnet.py").read_text("utf8")
    assert ("unit.image['image']" in script) is ("image_fg" not in theirs)
    assert "unit.image is None" in script, "without one it takes the generation's"


def test_the_modes_stand_in_our_order_and_are_compared_by_their_texts(controlnet: Path) -> None:
    modes = classes(controlnet / "lib_controlnet" / "external_code.py")["ControlMode"]
    assert list(public(modes.body)) == ["BALANCED", "PROMPT", "CONTROL"]
    script = (controlnet / "scripts" / "controlnet.py").read_text("utf8")
    for mode in ("CONTROL", "PROMPT"):
        assert f"unit.control_mode == external_code.ControlMode.{mode}.value" in script


def test_its_lists_are_had_by_these_functions(controlnet: Path) -> None:
    ours, theirs = (public(tree(home / "lib_controlnet" / "global_state.py").body) for home in (STAND_IN, controlnet))
    for name, node in ours.items():
        if name != "found" and isinstance(node, ast.FunctionDef):
            real = theirs[name]
            assert isinstance(real, ast.FunctionDef) and len(parameters(real)) == len(parameters(node)), name
    asked = re.findall(r"self\._state\.(\w+)\(", (OURS / "forge" / "controlnet.py").read_text("utf8"))
    assert set(asked) <= set(ours)


def test_its_script_has_the_hooks_that_we_call_for_it(controlnet: Path) -> None:
    script = classes(controlnet / "scripts" / "controlnet.py")["ControlNetForForgeOfficial"]
    theirs, ours = public(script.body), public(classes(STAND_IN / "scripts" / "controlnet.py")[script.name].body)
    called = re.findall(r"self\._script\.(\w+)\(", (OURS / "forge" / "witness.py").read_text("utf8"))
    assert set(called) == {"process", "process_before_every_sampling", "postprocess_batch_list"}
    for name in (*called, "get_enabled_units", "postprocess"):
        node, real = ours[name], theirs[name]
        assert isinstance(node, ast.FunctionDef) and isinstance(real, ast.FunctionDef)
        assert parameters(node) == parameters(real), name
    source = ast.unparse(script)
    # What it keeps of a job's units, and what it patches: the first is why we copy it, the second what we look at.
    assert "self.current_params = {}" in source and "self.current_params[i] = params" in source
    patched = "".join(path.read_text("utf8") for path in controlnet.parents[1].glob("modules_forge/*.py"))
    assert "process.sd_model.forge_objects.unet = unet" in patched


def test_a_folder_for_a_batch_is_known_by_that_name(controlnet: Path) -> None:
    script = (controlnet / "scripts" / "controlnet.py").read_text("utf8")
    if "batch_dir: " not in script:
        pytest.skip("here no folder stands for the pictures of units")
    assert "batch_dir: os.PathLike = ControlNetUiGroup.GLOBAL_CONTROLNET_BATCH_DIR.strip()" in script


def test_each_batch_begins_with_the_checkpoints_own_patchers(webui: Path, controlnet: Path) -> None:  # noqa: F811
    source = (webui / "modules" / "processing.py").read_text("utf8")
    assert "forge_objects = p.sd_model.forge_objects_after_applying_lora.shallow_copy()" in source
    assert source.count("process_before_every_sampling(") >= 3, "both passes of txt2img, and img2img"


def test_the_memory_is_asked_with_the_hosts_words(webui: Path, controlnet: Path) -> None:  # noqa: F811
    found = [webui / name for name in MANAGERS if (webui / name).is_file()]
    assert found
    theirs = public(tree(found[0]).body)
    for name, first in (
        ("free_memory", ["memory_required", "device"]),
        ("load_models_gpu", ["models"]),
        ("unload_all_models", []),
        ("get_torch_device", []),
        ("soft_empty_cache", []),
    ):
        node = theirs[name]
        assert isinstance(node, ast.FunctionDef)
        assert parameters(node)[: len(first)] == first and all(
            item.endswith(("=", "=*")) for item in parameters(node)[len(first) :]
        )
    states = theirs["VRAMState"]
    assert isinstance(states, ast.ClassDef) and {"LOW_VRAM", "NO_VRAM"} <= set(public(states.body))
    assert "vram_state" in theirs


def test_a_checkpoint_that_loads_late_is_known_by_these_names(webui: Path, controlnet: Path) -> None:  # noqa: F811
    names = public(tree(webui / "modules" / "sd_models.py").body)
    if "forge_model_reload" not in names:
        pytest.skip("this host loads its checkpoint as AUTOMATIC1111's does")
    source = (webui / "modules" / "sd_models.py").read_text("utf8")
    assert {"FakeInitialModel", "model_data"} <= set(names) and "model_data.forge_hash == current_hash" in source
    assert "sd_checkpoint_info" not in ast.unparse(classes(webui / "modules" / "sd_models.py")["FakeInitialModel"])


def test_the_api_sets_options_in_a_function_of_that_name(webui: Path, controlnet: Path) -> None:  # noqa: F811
    api = classes(webui / "modules" / "api" / "api.py")["Api"]
    assert "set_config" in public(api.body)
