"""New light inside a real WebUI, by files of IC-Light's shape with random offsets: what it changes, and what not."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lib_photoshoot.safetensors_header import read_header
from tests.e2e.conftest import SIDE, WebUi, data_folder, decoded, encoded
from tests.e2e.test_generation import differing, in_the_middle
from tests.e2e.test_scene import SCENE, check_scene, product_alpha

UNET = "model.diffusion_model."
FIRST = "input_blocks.0.0.weight"
NAMES = {"fc": "iclight_of_tests_fc", "fbc": "iclight_of_tests_fbc"}
EDGES = {**SCENE, "relight": "edges and shadow"}
PRODUCT = {**SCENE, "relight": "product too"}
STILL = {"scene_denoise": 0.0, "backdrop": "#a0a8b0"}
"""Without a pass for the scene: the light's is the only one of ours."""

Install = Callable[..., None]


REFUSED = "this WebUI's networks cannot be relit by IC-Light"


@pytest.fixture(scope="module")
def without_model(webui: WebUi, bag: Path) -> str:
    """The infotext of a picture whose scene was to take light while no model is installed."""
    return webui.generate([bag], {**EDGES, **STILL}).texts[0]


@pytest.fixture
def install(webui: WebUi, without_model: str) -> Iterator[Install]:
    """Puts a file of random offsets, ``fc`` or ``fbc``, that fits the WebUI's checkpoint into its models; all of them
    are gone afterwards.
    """
    if REFUSED in without_model:
        pytest.skip(REFUSED)
    (checkpoint,) = webui.call("/sdapi/v1/sd-models")[:1]
    folder = data_folder(webui) / "models" / "ic-light"
    there = folder.exists()
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        pytest.skip(f"{folder} has models already")

    def put(kind: str = "fbc", fits: bool = True) -> None:
        generator = torch.Generator().manual_seed(7)
        offsets = {}
        for name, tensor in read_header(checkpoint["filename"]).tensors.items():
            if not name.startswith(UNET):
                continue
            own, shape = name.removeprefix(UNET), list(tensor.shape)
            if own == FIRST:
                shape[1] += 4 if kind == "fc" else 8
            offsets[own] = 0.02 * torch.randn(shape, generator=generator)
        if not fits:
            offsets["out.2.bias"] = torch.zeros(7)
        save_file(offsets, folder / f"{NAMES[kind]}.safetensors")

    yield put
    for path in folder.iterdir():
        path.unlink()
    if not there:
        folder.rmdir()


def test_a_network_that_cannot_be_relit_paints_the_scene_and_it_is_told(
    webui: WebUi, bag: Path, without_model: str
) -> None:
    if REFUSED not in without_model:
        pytest.skip("this WebUI's networks can be relit")
    dull, refused = webui.generate([bag], SCENE), webui.generate([bag], EDGES)
    assert REFUSED in refused.texts[0] and not differing(dull.images[0], refused.images[0]).any()


def of_no_product(alpha: np.ndarray) -> np.ndarray:
    """What lies too far from the product for its edge and its shadow: bool (height, width)."""
    rows, columns = np.nonzero(alpha)
    far = np.ones(alpha.shape, bool)
    far[max(0, rows.min() - 40) : rows.max() + 40, max(0, columns.min() - 40) : columns.max() + 40] = False
    return far


@pytest.mark.parametrize("kind", ["fc", "fbc"])
def test_edges_and_shadow_alone_take_the_light_in_a_batch_of_two_by_two(
    webui: WebUi, bag: Path, install: Install, kind: str
) -> None:
    job = {"batch_size": 2, "n_iter": 2}
    off, dull = webui.generate([bag], None, **job), webui.generate([bag], SCENE, **job)
    install(kind)
    lit = webui.generate([bag], EDGES, **job)
    for before, scene, after, text in zip(
        off.images[-4:], dull.images[-4:], lit.images[-4:], lit.texts[-4:], strict=True
    ):
        kept, alpha, changed = check_scene(before, after), product_alpha(before), differing(scene, after)
        assert f"0 of {kept} product pixels changed; new light by {NAMES[kind]} on edges and shadow alone" in text
        assert changed[(alpha > 0) & (alpha < 255)].mean() > 0.5 and not changed[of_no_product(alpha)].any()
    for before, after in zip(off.images, webui.generate([bag], None, **job).images, strict=True):
        assert not differing(before, after).any(), "a later job"
    again = webui.generate([bag], EDGES, **job)
    assert not any(differing(a, b).any() for a, b in zip(lit.images, again.images, strict=True))


@pytest.mark.parametrize("kind", ["fc", "fbc"])
def test_the_product_takes_it_only_when_asked_and_is_an_edit(
    webui: WebUi, bag: Path, install: Install, kind: str
) -> None:
    install(kind)
    off, dull, lit = (webui.generate([bag], settings) for settings in (None, SCENE, PRODUCT))
    alpha, changed = product_alpha(off.images[0]), differing(dull.images[0], lit.images[0])
    kept, count = int((alpha == 255).sum()), int(changed[alpha == 255].sum())
    assert count > 0.5 * kept and not changed[of_no_product(alpha)].any()
    assert f"{count} of {kept} product pixels changed" in lit.texts[0] and "that is an edit" in lit.texts[0]
    assert not differing(off.images[0], webui.generate([bag], None).images[0]).any()


def test_a_request_says_what_was_lit_and_the_file_that_it_was_edited(webui: WebUi, bag: Path, install: Install) -> None:
    install()
    job = {"steps": 1, "seed": 5, "width": SIDE, "height": SIDE}
    for settings, edited in ((EDGES, False), (PRODUCT, True), ({**EDGES, **STILL}, False)):
        answer = webui.call(
            "/photoshoot/v1/filter", {"image": encoded(bag, (SIDE, SIDE)), "settings": settings, "job": job}
        )
        scene = answer["scene"]
        assert (scene["light"], scene.get("relit_product", False)) == (NAMES["fbc"], edited)
        assert (scene["changed_product_pixels"] > 0) is edited and scene["generated"]
        assert "compositeWithTrainedAlgorithmicMedia" in _texts(answer["image"])


def _texts(image: str) -> str:
    import base64

    return base64.b64decode(image).decode("latin-1")


def test_a_lora_of_the_scene_stays_what_it_is(webui: WebUi, bag: Path, install: Install) -> None:
    """The host's Lora extension keeps copies of weights, and puts them back."""
    loras = webui.call("/sdapi/v1/loras")
    if not loras:
        pytest.skip("the WebUI has no LoRA")
    tag = f"<lora:{loras[0]['name']}:1>"
    plain, with_lora = webui.generate([], None), webui.generate([], None, prompt=f"a bag {tag}")
    assert differing(plain.images[0], with_lora.images[0]).any(), "the LoRA fits the checkpoint"
    install()
    for settings in ({**EDGES, "scene_prompt": f"a bag {tag}"}, {**EDGES, **STILL, "scene_prompt": f"a bag {tag}"}):
        for prompt in ("a bag", f"a bag {tag}"):
            assert "new light by" in webui.generate([bag], settings, prompt=prompt).texts[0]
            assert not differing(plain.images[0], webui.generate([], None).images[0]).any()
            again = webui.generate([], None, prompt=f"a bag {tag}")
            assert not differing(with_lora.images[0], again.images[0]).any()


@pytest.mark.parametrize("command", ["interrupt", "skip"])
def test_a_stop_in_the_middle_of_the_light_delivers_the_scene_without(
    webui: WebUi, bag: Path, install: Install, command: str
) -> None:
    dull, off = webui.generate([bag], {**SCENE, **STILL}), webui.generate([], None)
    install()
    # Of 44 steps the host takes 40, at the denoising strength of that pass.
    stopped = in_the_middle(webui, command, [bag], {**PRODUCT, **STILL, "steps": 44})
    assert not differing(dull.images[0], stopped.images[0]).any()
    assert "new light was stopped" in stopped.texts[0] and "new scene by" in stopped.texts[0]
    assert not differing(off.images[0], webui.generate([], None).images[0]).any(), "a later job"
    assert "new light by" in webui.generate([bag], PRODUCT).texts[0], "the host stays healthy"


def test_interrupts_at_random_times_deliver_the_original_the_scene_or_the_scene_in_its_light(
    webui: WebUi, bag: Path, install: Install
) -> None:
    install()
    settings = {**PRODUCT, "steps": 3}
    off, dull, lit = (webui.generate([bag], one) for one in (None, {**SCENE, "steps": 3}, settings))
    start = time.perf_counter()
    webui.generate([bag], settings)
    takes, chance, became = time.perf_counter() - start, random.Random(4), []
    for _ in range(12):
        timer = threading.Timer(chance.uniform(0, takes), webui.call, ("/sdapi/v1/interrupt", {}))
        timer.start()
        answer = webui.generate([bag], settings)
        timer.join()
        for image in answer.images:
            whole = {"original": off, "scene": dull, "lit": lit}
            (what,) = [name for name, one in whole.items() if not differing(one.images[0], image).any()]
            became.append(what)
    print(f"\nof 12 interrupted jobs: {became}")
    assert not differing(off.images[0], webui.generate([bag], None).images[0]).any()
    assert not differing(lit.images[0], webui.generate([bag], settings).images[0]).any()


def test_without_a_model_or_with_a_wrong_one_the_scene_is_delivered_and_it_is_told(
    webui: WebUi, bag: Path, install: Install
) -> None:
    dull = webui.generate([bag], SCENE)
    lacking = webui.generate([bag], EDGES)
    assert "IC-Light is not installed" in lacking.texts[0] and not differing(dull.images[0], lacking.images[0]).any()
    install("fc", fits=False)
    wrong = webui.generate([bag], EDGES)
    assert "does not fit this checkpoint" in wrong.texts[0] and not differing(dull.images[0], wrong.images[0]).any()


def test_a_canvas_of_another_size_takes_light(webui: WebUi, bag: Path, install: Install) -> None:
    install()
    canvas: dict[str, Any] = {**STILL, "canvas": "1203x905", "product_share": 0.7, "ground_line": 0.9, "shadow": 0.5}
    job = {"steps": 1, "seed": 5, "width": SIDE, "height": SIDE}
    body = {"image": encoded(bag, (512, 512)), "settings": {**EDGES, **canvas}, "job": job}
    answer = webui.call("/photoshoot/v1/filter", body)
    assert decoded(answer["image"]).shape == (905, 1203, 3) and answer["scene"]["changed_product_pixels"] == 0
    assert answer["scene"]["light"] == NAMES["fbc"]
