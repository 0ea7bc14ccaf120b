"""A training run on the disk: what was asked for, how it stands, what it has made.

Everything a surface shows is read from here, so a page that is loaded anew, or a WebUI that was started again, finds
the run as it is.

    run.json          what was asked for (RunSpec), and the seal without which nothing is started
    status.json       how it stands (Status), written by the supervisor alone
    history.jsonl     one line for each step: step, epoch, loss, average, learning rates
    console.log       all that the trainer printed, over all attempts
    dataset/          copies of the pictures with their captions
    out/              the LoRA files; sample pictures in out/sample
    state/            the newest state to resume from
    supervisor.lock   locked as long as the run's supervisor lives
    control/          what the user wants: files called stop, cancel, pause
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from lib_photoshoot.confined import inside, is_plain, stays_inside
from lib_photoshoot.errors import CatalogError, TrainingError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.journal import SPOILED
from lib_photoshoot.locks import is_held
from lib_photoshoot.training.run.seal import is_sealed, seal_of

VERSION = 1


class TrainingState(str, Enum):
    """How a run stands."""

    PREPARED = "prepared"
    STARTING = "starting"
    TRAINING = "training"
    PAUSED = "paused"
    """Halted where it is; its memory stays taken."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    """Ended at the user's word with its state saved."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Ended without a word: power loss, or everything was killed."""
    DONE = "done"

    @property
    def active(self) -> bool:
        """Whether a trainer should be at work."""
        return self in (TrainingState.STARTING, TrainingState.TRAINING, TrainingState.PAUSED, TrainingState.STOPPING)

    @property
    def resumable(self) -> bool:
        """Whether going on makes sense, where there is something to go on with."""
        return self in (TrainingState.STOPPED, TrainingState.CANCELLED, TrainingState.FAILED, TrainingState.INTERRUPTED)


class Wish(str, Enum):
    """What the user wants of a run that is at work; the names of files in ``control/``."""

    STOP = "stop"
    CANCEL = "cancel"
    PAUSE = "pause"


@dataclass(frozen=True)
class RunSpec:
    """What was asked for.

    ``command`` starts the trainer from the beginning; it is an argument list, never given to a shell. ``hook`` tells
    whether our hook is inside, without which a run can be resumed at the end of an epoch only. ``folder`` is where the
    user's pictures came from. ``machine_commands`` are shell lines, one for each of several machines, of which this one
    has ``rank``. ``images_per_epoch`` are with their repeats, ``batches_per_epoch`` those of one process; both 0 in a
    run that was prepared before they were kept.
    """

    name: str
    tag: str
    folder: str
    checkpoint: str
    images: int
    epochs: int
    steps_per_epoch: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    hook: bool = True
    recipe: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    machine_commands: tuple[str, ...] = ()
    rank: int = 0
    created: float = 0.0
    images_per_epoch: int = 0
    batches_per_epoch: int = 0

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class ResumePoint:
    """Where a run can go on: the steps that are done, and what the trainer must be told."""

    step: int
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """How a run stands.

    ``step`` counts over all resumes. ``loss`` is the mean over the last epoch's worth of steps, as sd-scripts shows it.
    ``message`` is a sentence for the user: what it does, or why it ended. ``saved_step`` is the newest state's.
    ``supervisor`` and ``trainer`` are the numbers of their processes, for the curious: numbers are used again.
    ``started`` and ``updated`` are seconds since the epoch.
    """

    state: TrainingState
    step: int = 0
    total: int = 0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    unet_lr: float | None = None
    text_encoder_lr: float | None = None
    seconds_left: float | None = None
    seconds_per_step: float | None = None
    saved_step: int = 0
    message: str = ""
    files: tuple[str, ...] = ()
    attempts: int = 0
    started: float = 0.0
    updated: float = 0.0
    supervisor: int = 0
    trainer: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {**asdict(self), "state": self.state.value}


class RunFolder:
    """One run's folder, which must exist to be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dataset = path / "dataset"
        self.out = path / "out"
        self.states = path / "state"
        self.console_log = path / "console.log"
        self.history_file = path / "history.jsonl"
        self.supervisor_log = path / "supervisor.log"
        self.lock_file = path / "supervisor.lock"
        self._spec_file = path / "run.json"
        self._status_file = path / "status.json"
        self._control = path / "control"

    @property
    def exists(self) -> bool:
        """Whether a run was prepared here, and what was asked for can be read."""
        return self._read(self._spec_file) is not None

    def spec(self) -> RunSpec:
        """Return what was asked for. Raises TrainingError where no run is, or a damaged one."""
        values = self._read(self._spec_file)
        if values is None:
            raise TrainingError(f"There is no training run in {shown(self.path)}; check the name.")
        known = {item.name for item in fields(RunSpec)}
        kept: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known
        }
        try:
            # Files are called so, and found and removed by this name.
            if not is_plain(kept["name"]) or "/" in kept["name"]:
                raise TypeError(kept["name"])
            return RunSpec(**kept)
        except (KeyError, TypeError) as error:
            raise TrainingError(f"{shown(self._spec_file)} is damaged; start a new run.") from error

    def write_spec(self, spec: RunSpec) -> None:
        """Write what was asked for. Raises OSError as it comes."""
        values = {"version": VERSION, **asdict(spec)}
        self._write(self._spec_file, {**values, "seal": seal_of(values, self.path.parent)})

    def check_seal(self) -> None:
        """Check the seal. Raises TrainingError where another installation, or nobody, has sealed what would be
        started.
        """
        if not is_sealed(self._read(self._spec_file) or {}, self.path.parent):
            raise TrainingError(
                f"The run {shown(self.path.name)} was prepared elsewhere or changed since, and its run.json says which "
                "program is started; start a new run with its recipe."
            )

    def status(self) -> Status:
        """How it stands. A run whose supervisor is gone is told as interrupted, whatever was written last.

        Raises TrainingError for a run that is damaged.
        """
        if not self._status_file.exists():
            spec = self.spec()
            return Status(TrainingState.PREPARED, total=spec.total_steps, epochs=spec.epochs)
        status = self._written_status()
        if not status.state.active or self.supervised:
            return status
        # It may have ended between the two looks.
        status = self._written_status()
        if not status.state.active:
            return status
        step = self.saved_step()
        whence = f"after step {step}" if step else "from the beginning"
        message = f"The run was cut off (a kill, a crash or a power loss); resume goes on {whence}."
        return replace(status, state=TrainingState.INTERRUPTED, seconds_left=None, saved_step=step, message=message)

    @property
    def supervised(self) -> bool:
        """Whether the run's supervisor lives: it holds a lock, which clocks and process numbers cannot forge."""
        return is_held(self.lock_file)

    def _written_status(self) -> Status:
        values = self._read(self._status_file)
        known = {item.name for item in fields(Status)}
        try:
            kept = {name: value for name, value in (values or {}).items() if name in known}
            return Status(**{**kept, "state": TrainingState(kept["state"]), "files": tuple(kept.get("files", ()))})
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{shown(self._status_file)} is damaged; remove it, and resume the run.") from error

    def write_status(self, status: Status) -> None:
        """Write how the run stands. Raises OSError as it comes."""
        self._write(self._status_file, status.to_dict())

    def resume_point(self) -> ResumePoint | None:
        """Return the newest point to go on from, None where there is none and a resume begins anew."""
        spec = self.spec()
        return self._hook_state() if spec.hook else self._trainer_state(spec)

    def saved_step(self) -> int:
        """Return the step of the resume point, 0 without one."""
        point = self.resume_point()
        return point.step if point else 0

    def _hook_state(self) -> ResumePoint | None:
        """Return the newest state of our hook that is whole: its list of files, written last, agrees with them."""
        for state in sorted(self.states.glob("step-????????"), reverse=True):
            position = self._read(state / "position.json")
            # What it names is loaded, and may be a program: never anything that lies elsewhere.
            if position is not None and stays_inside(self.path, state) and _agrees(state, position.get("files")):
                return ResumePoint(int(position["step"]), ("--resume", str(state)))
        return None

    def _trainer_state(self, spec: RunSpec) -> ResumePoint | None:
        """sd-scripts' own newest state. Its epoch is right; its count of steps is not after a second resume."""
        for state in sorted(self.out.glob(f"{glob.escape(spec.name)}-??????-state"), reverse=True):
            position = self._read(state / "train_state.json")
            # The random numbers are what accelerate writes last.
            whole = all((state / name).is_file() for name in ("optimizer.bin", "random_states_0.pkl"))
            if position is not None and whole and stays_inside(self.path, state):
                epoch = int(position["current_epoch"])
                arguments = ("--resume", str(state), "--initial_epoch", str(epoch + 1))
                return ResumePoint(epoch * spec.steps_per_epoch, arguments)
        return None

    def history(self) -> Iterator[dict[str, Any]]:
        """Yield the steps so far, in order, for charts. A line that was cut short is passed over."""
        with suppress(OSError, CatalogError), open(inside(self.path, self.history_file.name), "rb") as file:
            # Not read_lines: the last line counts as soon as it is whole, whether or not it has ended.
            for line in file:
                with suppress(*SPOILED):
                    yield json.loads(line)

    def wish(self, wish: Wish) -> None:
        """Tell the supervisor. Raises OSError as it comes."""
        self._control.mkdir(parents=True, exist_ok=True)
        (self._control / wish.value).touch()

    def unwish(self, *wishes: Wish) -> None:
        """Take wishes back, as far as that is possible."""
        for wish in wishes:
            with suppress(OSError):
                (self._control / wish.value).unlink(missing_ok=True)

    def wishes(self, wish: Wish) -> bool:
        """Whether the user wants this."""
        return (self._control / wish.value).exists()

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    @staticmethod
    def _write(path: Path, values: Mapping[str, Any]) -> None:
        write_atomic(path, json.dumps(values, indent=1).encode("ascii"))


def _agrees(folder: Path, sizes: object) -> bool:
    """Whether a folder holds files of these sizes in bytes, by name: a power cut may leave them shorter."""
    if not isinstance(sizes, dict):
        return False
    try:
        return all(inside(folder, name).stat().st_size == size for name, size in sizes.items())
    except (OSError, CatalogError):
        return False
