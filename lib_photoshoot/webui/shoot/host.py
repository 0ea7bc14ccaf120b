"""What shoots need of a host, as one protocol; nothing here imports a WebUI.

``a1111/shoot_host.py`` is the real adapter, ``tests/webui/shoot/test_service.py`` holds a small one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.shoot.run.webui import WebUi

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.webui.http.folders import AllowedFolders


class ShootHost(Protocol):
    """A running WebUI, as seen from the page of shoots. Safe to call from several threads."""

    def folder(self) -> Path:
        """Where shoots lie, each in a folder of its own; it need not be there yet."""
        ...

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Return what the host has for the fields lora, checkpoint, preset, sampler and scheduler."""
        ...

    def problem(self, settings: FilterSettings) -> str | None:
        """Return a sentence that says why its filter cannot look for these products, None where it can."""
        ...

    def folders(self) -> AllowedFolders:
        """Return the folders that rows may name photos in."""
        ...

    def stage(self, settings: FilterSettings, photo: Path) -> Image.Image:
        """Return how the first scene of a photo would begin, painting nothing. Raises PhotoshootError."""
        ...

    def webui(self) -> WebUi:
        """Return the host itself, to make pictures."""
        ...

    def refusal(self, url: str) -> str | None:
        """Return a sentence that says why the host may not be told to ask another WebUI, None where it may."""
        ...

    def choose(self, settings: FilterSettings) -> ModelChoice:
        """Return the models that cut out what these settings look for, on the device that the user chose."""
        ...

    def load(self, choice: ModelChoice) -> Filter:
        """Return a filter with them that enhances nothing, and takes the host's turn for each picture. Raises
        WeightsError.
        """
        ...

    def release_models(self) -> None:
        """Let the detection models go, if the user wants that after each job."""
        ...
