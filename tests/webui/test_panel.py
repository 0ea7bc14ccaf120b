"""The panel's components and the X/Y/Z axes, made with the host's gradio and its own components."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_photoshoot.settings import DEFAULTS, FIELDS, FilterSettings, SettingsError
from lib_photoshoot.webui.arguments import settings_from_arguments

WEBUI = os.environ.get("PHOTOSHOOT_WEBUI")
if not WEBUI:
    pytest.skip("PHOTOSHOOT_WEBUI does not name a WebUI's folder", allow_module_level=True)
gradio = pytest.importorskip("gradio", reason="gradio is not installed here: run with the WebUI's own Python")

KEY = "Product filter"


class _Anything(ModuleType):
    """A host module of which only the names matter."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **more: None


@pytest.fixture(autouse=True)
def host(monkeypatch) -> Iterator[SimpleNamespace]:
    """``modules`` with the host's real components, and stand-ins for what the panel touches of the rest."""
    names = ("scripts", "script_callbacks", "shared", "sd_samplers", "sd_models")
    modules = {name: _Anything(f"modules.{name}") for name in names}
    package = _Anything("modules")
    spec = importlib.util.spec_from_file_location("modules.ui_components", Path(WEBUI) / "modules/ui_components.py")
    components = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(components)
    modules["ui_components"] = components
    modules["scripts"].Script = object
    modules["scripts"].scripts_data = []
    modules["shared"].opts = SimpleNamespace(data={})
    modules["sd_samplers"].visible_sampler_names = lambda: ["Euler a"]
    for name, module in modules.items():
        setattr(package, name, module)
        monkeypatch.setitem(sys.modules, f"modules.{name}", module)
    monkeypatch.setitem(sys.modules, "modules", package)
    # The host teaches gradio's buttons a tooltip.
    original = gradio.components.IOComponent.__init__
    monkeypatch.setattr(
        gradio.components.IOComponent,
        "__init__",
        lambda self, *a, tooltip=None, **k: original(self, *a, **k),
    )
    ours = [name for name in sys.modules if name.startswith("lib_photoshoot.webui.a1111")]
    for name in ours:
        monkeypatch.delitem(sys.modules, name)
    yield SimpleNamespace(**modules)
    for name in [name for name in sys.modules if name.startswith("lib_photoshoot.webui.a1111")]:
        del sys.modules[name]


def build(is_img2img: bool = False) -> Any:
    from lib_photoshoot.webui.a1111.panel import build_panel

    with gradio.Blocks():
        return build_panel(is_img2img)


def test_one_component_for_each_setting_in_their_order() -> None:
    panel = build()
    assert [c.label for c in panel.controls] == [meta.label for meta in FIELDS.values()]
    assert settings_from_arguments([c.value for c in panel.controls]) == FilterSettings()


def test_ids_are_stable_and_not_shared_by_the_tabs() -> None:
    ids = [c.elem_id for c in (*build(False).controls, *build(True).controls)]
    assert len(set(ids)) == len(ids)
    assert ids[: len(FIELDS)] == [
        f"photoshoot_txt2img_{name}" + ("-checkbox" if name == "enabled" else "") for name in FIELDS
    ]


def test_building_loads_nothing_heavy() -> None:
    before = set(sys.modules)
    build()
    new = set(sys.modules) - before
    assert not {"torch", "cv2", "lib_photoshoot.weights.store", "lib_photoshoot.build"} & new


def test_the_api_gets_the_defaults_whatever_the_page_shows(host) -> None:
    host.scripts.Script, host.scripts.scripts_current = object, None
    from lib_photoshoot.webui.a1111.script import ProductPhotoshoot

    values = [control.value for control in ProductPhotoshoot().ui(False)]
    assert settings_from_arguments(values) == FilterSettings()


def test_an_infotext_restores_every_setting() -> None:
    changed = FilterSettings(enabled=True, products="a, b = c", denoise=0.1, save_masks=True, sampler="Euler a")
    fields = build().infotext_fields
    restored = [read({KEY: changed.to_json()}) for _, read in fields]
    assert restored == list(asdict(changed).values())
    assert [read({}) for _, read in fields] == [False] + [None] * (len(FIELDS) - 1)


def test_the_chosen_preset_fills_the_panel_and_wins_over_saved_values(host) -> None:
    host.shared.opts.data["photoshoot_defaults"] = "Retouch only"
    panel = build()
    settings = settings_from_arguments([c.value for c in panel.controls])
    assert settings == FilterSettings(enhancement="retouch")
    assert all(c.do_not_save_to_config for c in panel.controls)


def test_a_preset_that_is_not_there_is_told(host, capsys) -> None:
    host.shared.opts.data["photoshoot_defaults"] = "gone"
    assert settings_from_arguments([c.value for c in build().controls]) == FilterSettings()
    assert "no preset called 'gone'" in capsys.readouterr().out


class Axis(SimpleNamespace):
    def __init__(self, label: str, type: type, apply: Any, confirm: Any = None, choices: Any = None) -> None:
        super().__init__(label=label, type=type, apply=apply, confirm=confirm, choices=choices)


@pytest.fixture
def axes(host) -> Any:
    from lib_photoshoot.webui.a1111 import axes

    grid = ModuleType("xyz_grid.py")
    grid.AxisOption, grid.axis_options = Axis, []
    host.scripts.scripts_data.append(SimpleNamespace(module=grid))
    axes.register()
    axes.register()
    return {axis.label: axis for axis in grid.axis_options}, grid.axis_options


def test_one_axis_for_each_setting_that_may_be_one(axes) -> None:
    by_label, all_axes = axes
    expected = {name: meta for name, meta in FIELDS.items() if meta.axis}
    assert [axis.label for axis in all_axes] == [f"[Photoshoot] {meta.label}" for meta in expected.values()]
    for name, meta in expected.items():
        axis = by_label[f"[Photoshoot] {meta.label}"]
        assert axis.type is type(DEFAULTS[name])
        if meta.choices:
            assert axis.choices() == list(meta.choices)
        elif name not in ("cn_module", "cn_model", "sampler"):
            assert axis.choices is None
    assert by_label["[Photoshoot] Sampler"].choices() == ["same as the job", "Euler a"]


def test_cells_share_nothing_and_switch_the_filter_on(axes) -> None:
    by_label, _ = axes
    shared = {"steps": 3}
    first, second = SimpleNamespace(_photoshoot_overrides=shared), SimpleNamespace()
    by_label["[Photoshoot] Denoising strength"].apply(first, 0.2, [])
    by_label["[Photoshoot] Products"].apply(first, "shoe", [])
    by_label["[Photoshoot] Denoising strength"].apply(second, 0.3, [])
    assert shared == {"steps": 3}
    assert first._photoshoot_overrides == {"steps": 3, "enabled": True, "denoise": 0.2, "products": "shoe"}
    assert second._photoshoot_overrides == {"enabled": True, "denoise": 0.3}


def test_wrong_values_are_refused_before_the_first_cell(axes) -> None:
    confirm = axes[0]["[Photoshoot] Denoising strength"].confirm
    confirm(None, [0.1, 1.0])
    with pytest.raises(SettingsError, match="Denoising strength is 7"):
        confirm(None, [0.1, 7.0])
