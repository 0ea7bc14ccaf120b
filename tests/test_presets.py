"""Presets: checked when read, whole when written, and the built-in ones safe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.presets import (
    TEXTS,
    PresetError,
    PresetFolder,
    built_in,
    clean_name,
    loaded,
    preset_from_text,
    preset_to_text,
)
from lib_photoshoot.settings import DEFAULTS, FilterSettings, settings_from
from tests.test_settings import ALL_VALUES

EXPERIMENT = "ControlNet depth (original experiment)"


@pytest.fixture
def folder(tmp_path: Path) -> PresetFolder:
    return PresetFolder(tmp_path / "presets")


@pytest.mark.parametrize("name", built_in())
def test_built_in_presets_are_settings(name: str, folder: PresetFolder) -> None:
    values = folder.load(name)
    assert settings_from(loaded(values))
    # They fit any product, so what the user typed stays; a scene has words of its own.
    assert set(TEXTS) & set(loaded(values)) <= {"scene_prompt", "scene_negative_prompt"}


SCENES = (
    "White main image", "On wood, window light", "Marble, soft shadow", "Outdoor, golden hour", "Gift table",
    "Glass, light from behind",
)  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_a_scenes_preset_has_words_units_and_a_stage(name: str) -> None:
    from lib_photoshoot.staging.reading import read_stage

    settings = settings_from(built_in()[name])
    assert settings.repaint == "scene" and "[PRODUCT]" in settings.scene_prompt and settings.scene_negative_prompt
    assert settings.scene_units != "none" and 0 < settings.scene_denoise < 1
    plan = read_stage(settings)
    assert plan.share is not None and plan.ground is not None and plan.backdrop.startswith("#")
    assert name == "Glass, light from behind" or plan.shadow > 0.2


def test_the_original_experiment() -> None:
    settings = settings_from(built_in()[EXPERIMENT])
    assert (settings.cn_module, settings.cn_model) == ("depth_midas", "control_v11f1p_sd15_depth")
    assert (settings.denoise, settings.mask_blur, settings.only_masked, settings.padding) == (0.75, 4, True, 32)
    assert (settings.cn_weight, settings.cn_mode) == (1.0, "Balanced")
    assert (settings.sampler, settings.scheduler, settings.steps, settings.cfg_scale) == ("DPM++ 2M", "Karras", 20, 7.0)


@given(ALL_VALUES)
def test_settings_survive_their_file(values: dict) -> None:
    settings = settings_from(values)
    kept = settings_from(loaded(preset_from_text(preset_to_text(settings), "x")))
    assert kept == replace(settings, enabled=False)


def test_loading_sets_everything_but_enabled_and_absent_texts() -> None:
    values = loaded({"denoise": 0.1, "enabled": True, "prompt": "a red shoe"})
    assert values["denoise"] == 0.1 and values["prompt"] == "a red shoe"
    assert set(DEFAULTS) - set(values) == {
        "enabled", "products", "negative_prompt", "scene_prompt", "scene_negative_prompt",
    }  # fmt: skip


def test_save_load_delete(folder: PresetFolder) -> None:
    assert folder.names() == list(built_in())
    settings = FilterSettings(enabled=True, products="handbag", denoise=0.2)
    assert folder.save(" my:  preset ", settings) == "my- preset"
    assert folder.names() == [*built_in(), "my- preset"]
    assert settings_from(loaded(folder.load("my- preset"))) == replace(settings, enabled=False)
    folder.save("my- preset", replace(settings, denoise=0.3))
    assert folder.load("my- preset")["denoise"] == 0.3
    assert [path.name for path in folder.folder.iterdir()] == ["my- preset.json"]
    folder.delete("my- preset")
    assert folder.names() == list(built_in())


@pytest.mark.parametrize("name", [EXPERIMENT, EXPERIMENT.upper()])
def test_built_in_presets_stay(name: str, folder: PresetFolder) -> None:
    with pytest.raises(PresetError, match="built-in"):
        folder.save(name, FilterSettings())
    with pytest.raises(PresetError, match="built-in"):
        folder.delete(name)
    folder.folder.mkdir()
    (folder.folder / f"{EXPERIMENT}.json").write_text('{"denoise": 0.1}')
    assert folder.names() == list(built_in()) and folder.load(EXPERIMENT)["denoise"] == 0.75


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"denoise": 7}', "Denoising strength is 7"),
        (b'{"denoise": NaN}', "Denoising strength is nan"),
        (b'{"denoising": 0.3}', "no setting called 'denoising'"),
        (b'{"version": 99}', "update the extension"),
        (b" " * (1 << 20) + b"{}", "too large"),
    ],
)
def test_a_broken_file_is_one_sentence(content: bytes, words: str, folder: PresetFolder) -> None:
    folder.folder.mkdir()
    (folder.folder / "broken.json").write_bytes(content)
    with pytest.raises(PresetError, match=words) as caught:
        folder.load("broken")
    assert "broken" in str(caught.value) and "\n" not in str(caught.value)
    folder.delete("broken")


@pytest.mark.parametrize("name", ["nothing", "../secret", "/etc/passwd", "", "..", ".hidden"])
def test_names_are_no_paths(name: str, folder: PresetFolder) -> None:
    folder.folder.mkdir()
    (folder.folder.parent / "secret.json").write_text("{}")
    (folder.folder / ".hidden.json").write_text("{}")
    for use in (folder.load, folder.delete):
        with pytest.raises(PresetError, match="no preset called"):
            use(name)


@given(st.text(max_size=300))
def test_clean_names_are_file_names_on_any_system(name: str) -> None:
    try:
        cleaned = clean_name(name)
    except PresetError:
        return
    assert clean_name(cleaned) == cleaned
    assert not set(cleaned) & set('<>:"/\\|?*\x00\n') and len(f"{cleaned}.json".encode()) < 255
    assert cleaned[0] not in " ." and cleaned[-1] not in " ."
    assert cleaned.upper() not in ("CON", "NUL", "COM1", "LPT9")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "presets").write_text("a file")
    with pytest.raises(PresetError, match="cannot be saved"):
        PresetFolder(tmp_path / "presets").save("x", FilterSettings())


def test_the_file_holds_the_version() -> None:
    assert json.loads(preset_to_text(FilterSettings()))["version"] == 1
