"""A stand-in host for each test, started once for all tests of a file; see ``tests/webui/standin``."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot import paths
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.webui.generate import job as jobs
from tests.webui.generate.test_job import BrightModels
from tests.webui.standin.host import CANNY, StandIn, standing_in

SIDE = 96
OURS = "Product Photoshoot"
DEPTH = "control_v11f1p_sd15_depth [cfd03158]"
WIDE = "control_wide_canny [00000000]"


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> BrightModels:
    """Bright areas are bags, in place of the real networks."""
    bright = BrightModels()
    monkeypatch.setattr(REGISTRY, "get", lambda choice: bright)
    for check in ("_check_words", "_check_models"):
        monkeypatch.setattr(jobs, check, lambda job: None, raising=False)
    return bright


@pytest.fixture(autouse=True)
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where presets and trainings are kept, in place of the extension's own folder."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "photoshoot.py").touch()  # by which a clone is known
    monkeypatch.setattr(paths, "ROOT", root)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return root


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(_place(tmp_path_factory.mktemp("host"))) as host:
        start(host)
        yield host


@pytest.fixture
def host(_started: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A host with ControlNet and our extension. What an extension lets it report fails the test."""
    host, shared = _started, _started.shared
    monkeypatch.setitem(vars(shared), "state", host.shared_state.State())
    monkeypatch.setattr(host.processing, "state", shared.state)
    before = dict(shared.opts.data)
    for name in [name for name in before if name.startswith("outdir_") and before[name]]:
        shared.opts.data[name] = str(host.outputs / tmp_path.name / name.removeprefix("outdir_"))
    yield host
    shared.opts.data.clear()
    shared.opts.data.update(before)
    hooks = host.checkpoint.hooks
    vars(host.checkpoint).update(pictures={}, hooks=[], at_step=lambda p: None)
    (Path(host.paths.data_path) / "params.txt").unlink(missing_ok=True)
    assert host.reports() == [] and not hooks and not host.at_work


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., StandIn]]:
    """Starts a host of the test's own: with these extensions, and switches by name."""
    with ExitStack() as stack:
        made: list[StandIn] = []

        def begin(*extensions: str, **switches: Any) -> StandIn:
            host = stack.enter_context(standing_in(_place(tmp_path / "host")))
            host.switch(**switches)
            made.append(host)
            start(host, *extensions)
            return host

        yield begin
        for host in made:
            assert host.reports() == []


def _place(folder: Path) -> Path:
    pytest.importorskip("gradio", reason="gradio is not installed here: run python -m tests.webui.standin")
    folder.mkdir(exist_ok=True)
    return folder


def start(host: StandIn, *extensions: str) -> None:
    """Start with ControlNet and its models, and our extension; nothing is done later on."""
    names = extensions or ("controlnet", "photoshoot")
    host.start(*names)
    from lib_photoshoot.webui.hosts.a1111 import routes

    assert routes._LATER_S > 1, "a timer of the start is still waiting"
    if "controlnet" in names:
        from scripts import global_state

        for name, width in ((CANNY, 768), (DEPTH, 768), (WIDE, 2048)):
            global_state.cn_models[name] = control_file(host.folder, name, width)
        global_state.update_cn_models()


def control_file(folder: Path, name: str, width: int) -> str:
    """The path of a ControlNet for checkpoints whose text has this width, made in the folder."""
    file = folder / f"{name.split(' ')[0]}.safetensors"
    tensor = {"dtype": "F16", "shape": [1, width], "data_offsets": [0, 2 * width]}
    header = json.dumps({"a.attn2.to_k.weight": tensor}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(2 * width))
    return str(file)


def bag(*, lit: bool = True, place: tuple[int, int] = (30, 30), side: int = SIDE) -> Image.Image:
    """A dark picture with a bright square of 32 pixels, or without."""
    pixels = np.random.default_rng(3).integers(0, 90, (side, side, 3), dtype=np.uint8)
    if lit:
        pixels[place[1] : place[1] + 32, place[0] : place[0] + 32] = 200
    return Image.fromarray(pixels)


def encoded(image: Image.Image) -> str:
    """A picture as the API takes it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def decoded(text: str) -> np.ndarray:
    """A picture of the API: uint8 RGB (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


@dataclass(frozen=True)
class Answer:
    """What the host's API returned for a job."""

    images: list[np.ndarray]
    texts: list[str]
    first: int
    """Index of the first picture that is no grid."""


ON = {"products": "bag", "prompt": "[PROMPT] in a studio", "recheck": False, "mask_grow": 0, "mask_blur": 0}


def generate(host: StandIn, settings: dict[str, Any] | None = None, tab: str = "txt2img", **job: Any) -> Answer:
    """Run a job by the host's API; with ``settings`` None our script gets no argument at all."""
    from modules.api import models

    always_on = dict(job.pop("alwayson_scripts", {}))
    if settings is not None:
        always_on[OURS] = {"args": [settings]}
    body = {
        "prompt": "a bag", "seed": 5, "steps": 2, "width": SIDE, "height": SIDE, "alwayson_scripts": always_on, **job,
    }  # fmt: skip
    if tab == "img2img":
        answer = host.api.img2imgapi(models.StableDiffusionImg2ImgProcessingAPI(**body))
    else:
        answer = host.api.text2imgapi(models.StableDiffusionTxt2ImgProcessingAPI(**body))
    info = json.loads(answer.info)
    return Answer([decoded(text) for text in answer.images], info["infotexts"], info["index_of_first_image"])


def stop_at(host: StandIn, step: int, interrupts: bool) -> None:
    """Let the user interrupt, or else skip, at the given step, counted over all passes from now on."""
    reached: list[Any] = []

    def stop(p: Any) -> None:
        reached.append(p)
        if len(reached) == step:
            state = host.shared.state
            state.interrupt() if interrupts else state.skip()

    host.checkpoint.at_step = stop


def differing(a: np.ndarray, b: np.ndarray, by: int = 1) -> np.ndarray:
    """Where two pictures differ by so many levels or more: bool (height, width)."""
    return (np.abs(a.astype(int) - b) >= by).any(axis=2)


def seed_in(text: str) -> int:
    """The seed of an infotext."""
    return int(text.split("Seed: ")[1].split(",")[0])


def saved(host: StandIn, kind: str) -> list[Path]:
    """The pictures in one of the host's output folders, with those below it."""
    return sorted(Path(host.shared.opts.data[f"outdir_{kind}"]).rglob("*.png"))
