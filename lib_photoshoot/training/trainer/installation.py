"""Installs the trainer on the user's word: sd-scripts at its pinned commit, and a virtual environment of its own.

Everything lies below one folder, ``home``; nothing outside it is changed, least of all the Python that runs this. An
installation that was broken off is begun anew by running it again: what pip has downloaded, it keeps.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.locks import hold
from lib_photoshoot.training.trainer.environment import (
    INSTALL_COMMAND,
    PINNED_COMMIT,
    TOKENIZER_FOLDER,
    Capabilities,
    TrainerEnvironment,
    find_own,
    has_tokenizer,
    inspect,
    trainer_variables,
)
from lib_photoshoot.training.trainer.sd_scripts import InstallationProgress, get_sd_scripts

TORCH_INDEX = "https://download.pytorch.org/whl/"
"""PyTorch's own builds; "cpu", "cu124" and the like follow."""

PYTHONS = ((3, 10), (3, 13))
"""The oldest and the newest Python that the pinned packages have wheels for."""

_PYTHON = f"`{INSTALL_COMMAND} --python PATH`"

STAMP = "photoshoot-trainer.json"
"""In the virtual environment, written last: without it the installation is not whole."""

_SPACE = 7_000_000_000
"""Bytes: 5.8 GB were measured with a CUDA build of PyTorch, and pip unpacks beside what it has downloaded."""
_SPACE_CPU = 3_000_000_000

_TOKENIZER_CODE = (
    "import sys; from transformers import CLIPTokenizer; "
    "CLIPTokenizer.from_pretrained('openai/clip-vit-large-patch14').save_pretrained(sys.argv[1])"
)


@dataclass(frozen=True)
class InstallationPlan:
    """What is installed on a machine.

    ``index`` is the address of the wheels of torch and torchvision, empty for the package registry that pip is set up
    for, which all other packages come from. ``space`` is in bytes.
    """

    torch: tuple[str, ...] = ("torch==2.6.0", "torchvision==0.21.0")
    index: str = ""
    bitsandbytes: bool = False
    space: int = _SPACE
    pip_options: tuple[str, ...] = ()


def plan_for_this_machine(index: str | None = None) -> InstallationPlan:
    """Return the builds of PyTorch that fit this machine's GPU. ``index`` overrides where they come from."""
    capability = nvidia_capability()
    if capability is None:
        cpu_builds = f"{TORCH_INDEX}cpu"
        if index is None and sys.platform.startswith("linux") and _answers(f"{cpu_builds}/torch/"):
            return InstallationPlan(index=cpu_builds, space=_SPACE_CPU)
        # The registry's builds for Linux bring CUDA along, those for other systems do not.
        return InstallationPlan(index=index or "", space=_SPACE if sys.platform.startswith("linux") else _SPACE_CPU)
    # sd-scripts' own advice: GPUs newer than its tested PyTorch need the first one that knows them.
    new = capability >= 10
    pair = ("torch==2.8.0", "torchvision==0.23.0") if new else InstallationPlan.torch
    builds = f"{TORCH_INDEX}{'cu128' if new else 'cu124'}"
    return InstallationPlan(torch=pair, index=builds if index is None else index, bitsandbytes=True)


def nvidia_capability() -> float | None:
    """Return the lowest compute capability of the NVIDIA GPUs, as 8.6; 0 where the driver does not tell; None without
    any.
    """
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    numbers = [float(line) for line in done.stdout.split() if line.replace(".", "", 1).isdigit()]
    if numbers:
        return min(numbers)
    # A driver too old to tell answers with an error, one without a GPU says so.
    return 0.0 if "not a valid field" in done.stdout.lower() else None


def install(
    home: Path,
    progress: InstallationProgress,
    *,
    plan: InstallationPlan | None = None,
    source: Path | None = None,
    python: Path | None = None,
    again: bool = False,
) -> tuple[TrainerEnvironment, Capabilities]:
    """Make the trainer below ``home`` complete and prove that it can be imported; mend it if it is broken.

    ``source`` is a folder or a .zip of sd-scripts to take instead of downloading it; ``python`` makes the virtual
    environment instead of the one that runs this. What works is left as it is, unless ``again``, for a GPU that was put
    in. Raises TrainingError; running it again goes on.
    """
    home = home.absolute()
    plan = plan or plan_for_this_machine()
    environment = find_own(home)
    with _local_errors(home), _lock(home):
        progress("Looking at what is there", 0.0)
        if is_installed(home) and not again:
            with contextlib.suppress(TrainingError):
                return environment, inspect(environment)
        _need_space(home, plan.space)
        get_sd_scripts(environment.sd_scripts, source, progress)
        _make_venv(home / "venv", python or Path(sys.executable), progress)
        _install_packages(environment, plan, progress)
        progress("Checking that the trainer can be imported", 0.93)
        capabilities = inspect(environment)
        _get_tokenizer(environment, home / "tokenizers", progress)
        (home / "venv" / STAMP).write_text(json.dumps(_stamp(plan), indent=2), encoding="utf-8")
        progress("The trainer is installed", 1.0)
    return find_own(home), capabilities


def is_installed(home: Path) -> bool:
    """Whether an installation of the pinned version was finished below ``home``. Takes no time."""
    stamp = _read_stamp(home)
    return stamp is not None and stamp.get("commit") == PINNED_COMMIT


def _stamp(plan: InstallationPlan) -> dict[str, object]:
    # Through JSON, so that it equals what is read back.
    return json.loads(json.dumps({"commit": PINNED_COMMIT, **asdict(plan)}))


def _read_stamp(home: Path) -> dict[str, object] | None:
    try:
        found = json.loads((home / "venv" / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _need_space(home: Path, needed: int) -> None:
    old = sum(path.lstat().st_size for path in (home / "venv").rglob("*"))  # makes room for the new one
    free = shutil.disk_usage(home).free + old
    if free < needed:
        raise TrainingError(
            f"The trainer needs {needed / 1e9:.1f} GB in {shown(home)} and {free / 1e9:.1f} GB are free; free some "
            f"space, then `{INSTALL_COMMAND}`."
        )


def _make_venv(venv: Path, python: Path, progress: InstallationProgress) -> None:
    progress("Making a virtual environment", 0.05)
    version = _output_of(python, "import sys; print(*sys.version_info[:2])")
    if not version:
        raise TrainingError(f"{shown(python)} cannot be started; name a Python from 3.10 to 3.13 ({_PYTHON}).")
    if not PYTHONS[0] <= tuple(map(int, version.split())) <= PYTHONS[1]:
        raise TrainingError(
            f"{shown(python)} is Python {version.replace(' ', '.')} and sd-scripts' packages exist for 3.10 to 3.13; "
            f"name such a Python ({_PYTHON})."
        )
    code, lines = _run([str(python), "-m", "venv", "--clear", str(venv)], lambda line: None)
    if code != 0:
        raise TrainingError(
            f"{shown(python)} cannot make a virtual environment in {shown(venv)} ({_reason(lines)}); name a full "
            f"Python with venv and pip ({_PYTHON})."
        )


def _install_packages(environment: TrainerEnvironment, plan: InstallationPlan, progress: InstallationProgress) -> None:
    requirements = environment.python.parents[1] / "requirements.txt"
    text = (environment.sd_scripts / "requirements.txt").read_text(encoding="utf-8")
    requirements.write_text(_requirements(text, plan), encoding="utf-8")
    if plan.index:
        # Without what they need: that comes from the registry, together with the rest.
        progress("Installing PyTorch", 0.08)
        _pip(
            environment, ["--index-url", plan.index, "--no-deps", *plan.torch], plan, lambda line: progress(line, None)
        )
    progress("Installing sd-scripts' packages (about 3 GB with PyTorch)", 0.08 if not plan.index else 0.5)
    _pip(environment, [*plan.torch, "-r", str(requirements)], plan, lambda line: progress(line, None))


def _requirements(text: str, plan: InstallationPlan) -> str:
    """sd-scripts' requirements, less itself, which needs no installation, and less what needs a GPU."""
    left_out = ("-e",) if plan.bitsandbytes else ("-e", "bitsandbytes")
    return "".join(f"{line}\n" for line in text.splitlines() if not line.startswith(left_out))


def _pip(
    environment: TrainerEnvironment, arguments: list[str], plan: InstallationPlan, tell: Callable[[str], None]
) -> None:
    """pip in the trainer's own environment only. Raises TrainingError."""
    venv = environment.python.parents[1]
    prefix = _output_of(environment.python, "import sys; print(sys.prefix)")
    if not prefix or not os.path.samefile(prefix, venv):
        raise TrainingError(
            f"{shown(environment.python)} installs into {prefix or 'nothing'} instead of {shown(venv)}, so nothing was "
            f"installed; delete that folder and run `{INSTALL_COMMAND}`."
        )
    index = os.environ.get("INDEX_URL", "")  # the registry that the WebUI was told to use
    own_index = ["--index-url", index] if index and "--index-url" not in arguments else []
    command = [str(environment.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--prefer-binary", *own_index, *plan.pip_options, *arguments]
    code, lines = _run(command, tell)
    if code != 0:
        raise TrainingError(
            f"The trainer's packages could not be installed in {shown(venv)} ({_reason(lines)}); put that right and "
            f"run `{INSTALL_COMMAND}` again."
        )


def _run(command: list[str], tell: Callable[[str], None]) -> tuple[int, list[str]]:
    """Return a program's exit status and last lines, each told as it comes. It never outlives this call."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_pip_variables(),
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # so that it can be ended together with the builds that it starts
    )
    last: deque[str] = deque(maxlen=200)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                last.append(line.strip())
                tell(line.strip())
        return process.wait(), list(last)
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _pip_variables() -> dict[str, str]:
    """Return the trainer's variables, less those that would make pip install somewhere else."""
    elsewhere = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER")
    return {name: value for name, value in trainer_variables().items() if name not in elsewhere}


def _output_of(python: Path, code: str) -> str:
    """Return what a line of code prints, or nothing where it cannot be run."""
    try:
        done = subprocess.run(
            [str(python), "-c", code], stdin=subprocess.DEVNULL, capture_output=True, env=_pip_variables(), timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()


def _reason(lines: list[str]) -> str:
    """Return the line of an output that says best what went wrong."""
    if any("No space left" in line for line in lines):
        return "the disk is full"
    errors = [line for line in lines if line.lower().startswith("error")]
    line = (errors or lines or ["no reason given"])[-1]
    return line.removeprefix("ERROR: ").rstrip(".")[:300]


def _get_tokenizer(environment: TrainerEnvironment, cache: Path, progress: InstallationProgress) -> None:
    """From the hub's cache on this machine, else from the hub. Without it the first training fetches it."""
    if has_tokenizer(cache):
        return
    progress("Getting the tokenizer (1 MB)", 0.97)
    part = cache / f".{TOKENIZER_FOLDER}.part"
    shutil.rmtree(part, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    code, lines = _run([str(environment.python), "-c", _TOKENIZER_CODE, str(part)], lambda line: None)
    if code == 0:
        shutil.rmtree(cache / TOKENIZER_FOLDER, ignore_errors=True)
        part.rename(cache / TOKENIZER_FOLDER)
    else:
        shutil.rmtree(part, ignore_errors=True)
        progress(f"The tokenizer is out of reach ({_reason(lines)}): the first training will fetch it", None)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def _local_errors(home: Path) -> Iterator[None]:
    """Say this machine's own failures (disk full, no permission) in one sentence."""
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"The trainer cannot be installed in {shown(home)} ({error.strerror or error}); put that right and run "
            f"`{INSTALL_COMMAND}` again."
        ) from error


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Hold the only installation below ``home``. Raises TrainingError."""
    home.mkdir(parents=True, exist_ok=True)
    stream = hold(home / ".install.lock")
    if stream is None:
        raise TrainingError(f"The trainer is being installed in {shown(home)} already; wait until that is done.")
    with stream:
        yield
