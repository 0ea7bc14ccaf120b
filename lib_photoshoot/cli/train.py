"""``train …``: from a folder of photos to a LoRA, on the command line. All of it is done by the training controller."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import EXIT_CODES, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.train_options import (
    AsJson,
    Changes,
    Folder,
    Follow,
    Home,
    Preset,
    Python,
    RecipeFile,
    Regularisation,
    RunName,
    SdScripts,
    Values,
    epochs_of,
    recipe_of,
)
from lib_photoshoot.cli.train_told import (
    ask_to_go_on,
    pictures_shown,
    print_check,
    say_other_machines,
    stages_shown,
    status_line,
    steps_shown,
)
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.training.folder_check import FolderCheck
    from lib_photoshoot.training.recipe import Recipe
    from lib_photoshoot.training.run.folder import RunFolder

app = typer.Typer(
    help="Train a LoRA of your products: check and caption photos, train through sd-scripts, export.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
)

_FOLLOW_S = 0.5

_ANYWAY = "Start in spite of problems; photos that cannot be read or have no caption are left out."


@app.command("check", epilog=EXIT_CODES)
def check_command(
    folder: Folder,
    preset: Preset = "",
    recipe: RecipeFile = None,
    values: Values = None,
    regularisation: Regularisation = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Look at a folder before anything is spent: pictures, captions, buckets, steps, disk. Exit code 1 for problems."""
    with exit_codes("Interrupted."):
        check = _checked(_controller(home), folder, recipe_of(preset, recipe, values), regularisation)
    if as_json:
        print(json.dumps(check.to_dict(), ensure_ascii=False, indent=1))
    else:
        print_check(check)
    if check.in_the_way():
        raise typer.Exit(SOME_UNREADABLE)


@app.command("caption", epilog=EXIT_CODES)
def caption_command(
    folder: Folder,
    tag: Annotated[str, typer.Option("--tag", help="The activation tag, first in every caption.")] = "ppzocketv2",
    captioner: Annotated[str, typer.Option("--captioner", help="auto, blip or embedded.")] = "auto",
    anew: Annotated[bool, typer.Option("--anew", help="Also those that have a caption.")] = False,
    beside: Annotated[bool, typer.Option("--write-beside", help="Write NAME.txt beside the photos too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace other texts there, kept as .bak.")] = False,
    take_texts: Annotated[
        bool, typer.Option("--take-texts", help="Texts beside the photos replace captions edited here.")
    ] = False,
    device: Annotated[str, typer.Option("--device", help="Of BLIP: cpu or cuda.")] = "cpu",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Caption the photos that have none, put the tag first in all, and print them; kept apart from your folder."""
    with exit_codes("Interrupted; the captions are as they were."):
        from lib_photoshoot.training.dataset.folders import write_beside
        from lib_photoshoot.training.recipe import Recipe

        controller = _controller(home)
        dataset = _checked(controller, folder, Recipe(activation_tag=tag)).whole
        with pictures_shown("captioning") as tell:
            sheet = controller.caption(dataset, controller.captioner(captioner, device), anew, tell, take_texts)
        left = write_beside(sheet, dataset, overwrite) if beside else ()
    if as_json:
        print(json.dumps(sheet.captions, ensure_ascii=False, indent=1))
    else:
        for name, text in sheet.captions.items():
            print(f"{name}: {text}")
    if left:
        say(f"{len(left)} texts beside the photos say something else and were left; --overwrite replaces them.")


@app.command("start", epilog=EXIT_CODES)
def start_command(
    folder: Folder,
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="The Stable Diffusion 1.x checkpoint to train on.")],
    preset: Preset = "",
    recipe: RecipeFile = None,
    values: Values = None,
    regularisation: Regularisation = None,
    follow: Follow = False,
    anyway: Annotated[bool, typer.Option("--anyway", help=_ANYWAY)] = False,
    processes: Annotated[int, typer.Option(help="Processes on each machine, one for each GPU.")] = 1,
    machines: Annotated[int, typer.Option(help="Machines that train together.")] = 1,
    rank: Annotated[int, typer.Option(help="The number of this machine, from 0.")] = 0,
    address: Annotated[str, typer.Option(help="Machine 0's name or IP address.")] = "",
    port: Annotated[int, typer.Option(help="Its port.")] = 29500,
    sd_scripts: SdScripts = "",
    python: Python = "",
    home: Home = None,
) -> None:
    """Begin a training in the background; it goes on when the terminal is closed. Exit code 1 for problems."""
    with exit_codes("Interrupted; nothing was started."):
        from lib_photoshoot.training.run import control
        from lib_photoshoot.training.trainer.launch import Launch

        controller = _controller(home)
        launch, made = Launch(processes, machines, rank, address, port), recipe_of(preset, recipe, values)
        environment = controller.environment(sd_scripts or None, python or None)
        controller.check_start(checkpoint, environment)
        check = _checked(controller, folder, made, regularisation)
        ask_to_go_on(check, anyway)
        run = controller.prepare(check, checkpoint, environment, launch=launch, leave_out=check.uncaptioned)
        with control.removed_unless_begun(run):
            spec = run.spec()
            for note in spec.notes:
                say(note)
            say_other_machines(spec)
            controller.start(run)
        photos, steps = counted(spec.images, "photo"), counted(spec.steps_per_epoch, "step")
        say(f"{run.path.name}: {photos}, {steps} an epoch, {spec.total_steps} in all.")
    _followed(run, follow)


@app.command("resume", epilog=EXIT_CODES)
def resume_command(run: RunName = "", values: Changes = None, follow: Follow = False, home: Home = None) -> None:
    """Go on with a run that was stopped, cancelled or cut off, at the step where it was saved last."""
    with exit_codes("Interrupted."):
        from lib_photoshoot.training.assignments import assigned

        controller = _controller(home)
        found = controller.run(run)
        status = controller.resume(found, assigned(values or ()))
        say(f"{found.path.name} goes on after step {status.saved_step} of {status.total}.")
    _followed(found, follow)


@app.command("status", epilog=EXIT_CODES)
def status_command(run: RunName = "", as_json: AsJson = False, follow: Follow = False, home: Home = None) -> None:
    """How a run stands."""
    with exit_codes("Interrupted."):
        found = _controller(home).run(run)
        status = found.status()
    if as_json:
        print(json.dumps({"run": found.path.name, **status.to_dict()}, ensure_ascii=False, indent=1))
    else:
        print(f"{found.path.name}: {status_line(status)}")
    _followed(found, follow)


@app.command("runs")
def runs_command(home: Home = None) -> None:
    """All runs, the newest first."""
    with exit_codes("Interrupted."):
        for run in _controller(home).runs():
            print(f"{run.path.name}: {status_line(run.status())}")


@app.command("stop", epilog=EXIT_CODES)
def stop_command(run: RunName = "", home: Home = None) -> None:
    """Finish the step at hand, save the state and end; resume goes on there."""
    with exit_codes("Interrupted; the run stops all the same."):
        from lib_photoshoot.training.run import control

        found = _controller(home).run(run)
        control.stop(found)
        while (status := found.status()).state.active:
            time.sleep(_FOLLOW_S)
        say(f"{found.path.name}: {status.message}")


@app.command("pause", epilog=EXIT_CODES)
def pause_command(run: RunName = "", home: Home = None) -> None:
    """Halt a run where it is; its memory stays taken. `unpause` lets it go on."""
    _act("pause", run, home)


@app.command("unpause", epilog=EXIT_CODES)
def unpause_command(run: RunName = "", home: Home = None) -> None:
    """Let a paused run go on."""
    _act("unpause", run, home)


@app.command("cancel", epilog=EXIT_CODES)
def cancel_command(run: RunName = "", home: Home = None) -> None:
    """End a run at once, with all its processes; finished epochs stay."""
    _act("cancel", run, home)


@app.command("export", epilog=EXIT_CODES)
def export_command(
    to: Annotated[Path, typer.Option("--to", help="The WebUI's folder models/Lora.")],
    run: RunName = "",
    epochs: Annotated[str, typer.Option(help='Which, such as "8,10"; the last without it.')] = "",
    weight: Annotated[float, typer.Option(min=0, max=2, help="The preferred weight on the card.")] = 1.0,
    notes: Annotated[str, typer.Option(help="Notes on the card.")] = "",
    rename: Annotated[bool, typer.Option("--rename", help="Take a free name where another LoRA has it.")] = False,
    home: Home = None,
) -> None:
    """Copy epochs into the WebUI's Lora folder, each with its card and preview; nothing there is overwritten."""
    with exit_codes("Interrupted; what was copied is whole."):
        controller = _controller(home)
        for item in controller.export(controller.run(run), epochs_of(epochs), to, weight, notes, rename):
            print(item.file)
            for note in item.notes:
                say(note)


@app.command("sheet", epilog=EXIT_CODES)
def sheet_command(run: RunName = "", home: Home = None) -> None:
    """Make the comparison sheet of a run's sample pictures, as PNG and page."""
    with exit_codes("Interrupted."):
        controller = _controller(home)
        print(controller.sheet(controller.run(run)))


@app.command("progress")
def progress_command(
    log: Annotated[Path, typer.Option("--log", help="What sd-scripts printed, of any version and run.")],
) -> None:
    """Print what our parser reads from a log of sd-scripts: one JSON object a line."""
    with exit_codes("Interrupted."):
        from lib_photoshoot.training.trainer.console import read_log

        try:
            for event in read_log(log):
                sys.stdout.write(json.dumps(event.to_dict(), ensure_ascii=False) + "\n")
        except BrokenPipeError:  # the reader, such as head, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise TrainingError(f"The log {log} cannot be read ({error.strerror or error}); check the path.") from error


@app.command("recipe")
def recipe_command(
    preset: Preset = "",
    recipe: RecipeFile = None,
    values: Values = None,
    as_json: AsJson = False,
) -> None:
    """Show the recipe with every value, and the presets' names."""
    with exit_codes("Interrupted."):
        from lib_photoshoot.training.recipe import FIELDS, PRESETS

        made = recipe_of(preset, recipe, values)
    if as_json:
        print(json.dumps(made.to_dict(), ensure_ascii=False, indent=1))
        return
    changed = made.changed()
    for name, meta in FIELDS.items():
        mark = "*" if name in changed else " "
        print(f"{mark} {name} = {getattr(made, name)!r}   {meta.label}")
    say(f"* differs from the original experiment. Presets: {', '.join(PRESETS)}.")


@app.command("install", epilog=EXIT_CODES)
def install_command(
    source: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--source", help="A folder or .zip of sd-scripts instead of the download."),
    ] = None,
    python: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--python", help="The Python, 3.10 to 3.13, for the trainer's packages; this one by default."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also where it works, as for a GPU that was put in.")] = False,
    home: Home = None,
) -> None:
    """Install the trainer: sd-scripts at the tested version with packages of its own, apart from the WebUI's."""
    with exit_codes("Interrupted; the same command goes on."):
        from lib_photoshoot.training.trainer.installation import install

        with stages_shown("Starting") as tell:
            target = _controller(home).home
            environment, capabilities = install(target, tell, source=source, python=python, again=again)
        for note in capabilities.notes:
            say(note)
        print(environment.python)


def _controller(home: Path | None) -> TrainingController:
    from lib_photoshoot.training.controller import DEFAULT_HOME, TrainingController

    return TrainingController((home or DEFAULT_HOME).expanduser().absolute())


def _checked(
    controller: TrainingController, folder: Path, recipe: Recipe, regularisation: Path | None = None
) -> FolderCheck:
    others = regularisation.expanduser().absolute() if regularisation else None
    with pictures_shown("looking at the photos") as tell:
        return controller.check(folder.expanduser().absolute(), recipe, tell, others)


def _act(action: str, name: str, home: Path | None) -> None:
    with exit_codes("Interrupted."):
        from lib_photoshoot.training.run import control

        run = _controller(home).run(name)
        getattr(control, action)(run)
        say(f"{run.path.name}: {status_line(run.status())}")


def _followed(run: RunFolder, follow: bool) -> None:
    """Show a run until it ends, if that is wanted; exit code 2 where it failed."""
    from lib_photoshoot.training.run.folder import TrainingState

    if not follow:
        return
    with exit_codes("The run goes on in the background; `train status` shows it, `train stop` stops it."):
        with steps_shown() as tell:
            while (status := run.status()).state.active:
                tell(status)
                time.sleep(_FOLLOW_S)
        if status.state in (TrainingState.FAILED, TrainingState.INTERRUPTED):
            raise TrainingError(status.message)
        print(f"{run.path.name}: {status_line(status)}")
