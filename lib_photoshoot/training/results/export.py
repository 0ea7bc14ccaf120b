"""Put chosen epochs into the WebUI's Lora folder, each with its card and a preview picture.

Nothing there is ever overwritten, and what cannot be written whole is not left behind.
"""

from __future__ import annotations

import errno
import filecmp
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import BinaryIO

from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import PART_SUFFIX, shown
from lib_photoshoot.images import read_picture
from lib_photoshoot.kept_examples import TRAINED, kept_examples
from lib_photoshoot.training.results.epochs import SUFFIX, EpochResult, move_new
from lib_photoshoot.training.results.lora_file import has_nan, read_lora

CARD_SUFFIX = ".json"
PREVIEW_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""Pictures that the WebUI shows for ``NAME.safetensors``, as ``NAME.png`` or ``NAME.preview.png``."""

_LORA_SUFFIXES = (SUFFIX, ".pt", ".ckpt")
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class _Place:
    """Where a result goes, or, if ``there``, already is."""

    result: EpochResult
    file: Path
    there: bool


@dataclass(frozen=True)
class ExportedLora:
    """One epoch in the Lora folder; ``copied`` is False where the same file was there already.

    ``notes`` say what was kept or left out, a short sentence each.
    """

    epoch: int
    file: Path
    copied: bool
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As in the prompt: ``<lora:NAME:1>``."""
        return self.file.stem


def export(
    results: Sequence[EpochResult],
    epochs: Sequence[int],
    lora_dir: Path,
    tag: str,
    weight: float = 1.0,
    notes: str = "",
    preview: Mapping[int, Path] | None = None,
    rename: bool = False,
) -> list[ExportedLora]:
    """Copy the files of ``epochs`` under their target names, with a card each; ``results`` come from ``collect``.

    ``tag`` is the card's activation text, ``weight`` its preferred weight (0 to 2; 0 means none), ``preview`` a picture
    by epoch. A name that another LoRA has is refused, with a free one in the sentence, or exchanged for the free one
    if ``rename``. A card or preview that is there already is kept. Raises TrainingError, mostly before anything is
    written; where a write fails, the epochs copied until then stay.
    """
    if not lora_dir.is_dir():
        raise TrainingError(f"The Lora folder {shown(lora_dir)} does not exist; create it or choose another.")
    places = _places(_chosen(results, epochs), lora_dir, rename)
    return [_export_one(place, tag, weight, notes, (preview or {}).get(place.result.epoch)) for place in places]


def naming_photos(exported: Sequence[ExportedLora], run: Path) -> list[ExportedLora]:
    """Return the epochs, the last of which says by what examples its product is found: the photos that it learned from.

    ``run`` is the run's folder. One that lies where products by example are not looked for has nothing to say.
    """
    name = f"{TRAINED}{run.name}"
    photos = kept_examples().folder_of(name)
    if not exported or photos is None or run.absolute() not in photos.parents:
        return list(exported)
    said = f"Its photos are examples of what it draws: a list of products may have product = @{name}"
    return [*exported[:-1], replace(exported[-1], notes=(*exported[-1].notes, said))]


def _chosen(results: Sequence[EpochResult], epochs: Sequence[int]) -> list[EpochResult]:
    """Return the whole epochs asked for, each usable."""
    available = {result.epoch: result for result in results if not result.partial}
    if not available:
        raise TrainingError("There is no finished epoch to export; train for at least one epoch.")
    if not epochs:
        raise TrainingError("No epoch was chosen; name at least one to export.")
    missing = [epoch for epoch in epochs if epoch not in available]
    if missing:
        known = ", ".join(map(str, sorted(available)))
        raise TrainingError(f"There is no file of epoch {missing[0]}; choose from {known}.")
    chosen = [available[epoch] for epoch in dict.fromkeys(epochs)]
    for result in chosen:
        read_lora(result.file)
        if has_nan(result.file):
            raise TrainingError(
                f"{shown(result.file)} holds values that are not numbers (NaN) and would give black pictures; choose "
                "an earlier epoch, or train again with a lower learning rate."
            )
    return chosen


def _places(chosen: Sequence[EpochResult], lora_dir: Path, rename: bool) -> list[_Place]:
    try:
        taken = _names_taken(lora_dir)
        return [_place(result, lora_dir, taken, rename) for result in chosen]
    except OSError as error:
        raise _refused(lora_dir, error) from error


def _place(result: EpochResult, lora_dir: Path, taken: Mapping[str, Path], rename: bool) -> _Place:
    stem = Path(result.target_name).stem
    name = stem
    for number in count(2):
        there = taken.get(name.casefold())
        if there is None:
            return _Place(result, lora_dir / f"{name}{SUFFIX}", False)
        if filecmp.cmp(result.file, there, shallow=False):
            return _Place(result, there, True)
        # Not "NAME (2)": the WebUI drops such an end from the name when generation data is pasted.
        name = f"{stem}-{number}"
        if not rename and name.casefold() not in taken:
            break
    raise TrainingError(
        f"{shown(taken[stem.casefold()])} is another LoRA named {stem}; move it away, or export as {name} (--rename)."
    )


def _names_taken(lora_dir: Path) -> dict[str, Path]:
    """Return the LoRA files by name in lower case: the WebUI knows a LoRA by its name alone, whatever its subfolder."""
    taken: dict[str, Path] = {}
    seen = set()
    for folder, folders, files in os.walk(lora_dir, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads in a circle
            folders.clear()
            continue
        seen.add(real)
        for file in sorted(files):
            stem, suffix = os.path.splitext(file)
            if suffix.lower() in _LORA_SUFFIXES:
                taken.setdefault(stem.casefold(), Path(folder, file))
    return taken


def _export_one(place: _Place, tag: str, weight: float, notes: str, preview: Path | None) -> ExportedLora:
    result, target = place.result, place.file
    said = []
    try:
        if not place.there:
            _put(target, partial(_copy, result.file))
        text = json.dumps(card(result, tag, weight, notes), indent=4, ensure_ascii=False).encode("utf-8", "replace")
        if not _put_if_free(target.with_name(target.stem + CARD_SUFFIX), lambda file: file.writelines([text])):
            said.append("The card that was there is kept.")
        if preview is not None:
            said += _put_preview(target, preview)
    except FileExistsError as error:
        raise TrainingError(f"{shown(target)} exists by now; move it away, or export again.") from error
    except OSError as error:
        raise _refused(target, error) from error
    return ExportedLora(result.epoch, target, not place.there, tuple(said))


def card(result: EpochResult, tag: str, weight: float = 1.0, notes: str = "") -> dict[str, str | float]:
    """Return what the WebUI's Lora tab reads from ``NAME.json``."""
    steps = f", {result.steps} steps" if result.steps else ""
    loss = "" if result.loss is None else f", loss {result.loss:.4f}"
    return {
        "description": f"Epoch {result.epoch}{steps}{loss}",
        "sd version": "SD1",
        "activation text": tag,
        "preferred weight": weight,
        "negative text": "",
        "notes": notes,
    }


def _put_preview(lora: Path, picture: Path) -> list[str]:
    """Copy a picture as it is, so that its generation data stays; what is to be said about it."""
    suffix = picture.suffix.lower()
    kept = ["The preview that was there is kept."]
    endings = [middle + end for end in PREVIEW_SUFFIXES for middle in ("", ".preview")]
    if any(os.path.lexists(lora.with_name(lora.stem + ending)) for ending in endings):
        return kept
    if suffix not in PREVIEW_SUFFIXES:
        return [f"No preview: {shown(picture)} is no PNG, JPEG, WebP or GIF file."]
    try:
        read_picture(picture)
    except ImageError as error:
        return [f"No preview: {error}"]
    # NAME.png is also what the card's "Replace preview" writes, so that it can replace this one.
    return [] if _put_if_free(lora.with_name(lora.stem + suffix), partial(_copy, picture)) else kept


def _copy(source: Path, target: BinaryIO) -> None:
    with open(source, "rb") as file:
        shutil.copyfileobj(file, target, 1 << 20)


def _put_if_free(target: Path, write: Callable[[BinaryIO], None]) -> bool:
    """Whether the file was written; False where one of that name exists."""
    if os.path.lexists(target):
        return False
    try:
        _put(target, write)
    except FileExistsError:
        return False
    return True


def _put(target: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all, never over another one; raises ``OSError`` as it comes."""
    part = target.parent / f".{uuid.uuid4().hex}{PART_SUFFIX}"
    try:
        with open(part, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        move_new(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _refused(path: Path, error: OSError) -> TrainingError:
    if error.errno in _FULL_DISK:
        return TrainingError(f"{shown(path)} cannot be written, since the disk is full; free space and export again.")
    return TrainingError(
        f"{shown(path)} cannot be written ({error.strerror or error}); make its folder writable or choose another."
    )
