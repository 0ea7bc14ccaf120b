"""A folder of training pictures, checked before anything is spent: what the trainer would make of every file.

Nothing is ever written here. What sd-scripts reads, and how, is from its v0.10.1 (``glob_images``, ``load_image`` and
``DreamBoothDataset`` in library/train_util.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.images import PICTURE_SUFFIXES, read_picture
from lib_photoshoot.perceptual_hash import difference_hash
from lib_photoshoot.training.captions.files import SUFFIXES, caption_files
from lib_photoshoot.training.captions.reading import read_caption, read_folder_metadata
from lib_photoshoot.training.captions.sheet import text_name
from lib_photoshoot.training.dataset.buckets import BucketSettings, place
from lib_photoshoot.training.dataset.dataset import Counting, Dataset, TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, note, problem
from lib_photoshoot.training.dataset.near_duplicates import duplicates
from lib_photoshoot.training.dataset.pictures import TRAINER_SUFFIXES, is_rotated, masks, trained_size
from lib_photoshoot.transparency import flattened

TRAINED_SUFFIXES = PICTURE_SUFFIXES - {".pdf"}  # that is more often a document than a photo
SMALLEST_SIDE = 64
"""Pictures with a shorter side than this many pixels are left out."""
MOST_ENLARGED = 2.0
MOST_CUT_AWAY = 0.25

# lib_photoshoot.images decodes one picture at a time; the second reader hashes meanwhile.
_READERS = 2
_KEPT_LOOKS = 20_000
"""Pictures that are not decoded again until their file changes; 10 MB."""


def scan(
    folder: Path,
    tag: str,
    settings: BucketSettings | None = None,
    smallest: int = SMALLEST_SIDE,
    progress: Counting | None = None,
) -> Dataset:
    """Look at every file of ``folder``, not of folders in it; each picture is really decoded.

    ``tag`` is the activation tag, ``smallest`` the shortest side in pixels with which a picture is trained. Raises
    TrainingError for a folder that cannot be read or has no picture.
    """
    settings = settings or BucketSettings()
    files = _files(folder)
    texts = caption_files(files)
    named = [path for path in files if path.suffix.lower() in TRAINED_SUFFIXES]
    mask_owners = masks(named, texts)
    pictures = [path for path in named if path not in mask_owners]
    if not pictures:
        raise TrainingError(
            f"{shown(folder)} has no PNG, JPEG, WebP, TIFF or other picture in it; name the photos' folder."
        )
    metadata, findings = read_folder_metadata(files, {path.stem for path in pictures})
    images: list[TrainingImage] = []
    for path, look in zip(pictures, _looks(pictures, progress), strict=True):
        image, about = _image(path, look, texts.get(path.stem, metadata.get(path.stem)), tag, settings, smallest)
        findings += about
        if image is not None:
            images.append(image)
    findings += duplicates(images)
    findings += _same_stems(pictures)
    findings += [_mask(path, owner) for path, owner in mask_owners.items()]
    findings += _other_files(files, {path.stem for path in pictures})
    order = {path.name: place for place, path in enumerate(files)}
    findings.sort(key=lambda finding: order[finding.file])
    beside = {image.name: image.caption or "" for image in images}
    return Dataset(folder, tag, settings, tuple(images), tuple(findings), beside)


@dataclass(frozen=True)
class _Look:
    """What is kept of a picture once it was decoded; the size is the upright one."""

    width: int
    height: int
    hash: int
    rotated: bool
    transparent: bool


def _files(folder: Path) -> list[Path]:
    """Return the folder's files by name, hidden ones left out."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except FileNotFoundError as error:
        raise TrainingError(f"The folder {shown(folder)} does not exist; check the path.") from error
    except NotADirectoryError as error:
        raise TrainingError(f"{shown(folder)} is a file; name the folder that holds the photos.") from error
    except OSError as error:
        raise TrainingError(
            f"The folder {shown(folder)} cannot be read ({error.strerror}); give yourself read permission on it."
        ) from error


def _looks(paths: Sequence[Path], progress: Counting | None) -> Iterator[_Look | ImageError]:
    """Every picture decoded, or why it cannot be, in the order of ``paths``."""
    pool = ThreadPoolExecutor(_READERS)
    try:
        for done, look in enumerate(pool.map(_look, paths), 1):
            if progress is not None:
                progress(done, len(paths))
            yield look
    finally:
        pool.shutdown(cancel_futures=True)


def _look(path: Path) -> _Look | ImageError:
    try:
        return _seen(path, stamp_of(path))
    except ImageError as error:
        return error


@lru_cache(maxsize=_KEPT_LOOKS)
def _seen(path: Path, stamp: tuple[int, int, int] | None) -> _Look:
    """Look at a picture, once as long as its ``stamp`` is the same. Raises ImageError."""
    picture = read_picture(path)
    transparent = picture.alpha is not None and int(picture.alpha.min()) < 255
    # What is seen, not what lies below it: cut-outs may all have the same there.
    looks = difference_hash(flattened(picture))
    return _Look(picture.width, picture.height, looks, is_rotated(path), transparent)


def _image(
    path: Path, look: _Look | ImageError, text: Path | str | None, tag: str, settings: BucketSettings, smallest: int
) -> tuple[TrainingImage | None, list[Finding]]:
    """Return the image, None where it is left out, and what there is to say about it and its caption."""
    if isinstance(look, ImageError):
        return None, [problem(FindingKind.UNREADABLE, path, str(look))]
    try:
        placement = place(look.width, look.height, settings)
    except TrainingError as error:
        return None, [problem(FindingKind.TOO_SMALL, path, f"{shown(path.name)} is left out: {error}")]
    if min(look.width, look.height) < smallest:
        return None, [
            problem(
                FindingKind.TOO_SMALL,
                path,
                f"{shown(path.name)} has {look.width}x{look.height} pixels and is left out; "
                f"use a picture with at least {smallest} pixels on its shorter side.",
            )
        ]
    caption, findings = read_caption(path, text, tag)
    image = TrainingImage(
        path, look.width, look.height, caption, placement, look.rotated, look.hash, transparent=look.transparent
    )
    return image, _picture_notes(image) + findings


def _picture_notes(image: TrainingImage) -> list[Finding]:
    """Return what happens to the picture on its way into the bucket."""
    notes = []
    name, placement = shown(image.name), image.placement
    suffix = image.path.suffix.lower()
    if suffix not in TRAINER_SUFFIXES:
        first = " of its first picture" if suffix == ".gif" else ""
        sentence = f"{name} is no picture that the trainer reads; the run works on a copy{first} as PNG."
        notes.append(note(FindingKind.OTHER_FORMAT, image.path, sentence))
    if image.rotated:
        notes.append(
            note(
                FindingKind.ROTATED,
                image.path,
                f"{name} is turned in the file and says so in its EXIF, which the trainer ignores; "
                "the run works on an upright copy, so there is nothing to do.",
            )
        )
    if image.transparent:
        notes.append(
            note(
                FindingKind.TRANSPARENT,
                image.path,
                f"{name} is transparent in parts, where the trainer would show what lies below; the run works on a "
                "copy with the recipe's colour there (background).",
            )
        )
    if (image.width, image.height) != trained_size(image.width, image.height):
        notes.append(
            note(
                FindingKind.SHRUNK,
                image.path,
                f"{name} has {image.width}x{image.height} pixels, more than the trainer opens; the run works on a copy "
                "of half the size.",
            )
        )
    if placement.scale > MOST_ENLARGED:
        notes.append(
            note(
                FindingKind.ENLARGED,
                image.path,
                f"{name} has {image.width}x{image.height} pixels and is enlarged {placement.scale:.1f} times for its "
                f"bucket {image.bucket}, so the training sees it blurred; use a larger picture.",
            )
        )
    if 1 - placement.kept > MOST_CUT_AWAY:
        notes.append(
            note(
                FindingKind.CROPPED,
                image.path,
                f"{name} loses {1 - placement.kept:.0%} of its area to the centre crop for its bucket {image.bucket}; "
                "check that the product is still whole, or crop it yourself.",
            )
        )
    return notes


def _same_stems(pictures: Sequence[Path]) -> list[Finding]:
    first: dict[str, Path] = {}
    return [
        problem(
            FindingKind.SAME_STEM,
            path,
            f"{shown(path.name)} and {shown(owner.name)} would share the caption file {shown(text_name(path.name))}; "
            "rename one of them.",
        )
        for path in pictures
        if (owner := first.setdefault(path.stem, path)) != path
    ]


def _mask(path: Path, owner: str) -> Finding:
    sentence = f"{shown(path.name)} is taken for a mask of {shown(owner)} and left out; rename it if it is a photo."
    return note(FindingKind.MASK, path, sentence)


def _other_files(files: Sequence[Path], stems: set[str]) -> list[Finding]:
    """Files that might have been meant as captions, and are not."""
    findings = []
    for path in files:
        suffix, name = path.suffix.lower(), shown(path.name)
        if suffix in SUFFIXES and path.stem not in stems:
            sentence = f"{name} belongs to no picture and is no caption; if it should be one, name it as its picture."
            findings.append(note(FindingKind.TEXT_WITHOUT_IMAGE, path, sentence))
    return findings
