#!/usr/bin/env python3
"""One-command set-up: makes .venv, installs what is missing, gets the embedded weights, then runs.

    python3 photoshoot.py demo   [INPUT ...] [--products WORDS] [--out DIR]      --help after each tells all
    python3 photoshoot.py test   [INPUT ...] [--products WORDS] [-- PYTEST OPTIONS]
    python3 photoshoot.py setup  [--tests]
    python3 photoshoot.py COMMAND ...      filter, detect, train, shoot, review, finish, rank, consistency,
                                           export, check-export, colour, models; --help after each tells
                                           all, before the set-up too

Exit codes are those of the commands (see --help after one), and 4 where the set-up could not be finished.
Only the standard library is used here, so that any Python 3.10 to 3.13 starts it.
"""

from __future__ import annotations

import os
import signal
import sys


def _stopped(*_: object) -> None:
    """End in one line, also where this file is only half read."""
    os.write(2, b"Interrupted; the same command goes on.\n")
    os._exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _stopped)

import argparse  # noqa: E402
import difflib  # noqa: E402
import glob  # noqa: E402
import hashlib  # noqa: E402
import shlex  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import urllib.error  # noqa: E402
import urllib.request  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
STAMP = VENV / ".photoshoot-setup"
TESTS_STAMP = VENV / ".photoshoot-setup-tests"
TEST_REQUIREMENTS = REQUIREMENTS / "test.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Matching sets with wheels for each Python: a torchvision built for another torch, or for CUDA beside a CPU torch,
# fails when it is imported, and a torch built before NumPy 2 cannot use one.
TORCH_SETS = {
    (3, 10): ("2.1.2", "0.16.2", "numpy>=1.26,<2"),
    (3, 11): ("2.1.2", "0.16.2", "numpy>=1.26,<2"),
    (3, 12): ("2.2.2", "0.17.2", "numpy>=1.26,<2"),
    (3, 13): ("2.6.0", "0.21.0", "numpy>=2.1,<3"),
}
# The same network: half as large out of an npm package, where npm's client is installed, or in full.
FINE_OUTLINES = ("isnet-fp16", "isnet")
# From a model hub, from GitHub, or out of an npm package.
SMALL_DETECTORS = ("dfine-s", "picodet-s", "ssdlite-coco")
DEMO_PRODUCTS = "cup, handbag, shoe"
DEMO_OUT = "photoshoot-report"
# Both pictures stand in the report: the photo, retouched, and the product in a scene that no model paints.
DEMO_SCENE = (
    *("--repaint=both", "--backdrop=#f6f4f1 to #dcd6cf", "--canvas=4:5"),
    *("--share=0.72", "--ground=0.8", "--shadow=0.6", "--reflection=0.15"),
)
OWN = ("demo", "test", "setup")
PASSED_ON = (
    "filter",
    "detect",
    "train",
    "shoot",
    "review",
    "finish",
    "rank",
    "consistency",
    "export",
    "check-export",
    "colour",
    "models",
)
"""The commands of the package: known here, so that a typing error is told before anything is installed."""
DONE, BAD_INPUT, WEIGHTS_MISSING, NOT_SET_UP, INTERRUPTED = 0, 2, 3, 4, 130
TELL_EVERY_S = 10.0
# By which pip, or the system beneath it, says that nothing answers.
UNREACHABLE = (
    *("NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError", "name resolution", "timed out"),
    *("Network is unreachable", "Connection refused", "getaddrinfo", "Max retries exceeded", "from versions: none"),
)


class SetUpError(Exception):
    """What keeps the set-up from being finished, as one sentence."""


def main() -> int:
    """Look at what was typed, set up what is missing, then do what was asked. Returns the exit code."""
    os.environ["PHOTOSHOOT_COMMAND"] = typed_command()
    command, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if command in ("-h", "--help"):
        print(__doc__)
        return DONE
    wrong = _wrong_command(command) or _wrong_python()
    if wrong:
        print(wrong, file=sys.stderr)
        return BAD_INPUT
    try:
        if command in OWN:
            return {"demo": demo, "test": test, "setup": setup}[command](arguments)
        return pass_on([command, *arguments])
    except SetUpError as error:
        print(f"{error} Nothing outside {ROOT} was changed; run the same command again to go on.", file=sys.stderr)
        return NOT_SET_UP
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on.", file=sys.stderr)
        return INTERRUPTED


def typed_command() -> str:
    """How this program was started, for hints that can be typed: ``python3 photoshoot.py``."""
    # The original arguments have the interpreter's name as it was typed, but from a launcher such as pyenv's its full
    # path. Any Python starts this file, so the name alone does as well.
    name = os.path.basename(sys.orig_argv[0])
    words = [name if shutil.which(name) else sys.orig_argv[0], sys.argv[0]]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _wrong_command(command: str) -> str | None:
    known = (*OWN, *PASSED_ON, "--version")
    if command in known:
        return None
    if not command:
        return __doc__
    near = difflib.get_close_matches(command, known, 1)
    meant = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known[:-1])}."
    return f"There is no command {command!r}; {meant}"


def _wrong_python() -> str | None:
    """Return what is wrong with the Python that the environment has or would get."""
    version = venv_version()
    if version in TORCH_SETS:
        return None
    found, oldest, newest = (".".join(map(str, pair)) for pair in (version, min(TORCH_SETS), max(TORCH_SETS)))
    where = f"{VENV} was made with Python {found}" if VENV.exists() else f"this is Python {found}"
    again = " after you have removed that folder" if VENV.exists() else ""
    return (
        f"Product Photoshoot runs on Python {oldest} to {newest}, for which there are builds of all that it needs, and "
        f"{where}: start it with another one{again}, such as python{newest} photoshoot.py."
    )


def venv_version() -> tuple[int, int]:
    """Return the Python version of ``.venv``; without one that of this Python, which would make it."""
    try:
        lines = dict(line.split(" = ", 1) for line in (VENV / "pyvenv.cfg").read_text().splitlines() if " = " in line)
        major, minor = lines["version"].split(".")[:2]
        return int(major), int(minor)
    except (OSError, KeyError, ValueError):
        return sys.version_info[:2]


def setup(arguments: list[str]) -> int:
    """Only set up."""
    parser = _parser("setup", "Set up, and do nothing else.")
    parser.add_argument("--tests", action="store_true", help="bring what the tests, ruff and mypy need, too")
    (set_up_tests if parser.parse_args(arguments).tests else set_up)()
    return DONE


def pass_on(arguments: list[str]) -> int:
    """Run a command of the package; what is wrong with its arguments is told before a long set-up."""
    if not is_set_up():
        set_up_command_line()
        code = run("-m", "lib_photoshoot.cli.dry_run", *arguments)
        # The help, and the list of models, need nothing more.
        if code != DONE or {"-h", "--help", "--version"} & set(arguments):
            return code
        if arguments[0] != "models":
            set_up()
    return run("-m", "lib_photoshoot", *arguments)


def is_set_up() -> bool:
    """Return whether ``.venv`` is complete."""
    return STAMP.is_file() and STAMP.read_text() == requirements_digest()


def set_up() -> None:
    """Make ``.venv`` complete. Does nothing, in well under a second, when it already is. Raises SetUpError."""
    if is_set_up():
        return
    set_up_command_line()
    install_torch()
    say("Installing the other packages (about 150 MB)")
    pip_runtime()
    # Its own requirements would pull a second OpenCV and could change NumPy, so it comes alone.
    pip("--no-deps", "-r", str(REQUIREMENTS / "groundingdino.txt"))
    get_embedded_weights()
    get_small_detector()
    get_fine_outlines()
    STAMP.write_text(requirements_digest())


def set_up_tests() -> None:
    """Make ``.venv`` complete, and add what the tests need. Raises SetUpError."""
    set_up()
    digest = f"{requirements_digest()} {hashlib.sha256(TEST_REQUIREMENTS.read_bytes()).hexdigest()}"
    if TESTS_STAMP.is_file() and TESTS_STAMP.read_text() == digest:
        return
    say("Installing what the tests need (about 40 MB)")
    pip_runtime("-r", str(TEST_REQUIREMENTS))
    TESTS_STAMP.write_text(digest)


def set_up_command_line() -> None:
    """Make ``.venv`` with what reads a command line alone, a few megabytes. Raises SetUpError."""
    if run("-c", "import typer, rich", quiet=True) == 0:
        return
    if run("-m", "pip", "--version", quiet=True) != 0:
        say(f"Making the virtual environment {VENV}")
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode != 0:
            raise SetUpError(
                f"{sys.executable} cannot make the virtual environment {VENV} "
                f"({_last_line(made.stdout + made.stderr)}); make room there, and on Debian or Ubuntu install the "
                "package python3-venv."
            )
    say("Installing what the command line needs (5 MB)")
    lines = (REQUIREMENTS / "runtime.txt").read_text().splitlines()
    pip(*(line for line in lines if line.startswith(("typer", "rich"))))


def get_embedded_weights() -> None:
    """Bring the embedded weights where one of them is missing or damaged. Raises SetUpError."""
    if run("-m", "lib_photoshoot", "models", "verify", "embedded", quiet=True) == 0:
        return
    say("Getting the embedded weights (about 70 MB, once)")
    if run("-m", "lib_photoshoot", "models", "get", "embedded") != 0:
        raise SetUpError("The embedded weights could not be had.")


def get_small_detector() -> None:
    """Bring a detector that sees small products and many; without it the class map alone proposes."""
    say("Getting a small detector, for small products and many (4 to 42 MB, once; optional)")
    if not any(run("-m", "lib_photoshoot", "models", "get", name, quiet=True) == 0 for name in SMALL_DETECTORS):
        say("It could not be had: products are found without it, but fewer of the small ones in scenes")


def get_fine_outlines() -> None:
    """Bring IS-Net, which is asked where the quicker views of an outline disagree; without it the filter works too."""
    say("Getting the network for difficult outlines (88 to 179 MB, once; optional)")
    if not any(run("-m", "lib_photoshoot", "models", "get", name, quiet=True) == 0 for name in FINE_OUTLINES):
        say("It could not be had: outlines are drawn without it, and more of them are marked to be checked")


def requirements_digest() -> str:
    """Identify the set-up: what it installs, tests' tools aside, and the Python that it was made for."""
    digest = hashlib.sha256(repr(venv_version()).encode())
    for path in sorted(set(REQUIREMENTS.glob("*.txt")) - {TEST_REQUIREMENTS}):
        digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def install_torch() -> None:
    """Install a matching torch and torchvision: small CPU builds where their index answers, else the registry's."""
    torch, torchvision, numpy = TORCH_SETS[venv_version()]
    check = f"import torch, torchvision; assert torch.__version__.startswith({torch!r}); torchvision.ops.nms"
    if run("-c", check, quiet=True) == 0:
        return
    pair = [f"torch=={torch}", f"torchvision=={torchvision}", numpy]
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
    """Filter the sample pictures, or your own, retouch what is found and put it into a new scene, and say where the
    report is. Goes on with what was begun there."""
    parser = _parser("demo", str(demo.__doc__))
    samples = [str(ROOT / "samples")]
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT", default=samples, help="files, folders, globs; or samples/"
    )
    _take_products(parser)
    parser.add_argument(
        "--out", metavar="DIR", default=DEMO_OUT, help="a new folder, or that of an earlier demo (default: %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run, as it does anyway")
    options = parser.parse_args(arguments)
    _must_exist(parser, options.inputs)
    out = Path(options.out)
    set_up()
    get_embedded_weights()
    # What is done is not done again, and the folder of another run, or of something else, is refused and left as it is.
    code = run(
        *("-m", "lib_photoshoot", "filter", f"--products={options.products}", f"--out={out}", "--resume", *DEMO_SCENE),
        *("--", *options.inputs),
    )
    if code in (0, 1):
        say(f"Look at {(out / 'report.html').resolve()}")
    return code


def _parser(command: str, does: str) -> argparse.ArgumentParser:
    codes = f"Exit codes: those of {'filter' if command == 'demo' else 'pytest'}, and 4: the set-up was not finished."
    return argparse.ArgumentParser(
        prog=f"{typed_command()} {command}", description=does, epilog=None if command == "setup" else codes
    )


def _take_products(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--products",
        metavar="WORDS",
        default=DEMO_PRODUCTS,
        help='what to look for, as "handbag, watch = wristwatch | watch dial" (default: "%(default)s")',
    )


def _must_exist(parser: argparse.ArgumentParser, inputs: list[str]) -> None:
    """End with the parser's sentence and exit code 2 where an input names nothing."""
    for item in inputs:
        if not os.path.lexists(item) and "://" not in item and not glob.has_magic(item):
            parser.error(f"{item} does not exist; check the path")


def test(arguments: list[str]) -> int:
    """Run the tests; with INPUT, also the filter's promises on your own pictures."""
    arguments, pytest_options = _split(arguments)
    parser = _parser("test", str(test.__doc__))
    parser.usage = "%(prog)s [-h] [--products WORDS] [INPUT ...] [-- PYTEST OPTIONS]"
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="pictures of your own: files, folders, globs")
    _take_products(parser)
    options = parser.parse_args(arguments)
    _must_exist(parser, options.inputs)
    set_up_tests()
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


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those behind a double hyphen."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def venv_python() -> Path:
    """Return the interpreter of ``.venv``."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip(*arguments: str) -> None:
    """Install into ``.venv``, with a line from time to time. Raises SetUpError."""
    command = [str(venv_python()), "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = _wait_telling(process)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        output.seek(0)
        text = output.read()
    if code == 0:
        return
    if any(sign in text for sign in UNREACHABLE):
        raise SetUpError(
            "The package registry cannot be reached; connect this machine to the network, or tell pip about its proxy "
            "or mirror (PIP_PROXY, PIP_INDEX_URL)."
        )
    raise SetUpError(f"pip could not install {' '.join(arguments)} ({_last_line(text)}).")


def pip_runtime(*arguments: str) -> None:
    """Install the runtime's packages with the NumPy that this torch can use. Raises SetUpError."""
    pip("-r", str(REQUIREMENTS / "runtime.txt"), *arguments, TORCH_SETS[venv_version()][2])


def _wait_telling(process: subprocess.Popen[bytes]) -> int:
    """Wait for a long work's end; who waits with us sees that it goes on."""
    start = time.monotonic()
    while True:
        try:
            return process.wait(TELL_EVERY_S)
        except subprocess.TimeoutExpired:
            say(f"… {time.monotonic() - start:.0f} s")


def _last_line(text: str) -> str:
    """Return what an output says in the end, preferably as an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no output"]
    return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1]).rstrip(".")


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
    except FileNotFoundError:
        return NOT_SET_UP
    except PermissionError as error:
        raise SetUpError(
            f"{venv_python()} may not be started by this user ({error.strerror}); remove {VENV}."
        ) from error
    except KeyboardInterrupt:
        return INTERRUPTED


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(f"photoshoot: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # From here on whatever is at work is ended, and awaited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
