"""Where the command line begins: Ctrl-C while its modules are imported ends it as politely as later."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of ``python -m lib_photoshoot`` and of the installed command."""
    try:
        from lib_photoshoot.cli.main import main as command

        command()
    except KeyboardInterrupt:
        # No traceback, and nothing of what is half imported is asked to clean up.
        sys.stderr.write("Interrupted.\n")
        sys.stderr.flush()
        os._exit(130)
