"""Where model files lie on this machine, and whether each is really the file it should be."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from lib_photoshoot.errors import MissingWeightsError, WeightsError
from lib_photoshoot.files import write_atomic
from lib_photoshoot.paths import models_folder, webui_root
from lib_photoshoot.typed import typed_command
from lib_photoshoot.weights.manifest import Manifest, WeightFile

CACHE_NAME = ".verified.json"
_CHUNK = 1 << 20


def get_command(name: str) -> str:
    """Return the command that brings the file, as shown in messages."""
    return typed_command(f"models get {name}")


def candidates(weight: WeightFile) -> list[Path]:
    """All places where the file may lie, best first; none needs to exist."""
    places = [models_folder() / weight.file]
    root = webui_root()
    if root is not None:
        places += [root / folder / weight.basename for folder in weight.folders]
    return places


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as 64 lower-case hex digits, in constant memory. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def problem(path: Path, weight: WeightFile) -> str | None:
    """Return what is wrong with the file's size or hash, as part of a sentence; None when it is the right file."""
    try:
        size = path.stat().st_size
        if size != weight.size:
            return f"has {size:,} bytes instead of {weight.size:,}"
        found = sha256_of(path)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if found != weight.sha256:
        return f"has the sha256 {found} instead of {weight.sha256}"
    return None


def verify(path: Path | str, weight: WeightFile) -> None:
    """Check size and sha256 of the file, without any cache. Raises WeightsError when it is not what it should be."""
    path = Path(path)
    wrong = problem(path, weight)
    if wrong:
        raise WeightsError(
            f"{path.name} in {path.parent} {wrong}: delete it and get it again with `{get_command(weight.name)}`."
        )


def find(name: str, manifest: Manifest | None = None) -> Path:
    """Return the verified file of that name, in our models folder or a neighbouring extension's.

    The size is checked every time, the sha256 once for each (path, size, time of change). Raises WeightsError when no
    right file is there.
    """
    weight = (manifest or Manifest.load()).weight(name)
    wrong: list[str] = []
    for path in candidates(weight):
        if not os.path.lexists(path):
            continue
        if _is_remembered(path, weight):
            return path
        trouble = problem(path, weight)
        if trouble is None:
            remember(path, weight)
            return path
        wrong.append(f"{path} {trouble}")
    if wrong:
        raise MissingWeightsError(name, f"{'; '.join(wrong)} and is to be replaced", get_command(name))
    raise MissingWeightsError(name, f"{weight.basename} is not in {models_folder()}", get_command(name))


def missing(names: str | Iterable[str], manifest: Manifest | None = None) -> tuple[WeightFile, ...]:
    """Return the files among these names and groups that are not there, or not right."""
    manifest = manifest or Manifest.load()
    return tuple(weight for weight in manifest.expand(names) if not _is_there(weight, manifest))


def download_size(names: str | Iterable[str], manifest: Manifest | None = None) -> int:
    """Bytes of the model files that are still missing among these names and groups."""
    return sum(weight.size for weight in missing(names, manifest))


def remember(path: Path, weight: WeightFile) -> None:
    """Note that the file was verified, so that the next start need not hash it again."""
    with contextlib.suppress(OSError):  # a cache: a read-only folder only costs the next start a second
        stat = path.stat()
        entries = _read_cache()
        entries[str(path)] = [stat.st_size, stat.st_mtime_ns, weight.sha256]
        kept = {key: value for key, value in entries.items() if os.path.lexists(key)}
        write_atomic(models_folder() / CACHE_NAME, json.dumps(kept, indent=1).encode())


def _is_there(weight: WeightFile, manifest: Manifest) -> bool:
    try:
        find(weight.name, manifest)
    except WeightsError:
        return False
    return True


def _is_remembered(path: Path, weight: WeightFile) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return False
    # The expected hash is part of the entry: a manifest that asks for another file makes it void.
    entry = [stat.st_size, stat.st_mtime_ns, weight.sha256]
    return stat.st_size == weight.size and _read_cache().get(str(path)) == entry


def _read_cache() -> dict[str, list]:
    try:
        entries = json.loads((models_folder() / CACHE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
