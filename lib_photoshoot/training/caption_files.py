"""The captions that stand beside a folder's pictures: ``NAME.txt``, kohya's ``NAME.caption``, kohya's metadata.

A text beside a picture goes before the metadata, ``.txt`` before ``.caption``. Nothing is ever written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from lib_photoshoot.training.captions import decode, one_line

SUFFIXES = (".txt", ".caption")
METADATA_NAMES = ("metadata.json", "meta_clean.json", "meta_cap_dd.json", "meta_cap.json")
"""What sd-scripts' own tools and their guides call them; the first that is there is read."""
_LARGEST = 64_000_000
"""Bytes: a hundred thousand captions take less."""


def caption_files(files: Sequence[Path]) -> dict[str, Path]:
    """Text files by stem, the one that goes first: ``.txt`` before ``.caption``, lower case before upper."""
    rank = {suffix: at for at, suffix in enumerate(SUFFIXES)}
    found = [path for path in files if path.suffix.lower() in rank]
    found.sort(key=lambda path: (rank[path.suffix.lower()], path.suffix != path.suffix.lower()), reverse=True)
    return {path.stem: path for path in found}


def metadata_file(files: Sequence[Path]) -> Path | None:
    """The folder's metadata as sd-scripts' fine-tuning reads it."""
    by_name = {path.name: path for path in files}
    return next((by_name[name] for name in METADATA_NAMES if name in by_name), None)


def read_metadata(path: Path) -> dict[str, str]:
    """Captions by the picture's name without its ending, with the tags behind, as sd-scripts joins them.

    Raises ValueError with the reason for a file that cannot be read or is none of kohya's.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is larger than 64 MB")
        values = json.loads(decode(path.read_bytes())[0])
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict) or not all(isinstance(value, dict) for value in values.values()):
        raise ValueError("it holds no pictures with their captions")
    # Pictures are named by a full path, by one below the folder, or by the name without its ending.
    named = ((_stem(key), _caption(value)) for key, value in values.items())
    return {stem: caption for stem, caption in named if caption}


def _stem(key: str) -> str:
    name = PurePosixPath(key.replace("\\", "/")).name
    known = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif", ".jxl")
    return name[: name.rindex(".")] if name.lower().endswith(known) else name


def _caption(value: Mapping[str, object]) -> str:
    parts = (value.get(name) for name in ("caption", "tags"))
    return ", ".join(one_line(part) for part in parts if isinstance(part, str) and part.strip())
