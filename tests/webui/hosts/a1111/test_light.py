"""New light in the stand-in host: what takes it, what later passes show of it, and stops at random times."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.webui.hosts.a1111.conftest import SIDE, bag, decoded, differing, encoded, generate, stop_at
from tests.webui.hosts.a1111.test_scene import SCENE, SQUARE, check_scene
from tests.webui.standin.host import StandIn
from tests.webui.standin.network import SmallNetwork, offsets_for

EDGES = {**SCENE, "relight": "edges and shadow"}
PRODUCT = {**SCENE, "relight": "product too"}
FILES = {"fc": "iclight_sd15_fc", "fbc": "iclight_sd15_fbc"}

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def network(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallNetwork]:
    """The checkpoint's network; afterwards nothing of it is another, and no hook is left."""
    made = SmallNetwork()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    monkeypatch.setattr(host.checkpoint.model, "diffusion_model", made)
    yield made
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert not any(layer._forward_hooks for layer in made.modules())


@pytest.fixture
def install(host: StandIn, network: SmallNetwork) -> Iterator[Install]:
    """Puts random offsets of IC-Light's shape into a folder of the host's models."""
    made: list[Path] = []

    def put(kind: str = "fbc", folder: str = "ic-light", name: str = "", **others: torch.Tensor) -> Path:
        path = Path(host.paths.models_path, folder, f"{name or FILES[kind]}.safetensors")
        path.parent.mkdir(exist_ok=True)
        save_file(offsets_for(network, 8 if kind == "fbc" else 4) | others, path)
        made.append(path)
        return path

    yield put
    for path in made:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["fc", "fbc"])
def test_edges_and_shadow_alone_take_the_light_in_a_batch_of_two_by_two(
    host: StandIn, install: Install, kind: str
) -> None:
    host.checkpoint.pictures = {seed: bag(place=(30, 30)) for seed in (5, 6, 7, 8)}
    job = {"batch_size": 2, "n_iter": 2}
    off, dull = generate(host, None, **job), generate(host, SCENE, **job)
    install(kind)
    lit = generate(host, EDGES, **job)
    batches = zip(off.images[-4:], dull.images[-4:], lit.images[-4:], lit.texts[-4:], strict=True)
    for before, scene, after, text in batches:
        check_scene(before, after)
        changed = differing(scene, after)
        assert changed.any() and not changed[SQUARE][2:-2, 2:-2].any() and not changed[:20].any()
        assert "0 of " in text and f"new light by {FILES[kind]} on edges and shadow alone" in text
    for before, after in zip(off.images, generate(host, None, **job).images, strict=True):
        assert not differing(before, after).any(), "a later job"
    again = generate(host, EDGES, **job)
    assert not any(differing(a, b).any() for a, b in zip(lit.images, again.images, strict=True))


def test_the_product_takes_it_when_asked_which_is_told_as_an_edit(host: StandIn, install: Install) -> None:
    host.checkpoint.pictures = {5: bag()}
    install()
    dull, lit = generate(host, SCENE), generate(host, PRODUCT)
    changed = differing(dull.images[0], lit.images[0])
    assert changed[SQUARE].mean() > 0.9 and not changed[:20].any() and "that is an edit" in lit.texts[0]
    count, kept = map(int, re.search(r"(\d+) of (\d+) product pixels changed", lit.texts[0]).groups())  # type: ignore[union-attr]
    assert 0.9 * kept < count <= kept


def test_both_models_are_shown_the_foreground_and_one_the_background(host: StandIn, install: Install) -> None:
    host.checkpoint.pictures = {5: bag()}
    pictures = []
    for kind in FILES:
        path = install(kind)
        pictures.append(generate(host, PRODUCT).images[0])
        path.unlink()
    assert differing(*pictures)[SQUARE].any()


def test_a_request_answers_what_was_lit_and_marks_the_file(host: StandIn, install: Install) -> None:
    from fastapi.testclient import TestClient

    install()
    client = TestClient(host.app)
    body = {"image": encoded(bag()), "job": {"steps": 2, "seed": 5, "width": SIDE, "height": SIDE}}
    for relight, edited in (("edges and shadow", False), ("product too", True)):
        settings = {**SCENE, "scene_denoise": 0.0, "backdrop": "#a0a0a0", "relight": relight}
        answer = client.post("/photoshoot/v1/filter", json={**body, "settings": settings}).json()
        scene = answer["scene"]
        assert (scene["light"], scene.get("relit_product", False), scene["generated"]) == (FILES["fbc"], edited, True)
        assert (scene["changed_product_pixels"] > 0) is edited and decoded(answer["image"]).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("folder", "name", "found"),
    [
        ("unet", "IC-Light_fbc", True),
        ("unet", "another", False),
        ("iclight", "any name", True),
        ("VAE", FILES["fbc"], False),
    ],
)
def test_where_models_are_found(host: StandIn, install: Install, folder: str, name: str, found: bool) -> None:
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    install("fbc", folder, name)
    assert [model.name for model in A1111Host().light_models() or ()] == [name] * found


def test_a_model_of_our_own_folder_is_found(
    host: StandIn, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path))
    install("fc").rename(tmp_path / "iclight_sd15_fc.safetensors")
    (tmp_path / "iclight_half.safetensors").write_bytes(b"half a fi")
    (model,) = A1111Host().light_models() or ()
    assert model.name == "iclight_sd15_fc" and not model.sees_background


def test_a_fork_with_another_kind_of_network_gets_none(host: StandIn, install: Install) -> None:
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    install()
    host.checkpoint.forge_objects = object()
    host.checkpoint.pictures = {5: bag()}
    try:
        answer = generate(host, EDGES)
        assert A1111Host().light_models() is None
    finally:
        del host.checkpoint.forge_objects
    assert "new scene by" in answer.texts[0] and "cannot be relit by IC-Light" in answer.texts[0]


@pytest.mark.parametrize(
    ("others", "words"), [({"out.2.bias": torch.zeros(7)}, "does not fit this checkpoint"), ({}, "cannot be read")]
)
def test_a_file_that_cannot_be_used_leaves_the_scene_as_it_is(
    host: StandIn, install: Install, others: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.checkpoint.pictures = {5: bag()}
    dull, path = generate(host, SCENE), install("fbc", **others)
    if not others:  # cut off behind its header
        path.write_bytes(path.read_bytes()[:-100])
    answer = generate(host, EDGES)
    assert words in answer.texts[0] and not differing(dull.images[0], answer.images[0]).any()


def test_want_of_memory_and_another_network_are_told(
    host: StandIn, install: Install, network: SmallNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.checkpoint.pictures = {5: bag()}
    dull = generate(host, SCENE)
    install()
    still = {**EDGES, "scene_denoise": 0.0}
    with monkeypatch.context() as patch:

        def full(pictures: torch.Tensor) -> None:
            raise RuntimeError("CUDA out of memory.\nTried to allocate")

        patch.setattr(host.checkpoint, "encode_first_stage", full)
        patch.setattr(host.checkpoint, "paint", lambda prompt, seed, width, height: np.asarray(bag(), np.float32))
        assert "could not be made ready (CUDA out of memory.)" in generate(host, still).texts[0].replace('\\"', '"')
        patch.undo()
        patch.setattr(host.checkpoint, "paint", lambda prompt, seed, width, height: np.asarray(bag(), np.float32))
        assert "turn that SD Unet off" in generate(host, still).texts[0]
    assert not differing(dull.images[0], generate(host, SCENE).images[0]).any()


def test_fifty_stops_at_random_times_leave_the_original_or_the_scene_whole(host: StandIn, install: Install) -> None:
    host.checkpoint.pictures = {5: bag()}
    install()
    job = {"steps": 10}
    off, dull, lit = (generate(host, one, **job).images[0] for one in (None, SCENE, PRODUCT))
    chance, became = random.Random(3), {"original": 0, "scene": 0}
    for number in range(50):
        at = chance.randint(11, 30)  # after the job's own ten: the scene's, and the light's
        stop_at(host, at, bool(number % 2))
        (image,) = generate(host, PRODUCT, **job).images
        assert not differing(off if at <= 20 else dull, image).any()
        became["original" if at <= 20 else "scene"] += 1
    host.checkpoint.at_step = lambda p: None
    assert min(became.values()) > 15
    assert not differing(lit, generate(host, PRODUCT, **job).images[0]).any(), "the host stays healthy"
