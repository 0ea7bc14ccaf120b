"""kohya's sd-scripts at the pinned commit: downloaded or copied, and checked file by file."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.trainer.environment import (
    INSTALL_COMMAND,
    PINNED_COMMIT,
)
from lib_photoshoot.wording import reason_of

InstallationProgress = Callable[[str, "float | None"], None]
"""Called with what is done now, and the share of the whole that is done, 0 to 1, or None. It may raise to end it."""


ARCHIVE = f"https://github.com/kohya-ss/sd-scripts/archive/{PINNED_COMMIT}.zip"


ARCHIVE_DIGEST = "dfee5ed9e8ee2dd57c47080a0889a8c4f8b80032a318463bcfeaae2db18812c4"
"""Of all files in it, see :func:`digest_of`: the archive's own bytes are packed anew now and then."""


_LARGEST_ARCHIVE = 256 << 20


def get_sd_scripts(target: Path, source: Path | None, progress: InstallationProgress) -> None:
    """Put sd-scripts in place in one step, so that a folder that is there is whole."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if source is not None and source.is_dir():
        progress(f"Copying sd-scripts from {shown(source)}", 0.01)
        shutil.copytree(source, part, ignore=shutil.ignore_patterns(".git", "__pycache__", "venv", ".venv"))
    else:
        archive = source or _download_archive(target.with_name("sd-scripts.zip.part"), progress)
        progress("Unpacking sd-scripts", 0.03)
        _unpack(archive, part)
        if source is None:
            archive.unlink()
            _check_pinned(part)
    if not (part / "train_network.py").is_file():
        shutil.rmtree(part, ignore_errors=True)
        where = shown(source) if source else ARCHIVE
        raise TrainingError(f"{where} holds no train_network.py, so it is not sd-scripts; name another one (--source).")
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


def _download_archive(target: Path, progress: InstallationProgress) -> Path:
    progress("Downloading sd-scripts (about 15 MB)", 0.01)
    request = urllib.request.Request(ARCHIVE, headers={"User-Agent": "product-photoshoot"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            data = response.read(_LARGEST_ARCHIVE)
    except (OSError, http.client.HTTPException) as error:
        raise TrainingError(
            f"sd-scripts could not be downloaded from {ARCHIVE} ({reason_of(error)}); check the network "
            f"or download the archive yourself and name it: `{INSTALL_COMMAND} --source FILE`."
        ) from error
    target.write_bytes(data)
    return target


def _check_pinned(folder: Path) -> None:
    """Raise TrainingError, and remove the folder, unless it holds the very files of the pinned commit."""
    if digest_of(folder) == ARCHIVE_DIGEST:
        return
    shutil.rmtree(folder, ignore_errors=True)
    raise TrainingError(
        f"What {ARCHIVE} sent is not the sd-scripts that this extension was tested with, and is not used; try again, "
        "or download the archive yourself, look at it, and name it as the source."
    )


def digest_of(folder: Path) -> str:
    """sha256 over the names of all files and git's own hash of each, sorted: what ``git ls-tree -r`` tells, too."""
    lines = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            lines.append(f"{path.relative_to(folder).as_posix()} {blob}")
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the archive's one folder as ``target``. Names that lead out of it are made harmless by zipfile itself."""
    unpacked = target.with_name(f"{target.name}.unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(unpacked)
    except (zipfile.BadZipFile, EOFError) as error:
        shutil.rmtree(unpacked, ignore_errors=True)
        raise TrainingError(f"{shown(archive)} is no whole .zip archive ({error}); get it again.") from error
    entries = list(unpacked.iterdir())
    root = entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked
    root.rename(target)
    shutil.rmtree(unpacked, ignore_errors=True)
