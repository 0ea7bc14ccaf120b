"""The trainer as the page shows it: what it can, looked at once in the background, and its installation."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.training.trainer.environment import (
    FOLDER_VARIABLE,
    INSTALL_COMMAND,
    PYTHON_VARIABLE,
    Capabilities,
    TrainerEnvironment,
    inspect,
)
from lib_photoshoot.webui.http.background import BackgroundJob, JobState, in_background
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.folders import FolderError, full_path

if TYPE_CHECKING:
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.webui.train.host import TrainingHost

NOT_INSTALLED = (
    "The trainer is not installed yet: sd-scripts and its packages, up to 7 GB in a folder of their own, apart from "
    "the WebUI's."
)
_LOOKING = "The trainer is being looked at, which takes some seconds."
_PATIENCE_S = 0.2
"""Most of what can be wrong is seen at once; only a trainer that is there takes seconds to ask."""

_Key = tuple[str, str, tuple[int, ...]]


class Trainer:
    """One answer to each look, kept until the trainer's files change. Safe across threads."""

    def __init__(self, controller: TrainingController, host: TrainingHost) -> None:
        self._controller = controller
        self._host = host
        self._installation = BackgroundJob("installation")
        self._lock = threading.Lock()
        self._key: _Key | None = None
        self._looking: threading.Thread | None = None
        self._answer: Capabilities | str | None = None

    def environment(self) -> TrainerEnvironment:
        """Return the trainer that is named in the host's Settings, else by the environment, else our own.

        Raises FolderError for a name that is no full path.
        """
        folder, python = (text and str(full_path(text)) for text in self._host.named_trainer())
        return self._controller.environment(folder or None, python or None)

    def capabilities(self) -> Capabilities | None:
        """Return what the trainer can, None where it cannot train or was not looked at to the end. Never waits for
        it.
        """
        answer = self._look()
        return answer if isinstance(answer, Capabilities) else None

    def to_dict(self) -> dict[str, Any]:
        """Return what the page shows; begins to look at the trainer where that was not done."""
        job = self._installation.state
        answer = None if job.busy else self._look()
        ready = isinstance(answer, Capabilities)
        return {
            "ready": ready,
            "text": self._text(answer),
            "can_install": not (ready or job.busy or answer is None) and self._refusal() is None,
            "looking": answer is None and not job.busy,
            "busy": job.busy,
            "share": job.share,
            "doing": job.doing,
            "error": job.error,
        }

    def install(self) -> dict[str, Any]:
        """Begin the installation. Raises RequestError 403 where that is not allowed, 409 while it is under way."""
        refusal = self._refusal()
        if refusal:
            raise RequestError(refusal, 403)
        self._installation.start("", self._install)
        return self.to_dict()

    def _install(self, state: JobState) -> None:
        from lib_photoshoot.training.trainer.installation import install

        install(self._controller.home, state.tell)

    def _refusal(self) -> str | None:
        folder, python = self._host.named_trainer()
        if folder or python or os.environ.get(FOLDER_VARIABLE) or os.environ.get(PYTHON_VARIABLE):
            return (
                "You have named a trainer of your own, in Settings or the environment; take that away to install ours."
            )
        return self._host.refusal()

    def _look(self) -> Capabilities | str | None:
        """Return what the trainer can, or the sentence that says why it cannot train; None while it is being asked."""
        try:
            environment = self.environment()
        except FolderError as error:
            return str(error)
        key = _key_of(environment)
        begun = None
        with self._lock:
            if key != self._key and (self._looking is None or not self._looking.is_alive()):
                self._key, self._answer = key, None
                begun = self._looking = in_background(
                    "look at the trainer", partial(self._ask, environment, key), partial(self._tell, key)
                )
        if begun is not None:
            begun.join(_PATIENCE_S)
        with self._lock:
            return self._answer if key == self._key else None

    def _ask(self, environment: TrainerEnvironment, key: _Key) -> None:
        answer: Capabilities | str
        try:
            answer = inspect(environment)
        except PhotoshootError as error:
            answer = str(error).replace(f"run `{INSTALL_COMMAND}`", "press Install")
        self._tell(key, answer)

    def _tell(self, key: _Key, answer: Capabilities | str) -> None:
        with self._lock:
            if key == self._key:
                self._answer = answer

    def _text(self, answer: Capabilities | str | None) -> str:
        if answer is None:
            return _LOOKING
        if isinstance(answer, Capabilities):
            return _described(answer)
        absent = self._refusal() is None and not self._controller.environment().sd_scripts.is_dir()
        return NOT_INSTALLED if absent else answer


def _described(capabilities: Capabilities) -> str:
    if capabilities.gpus:
        where = "on " + ", ".join(f"{gpu.name} ({gpu.memory / 2**30:.0f} GB)" for gpu in capabilities.gpus)
    else:
        where = "on the CPU, as it sees no CUDA GPU"
    python = capabilities.python.split()[0] if capabilities.python else ""
    return f"sd-scripts {capabilities.sd_scripts} with Python {python} trains {where}."


def _key_of(environment: TrainerEnvironment) -> _Key:
    """Return what tells whether the trainer is another one than it was: its places, and when their files changed."""
    venv = environment.python.parent.parent
    places = [environment.python, environment.sd_scripts / "train_network.py", *venv.glob("lib/python*/site-packages")]
    times = tuple(_time_of(place) for place in (*places, venv / "Lib" / "site-packages"))
    return str(environment.python), str(environment.sd_scripts), times


def _time_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
