"""The panel and the X/Y/Z axes, made with the host's gradio, and their events as the page runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lib_photoshoot.settings import DEFAULTS, FIELDS, FilterSettings, SettingsError
from lib_photoshoot.webui.generate.arguments import settings_from_arguments
from tests.conftest import ROOT
from tests.webui.hosts.a1111.conftest import DEPTH, bag, encoded
from tests.webui.standin.host import CANNY, StandIn
from tests.webui.standin.page import Page, uploaded

KEY = "Product filter"
TAB = "photoshoot_txt2img"


def build(is_img2img: bool = False) -> Any:
    import gradio

    from lib_photoshoot.webui.interface.panel import build_panel

    with gradio.Blocks():
        return build_panel(is_img2img)


def test_one_component_for_each_setting_in_their_order(host: StandIn) -> None:
    panel = build()
    assert [c.label for c in panel.controls] == [meta.label for meta in FIELDS.values()]
    assert settings_from_arguments([c.value for c in panel.controls]) == FilterSettings()


def test_ids_are_stable_and_not_shared_by_the_tabs(host: StandIn) -> None:
    ids = [c.elem_id for c in (*build(False).controls, *build(True).controls)]
    assert len(set(ids)) == len(ids)
    assert ids[: len(FIELDS)] == [
        f"photoshoot_txt2img_{name}" + ("-checkbox" if name == "enabled" else "") for name in FIELDS
    ]


def test_the_start_loads_nothing_heavy(tmp_path: Path) -> None:
    """In a process of its own, since the tests have loaded everything."""
    pytest.importorskip("gradio", reason="gradio is not installed here: run python -m tests.webui.standin")
    code = (
        "import sys; from pathlib import Path; from tests.webui.standin.host import standing_in\n"
        "with standing_in(Path(sys.argv[1])) as host:\n"
        "    before = set(sys.modules); host.start('photoshoot')\n"
        "    print(sorted(set(sys.modules) - before)); print(host.reports())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    loaded, reports = done.stdout.strip().splitlines()[-2:]
    assert reports == "[]" and "lib_photoshoot.webui.interface.panel" in loaded, done.stderr
    heavy = ("segment_anything", "onnxruntime", "scipy", "lib_photoshoot.weights.store", "lib_photoshoot.pipeline")
    assert not [name for name in heavy if f"'{name}'" in loaded]


def test_an_infotext_restores_every_setting(host: StandIn) -> None:
    changed = FilterSettings(enabled=True, products="a, b = c", denoise=0.1, save_masks=True, sampler="Euler a")
    fields = build().infotext_fields
    restored = [read({KEY: changed.to_json()}) for _, read in fields]
    assert restored == list(asdict(changed).values())
    assert [read({}) for _, read in fields] == [False] + [None] * (len(FIELDS) - 1)


def test_the_chosen_preset_fills_the_panel_and_wins_over_saved_values(host: StandIn) -> None:
    host.shared.opts.data["photoshoot_defaults"] = "Retouch only"
    panel = build()
    settings = settings_from_arguments([c.value for c in panel.controls])
    assert settings == FilterSettings(enhancement="retouch")
    assert all(c.do_not_save_to_config for c in panel.controls)


def test_a_preset_that_is_not_there_is_told(host: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    host.shared.opts.data["photoshoot_defaults"] = "gone"
    assert settings_from_arguments([c.value for c in build().controls]) == FilterSettings()
    assert "no preset called 'gone'" in caplog.text


@pytest.fixture
def axes(host: StandIn) -> dict[str, Any]:
    """Those that our extension has given the host's plot at its start; registered again, as after a reload."""
    from lib_photoshoot.webui.hosts.a1111.axes import register

    register()
    (grid,) = [data.module for data in host.scripts.scripts_data if data.module.__name__ == "xyz_grid.py"]
    ours = [axis for axis in grid.axis_options if axis.label.startswith("[Photoshoot] ")]
    assert len(ours) == len({axis.label for axis in ours})
    return {axis.label: axis for axis in ours}


def test_one_axis_for_each_setting_that_may_be_one(axes: dict[str, Any]) -> None:
    expected = {name: meta for name, meta in FIELDS.items() if meta.axis}
    assert list(axes) == [f"[Photoshoot] {meta.label}" for meta in expected.values()]
    for name, meta in expected.items():
        axis = axes[f"[Photoshoot] {meta.label}"]
        assert axis.type is type(DEFAULTS[name])
        if meta.choices:
            assert axis.choices() == list(meta.choices)
        elif name not in ("cn_module", "cn_model", "sampler"):
            assert axis.choices is None
    assert axes["[Photoshoot] Sampler"].choices() == ["same as the job", "DPM++ 2M", "Euler a"]
    assert axes["[Photoshoot] ControlNet model"].choices() == ["auto", "None", CANNY, DEPTH]


def test_cells_share_nothing_and_switch_the_filter_on(axes: dict[str, Any]) -> None:
    shared = {"steps": 3}
    first, second = SimpleNamespace(_photoshoot_overrides=shared), SimpleNamespace()
    axes["[Photoshoot] Denoising strength"].apply(first, 0.2, [])
    axes["[Photoshoot] Products"].apply(first, "shoe", [])
    axes["[Photoshoot] Denoising strength"].apply(second, 0.3, [])
    assert shared == {"steps": 3}
    assert first._photoshoot_overrides == {"steps": 3, "enabled": True, "denoise": 0.2, "products": "shoe"}
    assert second._photoshoot_overrides == {"enabled": True, "denoise": 0.3}


def test_wrong_values_are_refused_before_the_first_cell(axes: dict[str, Any]) -> None:
    confirm = axes["[Photoshoot] Denoising strength"].confirm
    confirm(None, [0.1, 1.0])
    with pytest.raises(SettingsError, match="Denoising strength is 7"):
        confirm(None, [0.1, 7.0])


@pytest.fixture
def page(host: StandIn) -> Page:
    return Page(host.page)


def settings_of(page: Page) -> FilterSettings:
    """The panel of txt2img as its values stand."""
    return settings_from_arguments([page.value(name) for name in names_of_settings()])


def names_of_settings() -> Iterator[str]:
    for name in FIELDS:
        yield f"{TAB}_{name}{'-checkbox' if name == 'enabled' else ''}"


def test_opening_the_panel_fetches_the_lists(host: StandIn, page: Page) -> None:
    Path(host.shared.cmd_opts.lora_dir).mkdir(exist_ok=True)
    Path(host.shared.cmd_opts.lora_dir, "ppzocketv2-10.safetensors").touch()
    assert CANNY not in page.choices(f"{TAB}_cn_model")
    page.set(f"{TAB}_enabled-checkbox", True)
    page.fire(f"{TAB}_enabled-checkbox", "change")
    listed = {name: page.choices(f"{TAB}_{name}") for name in LISTED}
    assert listed["cn_model"] == ["auto", "None", CANNY, DEPTH] and "canny" in listed["cn_module"]
    assert "Euler a" in listed["sampler"] and "Euler" not in listed["sampler"] and "Karras" in listed["scheduler"]
    assert "ppzocketv2-10" in listed["helper_lora"] and "Retouch only" in listed["preset"]
    page.set(f"{TAB}_enabled-checkbox", False)
    assert all(list(update) == ["__type__"] for update in page.fire(f"{TAB}_enabled-checkbox", "change")[-1])
    page.fire(f"{TAB}_refresh")
    assert CANNY in page.choices(f"{TAB}_cn_model")


LISTED = ("cn_model", "cn_module", "sampler", "scheduler", "helper_lora", "preset")


def test_a_preset_is_saved_chosen_downloaded_read_and_deleted(page: Page, own_root: Path, tmp_path: Path) -> None:
    page.set(f"{TAB}_denoise", 0.25)
    page.set(f"{TAB}_products", "cup")
    page.set(f"{TAB}_preset", "My cups")
    page.fire(f"{TAB}_preset_save")
    assert "Saved as" in page.value(f"{TAB}_preset_status") and list((own_root / "presets").iterdir())
    page.set(f"{TAB}_denoise", 0.9)
    page.fire(f"{TAB}_preset", "select")
    assert settings_of(page).denoise == 0.25 and "filled in" in page.value(f"{TAB}_preset_status")
    page.fire(f"{TAB}_preset_download")
    packed = json.loads(page.value(f"{TAB}_preset_text"))
    assert packed["name"] == "My cups.json"
    file = tmp_path / "Theirs.json"
    file.write_text(packed["text"])
    page.set(f"{TAB}_denoise", 0.9)
    page.set(f"{TAB}_preset_upload", uploaded(file))
    page.fire(f"{TAB}_preset_upload", "upload")
    assert settings_of(page).denoise == 0.25 and page.value(f"{TAB}_preset") == "Theirs"
    page.set(f"{TAB}_preset", "My cups")
    page.fire(f"{TAB}_preset_delete", script=lambda name: [""])
    assert list((own_root / "presets").iterdir()), "the user thought better of it"
    page.fire(f"{TAB}_preset_delete", script=lambda name: [name])
    assert not list((own_root / "presets").iterdir()) and "Deleted" in page.value(f"{TAB}_preset_status")


def test_what_is_wrong_with_a_preset_is_told(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text("[")
    for name, event, value in (
        ("preset", "select", "gone"), ("preset_save", "click", ""), ("preset_upload", "upload", uploaded(file)),
        ("preset_delete", "click", "gone"), ("preset_download", "click", "." * 3),
    ):  # fmt: skip
        page.set(f"{TAB}_{'preset_upload' if event == 'upload' else 'preset'}", value)
        page.fire(f"{TAB}_{name}", event, script=(lambda name: [name]) if name == "preset_delete" else None)
        assert "photoshoot-wrong" in page.value(f"{TAB}_preset_status"), name


def test_an_infotext_with_wrong_settings_is_told_once(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    import gradio

    told: list[str] = []
    monkeypatch.setattr(gradio, "Warning", told.append)
    restored = [read({KEY: '{"denoise": 7}'}) for _, read in build().infotext_fields]
    assert restored == [None] * len(FIELDS) and len(told) == 1 and "Denoising strength is 7" in told[0]


def test_the_preview_shows_the_last_result(host: StandIn, page: Page) -> None:
    page.set(f"{TAB}_products", "bag")

    def chosen(gallery: Any, info: Any, *values: Any) -> list[Any]:
        return [[f"data:image/png;base64,{encoded(bag())}"], "", *values]

    # gradio's gallery itself takes files only; what the page sends goes to the function as it is.
    steps = page.function(f"{TAB}_preview")
    values = list(asdict(FilterSettings(products="bag")).values())
    seen = list(steps(chosen(None, None)[0], "", *values))
    assert "Looking" in seen[0][0] and "1 product found; would be enhanced by ControlNet, canny" in seen[1][0]
    assert seen[1][1]["visible"] and seen[1][1]["value"].size == (96, 96)
    ((text, _),) = steps([], "", *values)
    assert "no result in this tab yet" in text
    _, (text, picture) = steps(chosen(None, None)[0], "", *asdict(FilterSettings(products="")).values())
    assert "product list is empty" in text and not picture["visible"]


def test_the_preview_of_a_file(host: StandIn, page: Page, tmp_path: Path, models: Any) -> None:
    page.set(f"{TAB}_products", "bag")
    for lit, words in ((True, "1 product found"), (False, "Skipped: nothing in the picture")):
        file = tmp_path / f"{lit}.png"
        bag(lit=lit).save(file)
        page.set(f"{TAB}_preview_file", uploaded(file))
        page.fire(f"{TAB}_preview_file", "upload")
        assert words in page.value(f"{TAB}_preview_text") and page.shown(f"{TAB}_preview_picture", "visible") is lit
    file.write_text("no picture")
    page.set(f"{TAB}_preview_file", uploaded(file))
    page.fire(f"{TAB}_preview_file", "upload")
    assert "photoshoot-wrong" in page.value(f"{TAB}_preview_text")
    Image.new("RGB", (9, 9)).save(file)
    page.set(f"{TAB}_preview_file", uploaded(file))
    models.filter = lambda *_, **__: 1 / 0
    page.fire(f"{TAB}_preview_file", "upload")
    assert "The preview failed (ZeroDivisionError" in page.value(f"{TAB}_preview_text")
    assert "a preview failed" in host.reports()[0] and not host.at_work


def test_the_prompt_helper_writes_the_prompt(page: Page) -> None:
    page.set(f"{TAB}_helper_product", "red bag")
    page.set(f"{TAB}_helper_lora", "ppzocketv2-10")
    page.fire(f"{TAB}_helper_write")
    assert "red bag" in page.value(f"{TAB}_helper_text") and "<lora:ppzocketv2-10:" in page.value(f"{TAB}_helper_text")
    page.set(f"{TAB}_helper_product", "")
    page.fire(f"{TAB}_helper_write")
    assert "photoshoot-wrong" in page.value(f"{TAB}_helper_status") and page.value(f"{TAB}_helper_text") == ""


@pytest.mark.parametrize(("button", "line"), [("get_embedded", "needs"), ("get_groundingdino", "needs_groundingdino")])
def test_missing_weights_are_brought_by_their_button(
    page: Page, monkeypatch: pytest.MonkeyPatch, button: str, line: str
) -> None:
    from lib_photoshoot.webui.http import downloads
    from lib_photoshoot.weights import manifest, store

    there: set[str] = set()
    monkeypatch.setattr(store, "_is_there", lambda weight, *_: weight.name in there)
    page.set(f"{TAB}_enabled-checkbox", True)
    page.fire(f"{TAB}_enabled-checkbox", "change")
    assert page.shown(f"{TAB}_{button}", "visible") and " MB)" in page.value(f"{TAB}_{button}")

    def fails(name: str, tell: Any) -> None:
        raise store.WeightsError("The weights cannot be had; check the connection.")

    monkeypatch.setattr(downloads, "_get", fails)
    page.fire(f"{TAB}_{button}")
    assert "cannot be had" in page.value(f"{TAB}_{line}") and page.shown(f"{TAB}_{button}", "interactive")

    def brings(name: str, tell: Any) -> None:
        tell(1_000_000, 65_000_000)
        there.update(weight.name for weight in manifest.Manifest.load().expand(name))

    monkeypatch.setattr(downloads, "_get", brings)
    page.fire(f"{TAB}_{button}")
    assert "there" in page.value(f"{TAB}_{line}") or "ready" in page.value(f"{TAB}_{line}")
    assert not page.shown(f"{TAB}_{button}", "visible")
