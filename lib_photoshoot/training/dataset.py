"""A folder of training pictures, checked before anything is spent: what the trainer would make of every file.

Nothing is ever written here. What sd-scripts reads, and how, is from its v0.10.1 (``glob_images``, ``load_image`` and
``DreamBoothDataset`` in library/train_util.py).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES, read_picture
from lib_photoshoot.results import Box
from lib_photoshoot.training.buckets import Bucket, BucketSettings, Placement, place, steps_per_epoch, times_taken
from lib_photoshoot.training.caption_files import SUFFIXES, caption_files, metadata_file, read_metadata
from lib_photoshoot.training.captions import decode, first_line, lines, tags, text_name
from lib_photoshoot.training.pictures import TRAINER_SUFFIXES, is_rotated, masks, trained_size
from lib_photoshoot.transparency import flattened
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.products import Product

TRAINED_SUFFIXES = PICTURE_SUFFIXES - {".pdf"}  # that is more often a document than a photo
SMALLEST_SIDE = 64
"""Pictures with a shorter side than this many pixels are left out."""
MOST_ENLARGED = 2.0
MOST_CUT_AWAY = 0.25
# Of 64 bits. Measured on 43 product photos: copies saved again, down to 200 px at JPEG quality 30, differ in at most 6
# bits, different photos in at least 16.
NEAR_DUPLICATE = 8
CROP_MARGIN = 0.1
"""Room around the products when a picture is cropped to them, as a share of the box's longer side."""

# lib_photoshoot.images decodes one picture at a time; the second reader hashes meanwhile.
_READERS = 2
_ENCODING_NAMES = {"utf-16": "UTF-16", "cp1252": "Windows-1252 (cp1252)"}

Progress = Callable[[int, int], None]
"""Called with the number of pictures done, and of all; what it raises ends the work."""


class Severity(str, Enum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """The picture is left out, or the training would be wrong or end."""
    NOTE = "note"
    """Worth knowing; the training runs as it should."""


class FindingKind(str, Enum):
    """What a finding is about; the values are stable codes for pages and APIs."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    """Left out."""
    OTHER_FORMAT = "other_format"
    """A picture of a kind that the trainer does not read: it enters the run as PNG."""
    ENLARGED = "enlarged"
    CROPPED = "cropped"
    ROTATED = "rotated"
    TRANSPARENT = "transparent"
    SHRUNK = "shrunk"
    """Larger than the trainer opens."""
    MASK = "mask"
    """A picture that belongs to another and is no photo."""
    DUPLICATE = "duplicate"
    SAME_STEM = "same_stem"
    """Two pictures would share one caption file."""
    CAPTION_MISSING = "caption_missing"
    CAPTION_EMPTY = "caption_empty"
    CAPTION_UNREADABLE = "caption_unreadable"
    CAPTION_ENCODING = "caption_encoding"
    CAPTION_LINES = "caption_lines"
    CAPTION_TWO_FILES = "caption_two_files"
    CAPTION_LONG = "caption_long"
    """Perhaps beyond what the text encoder is given."""
    CAPTION_CONFLICT = "caption_conflict"
    """Edited here, and changed beside the picture since."""
    REPEATS = "repeats"
    """A folder whose name says how often its pictures count."""
    METADATA = "metadata"
    METADATA_UNREADABLE = "metadata_unreadable"
    TAG_MISSING = "tag_missing"
    TAG_NOT_FIRST = "tag_not_first"
    TAG_TWICE = "tag_twice"
    TEXT_WITHOUT_IMAGE = "text_without_image"


_ABOUT_CAPTIONS = frozenset(kind for kind in FindingKind if kind.value.startswith(("caption_", "tag_")))


@dataclass(frozen=True)
class Finding:
    """One thing about one file: ``file`` is its name, ``text`` one sentence for the user."""

    kind: FindingKind
    severity: Severity
    file: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """Ready for JSON."""
        return {"kind": self.kind.value, "file": self.file, "text": self.text, "severity": self.severity.value}


@dataclass(frozen=True)
class TrainingImage:
    """A picture that can be trained on; ``width`` and ``height`` in pixels, upright.

    ``caption`` is the first line of its text file, None without one. ``crop`` is what survives in the bucket, in pixels
    of the upright picture. ``rotated`` pictures are turned in the file, ``transparent`` ones see-through in parts: the
    run works on copies that the trainer reads rightly (see ``pictures.py``). ``hash`` is :func:`difference_hash`.
    """

    path: Path
    width: int
    height: int
    caption: str | None
    placement: Placement
    rotated: bool
    hash: int
    transparent: bool = False
    repeats: int | None = None
    """How often it counts in an epoch, None for the recipe's repeats."""

    @property
    def name(self) -> str:
        """The file name."""
        return self.path.name

    @property
    def bucket(self) -> Bucket:
        """The size at which the picture is trained."""
        return self.placement.bucket

    @property
    def crop(self) -> Box:
        """What survives of the picture, in its own pixels."""
        return self.placement.crop


@dataclass(frozen=True)
class Dataset:
    """What a folder holds for the trainer: its images by name, and what was found about its files."""

    folder: Path
    tag: str
    settings: BucketSettings
    images: tuple[TrainingImage, ...]
    findings: tuple[Finding, ...]
    beside: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The captions that stand beside the pictures, by image name, empty where there is none."""
    regularisation: tuple[TrainingImage, ...] = ()
    """See ``regularisation.py``."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that should be dealt with."""
        return self._of(Severity.PROBLEM)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that are only worth knowing."""
        return self._of(Severity.NOTE)

    @property
    def uncaptioned(self) -> tuple[TrainingImage, ...]:
        """The images without a caption, or with an empty one."""
        return tuple(image for image in self.images if not image.caption)

    @property
    def usable(self) -> bool:
        """Whether there is an image, and every image has a caption."""
        return bool(self.images) and not self.uncaptioned

    @property
    def captions(self) -> dict[str, str]:
        """Captions by image name, empty where there is none."""
        return {image.name: image.caption or "" for image in self.images}

    @property
    def buckets(self) -> dict[Bucket, int]:
        """Number of images in each bucket that has any, without repeats, in ascending order of the buckets."""
        return dict(sorted(Counter(image.bucket for image in self.images).items()))

    def counts(self, repeats: int, images: Sequence[TrainingImage] | None = None) -> Counter[Bucket]:
        """How often an epoch takes a picture of each bucket, of all ``images`` or of some, and for regularisation.

        ``repeats`` are the recipe's.
        """
        counts: Counter[Bucket] = Counter()
        for image in self.images if images is None else images:
            counts[image.bucket] += image.repeats or repeats
        taken = times_taken([image.repeats or 1 for image in self.regularisation], counts.total())
        for image, times in zip(self.regularisation, taken, strict=True):
            counts[image.bucket] += times
        return counts

    def steps_per_epoch(self, repeats: int, batch: int, accumulation: int = 1, processes: int = 1) -> int:
        """See :func:`~lib_photoshoot.training.buckets.steps_per_epoch`."""
        return steps_per_epoch(self.counts(repeats), 1, batch, accumulation, processes)

    def findings_of(self, file: str) -> tuple[Finding, ...]:
        """The findings about one file."""
        return tuple(finding for finding in self.findings if finding.file == file)

    def with_captions(self, captions: Mapping[str, str]) -> Dataset:
        """The same images with other captions, by image name, and with what is wrong with those."""
        changed = {
            image.name: replace(image, caption=captions[image.name])
            for image in self.images
            if captions.get(image.name, image.caption or "") != (image.caption or "")
        }
        kept = [found for found in self.findings if found.file not in changed or found.kind not in _ABOUT_CAPTIONS]
        new = [found for image in changed.values() for found in _edited_findings(image, self.tag)]
        images = tuple(changed.get(image.name, image) for image in self.images)
        return replace(self, images=images, findings=tuple(sorted([*kept, *new], key=lambda found: found.file)))

    def with_findings(self, more: Iterable[Finding]) -> Dataset:
        """The same with more that was found."""
        return replace(self, findings=tuple(sorted([*self.findings, *more], key=lambda found: found.file)))

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is severity)


def scan(
    folder: Path,
    tag: str,
    settings: BucketSettings | None = None,
    smallest: int = SMALLEST_SIDE,
    progress: Progress | None = None,
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
    metadata, findings = _metadata(files, {path.stem for path in pictures})
    images: list[TrainingImage] = []
    for path, look in zip(pictures, _looks(pictures, progress), strict=True):
        image, about = _image(path, look, texts.get(path.stem, metadata.get(path.stem)), tag, settings, smallest)
        findings += about
        if image is not None:
            images.append(image)
    findings += _duplicates(images)
    findings += _same_stems(pictures)
    findings += [_mask(path, owner) for path, owner in mask_owners.items()]
    findings += _other_files(files, {path.stem for path in pictures})
    order = {path.name: place for place, path in enumerate(files)}
    findings.sort(key=lambda finding: order[finding.file])
    beside = {image.name: image.caption or "" for image in images}
    return Dataset(folder, tag, settings, tuple(images), tuple(findings), beside)


def difference_hash(pixels: np.ndarray) -> int:
    """64 bits that stay nearly the same when a picture (uint8 RGB) is scaled, recompressed or brightened.

    dHash: is each of 8 x 8 grey cells darker than its right neighbour? Neal Krawetz, "Kind of Like That", 2013,
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html.
    """
    import numpy as np
    from PIL import Image

    step = max(1, max(pixels.shape) // 512)
    small = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    cells = np.asarray(small.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


@dataclass(frozen=True)
class _Look:
    """What is kept of a picture once it was decoded; the size is the upright one."""

    width: int
    height: int
    hash: int
    rotated: bool
    transparent: bool


def _files(folder: Path) -> list[Path]:
    """The folder's files by name, hidden ones left out."""
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


def _looks(paths: Sequence[Path], progress: Progress | None) -> Iterator[_Look | ImageError]:
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
        picture = read_picture(path)
    except ImageError as error:
        return error
    transparent = picture.alpha is not None and int(picture.alpha.min()) < 255
    # What is seen, not what lies below it: cut-outs may all have the same there.
    looks = difference_hash(flattened(picture))
    return _Look(picture.width, picture.height, looks, is_rotated(path), transparent)


def _image(
    path: Path, look: _Look | ImageError, text: Path | str | None, tag: str, settings: BucketSettings, smallest: int
) -> tuple[TrainingImage | None, list[Finding]]:
    """The image, None where it is left out, and what there is to say about it and its caption."""
    if isinstance(look, ImageError):
        return None, [_problem(FindingKind.UNREADABLE, path, str(look))]
    try:
        placement = place(look.width, look.height, settings)
    except TrainingError as error:
        return None, [_problem(FindingKind.TOO_SMALL, path, f"{shown(path.name)} is left out: {error}")]
    if min(look.width, look.height) < smallest:
        return None, [
            _problem(
                FindingKind.TOO_SMALL,
                path,
                f"{shown(path.name)} has {look.width}x{look.height} pixels and is left out; "
                f"use a picture with at least {smallest} pixels on its shorter side.",
            )
        ]
    caption, findings = _caption(path, text, tag)
    image = TrainingImage(
        path, look.width, look.height, caption, placement, look.rotated, look.hash, transparent=look.transparent
    )
    return image, _picture_notes(image) + findings


def _picture_notes(image: TrainingImage) -> list[Finding]:
    """What happens to the picture on its way into the bucket."""
    notes = []
    name, placement = shown(image.name), image.placement
    suffix = image.path.suffix.lower()
    if suffix not in TRAINER_SUFFIXES:
        first = " of its first picture" if suffix == ".gif" else ""
        sentence = f"{name} is no picture that the trainer reads; the run works on a copy{first} as PNG."
        notes.append(_note(FindingKind.OTHER_FORMAT, image.path, sentence))
    if image.rotated:
        notes.append(
            _note(
                FindingKind.ROTATED,
                image.path,
                f"{name} is turned in the file and says so in its EXIF, which the trainer ignores; "
                "the run works on an upright copy, so there is nothing to do.",
            )
        )
    if image.transparent:
        notes.append(
            _note(
                FindingKind.TRANSPARENT,
                image.path,
                f"{name} is transparent in parts, where the trainer would show what lies below; the run works on a "
                "copy with the recipe's colour there (background).",
            )
        )
    if (image.width, image.height) != trained_size(image.width, image.height):
        notes.append(
            _note(
                FindingKind.SHRUNK,
                image.path,
                f"{name} has {image.width}x{image.height} pixels, more than the trainer opens; the run works on a copy "
                "of half the size.",
            )
        )
    if placement.scale > MOST_ENLARGED:
        notes.append(
            _note(
                FindingKind.ENLARGED,
                image.path,
                f"{name} has {image.width}x{image.height} pixels and is enlarged {placement.scale:.1f} times for its "
                f"bucket {image.bucket}, so the training sees it blurred; use a larger picture.",
            )
        )
    if 1 - placement.kept > MOST_CUT_AWAY:
        notes.append(
            _note(
                FindingKind.CROPPED,
                image.path,
                f"{name} loses {1 - placement.kept:.0%} of its area to the centre crop for its bucket {image.bucket}; "
                "check that the product is still whole, or crop it yourself.",
            )
        )
    return notes


def _metadata(files: Sequence[Path], stems: set[str]) -> tuple[dict[str, str], list[Finding]]:
    """Captions by stem from the folder's metadata, and what there is to say about it."""
    path = metadata_file(files)
    if path is None:
        return {}, []
    try:
        captions = read_metadata(path)
    except ValueError as error:
        sentence = f"{shown(path.name)} is not read as captions ({error}); write the captions as texts instead."
        return {}, [_problem(FindingKind.METADATA_UNREADABLE, path, sentence)]
    used = len(stems & captions.keys())
    pictures = counted(used, "picture")
    sentence = f"{shown(path.name)} has captions of {pictures} here; a text beside a picture goes before them."
    return captions, [_note(FindingKind.METADATA, path, sentence)]


def _caption(path: Path, text: Path | str | None, tag: str) -> tuple[str | None, list[Finding]]:
    """The caption that the trainer would read, None without one, and what is wrong with it.

    ``text`` is its file, or what the metadata say.
    """
    name = shown(path.name)
    if isinstance(text, str):
        return text, _tag_findings(path, f"The caption of {name}", text, tag)
    if text is None:
        return None, [
            _problem(
                FindingKind.CAPTION_MISSING,
                path,
                f"{name} has no caption; write {shown(text_name(path.name))} or let the pictures be captioned.",
            )
        ]
    try:
        data = text.read_bytes()
    except OSError as error:
        sentence = f"{shown(text.name)} cannot be read ({error.strerror}); give yourself read permission on it."
        return None, [_problem(FindingKind.CAPTION_UNREADABLE, path, sentence)]
    content, encoding = decode(data)
    findings = _encoding_findings(path, text, encoding)
    caption = first_line(content)
    if not caption:
        rest = "begins with an empty line, and only the first line counts" if content.strip() else "is empty"
        sentence = f"{shown(text.name)} {rest}; write what {name} shows into its first line."
        return "", [*findings, _problem(FindingKind.CAPTION_EMPTY, path, sentence)]
    if any(line.strip() for line in lines(content)[1:]):
        sentence = f"{shown(text.name)} has several lines, and only the first is used; put everything into one line."
        findings.append(_note(FindingKind.CAPTION_LINES, path, sentence))
    return caption, findings + _tag_findings(path, shown(text.name), caption, tag) + _other_text(path, text, caption)


def _other_text(path: Path, text: Path, caption: str) -> list[Finding]:
    """A note where a second text, with kohya's other ending, says something else."""
    other = text.with_suffix(SUFFIXES[-1])
    # os.path's says no of a name that is too long, where pathlib's ends in an error.
    if text.suffix.lower() != SUFFIXES[0] or not os.path.isfile(other):
        return []
    try:
        if first_line(decode(other.read_bytes())[0]) == caption:
            return []
    except OSError:
        pass
    sentence = f"{shown(text.name)} and {shown(other.name)} say different things, and the first is used; remove one."
    return [_note(FindingKind.CAPTION_TWO_FILES, path, sentence)]


def _edited_findings(image: TrainingImage, tag: str) -> list[Finding]:
    """What is wrong with a caption that stands in no file."""
    name = f"The caption of {shown(image.name)}"
    if not (image.caption or "").strip():
        return [_problem(FindingKind.CAPTION_EMPTY, image.path, f"{name} is empty; write what the picture shows.")]
    return _tag_findings(image.path, name, image.caption or "", tag)


def _encoding_findings(path: Path, text: Path, encoding: str) -> list[Finding]:
    name = shown(text.name)
    if encoding == "utf-8":
        return []
    if encoding == "utf-8-sig":
        sentence = f"{name} starts with a byte order mark, which was left out; save it as UTF-8 without one."
        return [_note(FindingKind.CAPTION_ENCODING, path, sentence)]
    sentence = f"{name} is not UTF-8 but perhaps {_ENCODING_NAMES[encoding]}; check its letters, save it as UTF-8."
    return [_problem(FindingKind.CAPTION_ENCODING, path, sentence)]


def _tag_findings(path: Path, name: str, caption: str, tag: str) -> list[Finding]:
    """``name`` is what the caption is called in the sentences."""
    found = tags(caption)
    if not tag or (found[:1] == [tag] and found.count(tag) == 1):
        return []
    if tag not in found:
        sentence = f"{name} does not hold the activation tag '{tag}'; put it first, or let it be added to all captions."
        return [_problem(FindingKind.TAG_MISSING, path, sentence)]
    findings = []
    if found[0] != tag:
        sentence = f"{name} has the activation tag '{tag}' behind other words; put it first, where it is kept."
        findings.append(_problem(FindingKind.TAG_NOT_FIRST, path, sentence))
    if found.count(tag) > 1:
        sentence = f"{name} has the activation tag '{tag}' {found.count(tag)} times; leave it once, at the beginning."
        findings.append(_note(FindingKind.TAG_TWICE, path, sentence))
    return findings


def _duplicates(images: Sequence[TrainingImage]) -> list[Finding]:
    """A note for every image that looks like an earlier one, about the most similar of them."""
    findings = []
    for number, image in enumerate(images):
        distances = [(_distance(image, earlier), earlier.name) for earlier in images[:number]]
        distance, name = min(distances, default=(64, ""))
        if distance <= NEAR_DUPLICATE:
            sentence = f"{shown(image.name)} looks the same as {shown(name)}; leave one out, or it counts twice."
            findings.append(_note(FindingKind.DUPLICATE, image.path, sentence))
    return findings


def _distance(one: TrainingImage, other: TrainingImage) -> int:
    """How many of the 64 bits differ."""
    return (one.hash ^ other.hash).bit_count()


def _same_stems(pictures: Sequence[Path]) -> list[Finding]:
    first: dict[str, Path] = {}
    return [
        _problem(
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
    return _note(FindingKind.MASK, path, sentence)


def _other_files(files: Sequence[Path], stems: set[str]) -> list[Finding]:
    """Files that might have been meant as captions, and are not."""
    findings = []
    for path in files:
        suffix, name = path.suffix.lower(), shown(path.name)
        if suffix in SUFFIXES and path.stem not in stems:
            sentence = f"{name} belongs to no picture and is no caption; if it should be one, name it as its picture."
            findings.append(_note(FindingKind.TEXT_WITHOUT_IMAGE, path, sentence))
    return findings


def _problem(kind: FindingKind, path: Path, text: str) -> Finding:
    return Finding(kind, Severity.PROBLEM, path.name, text)


def _note(kind: FindingKind, path: Path, text: str) -> Finding:
    return Finding(kind, Severity.NOTE, path.name, text)


@dataclass(frozen=True)
class Curated:
    """What our product filter saw in a training image.

    ``products`` are the names found; ``crop`` is the box around all of them with a margin, in pixels of the upright
    picture with whole numbers, None where nothing was found.
    """

    image: TrainingImage
    products: tuple[str, ...]
    crop: Box | None

    @property
    def found(self) -> bool:
        """Whether a product is in the picture."""
        return bool(self.products)


def curate(
    images: Sequence[TrainingImage],
    product_filter: ProductFilter,
    products: Sequence[Product],
    margin: float = CROP_MARGIN,
    progress: Progress | None = None,
) -> tuple[Curated, ...]:
    """Look for the products in every image, so that pictures without them can be left out or cropped to them.

    ``margin`` is the room around the products, as a share of their box's longer side. Raises ProductsError for an
    unusable product word, and ImageError for a picture that is no longer there.
    """
    curated = []
    for done, image in enumerate(images, 1):
        regions = product_filter.detect(flattened(read_picture(image.path)), products).regions
        names = tuple(dict.fromkeys(region.product for region in regions))
        crop = _around([region.box for region in regions], margin, image.width, image.height) if regions else None
        curated.append(Curated(image, names, crop))
        if progress is not None:
            progress(done, len(images))
    return tuple(curated)


def _around(boxes: Sequence[Box], margin: float, width: int, height: int) -> Box:
    """The box around ``boxes`` with a margin, in whole pixels, inside the picture."""
    x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
    x1, y1 = max(box[2] for box in boxes), max(box[3] for box in boxes)
    room = margin * max(x1 - x0, y1 - y0)
    left, top = max(0, round(x0 - room)), max(0, round(y0 - room))
    return float(left), float(top), float(min(width, round(x1 + room))), float(min(height, round(y1 + room)))
