"""A real WebUI for the end-to-end tests; without one they are skipped, saying so.

``PHOTOSHOOT_WEBUI_URL`` names a running WebUI 1.10.1 (with ``--api``, sd-webui-controlnet, this extension, and the
``painter`` extension of this folder linked into its ``extensions``); its outputs must be on this machine. Or
``PHOTOSHOOT_WEBUI`` names the folder of one and ``PHOTOSHOOT_WEBUI_PYTHON`` the interpreter with its packages, and
``starting.py`` links both extensions, starts it and ends it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.e2e.starting import started

OURS, PAINTER = "Product Photoshoot", "Painter"
SIDE = 256


@dataclass(frozen=True)
class Answer:
    """What the WebUI's API returned for a job."""

    images: list[np.ndarray]
    info: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        return self.info["infotexts"]


class WebUi:
    """The API of a running WebUI."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=300) as answer:
            return json.loads(answer.read())

    def generate(
        self, pictures: list[Path], settings: dict[str, Any] | None, path: str = "txt2img", **job: Any
    ) -> Answer:
        """Run a job whose images become ``pictures``; with ``settings`` None the extension gets no argument at all."""
        always_on = {PAINTER: {"args": [{"pictures": [str(p) for p in pictures]}]}} if pictures else {}
        if settings is not None:
            always_on[OURS] = {"args": [settings]}
        always_on |= job.pop("alwayson_scripts", {})
        body = {
            "prompt": "a bag", "seed": 5, "steps": 2, "width": SIDE, "height": SIDE, "sampler_name": "Euler",
            "scheduler": "Automatic", "alwayson_scripts": always_on, **job,
        }  # fmt: skip
        if body.get("enable_hr"):
            # Forge's own API fails without what its page sends here; other hosts pass it over.
            body.setdefault("hr_additional_modules", ["Use same choices"])
        answer = self.call(f"/sdapi/v1/{path}", body)
        images = [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")) for text in answer["images"]
        ]
        return Answer(images, json.loads(answer["info"]))

    def upscalers(self) -> list[str]:
        """Hires fix's quickest: one of latents, and one of pictures. Forge Neo has none of latents, and no Lanczos."""
        latent = [mode["name"] for mode in self.call("/sdapi/v1/latent-upscale-modes")]
        names = [one["name"] for one in self.call("/sdapi/v1/upscalers")]
        return [*latent[:1], "Lanczos" if "Lanczos" in names else "None"]


def decoded(text: str) -> np.ndarray:
    """A picture of an answer: uint8 (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


@pytest.fixture(scope="session")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    url, folder = os.environ.get("PHOTOSHOOT_WEBUI_URL"), os.environ.get("PHOTOSHOOT_WEBUI")
    python = os.environ.get("PHOTOSHOOT_WEBUI_PYTHON")
    if url:
        ui = WebUi(url)
        if lacking := _lacking(ui):
            pytest.skip(f"the WebUI at {url} lacks {lacking}")
        yield ui
    elif folder and python:
        scratch = tmp_path_factory.mktemp("webui")
        with started(Path(folder), python, scratch) as address:
            ui = WebUi(address)
            if lacking := _lacking(ui):
                pytest.fail(f"the WebUI did not load {lacking}; its log is in {scratch}")
            yield ui
    else:
        pytest.skip("no WebUI: set PHOTOSHOOT_WEBUI_URL, or PHOTOSHOOT_WEBUI and PHOTOSHOOT_WEBUI_PYTHON")


def _lacking(ui: WebUi) -> str:
    """Which of the two extensions it has not, as words."""
    scripts = ui.call("/sdapi/v1/scripts")["txt2img"]
    return " and ".join(name for name in (OURS, PAINTER) if name.lower() not in scripts)


def data_folder(webui: WebUi) -> Path:
    """The folder in which the WebUI keeps what is the user's."""
    # Hosts with pydantic 2 fail to tell their switches where --port is one of them.
    named = None if os.environ.get("PHOTOSHOOT_WEBUI_URL") else os.environ.get("PHOTOSHOOT_WEBUI")
    return Path(named or webui.call("/sdapi/v1/cmd-flags")["data_dir"])


@pytest.fixture
def allowed(webui: WebUi) -> Iterator[Path]:
    """A folder inside the WebUI's own one of results, in which it saves txt2img's pictures."""
    name = "outdir_txt2img_samples"
    before = webui.call("/sdapi/v1/options")[name]
    outputs = data_folder(webui) / Path(before).parent
    outputs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=outputs) as folder:
        webui.call("/sdapi/v1/options", {name: folder})
        yield Path(folder)
        webui.call("/sdapi/v1/options", {name: before})


@pytest.fixture(scope="session")
def bag(shared_data: Path) -> Path:
    return shared_data / "filter_inputs" / "handbag.png"


@pytest.fixture(scope="session")
def moon(shared_data: Path) -> Path:
    return shared_data / "filter_inputs" / "unknown.png"


def encoded(path: Path, size: tuple[int, int] | None = None) -> str:
    """A picture as the API takes it."""
    image = Image.open(path).convert("RGB")
    buffer = io.BytesIO()
    (image.resize(size) if size else image).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
