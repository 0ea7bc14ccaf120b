"""How commands end: the documented exit codes, and errors as one sentence on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lib_photoshoot.errors import MachinesGoneError, PhotoshootError, UnknownModelError, WeightsError

DONE, SOME_UNREADABLE, BAD_INPUT, WEIGHTS_MISSING, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = (
    "Exit codes: 0 done; 1 some files could not be read or need work, or some words could not be looked for, all "
    "others are done, or the "
    "machines of a run are gone (filter: go on with --resume); 2 wrong usage, an input or "
    "folder that cannot be used, or a training that failed; 3 a model file is missing or damaged; 130 interrupted "
    "(filter: go on with --resume)."
)


@contextmanager
def exit_codes(interrupted: str) -> Iterator[None]:
    """Turn the project's errors and Ctrl-C into one sentence on standard error and the documented exit code."""
    try:
        yield
    except WeightsError as error:
        say(str(error))
        raise typer.Exit(BAD_INPUT if isinstance(error, UnknownModelError) else WEIGHTS_MISSING) from error
    except MachinesGoneError as error:
        say(str(error))
        raise typer.Exit(SOME_UNREADABLE) from error
    except PhotoshootError as error:
        say(str(error))
        raise typer.Exit(BAD_INPUT) from error
    except KeyboardInterrupt as error:
        say(interrupted)
        raise typer.Exit(INTERRUPTED) from error


def say(text: str) -> None:
    """One line on standard error."""
    typer.echo(text, err=True)
