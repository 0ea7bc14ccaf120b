"""A small in-memory host: paints flat colours where it is asked to, and stops or fails on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from lib_photoshoot.webui.hosts.protocol import ControlModel, InpaintRequest, LightModel, LightRequest
from lib_photoshoot.webui.http.folders import AllowedFolders


class FakeControlNet:
    """See ``ControlNetApi``."""

    def __init__(self, models: Sequence[ControlModel], downloaded: Sequence[str] = ()) -> None:
        self._models = models
        self._downloaded = downloaded

    def models(self, refresh: bool = False) -> Sequence[ControlModel]:
        return self._models

    def modules(self) -> Sequence[str]:
        return [
            "none", "canny", "tile_resample", "depth_midas", "inpaint_only", "lineart_standard", "reference_only",
            "ip-adapter_clip_h",
        ]  # fmt: skip

    def needs_download(self, module: str) -> bool:
        return module == "depth_midas" and module not in self._downloaded

    def most_units(self) -> int:
        return 3


class FakeHost:
    """See ``Host``. ``before_paint`` is called with the number of each pass, to stop or to fail in the middle."""

    def __init__(self, controlnet: FakeControlNet | None = None, family: str | None = "sd1") -> None:
        self._controlnet = controlnet
        self._family = family
        self.requests: list[InpaintRequest] = []
        self.is_stopped = False
        self.expected = 0
        self.before_paint: Callable[[int], None] = lambda number: None
        self.colour = (10, 200, 30)
        self.allowed: tuple[Path, ...] = ()
        self.inpainting = False
        self.lights: Sequence[LightModel] | None = ()
        self.lit: list[LightRequest] = []
        self.light = (250, 220, 160)

    def controlnet(self) -> FakeControlNet | None:
        return self._controlnet

    def family(self) -> str | None:
        return self._family

    def is_inpainting(self) -> bool:
        return self.inpainting

    def inpaint(self, job: Any, request: InpaintRequest) -> Image.Image:
        self.requests.append(request)
        self.before_paint(len(self.requests))
        # As the WebUI does: blend over the blurred mask, and leave the rest to the original.
        mask = request.mask.filter(ImageFilter.GaussianBlur(request.mask_blur))
        mask = Image.fromarray(np.where(np.asarray(mask) > 2, np.asarray(mask), 0).astype(np.uint8))
        return Image.composite(Image.new("RGB", request.image.size, self.colour), request.image, mask)

    def light_models(self) -> Sequence[LightModel] | None:
        return self.lights

    def relight(self, job: Any, request: InpaintRequest, light: LightRequest) -> Image.Image:
        self.requests.append(request)
        self.lit.append(light)
        self.before_paint(len(self.requests))
        return Image.new("RGB", request.image.size, self.light)

    def stopped(self) -> bool:
        return self.is_stopped

    def expect(self, passes: int) -> None:
        self.expected += passes

    def detector_device(self) -> str:
        return "cpu"

    def option(self, name: str) -> Any:
        return None

    def folders(self) -> AllowedFolders:
        return AllowedFolders(self.allowed)
