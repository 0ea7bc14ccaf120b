"""The packages that the WebUI's Python may lack, and how they are added without changing one that is there.

``install.py`` runs this at each start of the WebUI: standard library only, and pip only where something is missing.
Every installed distribution's version goes to pip as a constraint, so pip fails rather than change one.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

LIMIT_S = 600
"""Seconds that one call of pip may take; the WebUI waits for it."""

NEVER = ("gradio", "numpy", "pillow", "protobuf", "pydantic", "torch", "torchvision", "transformers")
"""The host's own: not even installed where they are absent."""

_WHEEL = ("--only-binary", ":all:")
"""No compiler is asked for; a release without a fitting wheel is passed over."""


@dataclass(frozen=True)
class Package:
    """A requirement to install where Python finds no ``module``; any version that is there will do.

    ``alternatives`` are distributions that carry the same module. ``embedded`` says whether the embedded detector
    needs the package too, or only GroundingDINO.
    """

    module: str
    requirement: str
    options: tuple[str, ...] = _WHEEL
    alternatives: tuple[str, ...] = ()
    embedded: bool = False

    @property
    def name(self) -> str:
        return re.split("[=<>]", self.requirement, maxsplit=1)[0]

    @property
    def version(self) -> str:
        """The one version wanted, or nothing where a range is."""
        return self.requirement.partition("==")[2]


PACKAGES = (
    Package("segment_anything", "segment-anything==1.0", ("--no-deps", *_WHEEL), embedded=True),
    # The host's own packages and ControlNet ask for OpenCV by this name. Its four distributions overwrite each other's
    # files: one beside another, or one of two removed, breaks cv2.
    Package(
        "cv2",
        "opencv-python>=4.8,<6",
        alternatives=("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
        embedded=True,
    ),
    # Hosts with a GPU may have another distribution of the same module.
    Package(
        "onnxruntime",
        "onnxruntime>=1.16,<2",
        alternatives=("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
        embedded=True,
    ),
    Package("scipy", "scipy>=1.9,<2", embedded=True),
    Package("colour", "colour-science>=0.4.3,<0.5", embedded=True),
    Package("safetensors", "safetensors>=0.4"),
    # A source archive, pure Python: no compiler. --use-pep517 builds it the same way on every pip, whichever setuptools
    # and wheel the host has. What it wants besides (pycocotools, supervision, matplotlib) draws, and is never imported.
    Package("groundingdino", "groundingdino-py==0.4.0", ("--no-deps", "--use-pep517")),
    Package("addict", "addict>=2.4"),
    Package("yapf", "yapf>=0.40"),
    # ControlNet wants at most 0.9.5 and its controlnet_aux at most 0.6.7, which cannot be imported by Python 3.11.
    Package("timm", "timm==0.6.7" if sys.version_info < (3, 11) else "timm>=0.9,<=0.9.5"),
)


class Missing(NamedTuple):
    """Distribution names, and one sentence for the panel; both empty where nothing is missing."""

    names: tuple[str, ...]
    message: str


Pip = Callable[[Sequence[str], Path], "tuple[int, str]"]
"""Runs pip with arguments, its output going through a file in a folder; returns its exit code and the output.

Raises OSError if it cannot be started and subprocess.TimeoutExpired after ``LIMIT_S``.
"""


class _Failed(Exception):
    """One package could not be installed; the message is the reason."""


class _Hopeless(_Failed):
    """So will all others fail."""


def missing(embedded_only: bool = False) -> Missing:
    """Return what the filter, or only its embedded detector, needs and this Python does not find; imports none of
    it.
    """
    absent = [package for package in _absent() if package.embedded or not embedded_only]
    if not absent:
        return Missing((), "")
    names = tuple(package.name for package in absent)
    what = "The product filter" if any(package.embedded for package in absent) else "The GroundingDINO detector"
    return Missing(
        names,
        f"{what} cannot be used because {', '.join(names)} {'is' if len(names) == 1 else 'are'} not installed; restart "
        "the WebUI with an internet connection and without --skip-install.",
    )


def install(pip: Pip | None = None) -> None:
    """Install what is missing, with a line printed for each package, failure or surprise. Never raises an Exception."""
    try:
        absent = _absent()
        if absent:
            _add(absent, pip or run_pip)
    except Exception as error:  # whatever is wrong with this Python, the WebUI starts
        _say(f"its packages could not be checked ({type(error).__name__}: {error})")


def skip_install(argv: Iterable[str], environ: Mapping[str, str]) -> bool:
    """Whether the WebUI was told --skip-install, as far as this process can know.

    The WebUI reads its own arguments and this variable; a script that it starts sees the variable only.
    """
    return "--skip-install" in {*argv, *shlex.split(environ.get("COMMANDLINE_ARGS", ""))}


def installed() -> dict[str, str]:
    """Return the normalized name and version of every distribution that pip sees."""
    importlib.invalidate_caches()
    names = set()
    for distribution in metadata.distributions():
        try:
            names.add(re.sub("[-_.]+", "-", distribution.metadata["Name"]).lower())
        except Exception:  # a folder without readable metadata, left by a broken install: pip passes it over too
            continue
    versions = {}
    for name in names:
        try:
            # By name: the first on the path wins, as in pip, and what pip left as `~umpy-1.26.2.dist-info` does not.
            version = metadata.version(name)
        except Exception:
            continue
        if version:
            versions[name] = version
    return versions


_PEP440 = re.compile(
    r"v?(\d+!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?"
    r"([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)


def constraints(versions: Mapping[str, str]) -> str:
    """Return a constraints file that holds every distribution where it is and keeps an absent ``NEVER`` out."""
    lines = []
    for name, version in sorted(versions.items()):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not re.fullmatch(r"[^\s;#)]+", version):
            continue  # pip could not read the line, and would refuse all of them
        # `===` compares text, for versions that are none by today's rules.
        lines.append(f"{name}{'==' if _PEP440.fullmatch(version) else '==='}{version}")
    lines += [f"{name}<0" for name in NEVER if name not in versions]
    return "\n".join(lines) + "\n"


def pip_arguments(package: Package, constraints_file: Path, environ: Mapping[str, str]) -> list[str]:
    """Arguments of one installation, from the index that the WebUI itself uses."""
    index = environ.get("INDEX_URL", "")
    return [
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--retries=1",  # an unreachable network must not hold up every start
        "--prefer-binary",
        *(["--index-url", index] if index else []),
        "--constraint",
        str(constraints_file),
        *package.options,
        package.requirement,
    ]


def run_pip(arguments: Sequence[str], folder: Path) -> tuple[int, str]:
    """Return this Python's pip, as :data:`Pip` says."""
    # A file, as a build step that outlives a stopped pip would hold a pipe open. UTF-8: GroundingDINO's set-up reads
    # its README in the locale's encoding, which fails on some Windows systems.
    output = folder / "pip.log"
    with output.open("wb") as log:
        code = subprocess.run(
            [sys.executable, "-m", "pip", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUTF8": "1"},
            timeout=LIMIT_S,
        ).returncode
    return code, output.read_text(encoding="utf-8", errors="replace")


def telling_line(output: str) -> str:
    """Return the line of pip's output that says best why it failed: the last error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    # What these two announce stands elsewhere: the packages in conflict before, the traceback's last line at the end.
    empty = ("ERROR: ResolutionImpossible", "ERROR: Exception:")
    errors = [line for line in lines if line.lower().startswith("error:") and not line.startswith(empty)]
    line = (errors or lines or ["pip gave no reason"])[-1]
    return re.sub("^error: *", "", line, flags=re.IGNORECASE)[:300]


def _hopeless(output: str) -> str:
    """Why no other package can be installed either, or nothing if another may well be."""
    if re.search("No module named .?pip", output):
        return "this Python has no working pip"
    if "externally-managed-environment" in output:
        return "this Python's packages are managed by the system; run the WebUI from its own venv"
    unwritable = re.search(r"\[(?:Errno (?:13|28|30)|WinError (?:5|112))\].*", output)
    if unwritable:
        return f"pip cannot write its files: {unwritable[0].strip()[:300]}"
    unreachable = re.search(r"after connection broken by '(\w+)", output)
    if unreachable and "No matching distribution" in output:
        return f"the package index cannot be reached ({unreachable[1]})"
    return ""


def _absent() -> list[Package]:
    importlib.invalidate_caches()
    return [package for package in PACKAGES if not _found(package.module)]


def _found(module: str) -> bool:
    """Whether Python finds a top-level module; does not import it."""
    if module in sys.modules:
        return True
    spec = util.find_spec(module)
    return spec is not None and spec.origin is not None  # a folder without code, left by an uninstall, has no origin


def _add(absent: Sequence[Package], pip: Pip) -> None:
    if skip_install(sys.argv, os.environ):
        _say(f"not installed, as --skip-install is set: {_names(absent)}")
        return
    if not _found("pip"):
        _say(f"not installed, as this Python has no pip: {_names(absent)}")
        return
    before = installed()
    try:
        with tempfile.TemporaryDirectory(prefix="photoshoot-", ignore_cleanup_errors=True) as folder:
            _add_each(absent, before, pip, Path(folder))
    finally:
        _report_changes(before, installed())


def _add_each(absent: Sequence[Package], before: Mapping[str, str], pip: Pip, folder: Path) -> None:
    constraints_file = folder / "constraints.txt"
    constraints_file.write_text(constraints(before), encoding="utf-8")
    for position, package in enumerate(absent):
        broken = [name for name in (package.name, *package.alternatives) if name in before]
        if broken:  # pip would see nothing to do, or put a second OpenCV beside it
            _say(f"{broken[0]} is installed but Python finds no {package.module}; reinstall {broken[0]}")
            continue
        _say(f"installing {package.name} {package.version}".rstrip())
        try:
            _install_one(package, pip_arguments(package, constraints_file, os.environ), pip, folder)
        except _Hopeless as failure:
            _say(f"not installed: {_names(absent[position:])}: {failure}")
            return
        except _Failed as failure:
            _say(f"not installed: {package.name}: {failure}")


def _install_one(package: Package, arguments: Sequence[str], pip: Pip, folder: Path) -> None:
    """Install one package. Raises _Failed or _Hopeless."""
    try:
        code, output = pip(arguments, folder)
    except subprocess.TimeoutExpired as error:
        raise _Hopeless(f"pip was stopped after {error.timeout:.0f} s") from error
    except OSError as error:
        raise _Hopeless(f"pip cannot be run ({error})") from error
    if code == 0:
        return
    importlib.invalidate_caches()
    if _found(package.module):  # newer pips crash after the work, listing an unrelated package of an invalid version
        return
    reason = _hopeless(output)
    if reason:
        raise _Hopeless(reason)
    raise _Failed(telling_line(output))


def _report_changes(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    changed = [
        f"{name} {version} -> {after.get(name, 'removed')}"
        for name, version in sorted(before.items())
        if after.get(name) != version
    ]
    if changed:
        _say(f"WARNING: pip changed packages that were there before: {', '.join(changed)}")


def _names(packages: Iterable[Package]) -> str:
    return ", ".join(package.name for package in packages)


def _say(text: str) -> None:
    # ASCII: the WebUI reads this as UTF-8, whatever encoding this process writes.
    line = " ".join(f"Product Photoshoot: {text}".split())
    print(line.encode("ascii", "backslashreplace").decode("ascii"), flush=True)
