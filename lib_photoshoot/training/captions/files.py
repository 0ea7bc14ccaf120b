"""The captions that stand beside a folder's pictures: ``NAME.txt``, kohya's ``NAME.caption``, kohya's metadata,
and the ``metadata.jsonl`` of the Hugging Face ``imagefolder`` layout.

A text beside a picture goes before the metadata, ``.txt`` before ``.caption``. Nothing is ever written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lib_photoshoot.images import PICTURE_SUFFIXES
from lib_photoshoot.training.captions.sheet import decode, one_line

SUFFIXES = (".txt", ".caption")
METADATA_NAMES = ("metadata.json", "meta_clean.json", "meta_cap_dd.json", "meta_cap.json", "metadata.jsonl")
"""What sd-scripts' own tools and their guides call them, then Hugging Face's; the first that is there is read."""
_LARGEST = 64_000_000
"""Bytes: a hundred thousand captions take less."""


def caption_files(files: Sequence[Path]) -> dict[str, Path]:
    """Text files by stem, the one that goes first: ``.txt`` before ``.caption``, lower case before upper."""
    rank = {suffix: at for at, suffix in enumerate(SUFFIXES)}
    found = [path for path in files if path.suffix.lower() in rank]
    found.sort(key=lambda path: (rank[path.suffix.lower()], path.suffix != path.suffix.lower()), reverse=True)
    return {path.stem: path for path in found}


def metadata_file(files: Sequence[Path]) -> Path | None:
    """Return the folder's metadata as sd-scripts' fine-tuning or an ``imagefolder`` reads it."""
    by_name = {path.name: path for path in files}
    return next((by_name[name] for name in METADATA_NAMES if name in by_name), None)


def read_metadata(path: Path) -> dict[str, str]:
    """Captions by the picture's name without its ending, with the tags behind, as sd-scripts joins them.

    Raises ValueError with the reason for a file that cannot be read or is neither kohya's nor of an ``imagefolder``.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is larger than 64 MB")
        text = decode(path.read_bytes())[0]
        values = _lines(text) if path.suffix == ".jsonl" else json.loads(text)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict) or not all(isinstance(value, dict) for value in values.values()):
        raise ValueError("it holds no pictures with their captions")
    # Pictures are named by a full path, by one below the folder, or by the name without its ending.
    named = ((_stem(key), _caption(value)) for key, value in values.items())
    return {stem: caption for stem, caption in named if caption}


def _lines(text: str) -> dict[str, Any]:
    """Return the rows of an ``imagefolder``, one JSON object a line, by their picture's ``file_name``."""
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(row, dict) and isinstance(row.get("file_name"), str) for row in rows):
        raise ValueError("a line names no file_name")
    return {row["file_name"]: row for row in rows}


def _stem(key: str) -> str:
    name = PurePosixPath(key.replace("\\", "/")).name
    return name[: name.rindex(".")] if name.lower().endswith(tuple(PICTURE_SUFFIXES)) else name


def _caption(value: Mapping[str, object]) -> str:
    # An imagefolder's captions stand under "text".
    parts = (value.get("caption") or value.get("text"), value.get("tags"))
    return ", ".join(one_line(part) for part in parts if isinstance(part, str) and part.strip())
