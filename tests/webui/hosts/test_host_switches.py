"""Which folders requests may reach, and the host's switches: on modules that behave as those of WebUI 1.10.1 do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_photoshoot.webui.hosts.a1111 import options
from lib_photoshoot.webui.hosts.a1111.options import folder_option
from lib_photoshoot.webui.hosts.a1111.outer import own_outputs, usable_folders
from lib_photoshoot.webui.hosts.options import option_key
from lib_photoshoot.webui.http.folders import FolderError, listed_folders, subfolder

FOLDER_OPTIONS = ("skipped_folder", "masks_folder", "api_folders", "trainer_folder", "trainer_python")


class OptionInfo:
    def __init__(self, default: Any, label: str = "", **more: Any) -> None:
        self.default, self.restrict_api = default, False
        self.component_args, self.onchange = more.get("component_args"), more.get("onchange")

    def info(self, text: str) -> OptionInfo:
        return self


class Options:
    """``modules.options.Options``, as far as setting goes; see its ``set``."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {"outdir_txt2img_samples": "elsewhere"}
        self.data_labels: dict[str, Any] = {"outdir_txt2img_samples": OptionInfo("")}

    def __getattr__(self, name: str) -> Any:
        return self.data[name]

    def add_option(self, key: str, info: Any) -> None:
        self.data_labels[key] = info
        self.data.setdefault(key, info.default)

    def set(self, key: str, value: Any, is_api: bool = False, run_callbacks: bool = True) -> bool:
        before, info = self.data.get(key), self.data_labels[key]
        if before == value or (is_api and info.restrict_api):
            return False
        if info.component_args and info.component_args.get("visible", True) is False:
            return False
        self.data[key] = value
        if run_callbacks and info.onchange is not None:
            try:
                info.onchange()
            except Exception:
                self.data[key] = before
                return False
        return True


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    modules: Any = ModuleType("modules")
    flags = SimpleNamespace(api=True, nowebui=False, api_auth=None, hide_ui_dir_config=False)
    modules.shared = SimpleNamespace(cmd_opts=flags, opts=Options(), OptionInfo=OptionInfo)
    modules.paths = SimpleNamespace(data_path=str(tmp_path))
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setitem(sys.modules, "gradio", SimpleNamespace(Dropdown=object))
    monkeypatch.chdir(tmp_path)
    yield modules.shared


def reaches(path: Path) -> bool:
    return usable_folders().holds(path)


def test_an_open_api_reaches_no_folder_that_a_stranger_can_have_chosen(shared: Any, tmp_path: Path) -> None:
    """The host lets everyone set ``outdir_...`` through its own API."""
    shared.opts.data["outdir_txt2img_samples"] = "/"
    assert not reaches(tmp_path / "secret.png") and not reaches(Path("/etc/passwd"))
    assert reaches(tmp_path / "outputs" / "txt2img-images" / "a.png") and reaches(tmp_path / "log" / "images" / "a.png")
    assert not reaches(tmp_path / "log" / "a.png")


def test_the_folder_of_results_is_called_what_the_host_calls_it(
    shared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_outputs() == tmp_path / "outputs" / "photoshoot"
    internal = SimpleNamespace(default_output_dir=str(tmp_path / "output"))
    monkeypatch.setitem(sys.modules, "modules.paths_internal", internal)
    assert own_outputs() == tmp_path / "output" / "photoshoot"
    assert reaches(tmp_path / "output" / "a.png") and not reaches(tmp_path / "outputs" / "a.png")


@pytest.mark.parametrize("flags", [{"api": False}, {"api_auth": "me:word"}])
def test_where_no_stranger_sets_options_the_hosts_output_folders_count(
    shared: Any, tmp_path: Path, flags: dict[str, Any]
) -> None:
    vars(shared.cmd_opts).update(flags)
    assert reaches(tmp_path / "elsewhere" / "a.png") and not reaches(tmp_path / "secret.png")


def test_the_owners_list_counts_and_climbs_in_it_do_not(shared: Any, tmp_path: Path) -> None:
    shared.opts.data[option_key("api_folders")] = f"{tmp_path}/mine, ../up, {tmp_path}/mine/../other, here"
    assert reaches(tmp_path / "mine" / "a.png")
    assert not any(reaches(tmp_path / name / "a.png") for name in ("other", "here"))
    assert not reaches(tmp_path.parent / "up" / "a.png")


def test_hide_ui_dir_config_leaves_the_owners_list_alone(shared: Any, tmp_path: Path) -> None:
    shared.cmd_opts.hide_ui_dir_config, shared.cmd_opts.api = True, False
    assert not reaches(tmp_path / "outputs" / "a.png") and not reaches(tmp_path / "elsewhere" / "a.png")
    with pytest.raises(FolderError, match="--hide-ui-dir-config"):
        usable_folders().resolve(str(tmp_path / "outputs" / "a.png"))
    shared.opts.data[option_key("api_folders")] = str(tmp_path / "mine")
    assert reaches(tmp_path / "mine" / "a.png")


def test_hide_ui_dir_config_keeps_folders_and_programs_from_being_set(shared: Any) -> None:
    options.register()
    assert shared.opts.set(option_key("masks_folder"), "other", is_api=True, run_callbacks=False)
    shared.cmd_opts.hide_ui_dir_config = True
    options.register()
    for name in FOLDER_OPTIONS:
        # As Settings sets them, POST /sdapi/v1/options, and override_settings of a job.
        for how in ({}, {"is_api": True}, {"is_api": True, "run_callbacks": False}):
            assert not shared.opts.set(option_key(name), "/anywhere", **how)
    assert shared.opts.set(option_key("device"), "auto")
    assert {name for name, option in options.OPTIONS.items() if option.check} == set(FOLDER_OPTIONS)


def test_an_api_that_sets_what_it_must_not_sets_none_of_ours(shared: Any) -> None:
    """Forge's and Forge Neo's does not say of itself that it is one."""
    options.register()
    api: dict[str, Any] = {"__name__": "modules.api.api", "opts": shared.opts}
    exec("def set_config(req): return [opts.set(key, value) for key, value in req.items()]", api)
    page_only = {option_key(name): "/" for name, option in options.OPTIONS.items() if option.page_only}
    before = dict(shared.opts.data)
    assert len(page_only) == 4 and not any(api["set_config"](page_only)) and shared.opts.data == before
    assert api["set_config"]({option_key("device"): "auto"}) == [True]
    assert shared.opts.set(option_key("api_folders"), "/mine"), "by the Settings page"


def test_what_is_refused_is_taken_out_of_a_job_before_the_host_fails_on_it(shared: Any) -> None:
    options.register()
    wanted = {option_key("masks_folder"): "elsewhere", option_key("device"): "auto", "sd_vae": "None"}
    overrides = dict(wanted)
    assert options.drop_refused(overrides) == [] and overrides == wanted
    shared.cmd_opts.hide_ui_dir_config = True
    options.register()
    assert options.drop_refused(overrides) == ["Folder for masks and cut-outs"]
    assert overrides == {option_key("device"): "auto", "sd_vae": "None"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("skipped_folder", "rejected/today", "../up"),
        ("masks_folder", "masks", "/etc"),
        ("masks_folder", "m", "a/../../b"),
        ("masks_folder", "m", "C:\\Windows"),
        ("masks_folder", "m", "~/here"),
        ("masks_folder", "m", "a\\..\\..\\b"),
        ("masks_folder", "m", ""),
        ("api_folders", "/a, /b", "/a, ../b"),
        ("api_folders", "", "pictures"),
        ("trainer_folder", '"/my/sd scripts"', "../sd-scripts"),
        ("trainer_python", "/venv/bin/python", "/venv/../python"),
    ],
)
def test_settings_take_no_climb(shared: Any, name: str, good: str, bad: str) -> None:
    options.register()
    shared.opts.set(option_key(name), good)
    assert shared.opts.data[option_key(name)] == good
    assert not shared.opts.set(option_key(name), bad) and shared.opts.data[option_key(name)] == good


def test_a_climb_in_the_settings_file_or_of_a_job_is_refused_when_it_is_used(shared: Any, tmp_path: Path) -> None:
    shared.opts.data[option_key("masks_folder")] = "../../victim"
    with pytest.raises(FolderError, match="leads out of") as error:
        folder_option("masks_folder", tmp_path)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize("text", [None, 5, " ", "..", "a/..", "/a", "//server/a", "a\0b", "a:b", "\\a"])
def test_a_subfolder_stays_below(text: Any, tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        subfolder(tmp_path, text)


def test_subfolders_and_lists_that_are_fine(tmp_path: Path) -> None:
    assert subfolder(tmp_path, "a b/c") == tmp_path / "a b" / "c"
    assert subfolder(tmp_path, "..hidden") == tmp_path / "..hidden"
    assert listed_folders('"/a b", /c\n/d/../e') == ["/a b", "/c"]
    assert listed_folders("~/x") == [os.path.expanduser("~/x")]
