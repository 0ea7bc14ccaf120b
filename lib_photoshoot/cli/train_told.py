"""What ``train …`` tells: the findings, how a run stands, and the progress of long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lib_photoshoot.cli.exits import SOME_UNREADABLE, say
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.cli.told import ToldInLines
from lib_photoshoot.files import shown
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.training.folder_check import FolderCheck
    from lib_photoshoot.training.run.folder import RunSpec, Status

_MOST_NAMES = 10


def ask_to_go_on(check: FolderCheck, anyway: bool) -> None:
    """Tell what was found; with problems only ``anyway`` goes on."""
    for text in _findings(check):
        say(text)
    problems = len(check.in_the_way())
    if problems and not anyway:
        what = "The problem" if problems == 1 else f"The {problems} problems"
        say(f"Nothing was started. {what} above should be dealt with first; --anyway starts all the same.")
        raise typer.Exit(SOME_UNREADABLE)


def _findings(check: FolderCheck) -> list[str]:
    lines = [f"{finding.severity.value}: {finding.text}" for finding in check.dataset.findings]
    if check.left_out:
        files = counted(len(check.left_out), "file")
        lines.append(f"{files} left out, as you decided in `train review`: {_listed(check.left_out)}.")
    return [*lines, "`train caption` writes the captions that are missing."] if check.uncaptioned else lines


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(map(shown, names[:_MOST_NAMES]))}{more}"


def print_check(check: FolderCheck) -> None:
    """Print what a folder is worth: its findings, buckets and steps."""
    dataset = check.dataset
    for text in _findings(check):
        print(text)
    print(f"{counted(len(dataset.images), 'photo')}, {len(dataset.images) - len(check.uncaptioned)} with a caption.")
    for bucket, count in dataset.buckets.items():
        print(f"  {bucket}: {count}")
    duration = f", about {check.seconds / 60:.0f} min" if check.seconds else ""
    print(
        f"{counted(check.steps_per_epoch, 'step')} an epoch, {check.total_steps} in all{duration}; "
        f"about {check.disk / 1e6:.0f} MB on the disk."
    )


def status_line(status: Status) -> str:
    """How a run stands, in one line."""
    parts = [status.state.value, f"step {status.step} of {status.total}"]
    if status.epoch:
        parts.append(f"epoch {status.epoch} of {status.epochs}")
    if status.loss is not None:
        parts.append(f"loss {status.loss:.4f}")
    if status.seconds_left is not None:
        parts.append(f"{status.seconds_left / 60:.1f} min left")
    return f"{', '.join(parts)}. {status.message}".strip()


@contextmanager
def stages_shown(text: str) -> Iterator[Callable[[str, float | None], None]]:
    """Show stages with the share of the whole that is done, or, with None, what is heard within a stage."""
    console = Console(stderr=True, soft_wrap=True)
    if not console.is_terminal:
        with ToldInLines(text) as lines:
            yield lambda text, share: lines.tell(text) if share is None else lines.tell_now(f"{share:.0%} {text}")
        return
    columns = (TextColumn("{task.percentage:>3.0f}%"), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console) as shown:
        task = shown.add_task(text, total=1.0)
        yield lambda text, share: shown.update(task, description=text[-60:], completed=share)


@contextmanager
def pictures_shown(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many pictures are done."""
    with telling(text, None, transient=True) as tell:
        yield lambda done, of: tell(done, total=of)


@contextmanager
def steps_shown() -> Iterator[Callable[[Status], None]]:
    """Show the steps of a run."""
    console = Console(stderr=True, soft_wrap=True)
    if not console.is_terminal:
        with ToldInLines("starting") as lines:
            yield lambda status: lines.tell(status_line(status))
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console) as shown:
        task = shown.add_task("", total=None)
        yield lambda status: shown.update(
            task, completed=status.step, total=status.total, description=status_line(status)
        )
        shown.update(task, description="")


def say_other_machines(spec: RunSpec) -> None:
    """Print the commands of a training on several machines."""
    from lib_photoshoot.training.trainer.launch import SAME_ON_EACH_MACHINE

    if spec.machine_commands:
        say(f"Each machine needs {'; '.join(SAME_ON_EACH_MACHINE)}. This one is started here; the commands of all are:")
    for command in spec.machine_commands:
        say(command)
