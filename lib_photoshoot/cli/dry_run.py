"""``python -m lib_photoshoot.cli.dry_run ARGUMENTS``: what is wrong with a command line, or its help; nothing is run.

Needs Typer alone: ``photoshoot.py`` asks it before it installs what the command itself needs.
"""

from __future__ import annotations

from typing import Any


def without_running(command: Any) -> Any:
    """Return a command of Click's kind that only reads its arguments, with all of its subcommands."""
    for inner in getattr(command, "commands", {}).values():
        without_running(inner)
    if not hasattr(command, "commands"):
        command.callback = None
    return command


def main() -> None:
    """End with exit code 0 where the command could be run, or was asked for its help, else 2."""
    import typer

    from lib_photoshoot.cli.main import app
    from lib_photoshoot.typed import typed_command

    without_running(typer.main.get_command(app))(prog_name=typed_command())


if __name__ == "__main__":
    main()
