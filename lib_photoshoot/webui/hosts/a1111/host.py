"""The host protocol on the real WebUI. Imports ``modules`` on first use only, never at the WebUI's start."""

from __future__ import annotations

from typing import Any

from PIL import Image

from lib_photoshoot.webui.hosts.a1111.controlnet import find_controlnet
from lib_photoshoot.webui.hosts.a1111.options import read_option
from lib_photoshoot.webui.hosts.control import HostControlNet
from lib_photoshoot.webui.hosts.forge.memory import find_memory
from lib_photoshoot.webui.hosts.protocol import InpaintRequest, LightModel, LightRequest
from lib_photoshoot.webui.http.folders import AllowedFolders


def command_line() -> Any:
    """Return the switches that the host was started with, by their names."""
    from modules import shared

    return shared.cmd_opts


class A1111Host:
    """See ``Host``."""

    def controlnet(self) -> HostControlNet | None:
        return find_controlnet()

    def family(self) -> str | None:
        from lib_photoshoot.webui.hosts.a1111 import checkpoint

        return checkpoint.family_of(checkpoint.loaded())

    def is_inpainting(self) -> bool:
        from lib_photoshoot.webui.hosts.a1111 import checkpoint

        return checkpoint.is_inpainting(checkpoint.loaded())

    def inpaint(self, job: Any, request: InpaintRequest) -> Image.Image:
        from lib_photoshoot.webui.hosts.a1111 import nested

        return nested.run(job, request, self.controlnet())

    def light_models(self) -> tuple[LightModel, ...] | None:
        from lib_photoshoot.webui.hosts.a1111 import iclight

        return iclight.light_models()

    def relight(self, job: Any, request: InpaintRequest, light: LightRequest) -> Image.Image:
        from lib_photoshoot.webui.hosts.a1111 import iclight

        return iclight.relight(job, request, light, self.controlnet())

    def stopped(self) -> bool:
        from lib_photoshoot.webui.hosts.a1111 import nested

        return nested.stopped()

    def expect(self, passes: int) -> None:
        from modules import shared

        shared.state.job_count += passes

    def detector_device(self) -> str:
        memory = find_memory()
        # Whoever starts the host with these is short of GPU memory already.
        short = any(getattr(command_line(), name, False) for name in ("lowvram", "medvram", "medvram_sdxl"))
        return "cpu" if short or (memory is not None and memory.is_short) else str(read_option("device"))

    def option(self, name: str) -> Any:
        return read_option(name)

    def folders(self) -> AllowedFolders:
        from lib_photoshoot.webui.hosts.a1111.outer import usable_folders

        return usable_folders()
