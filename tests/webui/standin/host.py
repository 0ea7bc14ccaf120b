"""Brings the stand-in host into this process and out of it again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.conftest import ROOT

HERE = Path(__file__).resolve().parent
OURS = ("lib_photoshoot.webui.hosts.a1111", "lib_photoshoot.webui.hosts.forge", "lib_photoshoot.webui.interface")
"""What of ours holds on to a host."""
FORGE = ("lib_controlnet", "modules_forge", "backend")
"""What Forge brings beside ``modules``; here an extension of the stand-in has it."""
_ITS_MODULES = ("modules", "scripts", "internal_controlnet", "annotator", "networks", *FORGE)
CHECKPOINT = "studio.safetensors"
CANNY = "control_v11p_sd15_canny [d14c016b]"


def _taken_out() -> dict[str, ModuleType]:
    """Take all modules of a host out of this process, and those of ours that hold on to them."""
    parts = tuple(f"{part}." for part in OURS)
    names = [name for name in sys.modules if name.split(".")[0] in _ITS_MODULES or f"{name}.".startswith(parts)]
    return {name: sys.modules.pop(name) for name in names}


class StandIn:
    """A host that was started; its modules are attributes, ``host.shared`` and so on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page: Any = None
        self.app: Any = None

    def __getattr__(self, name: str) -> Any:
        return importlib.import_module(f"modules.{name}")

    @property
    def outputs(self) -> Path:
        """The folder of results."""
        return self.folder / "outputs"

    @property
    def at_work(self) -> bool:
        """Whether somebody has the turn in the queue."""
        return bool(self.call_queue.queue_lock._owner)

    @property
    def checkpoint(self) -> Any:
        """The checkpoint at hand."""
        return self.shared.sd_model

    def switch(self, **given: Any) -> None:
        """Start with other switches; before :meth:`start`."""
        vars(self.shared.cmd_opts).update(vars(self.shared_cmd_options.parse(**given)))

    def start(self, *extensions: str) -> Any:
        """Load the extensions, build the page and its application, as the host does; returns the page."""
        for file in (HERE / "host" / "modules").glob("[a-z]*.py"):
            importlib.import_module(f"modules.{file.stem}")
        for name in extensions:
            source = ROOT if name == "photoshoot" else HERE / "extensions" / name
            (Path(self.paths.extensions_dir) / name).symlink_to(source)
            sys.path.insert(0, str(source))
        self.scripts.load_scripts()
        self.script_callbacks.before_ui_callback()
        self.page = self.ui.create_ui()
        self.app = self.page.app
        self.page.server_app = self.app
        if self.shared.cmd_opts.api:
            self.api = importlib.import_module("modules.api.api").Api(self.app, self.call_queue.queue_lock)
        self.script_callbacks.app_started_callback(self.page, self.app)
        return self.page

    def become_forge(self) -> None:
        """Keep what patches the checkpoint where Forge does; after :meth:`start` with ``forge_controlnet``."""
        checkpoint, plain = self.checkpoint, type(self.checkpoint).paint
        checkpoint.forge_objects_after_applying_lora = SimpleNamespace(unet=SimpleNamespace(controls=[]))

        def begin() -> None:
            checkpoint.forge_objects = copy(checkpoint.forge_objects_after_applying_lora)

        def paint(*given: Any) -> Any:
            pixels = plain(checkpoint, *given)
            pixels[..., 2] += 60 * sum(checkpoint.forge_objects.unet.controls)
            return pixels.clip(0, 255)

        begin()
        checkpoint.before_sampling, checkpoint.paint = begin, paint

    def reports(self) -> list[str]:
        """What the host reported since the last time it was asked."""
        reported = list(self.errors.exception_records)
        self.errors.exception_records.clear()
        return reported


@contextmanager
def standing_in(folder: Path) -> Iterator[StandIn]:
    """A host that has not started yet, its files in ``folder``."""
    path, before = list(sys.path), _taken_out()
    sys.path.insert(0, str(HERE / "host"))
    try:
        host = StandIn(folder)
        _move_in(host, folder)
        host.gradio_extensons.install()
        yield host
    finally:
        if "modules.gradio_extensons" in sys.modules:
            sys.modules["modules.gradio_extensons"].remove()
        sys.path[:] = path
        _taken_out()
        sys.modules.update(before)
        for part in OURS:
            if part in before:
                house, _, name = part.rpartition(".")
                setattr(sys.modules[house], name, before[part])


def _move_in(host: StandIn, folder: Path) -> None:
    paths = host.paths
    paths.data_path, paths.models_path = str(folder), str(folder / "models")
    paths.extensions_dir = str(folder / "extensions")
    for place in (paths.extensions_dir, f"{paths.models_path}/Stable-diffusion", f"{paths.models_path}/Lora"):
        Path(place).mkdir(parents=True)
    checkpoint = Path(paths.models_path, "Stable-diffusion", CHECKPOINT)
    checkpoint.write_bytes(b"")
    host.sd_models.CheckpointInfo(str(checkpoint)).register()
