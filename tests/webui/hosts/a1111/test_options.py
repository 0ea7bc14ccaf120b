"""The section of the host's Settings page: what is taken, what is taken back, and what a job may set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.webui.hosts.a1111.conftest import ON, bag, generate, saved
from tests.webui.standin.host import StandIn


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("skipped_folder", "../elsewhere", "left/out"),
        ("masks_folder", "/masks", "masks"),
        ("api_folders", "/a, somewhere", '/a, "/b c"'),
        ("api_folders", "somewhere", ""),
        ("trainer_folder", "sd-scripts", ' "/opt/sd-scripts" '),
        ("trainer_python", "python", ""),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_when_it_is_set(
    host: StandIn, name: str, wrong: str, right: str
) -> None:
    from lib_photoshoot.webui.hosts.options import option_key
    from lib_photoshoot.webui.http.folders import FolderError

    opts = host.shared.opts
    opts.data[option_key(name)] = "before"
    with pytest.raises(FolderError):
        opts.set(option_key(name), wrong)
    assert opts.set(option_key(name), right) and opts.data[option_key(name)] == right


def test_a_job_sets_its_own_folder_for_masks(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    generate(host, {**ON, "save_masks": True}, override_settings={"photoshoot_masks_folder": "mine"}, save_images=True)
    assert any(path.parent.name == "mine" for path in saved(host, "txt2img_samples"))
    assert host.shared.opts.data["photoshoot_masks_folder"] == "photoshoot-masks"


def test_a_job_cannot_set_what_the_host_hides(fresh: Callable[..., StandIn]) -> None:
    host = fresh(hide_ui_dir_config=True)
    host.checkpoint.pictures = {5: bag()}
    folder = Path(host.shared.opts.data["outdir_txt2img_samples"]) / "photoshoot-masks"
    generate(host, {**ON, "save_masks": True}, override_settings={"photoshoot_masks_folder": "mine"}, save_images=True)
    assert [path.name for path in folder.iterdir()] == ["5-1-bag-mask.png"]


def test_programs_cannot_be_named_where_strangers_may_reach_the_page(fresh: Callable[..., StandIn]) -> None:
    host = fresh(listen=True)
    opts = host.shared.opts
    assert "cannot be installed or named" in opts.data_labels["photoshoot_trainer_refusal"].default
    assert not opts.set("photoshoot_trainer_python", "/usr/bin/python3")
    assert opts.set("photoshoot_masks_folder", "mine"), "a folder's name runs nothing"
