"""The trainer's own Python and sd-scripts folder: where they are, and what they can do.

They never share packages with the WebUI: sd-scripts wants other versions of the same ones. What is wrong with them is
said in one sentence, before anything is spent on a training.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.trainer import probe
from lib_photoshoot.typed import typed_command

PINNED_VERSION = "0.10.1"
PINNED_COMMIT = "ae72efb92babe89ff8e70f057e42db68440e8d61"
PINNED_FINGERPRINT = "802e0a57a19ed8c89b989f6af404825b34a334f3ab6178db0873b74d7d7ab68c"
"""sha256 of train_network.py at that commit, with Unix line ends."""

INSTALL_COMMAND = typed_command("train install")
FOLDER_VARIABLE = "PHOTOSHOOT_SD_SCRIPTS"
PYTHON_VARIABLE = "PHOTOSHOOT_SD_SCRIPTS_PYTHON"

TOKENIZER_FOLDER = "openai_clip-vit-large-patch14"
"""sd-scripts' name for it below its ``--tokenizer_cache_dir``."""
TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")

_LIMIT_S = 300
"""Seconds that the probe may take: 15 on a warm disk, minutes where a virus scanner reads every file."""

_OTHERS_OWN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True)
class TrainerEnvironment:
    """Where the trainer is; nothing of it needs to exist.

    ``tokenizer`` is sd-scripts' ``--tokenizer_cache_dir``: used where it is filled, and filled by the first training
    where it is not.
    """

    python: Path
    sd_scripts: Path
    tokenizer: Path | None = None


@dataclass(frozen=True)
class Gpu:
    """A CUDA GPU; ``memory`` in bytes."""

    name: str
    memory: int
    bf16: bool = False


@dataclass(frozen=True)
class Capabilities:
    """What a trainer can do on this machine; the defaults are those of a bare CPU.

    ``hook`` says whether our hook fits into this sd-scripts. ``versions`` are by distribution name. ``notes`` are
    sentences for the user about what is unusual and no error.
    """

    python: str = ""
    sd_scripts: str = PINNED_VERSION
    versions: Mapping[str, str] | None = None
    gpus: tuple[Gpu, ...] = ()
    eight_bit: bool = False
    xformers: bool = False
    tensorboard: bool = False
    hook: bool = True
    cpu_count: int = 1
    notes: tuple[str, ...] = ()

    @property
    def cuda(self) -> bool:
        """Whether torch has a CUDA GPU."""
        return bool(self.gpus)

    @property
    def bf16(self) -> bool:
        """Whether all GPUs compute in bf16."""
        return self.cuda and all(gpu.bf16 for gpu in self.gpus)


def find_environment(
    home: Path, named_folder: str | os.PathLike[str] | None = None, named_python: str | os.PathLike[str] | None = None
) -> TrainerEnvironment:
    """Return the trainer that the user named, else that of the two environment variables, else our own below
    ``home``.
    """
    own = find_own(home)
    folder = named_folder or os.environ.get(FOLDER_VARIABLE)
    python = named_python or os.environ.get(PYTHON_VARIABLE)
    return TrainerEnvironment(
        # Not resolved: the python of a venv is a link, and finds its packages by where the link lies.
        python=Path(python).expanduser().absolute() if python else own.python,
        sd_scripts=Path(folder).expanduser().absolute() if folder else own.sd_scripts,
        tokenizer=own.tokenizer,
    )


def find_own(home: Path) -> TrainerEnvironment:
    """Return the trainer that we install below ``home``, whether it is there or not."""
    home = home.absolute()
    return TrainerEnvironment(venv_python(home / "venv"), home / "sd-scripts", _tokenizer_of(home))


def venv_python(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def has_tokenizer(cache: Path) -> bool:
    """Whether a training with this ``--tokenizer_cache_dir`` needs no network for its tokenizer."""
    return all((cache / TOKENIZER_FOLDER / name).is_file() for name in TOKENIZER_FILES)


def _tokenizer_of(home: Path) -> Path | None:
    cache = home / "tokenizers"
    # sd-scripts takes the folder as it is once it exists: half of one would fail every training.
    return cache if has_tokenizer(cache) or not (cache / TOKENIZER_FOLDER).exists() else None


def trainer_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which the trainer's Python runs: its own packages only, UTF-8, no telemetry."""
    # The WebUI may itself have been started by accelerate, whose variables would reach the trainer's.
    kept = {
        k: v for k, v in environ.items() if k not in _OTHERS_OWN and not k.startswith(("ACCELERATE_", "TORCHELASTIC_"))
    }
    return {
        **kept,
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DISABLE_TELEMETRY": "YES",
    }


def inspect(environment: TrainerEnvironment) -> Capabilities:
    """Ask the trainer's Python what it has. Takes about 15 seconds, as everything is really imported.

    Raises TrainingError for whatever would end a training at its beginning.
    """
    check_places(environment)
    found = _run_probe(environment)
    errors: dict[str, str] = found["errors"]
    for distribution in probe.REQUIRED.values():
        if distribution in errors:
            raise TrainingError(_cannot_be_imported(environment, distribution, errors[distribution]))
    if found["trainer_error"]:
        raise TrainingError(
            f"sd-scripts in {shown(environment.sd_scripts)} does not fit the packages of {shown(environment.python)} "
            f"({found['trainer_error']}); {_repair(environment)}."
        )
    return _capabilities(environment, found)


def check_places(environment: TrainerEnvironment) -> None:
    """Whether the trainer lies where it should, at once: nothing is run. Raises TrainingError."""
    folder = environment.sd_scripts
    if not folder.is_dir():
        raise TrainingError(
            f"There is no folder {shown(folder)} with sd-scripts; run `{INSTALL_COMMAND}` or name the folder you have."
        )
    for name in ("train_network.py", "library/train_util.py", "networks/lora.py"):
        if not (folder / name).is_file():
            raise TrainingError(
                f"The folder {shown(folder)} is not sd-scripts, as it holds no {name}; name kohya's sd-scripts folder "
                f"or run `{INSTALL_COMMAND}`."
            )
    if not environment.python.is_file():
        raise TrainingError(
            f"There is no Python at {shown(environment.python)}; run `{INSTALL_COMMAND}` or name the one you have."
        )


def _run_probe(environment: TrainerEnvironment) -> dict[str, Any]:
    python = shown(environment.python)
    command = [str(environment.python), str(Path(probe.__file__).absolute()), str(environment.sd_scripts)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=trainer_variables(), timeout=_LIMIT_S
        )
    except OSError as error:
        raise TrainingError(
            f"{python} cannot be started ({error.strerror or error}); name another Python or run `{INSTALL_COMMAND}`."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise TrainingError(
            f"{python} did not answer within {_LIMIT_S} s; end other heavy programs and try again."
        ) from error
    answers = [
        json.loads(line.removeprefix(probe.MARK))
        for line in done.stdout.decode("utf-8", "replace").splitlines()
        if line.startswith(probe.MARK)
    ]
    if done.returncode == 0 and answers and "errors" in answers[-1]:
        return answers[-1]
    if answers:
        what = answers[-1].get("importing", "its answer")
        raise TrainingError(
            f"{python} died (exit status {done.returncode}) while it imported {what}; {_repair(environment)}."
        )
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit status {done.returncode}"]
    raise TrainingError(
        f"{python} is no Python that can train ({lines[-1].strip()[:300]}); name another one, 3.10 or newer, or run "
        f"`{INSTALL_COMMAND}`."
    )


def _cannot_be_imported(environment: TrainerEnvironment, distribution: str, error: str) -> str:
    python = shown(environment.python)
    if error.startswith("ModuleNotFoundError"):
        return f"{python} has no {distribution}; {_repair(environment)}."
    return f"{python} cannot import {distribution} ({error}); {_repair(environment)}."


def _repair(environment: TrainerEnvironment) -> str:
    """Return what the user can do about a package of the trainer."""
    if environment.python == venv_python(environment.sd_scripts.parent / "venv"):
        return f"run `{INSTALL_COMMAND}`, which repairs the trainer"
    # No command for a foreign Python: it may be the WebUI's own, which sd-scripts' packages would break.
    return "leave the trainer's Python unnamed to use our own, or name one that has all that sd-scripts requires"


def _capabilities(environment: TrainerEnvironment, found: Mapping[str, Any]) -> Capabilities:
    source, versions, errors = found["sd_scripts"], found["versions"], found["errors"]
    gpus = tuple(Gpu(**gpu) for gpu in found["gpus"])
    hook = not source["missing_methods"]
    return Capabilities(
        python=found["python"],
        sd_scripts=source["version"] or "unknown",
        versions=versions,
        gpus=gpus,
        # Both can be imported without a GPU, and fail when they are used.
        eight_bit="bitsandbytes" in versions and bool(gpus),
        xformers="xformers" in versions and bool(gpus),
        tensorboard="tensorboard" in versions,
        hook=hook,
        cpu_count=found["cpu_count"],
        notes=tuple(_notes(environment, source, errors, hook, bool(gpus))),
    )


def _notes(
    environment: TrainerEnvironment, source: Mapping[str, Any], errors: Mapping[str, str], hook: bool, gpu: bool
) -> list[str]:
    notes = []
    if source["fingerprint"] != PINNED_FINGERPRINT:
        version = source["version"] or "unknown"
        notes.append(
            f"sd-scripts in {shown(environment.sd_scripts)} is version {version}, changed or not the "
            f"v{PINNED_VERSION} that this extension was tested with."
        )
    if not hook:
        notes.append(
            f"This sd-scripts has no {', '.join(source['missing_methods'])}: progress is read from its console, and a "
            "run can only be resumed from the end of an epoch."
        )
    for distribution in probe.OPTIONAL.values():
        error = errors.get(distribution, "")
        # Without a GPU two of them are of no use, and what is not installed is not missed here.
        if error and not error.startswith("ModuleNotFoundError") and (gpu or distribution == "tensorboard"):
            notes.append(f"{distribution} is installed for the trainer but cannot be imported ({error}).")
    return notes
