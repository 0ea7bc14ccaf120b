"""Everything the extension needs of a host, as one protocol; nothing here imports a WebUI.

``a1111/`` holds the real adapter, ``forge/`` what hosts with Forge's backend have otherwise,
``tests/webui/fake_host.py`` a small in-memory one, and the contract tests hold them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image


FAMILIES = ("sdxl", "sd2", "sd1")
"""Kinds of checkpoints that ControlNet is offered with."""


@dataclass(frozen=True)
class ControlUnit:
    """One ControlNet unit: preprocessor, model as listed, weight 0..2, guidance from ``start`` to ``end`` of the steps.

    The last two are shares from 0 to 1. ``image`` is a picture of its own, RGB of any size, None for that of the pass;
    ``region`` an 'L' picture of the pass's size, white where the unit works, None for everywhere.
    """

    module: str
    model: str
    weight: float = 1.0
    mode: str = "Balanced"
    start: float = 0.0
    end: float = 1.0
    image: Image.Image | None = field(default=None, repr=False, compare=False)
    region: Image.Image | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, eq=False)
class InpaintRequest:
    """One nested img2img inpainting.

    ``image`` is RGB, ``mask`` an 'L' picture of the same size, white where the host paints. ``mask_blur`` and
    ``padding`` are pixels. ``steps`` 0, ``cfg_scale`` 0 and an empty ``sampler`` or ``scheduler`` take the outer job's.
    ``only_masked`` paints at the outer job's size; with ``own_ratio`` at as many pixels, in the picture's own ratio.
    """

    image: Image.Image
    mask: Image.Image
    prompt: str
    negative_prompt: str
    seed: int
    denoise: float
    mask_blur: int
    only_masked: bool
    padding: int
    steps: int = 0
    cfg_scale: float = 0.0
    sampler: str = ""
    scheduler: str = ""
    units: tuple[ControlUnit, ...] = ()
    own_ratio: bool = False


@dataclass(frozen=True)
class LightModel:
    """A model of IC-Light that the user has installed; ``sees_background`` where it is shown that too."""

    name: str
    path: Path
    sees_background: bool


@dataclass(frozen=True, eq=False)
class LightRequest:
    """What a model of IC-Light is shown besides the pass's own picture, each RGB and of its size.

    ``foreground`` has the products on the grey 127, ``background`` what is behind them.
    """

    model: LightModel
    foreground: Image.Image
    background: Image.Image


@dataclass(frozen=True)
class ControlModel:
    """A ControlNet model of the host: its name in the host's lists, and the checkpoint family it was made for.

    ``family`` is ``sd1``, ``sd2``, ``sdxl``, or None where the file does not tell.
    """

    name: str
    family: str | None


class ControlNetApi(Protocol):
    """What the host's ControlNet extension offers."""

    def models(self, refresh: bool = False) -> Sequence[ControlModel]:
        """Installed models, without the entry ``None``."""
        ...

    def modules(self) -> Sequence[str]:
        """Names of the preprocessors."""
        ...

    def needs_download(self, module: str) -> bool:
        """Whether a preprocessor would have to fetch weights before it works."""
        ...

    def most_units(self) -> int:
        """Return how many units one pass can have."""
        ...


class Folders(Protocol):
    """The folders of this machine that the page and requests may name; see ``webui/http/folders.py``."""

    def resolve(self, text: object) -> Path:
        """Return the real path that a text names, existing or not. Raises FolderError."""
        ...

    def holds(self, path: Path) -> bool:
        """Whether a path leads, after its links, to a place inside of them."""
        ...


class Host(Protocol):
    """A running WebUI, as seen from one job."""

    def controlnet(self) -> ControlNetApi | None:
        """ControlNet, where it is installed and loaded."""
        ...

    def family(self) -> str | None:
        """Return the loaded checkpoint's family: ``sd1``, ``sd2``, ``sdxl``, the host's word for another one, which
        ControlNet is not offered with, or None where it is not known.
        """
        ...

    def is_inpainting(self) -> bool:
        """Whether the loaded checkpoint was made for inpainting, and sees what is to be painted around."""
        ...

    def inpaint(self, job: Any, request: InpaintRequest) -> Image.Image:
        """Run one inpainting inside ``job`` (the host's own processing object) and return the whole picture.

        Raises EnhancementError when the host or its ControlNet failed, EnhancementStopped when the user stopped it.
        """
        ...

    def light_models(self) -> Sequence[LightModel] | None:
        """Return the models of IC-Light that are installed; None where the host's networks cannot be relit by them."""
        ...

    def relight(self, job: Any, request: InpaintRequest, light: LightRequest) -> Image.Image:
        """Run one pass as :meth:`inpaint`, under a model of IC-Light; later passes are as without it.

        Raises EnhancementError and EnhancementStopped as that does.
        """
        ...

    def stopped(self) -> bool:
        """Whether the user interrupted the job, skipped the image or asked to stop after it."""
        ...

    def expect(self, passes: int) -> None:
        """Announce nested passes, so that the host's progress bar does not run past its end."""
        ...

    def detector_device(self) -> str:
        """Return the torch device for detection and segmentation that the user chose, ``cpu`` by default."""
        ...

    def option(self, name: str) -> Any:
        """One of our own options on the host's Settings page."""
        ...

    def folders(self) -> Folders:
        """Return the folders that the page and requests may name."""
        ...
