"""What training needs of a host, as one protocol; nothing here imports a WebUI.

``a1111/training_host.py`` is the real adapter, ``tests/webui/train/test_service.py`` holds a small in-memory one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from lib_photoshoot.training.captions.protocol import Captioner
    from lib_photoshoot.webui.http.folders import AllowedFolders


@dataclass(frozen=True)
class HostCheckpoint:
    """A checkpoint by the name that the host lists it under."""

    name: str
    path: Path


class TrainingHost(Protocol):
    """A running WebUI, as seen from the Train part. Safe to call from several threads."""

    def checkpoints(self) -> Sequence[HostCheckpoint]:
        """Return the checkpoints that the host lists."""
        ...

    def loaded(self) -> str | None:
        """Return the name of the checkpoint in use, None without one."""
        ...

    def folders(self) -> AllowedFolders:
        """Return the folders that may be read and written, asked anew each time."""
        ...

    def lora_folder(self) -> Path:
        """Where the host looks for LoRA files."""
        ...

    def refresh_loras(self) -> None:
        """Let the host's list of LoRAs know new files."""
        ...

    def named_trainer(self) -> tuple[str, str]:
        """Return the sd-scripts folder and the interpreter of the host's Settings page, empty where none was named."""
        ...

    def refusal(self) -> str | None:
        """Return a sentence that says why nothing may be installed through this host, None where it may."""
        ...

    def device(self) -> str:
        """Return the torch device for detection and captions that the user chose, ``cpu`` by default."""
        ...

    def turn(self) -> AbstractContextManager[Any]:
        """Our turn in the host's queue, in which nothing else uses models."""
        ...

    def release_models(self) -> None:
        """Let the detection models go, if the user wants that after each job."""
        ...

    def missing_for_captions(self) -> str | None:
        """Return a sentence that says what the host's own captioner lacks, None where it can caption."""
        ...

    def captioner(self) -> Captioner:
        """Return the host's own captioner. Raises TrainingError where :meth:`missing_for_captions` says something."""
        ...

    def make_room(self) -> None:
        """Take the host's models out of the way of a training; nothing where they are in none. Waits for our turn."""
        ...

    def give_back(self) -> None:
        """Put back what :meth:`make_room` took away. Waits for our turn."""
        ...
