"""Watches over one trainer: ``python -m lib_photoshoot.training.run.supervisor RUN_FOLDER [--resume]``.

A process of its own, in a session of its own, so that neither a page nor the WebUI nor a terminal that is closed ends a
training. It starts the trainer in a process group of its own, which prints into ``console.log`` and not into a pipe,
since with the reader of a pipe a trainer dies too, before its state is saved. It reads along there, keeps
``status.json`` true, does what the files in ``control/`` ask for, and judges the end by what lies on the disk.
Light: no torch, no numpy.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.locks import hold
from lib_photoshoot.training.results.epochs import EpochResult, rename, scan
from lib_photoshoot.training.run.folder import RunFolder, Status, TrainingState, Wish
from lib_photoshoot.training.run.history import History, earlier_events
from lib_photoshoot.training.run.processes import detached, end_processes, halt_processes, marked, wake_processes
from lib_photoshoot.training.trainer.causes import ended_by, sentence_for
from lib_photoshoot.training.trainer.console import ConsoleParser
from lib_photoshoot.training.trainer.environment import trainer_variables
from lib_photoshoot.training.trainer.events import Event, EventKind

_TICK_S = 0.2
_WRITE_S = 0.4
_RATE_STEPS = 50
"""Seconds left are told from the pace of the last steps, so many of them."""
_QUIET_S = 600
_LOCK_S = 3.0
_LAST_TRIES = 20
_RESERVE_BYTES = 1 << 16
_FULL_BYTES = 1 << 20
"""With less free, the disk counts as full: what the trainer said of it may not have found room in its log."""


class Supervisor:
    """One attempt at a run, from its beginning or from its newest state."""

    def __init__(self, run: RunFolder, resume: bool) -> None:
        self._run = run
        self._spec = run.spec()
        self._point = run.resume_point() if resume else None
        first = self._point.step if self._point else 0
        # Our hook counts over all resumes, the console anew each time.
        self._earlier_steps = 0 if self._spec.hook else first
        before = run.status()
        self._status = Status(
            TrainingState.STARTING,
            step=first,
            total=self._spec.total_steps,
            epochs=self._spec.epochs,
            epoch=before.epoch if first else 0,
            saved_step=first,
            message="Starting the trainer.",
            attempts=before.attempts + 1,
            started=time.time(),
            supervisor=os.getpid(),
        )
        earlier = earlier_events(run, self._spec.hook) if before.attempts else []
        self._last_step = max([before.step, *(event.step or 0 for event in earlier)])
        # Of a run that lacks only the word that it is finished nothing is trained anew.
        kept = self._last_step if self._is_complete() else first
        self._history = History(run, self._spec.steps_per_epoch, kept, earlier)
        self._parser = ConsoleParser()
        self._reserve = run.path / "reserve"  # room on a full disk for the last status
        self._times: deque[tuple[int, float]] = deque(maxlen=_RATE_STEPS + 1)
        self._cause = ""
        self._stopped = self._cancelled = self._paused = self._miscounted = False
        self._written = 0.0
        self._heard = time.monotonic()

    def run(self) -> TrainingState:
        """Train, and return how it ended."""
        self._run.unwish(*Wish)
        self._write()
        if self._is_complete():  # the power went between the last file and the word that it is there
            self._update(step=self._last_step)
            return self._finish()
        try:
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))
            log = open(self._run.console_log, "a+b")  # noqa: SIM115 (closed below)
            log.seek(0, os.SEEK_END)
            process = self._start()
        except OSError as error:
            return self._end(TrainingState.FAILED, f"The trainer cannot be started ({error.strerror or error}).")
        with log:
            self._update(trainer=process.pid)
            code = self._follow(process, log)
        # A leader that is gone may have left children, which hold memory and go on writing.
        self._end_trainer()
        return self._judge(code)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*self._spec.command]
        if self._point is not None:
            command += self._point.arguments
        ours = {**marked(self._run.path), "PHOTOSHOOT_SUPERVISED": "1"}
        with open(self._run.console_log, "ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._run.path,
                env={**trainer_variables(), **self._spec.environment, **ours},
                **detached(),  # type: ignore[call-overload]
            )

    def _follow(self, process: subprocess.Popen[bytes], log: BinaryIO) -> int:
        """Until the trainer has ended; returns its exit status. ``log`` stands where its output begins."""
        while True:
            code = process.poll()
            self._listen(log)
            if code is not None:
                break
            self._obey()
            self._watch()
            time.sleep(_TICK_S)
        for event in self._parser.close():
            self._hear(event)
        return code

    def _listen(self, log: BinaryIO) -> None:
        """Hear what was printed since the last time."""
        while chunk := log.read(1 << 16):
            self._heard = time.monotonic()
            for event in self._parser.feed(chunk):
                self._hear(event)

    def _obey(self) -> None:
        """Do what the user wants."""
        if self._run.wishes(Wish.CANCEL) and not self._cancelled:
            self._cancelled = True
            self._update(state=TrainingState.STOPPING, message="Ending the trainer.")
            self._end_trainer()
        elif self._run.wishes(Wish.STOP):
            if self._paused:
                self._run.unwish(Wish.PAUSE)
                wake_processes(self._run.path)
                self._paused = False
            if self._status.state is not TrainingState.STOPPING:
                what = "Saving the state after the step at hand." if self._spec.hook else "Ending the trainer."
                self._update(state=TrainingState.STOPPING, message=what)
            if not self._spec.hook:
                self._stopped = True
                self._end_trainer()
        elif self._run.wishes(Wish.PAUSE) != self._paused:
            self._paused = not self._paused
            (halt_processes if self._paused else wake_processes)(self._run.path)
            self._times.clear()
            self._heard = time.monotonic()
            state = TrainingState.PAUSED if self._paused else TrainingState.TRAINING
            self._update(state=state, message="Paused; its memory stays taken." if self._paused else "")

    def _watch(self) -> None:
        """Tell a long silence, and let others read."""
        if time.monotonic() - self._written < _WRITE_S:
            return
        silent = time.monotonic() - self._heard
        if silent > _QUIET_S and self._status.state is TrainingState.TRAINING:
            minutes = int(silent / 60)
            self._update(message=f"Nothing was heard from the trainer for {minutes} minutes; cancel it if it hangs.")
        self._history.flush()
        self._write()

    def _hear(self, event: Event) -> None:
        kind = event.event
        if kind is EventKind.STEP:
            self._step(event)
        elif kind is EventKind.RATE:
            self._history.rates(event)
            self._update(unet_lr=event.unet_lr, text_encoder_lr=event.text_encoder_lr)
        elif kind is EventKind.EPOCH:
            self._update(epoch=event.epoch, epochs=event.epochs)
            self._compare(event)
        elif kind is EventKind.COUNTED:
            self._compare(event)
        elif kind is EventKind.PHASE and self._status.state is not TrainingState.STOPPING:
            self._update(message=f"{event.text or ''}".capitalize() + ".")
        elif kind is EventKind.STATE:
            self._update(saved_step=event.step)
        elif kind is EventKind.STOPPED:
            self._stopped = True
        elif kind is EventKind.NOT_A_NUMBER:
            self._cause = (
                f"The loss was not a number at step {event.step}, so the training was ended; resume from the last "
                "saved state with mixed precision off (`train resume --set mixed_precision=no`), or start a new run "
                "with lower learning rates."
            )
            if not self._spec.hook:
                self._end_trainer()
        elif kind is EventKind.ERROR and not self._cause:
            self._cause = event.cause or ""

    def _compare(self, event: Event) -> None:
        """End a trainer that counts otherwise than we do: it would train something else than the user was told."""
        for what, counted, prepared in (
            ("pictures with their repeats", event.images, self._spec.images_per_epoch),
            ("batches in an epoch", event.batches, self._spec.batches_per_epoch),
            ("steps in all", event.total, self._spec.total_steps),
        ):
            if counted is None or not prepared or counted == prepared or self._miscounted:
                continue
            self._miscounted = True
            self._cause = (
                f"The trainer counts {counted} {what}, and {prepared} were prepared, so the training was ended; see in "
                f"its console log what it makes of the pictures in {shown(self._run.dataset)}, and start a new run."
            )
            self._end_trainer()

    def _step(self, event: Event) -> None:
        now = time.monotonic()
        step = (event.step or 0) + self._earlier_steps
        event = replace(event, step=step)
        total = self._status.total
        self._times.append((step, now))
        (first, since), (last, _) = self._times[0], self._times[-1]
        pace = (now - since) / (last - first) if last > first else None
        left = event.seconds_left if pace is None else (total - step) * pace
        state = TrainingState.TRAINING if self._status.state is TrainingState.STARTING else self._status.state
        message = self._status.message if state is TrainingState.STOPPING else ""
        average = self._history.step(event)
        self._update(
            state=state,
            step=step,
            total=total,
            epoch=event.epoch or self._status.epoch,
            epochs=event.epochs or self._status.epochs,
            loss=self._status.loss if average is None else average,
            seconds_left=left,
            seconds_per_step=pace or self._status.seconds_per_step,
            message=message,
        )

    def _end_trainer(self) -> None:
        left = end_processes(self._run.path)
        if left:
            self._cause = (
                self._cause or f"These processes of the trainer could not be ended: {', '.join(map(str, left))}."
            )

    def _judge(self, code: int) -> TrainingState:
        """How it ended: by the files, not by the exit status, which is 0 for a training without pictures too."""
        if self._spec.rank and code == 0:  # another machine writes the files
            return self._end(TrainingState.DONE, "Finished; machine 0 has the files.")
        if self._miscounted:
            return self._end(TrainingState.FAILED, self._cause)
        if self._is_complete() and not self._stopped and (code == 0 or self._status.step >= self._spec.total_steps):
            return self._finish()
        if self._cancelled:
            return self._end(TrainingState.CANCELLED, f"Cancelled; finished epochs are kept. {self._goes_on()}")
        if self._stopped:
            return self._end(TrainingState.STOPPED, f"Stopped. {self._goes_on()}")
        return self._end(TrainingState.FAILED, self._cause or self._full_disk() or ended_by(code))

    def _is_complete(self) -> bool:
        return any(result.epoch == self._spec.epochs and not result.partial for result in self._results())

    def _finish(self) -> TrainingState:
        """End a run whose last epoch is there: all get the names that users know, and nothing is left to resume."""
        problems = rename(self._run.out, self._spec.name, self._spec.epochs).problems
        step, total = self._status.step, self._spec.total_steps
        told = [f"The trainer told of {step} steps, and {total} were planned."] if step != total else []
        state = self._end(TrainingState.DONE, " ".join(["Finished.", *told, *problems]))
        for folder in (self._run.states, *self._run.out.glob(f"{glob.escape(self._spec.name)}*-state")):
            if stays_inside(self._run.path, folder):
                shutil.rmtree(folder, ignore_errors=True)
        return state

    def _full_disk(self) -> str:
        full = shutil.disk_usage(self._run.path).free < _FULL_BYTES
        return sentence_for("No space left on device") if full else ""

    def _results(self) -> tuple[EpochResult, ...]:
        try:
            return scan(self._run.out, self._spec.name, self._spec.epochs).results
        except TrainingError:  # no folder: it did not come so far
            return ()

    def _goes_on(self) -> str:
        step = self._run.saved_step()
        return f"Resume goes on after step {step}." if step else "Resume begins anew."

    def _end(self, state: TrainingState, message: str) -> TrainingState:
        self._history.close()
        files = tuple(result.file.name for result in self._results())
        self._run.unwish(*Wish)
        self._reserve.unlink(missing_ok=True)
        saved = self._run.saved_step()
        self._status = replace(
            self._status, state=state, message=message, files=files, seconds_left=None, saved_step=saved
        )
        for _ in range(_LAST_TRIES):  # on Windows a file that somebody reads cannot be replaced
            if self._write():
                break
            time.sleep(_TICK_S)
        return state

    def _update(self, **changes: Any) -> None:
        before = self._status.state
        self._status = replace(self._status, **changes)
        if self._status.state is not before:
            self._write()

    def _write(self) -> bool:
        self._status = replace(self._status, updated=time.time())
        self._written = time.monotonic()
        try:
            self._run.write_status(self._status)
        except OSError:  # told again in a moment; a full disk shows in the trainer's own end
            return False
        return True


def main() -> None:
    """Entry point; the exit status is 0 for a finished or stopped run."""
    run = RunFolder(Path(sys.argv[1]))
    # Readers hold the lock for a moment when they ask whether it is held.
    lock = hold(run.lock_file, _LOCK_S)
    if lock is None:
        sys.exit(f"The run {run.path.name} has a supervisor already.")
    with lock:
        state = Supervisor(run, "--resume" in sys.argv[2:]).run()
    sys.exit(0 if state in (TrainingState.DONE, TrainingState.STOPPED, TrainingState.CANCELLED) else 1)


if __name__ == "__main__":
    main()
