"""The trainer's command line, for one process or for several on one or more machines."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.declared import check_fields, checked, declared_in, setting
from lib_photoshoot.errors import TrainingError

SAME_ON_EACH_MACHINE = (
    "the same version of sd-scripts and of this extension",
    "the same checkpoint, recipe, pictures and captions",
    "the same paths to all of them",
    "the same number of processes, and a GPU for each",
)
"""What must be so before a training on several machines; only the first one writes files."""


@dataclass(frozen=True)
class Launch:
    """How many processes train together; TrainingError for values that cannot be.

    ``processes`` are those of one machine, usually one for each GPU. ``rank`` is this machine's number from 0.
    ``address`` and ``port`` are those at which machine 0 is reached by the others.
    """

    processes: int = setting(1, "The number of processes", lowest=1, highest=64, exact=True)
    machines: int = setting(1, "The number of machines", lowest=1, highest=64, exact=True)
    rank: int = setting(0, "The rank of this machine", lowest=0, highest=63, exact=True)
    address: str = ""
    port: int = setting(29500, "The port", lowest=1, highest=65535, exact=True)

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: meta.label, TrainingError)
        rank = declared_in(Launch)["rank"]._replace(highest=self.machines - 1)
        checked(rank, rank.label, self.rank, TrainingError)
        address = self.address
        if not isinstance(address, str) or address.startswith("-") or any(sign.isspace() for sign in address):
            raise TrainingError(f"The address of the first machine is {address!r}; give its name or its IP address.")
        if self.machines > 1 and not address:
            raise TrainingError(
                f"{self.machines} machines need the address of the first one; give its name or IP address."
            )

    @property
    def total(self) -> int:
        """Processes of all machines together: so many batches make one step."""
        return self.processes * self.machines


def command(python: Path, script: Path, script_arguments: Sequence[str], launch: Launch) -> list[str]:
    """Return the argument list that trains on this machine.

    One process is started directly: with ``accelerate launch`` between, a signal to the launcher would leave the
    trainer running. Several are started by torchrun, as it starts what it is told (``accelerate launch --cpu`` starts
    one process, silently) and ends its workers when it is ended. Accelerate, in sd-scripts, finds torchrun's variables
    by itself; the precision is among the script's arguments.
    """
    if launch.total == 1:
        return [str(python), str(script), *script_arguments]
    torchrun = [str(python), "-m", "torch.distributed.run", "--nproc_per_node", str(launch.processes)]
    if launch.machines == 1:
        torchrun.append("--standalone")  # finds a free port itself
    else:
        torchrun += ["--nnodes", str(launch.machines), "--node_rank", str(launch.rank)]
        torchrun += ["--master_addr", launch.address, "--master_port", str(launch.port)]
    return [*torchrun, str(script), *script_arguments]


def launch_variables(launch: Launch, windows: bool = os.name == "nt") -> dict[str, str]:
    """Environment variables that the command needs."""
    # PyTorch for Windows is built without libuv, which torchrun asks for nevertheless.
    return {"USE_LIBUV": "0"} if windows and launch.total > 1 else {}


def commands_per_machine(
    python: Path,
    script: Path,
    script_arguments: Sequence[str],
    launch: Launch,
    variables: Mapping[str, str] | None = None,
    windows: bool = os.name == "nt",
) -> list[str]:
    """One line for each machine, the first machine's first, to paste into a shell (cmd on Windows).

    They may be started in any order within a few minutes; all wait for each other. See ``SAME_ON_EACH_MACHINE``.
    """
    lines = []
    for rank in range(launch.machines):
        machine = Launch(launch.processes, launch.machines, rank, launch.address, launch.port)
        words = command(python, script, script_arguments, machine)
        needed = {**(variables or {}), **launch_variables(machine, windows)}
        if windows:
            lines.append("".join(f'set "{k}={v}" && ' for k, v in needed.items()) + subprocess.list2cmdline(words))
        else:
            lines.append(shlex.join([*(["env"] if needed else []), *(f"{k}={v}" for k, v in needed.items()), *words]))
    return lines
