#!/usr/bin/env python3
"""One-command set-up: makes .venv, installs what is missing, gets the embedded weights, then runs.

    python3 photoshoot.py demo   [INPUT ...] [--products WORDS] [--out DIR]
    python3 photoshoot.py test   [INPUT ...] [--products WORDS] [-- PYTEST OPTIONS]
    python3 photoshoot.py setup
    python3 photoshoot.py ANY-COMMAND-OF-lib_photoshoot ...

Only the standard library is used here, so that any Python 3.10 or newer starts it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
STAMP = VENV / ".photoshoot-setup"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Matching pairs: a torchvision built for another torch, or for CUDA beside a CPU torch, fails when it is imported.
TORCH_PAIRS = {(3, 10): ("2.1.2", "0.16.2"), (3, 11): ("2.1.2", "0.16.2"), (3, 12): ("2.2.2", "0.17.2")}
NEWER_PAIR = ("2.6.0", "0.21.0")
# The same network: half as large out of an npm package, where npm's client is installed, or in full.
FINE_OUTLINES = ("isnet-fp16", "isnet")
DEMO_PRODUCTS = "cup, handbag, shoe"
DEMO_OUT = "photoshoot-report"


def main() -> int:
    """Set up what is missing, then do what was asked. Returns the exit code."""
    if sys.version_info < (3, 10):  # noqa: UP036  (the file itself may be started with any Python)
        print("Product Photoshoot needs Python 3.10 or newer: run this file with such a Python.", file=sys.stderr)
        return 2
    command, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    if command in ("-h", "--help"):
        print(__doc__)
        return 0
    try:
        set_up()
    except (OSError, subprocess.CalledProcessError) as error:
        print(
            f"Set-up stopped: {error}. Nothing outside {ROOT} was changed; run the same command again to go on.",
            file=sys.stderr,
        )
        return 3
    if command == "setup":
        return 0
    if command == "demo":
        return demo(arguments)
    if command == "test":
        return test(arguments)
    return run("-m", "lib_photoshoot", command, *arguments)


def set_up() -> None:
    """Make ``.venv`` complete. Does nothing, in well under a second, when it already is."""
    stamp = requirements_digest()
    if STAMP.is_file() and STAMP.read_text() == stamp:
        return
    python = venv_python()
    if not python.is_file():
        say(f"Making the virtual environment {VENV}")
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    install_torch()
    say("Installing the other packages (about 150 MB)")
    pip("-r", str(REQUIREMENTS / "runtime.txt"), "-r", str(REQUIREMENTS / "test.txt"))
    # Its own requirements would pull a second OpenCV and could change NumPy, so it comes alone.
    pip("--no-deps", "-r", str(REQUIREMENTS / "groundingdino.txt"))
    say("Getting the embedded weights (about 65 MB, once)")
    if run("-m", "lib_photoshoot", "models", "get", "embedded") != 0:
        raise OSError("the embedded weights could not be had")
    get_fine_outlines()
    STAMP.write_text(stamp)


def get_fine_outlines() -> None:
    """Bring IS-Net, which is asked where the quicker views of an outline disagree; without it the filter works too."""
    say("Getting the network for difficult outlines (88 to 179 MB, once; optional)")
    if not any(run("-m", "lib_photoshoot", "models", "get", name, quiet=True) == 0 for name in FINE_OUTLINES):
        say("It could not be had: outlines are drawn without it, and more of them are marked to be checked")


def requirements_digest() -> str:
    """Identify the set-up: the requirement files and the Python that it was made for."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def install_torch() -> None:
    """Install a matching torch and torchvision: small CPU builds where their index answers, else the registry's."""
    torch, torchvision = TORCH_PAIRS.get(sys.version_info[:2], NEWER_PAIR)
    check = f"import torch, torchvision; assert torch.__version__.startswith({torch!r}); torchvision.ops.nms"
    if run("-c", check, quiet=True) == 0:
        return
    pair = [f"torch=={torch}", f"torchvision=={torchvision}", "numpy>=1.26,<2"]
    if sys.platform.startswith("linux") and cpu_index_answers():
        say(f"Installing PyTorch {torch}, CPU build (about 200 MB)")
        pip("--index-url", CPU_INDEX, "--no-deps", *pair[:2])
        pip("filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec", pair[2])
        return
    if sys.platform.startswith("linux"):
        say(
            f"PyTorch's CPU builds are out of reach: installing PyTorch {torch} from the package registry "
            "(about 2.5 GB to download, 5 GB on disk)"
        )
    else:
        say(f"Installing PyTorch {torch} (about 200 MB)")
    pip(*pair)


def cpu_index_answers() -> bool:
    """Return whether PyTorch's own index can be reached within five seconds."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def demo(arguments: list[str]) -> int:
    """Filter the sample pictures, or the user's own, and say where the report is."""
    parser = argparse.ArgumentParser(prog="photoshoot.py demo")
    parser.add_argument("inputs", nargs="*", default=[str(ROOT / "samples")], help="files, folders or globs")
    parser.add_argument("--products", default=DEMO_PRODUCTS)
    parser.add_argument("--out", default=DEMO_OUT)
    options = parser.parse_args(arguments)
    out = Path(options.out)
    if options.out == DEMO_OUT and (out / "report.json").is_file():
        shutil.rmtree(out)  # only ever our own demo folder
    code = run("-m", "lib_photoshoot", "filter", *options.inputs, "--products", options.products, "--out", str(out))
    if code in (0, 1):
        say(f"Look at {(out / 'report.html').resolve()}")
    return code


def test(arguments: list[str]) -> int:
    """Run the tests; with INPUT, also the filter's promises on the user's own pictures."""
    arguments, _, pytest_options = _split(arguments)
    parser = argparse.ArgumentParser(prog="photoshoot.py test")
    parser.add_argument("inputs", nargs="*", help="own folder of pictures")
    parser.add_argument("--products", default=DEMO_PRODUCTS)
    options = parser.parse_args(arguments)
    environment = {}
    if options.inputs:
        environment = {
            "PHOTOSHOOT_TEST_INPUTS": os.pathsep.join(str(Path(p).resolve()) for p in options.inputs),
            "PHOTOSHOOT_TEST_PRODUCTS": options.products,
        }
    # Not needed for the demo, so not part of the set-up; without it the tests of GroundingDINO's text say they skip.
    if not (ROOT / "models" / "bert-base-uncased" / "vocab.txt").is_file():
        say("Getting BERT's vocabulary for the tests (84 MB at most)")
        run("-m", "lib_photoshoot", "models", "get", "bert-vocab")
    return run("-m", "pytest", *pytest_options, environment=environment)


def _split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    if "--" in arguments:
        at = arguments.index("--")
        return arguments[:at], "--", arguments[at + 1 :]
    return arguments, "", []


def venv_python() -> Path:
    """Return the interpreter of ``.venv``."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip(*arguments: str) -> None:
    """Install into ``.venv``. Raises CalledProcessError."""
    command = [str(venv_python()), "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


def run(*arguments: str, environment: dict[str, str] | None = None, quiet: bool = False) -> int:
    """Run ``.venv``'s Python in the caller's folder and return its exit code."""
    # Busy-waiting OpenMP threads make small jobs many times slower on a shared machine.
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **(environment or {})}
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    output = subprocess.DEVNULL if quiet else None
    cwd = ROOT if arguments[:2] == ("-m", "pytest") else None
    try:
        return subprocess.run(
            [str(venv_python()), *arguments], env=variables, stdout=output, stderr=output, cwd=cwd
        ).returncode
    except KeyboardInterrupt:
        return 130


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(f"photoshoot: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
