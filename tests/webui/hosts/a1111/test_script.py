"""The always-on script in the stand-in host: what is drawn, left out, moved, saved and said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, differing, encoded, generate, saved, seed_in
from tests.webui.standin.host import StandIn

SQUARE = np.s_[30:62, 30:62]


def seeds_of_files(paths: list[Path]) -> list[int]:
    return [seed_in(Image.open(path).text["parameters"]) for path in paths]


def test_a_product_is_repainted_and_every_other_pixel_stays(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(), 6: bag(lit=False)}
    job = {"batch_size": 2, "save_images": True}
    off, on = generate(host, **job), generate(host, ON, **job)
    changed = differing(off.images[1], on.images[1])
    assert changed[SQUARE].mean() > 0.9 and changed.sum() == changed[SQUARE].sum()
    assert not differing(off.images[2], on.images[2]).any()
    assert "found bag 0.90; enhanced with ControlNet canny" in on.texts[1]
    assert "skipped: nothing in the picture resembles the products" in on.texts[2]
    assert "Product filter result" not in on.texts[0], "the grid has none"
    assert not differing(on.images[1], generate(host, ON, **job).images[1]).any()


def test_switched_off_it_leaves_no_trace(host: StandIn, models: Any) -> None:
    host.checkpoint.pictures = {5: bag()}
    for settings in (None, {**ON, "enabled": False}):
        answer = generate(host, settings)
        assert "Product filter" not in answer.texts[0] and models.calls == 0


def test_the_api_takes_defaults_for_what_is_not_given(host: StandIn) -> None:
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.webui.generate.arguments import settings_from_arguments

    script = host.scripts.scripts_txt2img.script("product photoshoot")
    values = host.api.default_script_arg_txt2img[script.args_from : script.args_to]
    assert settings_from_arguments(values) == FilterSettings()


def test_after_a_gap_every_image_has_its_own_seed_prompt_and_result(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag(), 7: bag(), 8: bag(lit=False)}
    settings = {**ON, "on_no_match": "leave out"}
    answer = generate(host, settings, batch_size=2, n_iter=2, save_images=True)
    assert [seed_in(text) for text in answer.texts[answer.first :]] == [6, 7]
    assert all("found bag" in text for text in answer.texts[answer.first :])
    files = saved(host, "txt2img_samples")
    assert seeds_of_files(files) == [6, 7] and [path.stem.split("-")[1] for path in files] == ["6", "7"]
    (grid,) = saved(host, "txt2img_grids")
    assert Image.open(grid).size == (2 * SIDE, SIDE)
    alone = generate(host, ON, seed=6)
    assert not differing(answer.images[answer.first], alone.images[0]).any(), "painted with seed 6, not with the gap's"


def test_the_next_batch_is_whole_again_after_a_gap(host: StandIn) -> None:
    """The overlays of img2img's mask are made once for all batches; one is cut with its image, and put back."""
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag(), 7: bag(), 8: bag()}
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (20, 20, 70, 70))
    job = {
        "init_images": [encoded(Image.new("RGB", (SIDE, SIDE), (10, 90, 10)))], "mask": encoded(mask), "mask_blur": 0,
        "inpainting_fill": 1, "inpaint_full_res": False, "denoising_strength": 1.0, "batch_size": 2, "n_iter": 2,
    }  # fmt: skip
    answer = generate(host, {**ON, "on_no_match": "leave out"}, "img2img", **job)
    assert [seed_in(text) for text in answer.texts[answer.first :]] == [6, 7, 8]
    for image in answer.images[answer.first :]:
        outside = np.asarray(mask) == 0  # what is painted there is a little noisy, the overlay is not
        assert (image[outside] == (10, 90, 10)).all(), "outside the mask the input stays"


@pytest.mark.parametrize("only_multiple", [True, False])
def test_all_images_left_out_raises_nothing(host: StandIn, only_multiple: bool) -> None:
    host.shared.opts.data["grid_only_if_multiple"] = only_multiple
    answer = generate(host, {**ON, "on_no_match": "leave out"}, batch_size=2, n_iter=2, save_images=True)
    assert answer.images == [] and not saved(host, "txt2img_samples") and not saved(host, "txt2img_grids")


def test_skipped_images_go_to_their_own_folder_and_none_is_overwritten(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    for _ in range(2):
        generate(host, {**ON, "on_no_match": "move to folder"}, batch_size=2, save_images=True)
    files = saved(host, "txt2img_samples")
    skipped = [path for path in files if path.parent.name == "photoshoot-skipped"]
    assert seeds_of_files(skipped) == [6, 6] and len(files) == 4
    assert "photoshoot_move" not in Image.open(skipped[0]).info


def test_masks_cut_outs_and_the_image_before_are_saved(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    off = generate(host)
    settings = {**ON, "save_masks": True, "save_cutouts": True, "save_before": True}
    for _ in range(2):
        generate(host, settings, save_images=True)
    folder = Path(host.shared.opts.data["outdir_txt2img_samples"]) / "photoshoot-masks"
    stems = ("5-1-bag-mask", "5-1-bag-cutout", "5-before")
    assert {path.name for path in folder.iterdir()} == {f"{stem}{end}.png" for stem in stems for end in ("", "-2")}
    assert not differing(np.asarray(Image.open(folder / "5-before.png")), off.images[0]).any()
    assert np.asarray(Image.open(folder / "5-1-bag-mask.png"))[SQUARE].min() == 255
    only = generate(host, {**ON, "on_match": "mask and cut-out only"})
    assert not differing(only.images[0], off.images[0]).any() and "mask and cut-out only" in only.texts[0]


def test_img2img_looks_at_its_input_first(host: StandIn, models: Any) -> None:
    settings = {**ON, "filter_input": True}
    dark, painted = bag(lit=False), []
    host.checkpoint.at_step = painted.append
    kept = generate(host, settings, "img2img", init_images=[encoded(dark)])
    assert not differing(kept.images[0], np.asarray(dark)).any() and not painted
    assert "input skipped: nothing in the picture" in kept.texts[0]
    left = generate(host, {**settings, "on_no_match": "leave out"}, "img2img", init_images=[encoded(dark)])
    assert left.images == [] and not painted
    host.checkpoint.pictures = {5: bag()}
    assert "found bag" in generate(host, settings, "img2img", init_images=[encoded(bag())]).texts[0]
    assert painted


@pytest.mark.parametrize("leave_out", [False, True])
def test_only_masked_the_filter_sees_the_whole_picture(host: StandIn, leave_out: bool) -> None:
    mask = Image.new("L", (2 * SIDE, 2 * SIDE))
    mask.paste(255, (0, 0, 40, 40))
    whole = bag(place=(120, 120), side=2 * SIDE)
    job = {"init_images": [encoded(whole)], "mask": encoded(mask), "inpainting_fill": 1, "mask_blur": 0}
    settings = {**ON, "on_no_match": "leave out"} if leave_out else ON
    off, on = generate(host, None, "img2img", **job), generate(host, settings, "img2img", **job)
    assert on.images[0].shape == (2 * SIDE, 2 * SIDE, 3) and "found bag" in on.texts[0]
    changed = differing(off.images[0], on.images[0], by=3)  # encoding its input draws some noise
    assert changed[120:152, 120:152].mean() > 0.9 and changed.sum() == changed[120:152, 120:152].sum()


def test_an_interrupt_within_an_enhancement_delivers_the_original(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    off = generate(host)
    host.checkpoint.at_step = lambda p: host.shared.state.interrupt() if hasattr(p, "init_images") else None
    stopped = generate(host, {**ON, "steps": 4})
    assert not differing(off.images[0], stopped.images[0]).any() and "stopped" in stopped.texts[0]


def test_a_skip_within_an_enhancement_goes_on_with_the_next_image(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(), 6: bag()}
    skips = iter([True])
    host.checkpoint.at_step = lambda p: (
        host.shared.state.skip() if hasattr(p, "init_images") and next(skips, False) else None
    )
    answer = generate(host, ON, n_iter=2)
    first, second = answer.texts[answer.first :]
    assert "stopped" in first and "enhanced with" in second


def test_a_wrong_field_is_told_before_anything_is_painted(host: StandIn) -> None:
    painted: list[Any] = []
    host.checkpoint.at_step = painted.append
    answer = generate(host, {"prodcts": "bag"})
    assert answer.images == [] and "prodcts" in answer.texts[0] and not painted
    assert len(generate(host).images) == 1, "the host is as before"


def test_a_folders_batch_runs_one_object_many_times(host: StandIn) -> None:
    """The host's batch in img2img hands the same processing object from picture to picture."""
    from modules.processing import StableDiffusionProcessingImg2Img, process_images

    runner = host.scripts.scripts_img2img
    script = runner.script("product photoshoot")
    arguments = [*host.api.default_script_arg_img2img]
    arguments[script.args_from] = {**ON, "filter_input": True}
    p = StableDiffusionProcessingImg2Img(
        sd_model=host.checkpoint, prompt="a bag", width=SIDE, height=SIDE, steps=1, seed=5, do_not_save_samples=True,
        do_not_save_grid=True, init_images=[bag(lit=False)],
    )  # fmt: skip
    p.scripts, p.script_args = runner, arguments
    assert "input skipped" in process_images(p).infotexts[0]
    host.checkpoint.pictures = {5: bag()}
    p.init_images = [bag()]
    assert "found bag" in process_images(p).infotexts[0]
    p.init_images = [bag(lit=False)]
    assert "input skipped" in process_images(p).infotexts[0]


def test_an_infotext_fills_the_panel_as_it_was(host: StandIn) -> None:
    from lib_photoshoot.settings import settings_from
    from lib_photoshoot.webui.generate.arguments import settings_from_arguments

    host.checkpoint.pictures = {5: bag()}
    settings = {**ON, "denoise": 0.4, "padding": 48}
    read = host.infotext_utils.parse_generation_parameters(generate(host, settings).texts[0])
    script = host.scripts.scripts_txt2img.script("product photoshoot")
    pasted = [take(read) for _, take in script.infotext_fields]
    values = [control.value if new is None else new for control, new in zip(script.controls, pasted, strict=True)]
    assert settings_from_arguments(values) == settings_from({"enabled": True, **settings})


def test_hooks_called_again_by_another_extension_change_nothing(host: StandIn) -> None:
    """ADetailer runs every script's postprocess on an empty result, and process again, after each batch."""
    from copy import copy

    from modules.processing import Processed

    class Repeating(host.scripts.Script):
        filename = "adetailer.py"
        args_from = args_to = 0

        def title(self) -> str:
            return "Repeating"

        def postprocess_image(self, p: Any, pp: Any, *args: Any) -> None:
            if not hasattr(p, "_photoshoot_inner"):
                p.scripts.postprocess(copy(p), Processed(p, []))
                p.scripts.before_process(copy(p))
                p.scripts.process(copy(p))

    host.checkpoint.pictures = {5: bag(), 6: bag()}
    plain = generate(host, ON, n_iter=2)
    runner = host.scripts.scripts_txt2img
    runner.alwayson_scripts.insert(0, Repeating())
    try:
        beside = generate(host, ON, n_iter=2)
    finally:
        del runner.alwayson_scripts[0]
    assert beside.texts == plain.texts
    for one, other in zip(plain.images, beside.images, strict=True):
        assert not differing(one, other).any()


def test_cells_of_a_plot_differ_in_one_setting(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    job = {"script_name": "X/Y/Z plot", "script_args": ["[Photoshoot] Denoising strength", "0.0, 1.0"]}
    answer = generate(host, {**ON, "on_match": "enhance", "enabled": False}, **job)
    gentle, strong = answer.images[1:]
    assert differing(gentle, strong)[SQUARE].all()
    assert ["0.0" in text or "1.0" in text for text in answer.texts[1:]] == [True, True]
    with pytest.raises(Exception, match="Denoising strength is 7"):
        generate(host, ON, **(job | {"script_args": ["[Photoshoot] Denoising strength", "7"]}))


def test_detection_models_go_where_the_user_wants_that(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.registry import REGISTRY

    released: list[bool] = []
    monkeypatch.setattr(REGISTRY, "release", lambda: released.append(True) or True)
    host.checkpoint.pictures = {5: bag()}
    generate(host, ON, n_iter=2)
    assert not released
    host.shared.opts.data["photoshoot_unload"] = "unload after each job"
    generate(host, ON, n_iter=2)
    assert released == [True]


def test_a_broken_filter_never_loses_an_image(host: StandIn, models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.errors import WeightsError

    def fails(*_: Any, **__: Any) -> Any:
        raise WeightsError("The weights are gone; get them again.")

    host.checkpoint.pictures = {5: bag()}
    off = generate(host)
    monkeypatch.setattr(models, "filter", fails)
    for settings in (ON, {**ON, "on_no_match": "leave out"}):
        on = generate(host, settings)
        assert not differing(off.images[0], on.images[0]).any() and "The weights are gone" in on.texts[0]
    looked = generate(host, {**ON, "filter_input": True}, "img2img", init_images=[encoded(bag())])
    assert len(looked.images) == 1 and "The weights are gone" in looked.texts[0]


@pytest.mark.parametrize("path", ["txt2img", "img2img"])
def test_a_network_built_for_a_look_takes_no_random_number_of_the_hosts(
    host: StandIn, models: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Building one draws some, and what the host or ADetailer encodes next would differ."""
    look = models.filter

    def build(*arguments: Any) -> Any:
        torch.rand(3)
        return look(*arguments)

    monkeypatch.setattr(models, "filter", build)
    host.checkpoint.pictures = {5: bag()}
    settings = {**ON, "on_no_match": "leave out", "on_match": "mask and cut-out only", "filter_input": True}
    states = []
    for one in (None, settings):
        torch.manual_seed(1)
        generate(host, one, path, **({"init_images": [encoded(bag())]} if path == "img2img" else {}))
        states.append(torch.random.get_rng_state())
    assert torch.equal(*states)
