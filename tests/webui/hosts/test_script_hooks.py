"""The script's hooks on modules that behave as those of WebUI 1.10.1 do: what a job may stop, keep, move and save."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lib_photoshoot.verdict import Done, Verdict
from lib_photoshoot.webui.generate import job as jobs
from tests.webui.fake_host import FakeHost
from tests.webui.generate.test_job import CANNY, BrightModels, picture
from tests.webui.generate.test_selectable import processing, returned

OURS = ("lib_photoshoot.webui.hosts.a1111", "lib_photoshoot.webui.interface")
"""What holds on to a host."""
ON = {"products": "bag", "recheck": False}


class ScriptRunner:
    """``modules.scripts.ScriptRunner``, as far as running a selectable script goes."""

    def __init__(self, *titles: str) -> None:
        self.selectable_scripts = processing(0, *titles).scripts.selectable_scripts
        self.alwayson_scripts: list[Any] = []
        self.result: Any = None

    def run(self, p: Any, *arguments: Any) -> Any:
        return self.result if arguments[0] else None

    def postprocess_image_after_composite(self) -> None: ...


class Saved(list[tuple[str, Any]]):
    """``modules.images.save_image``: names and what is told with them, after our hook has been over it."""

    def save_image(self, image: Image.Image, path: str, *_: Any, **more: Any) -> None:
        from lib_photoshoot.webui.interface.script import before_saving

        params = SimpleNamespace(image=image, filename=f"{path}/the moon.png")
        before_saving(params)
        self.append((params.filename, more))
        image.save(params.filename)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    modules: Any = ModuleType("modules")
    modules.scripts = SimpleNamespace(Script=object, ScriptRunner=type("Runner", (ScriptRunner,), {}))
    modules.script_callbacks = SimpleNamespace()
    modules.shared = SimpleNamespace(
        opts=SimpleNamespace(data={}, samples_format="png"), state=SimpleNamespace(textinfo=None), cmd_opts=None
    )
    modules.errors = SimpleNamespace(report=lambda text, exc_info: pytest.fail(text))
    modules.images = Saved()
    for name in ("scripts", "script_callbacks", "shared", "images", "errors"):
        monkeypatch.setitem(sys.modules, f"modules.{name}", getattr(modules, name))
    monkeypatch.setitem(sys.modules, "modules", modules)
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        monkeypatch.delitem(sys.modules, name)
    bright = BrightModels()
    monkeypatch.setattr(jobs.REGISTRY, "get", lambda choice: bright)
    for check in ("_check_words", "_check_models"):
        monkeypatch.setattr(jobs, check, lambda job: None)
    from lib_photoshoot.webui.hosts.a1111 import host as adapter

    monkeypatch.setattr(adapter, "A1111Host", lambda: FakeHost(CANNY))
    yield modules
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        del sys.modules[name]


def job(*titles: str, inputs: list[Image.Image] | None = None, folder: Path = Path("out")) -> Any:
    """The host's processing object; with a title that script runs it."""
    told: list[str] = []
    return SimpleNamespace(
        script_args=[len(titles), "more"], scripts=processing(0, *titles).scripts, n_iter=3, batch_size=1, iteration=0,
        do_not_save_grid=False, extra_generation_params={}, comment=told.append, told=told, init_images=inputs or [],
        outpath_samples=str(folder), all_seeds=[5, 6, 7], all_prompts=["a bag"] * 3, save_samples=lambda: True,
    )  # fmt: skip


def process(p: Any, settings: dict[str, Any]) -> Any:
    from lib_photoshoot.webui.interface.script import ProductPhotoshoot

    script = ProductPhotoshoot()
    script.before_process(p, settings)
    script.process(p, settings)
    return script


@pytest.mark.parametrize("wrong", [{"denoise": 7}, {"products": ""}, {"cn_model": "absent"}, {"unknown": 1}])
def test_what_can_be_known_before_stops_the_job_before_it_paints(host: Any, wrong: dict[str, Any]) -> None:
    p = job()
    process(p, ON | wrong)
    assert p.n_iter == 0 and len(p.told) == 1
    verdict = Verdict.from_json(p.extra_generation_params["Product filter result"]())
    assert verdict.says == p.told[0] and verdict.done is Done.REFUSED


def test_a_folder_that_leads_out_stops_it_too(host: Any) -> None:
    host.shared.opts.data["photoshoot_masks_folder"] = "../victim"
    p = job()
    process(p, ON)
    assert p.n_iter == 0 and "leads out of" in p.told[0]


@pytest.mark.parametrize("settings", [{"denoise": 7}, {"products": ""}, {"filter_input": True}, {}])
def test_a_script_that_runs_the_job_gets_all_its_pictures(host: Any, settings: dict[str, Any]) -> None:
    for title, told in (("Prompt matrix", len(settings)), ("SD upscale", 0)):
        p = job(title, inputs=[picture(lit=False)])
        process(p, ON | settings)
        assert (p.n_iter, len(p.told), p.do_not_save_grid) == (3, told, False)
    assert not hasattr(p, "_photoshoot_job"), "SD upscale's tiles are not looked at"
    p = job("X/Y/Z plot", inputs=[picture(lit=False)])
    process(p, ON | {"filter_input": True})
    assert p.n_iter == 0, "as it was"


def test_what_a_script_returns_passes_through_the_filter_once(host: Any) -> None:
    from lib_photoshoot.webui.interface import script as ours

    ours.follow_scripts(ours.ProductPhotoshoot)
    ours.follow_scripts(ours.ProductPhotoshoot)  # the UI was reloaded
    runner = host.scripts.ScriptRunner("SD upscale")
    filter_script = ours.ProductPhotoshoot()
    filter_script.args_from, filter_script.args_to = 1, 2
    runner.alwayson_scripts = [filter_script]
    image = picture()
    for settings, filtered in ((ON, True), ({"products": "bag", "enabled": False}, False), (False, False)):
        runner.result = returned([image])
        p = job("SD upscale")
        p.script_args, p.scripts = [1, settings], runner
        assert runner.run(p, 1, settings) is runner.result
        assert (runner.result.images[0] is not image) is filtered
        assert runner.result.comments.count("image 1") == filtered
    assert runner.run(job(), 0, ON) is None


@pytest.mark.parametrize(
    ("choice", "there"),
    [("keep untouched", ["the moon.png"]), ("move to folder", ["photoshoot-skipped/the moon.png"]), ("leave out", [])],
)
def test_an_input_without_a_product_stands_in_the_output_folder(
    host: Any, tmp_path: Path, choice: str, there: list[str]
) -> None:
    moon = picture(lit=False)
    moon.info["Description"] = "mine"
    p = job(inputs=[moon, moon], folder=tmp_path)
    script = process(p, ON | {"filter_input": True, "on_no_match": choice})
    assert p.n_iter == 0
    done = SimpleNamespace(images=[], infotexts=["the job's"])
    script.postprocess(p, done)
    assert [path for path, _ in host.images] == [f"{tmp_path}/{name}" for name in there], "once, though twice there"
    assert done.images == ([moon, moon] if there else [])
    for _, more in host.images:
        assert more["existing_info"] == {"Description": "mine"} and more["pnginfo_section_name"] != "parameters"


def test_a_kept_input_takes_no_files_place(host: Any, tmp_path: Path) -> None:
    (tmp_path / "the moon.png").write_bytes(b"the user's")
    p = job(inputs=[picture(lit=False)], folder=tmp_path)
    process(p, ON | {"filter_input": True}).postprocess(p, SimpleNamespace(images=[], infotexts=[""]))
    assert (tmp_path / "the moon.png").read_bytes() == b"the user's" and (tmp_path / "the moon-2.png").is_file()
