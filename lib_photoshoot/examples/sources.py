"""What the user typed after ``@``, as the example pictures of a product: which files, what they hold, which are no use.

Nothing here loads a model. A request's texts are confined to the folders that requests may name before they come here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from lib_photoshoot.errors import ImageError, ProductsError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.images import PICTURE_SUFFIXES, read_picture
from lib_photoshoot.products import Product

MOST_EXAMPLES = 20
"""More teach nothing new and cost a second each: so many are taken, spread evenly."""
FEW_EXAMPLES = 3
"""Below this the signature hardly knows how the product looks from another side."""
SMALLEST_SIDE = 48
"""Pixels of the shorter side: below, no print and hardly a shape can be seen."""
BLANK_SPREAD = 3.0
"""Standard deviation of the grey values, of 255, up to which a picture shows nothing."""
LARGEST_SIDE = 1024
"""Pixels: what is looked at of an example, as of a picture."""
_PIECE = 1 << 20

Kept = Callable[[str], "Path | None"]


class ExamplesError(ProductsError):
    """The examples of a product cannot be used."""


class UselessExample(ExamplesError):
    """One example cannot be used; the message says why, without the picture's name."""


@dataclass(frozen=True)
class ExampleFile:
    """One example: where it lies, and the SHA-256 of what is in it."""

    path: Path
    digest: str


@dataclass(frozen=True)
class ExampleFiles:
    """The examples of one product, at most :data:`MOST_EXAMPLES`, each content once.

    ``notes`` are sentences about what was left out.
    """

    product: str
    files: tuple[ExampleFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Hex SHA-256 that changes with any content; names and order do not matter."""
        return hashlib.sha256("\n".join(sorted(file.digest for file in self.files)).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class ExamplePicture:
    """An example's pixels, uint8 RGB (height, width, 3), at most :data:`LARGEST_SIDE` long; ``alpha`` uint8 or None."""

    pixels: np.ndarray
    alpha: np.ndarray | None


def list_examples(name: str, texts: Sequence[str], kept: Kept = lambda _: None) -> ExampleFiles:
    """Return the pictures that ``texts`` name: folders (their own pictures, not those of folders inside) or files.

    A relative path begins at the current folder. ``kept`` is asked for a text that is no path: products that were
    taught under a name. Raises ExamplesError for what does not exist, and where there is no picture at all.
    """
    paths: dict[str, Path] = {}
    for text in texts:
        for path in _pictures(name, text, kept):
            paths.setdefault(os.path.realpath(path), path)
    notes = []
    chosen = list(paths.values())
    if len(chosen) > MOST_EXAMPLES:
        notes.append(
            f"Of the {len(chosen)} examples of {name!r}, {MOST_EXAMPLES} are used, spread evenly; more would not make "
            "it known better."
        )
        chosen = [chosen[round(i)] for i in np.linspace(0, len(chosen) - 1, MOST_EXAMPLES)]
    files: dict[str, ExampleFile] = {}
    for path in chosen:
        digest = _digest(path)
        if digest in files:
            notes.append(f"{shown(path)} is the same picture as {shown(files[digest].path)}; it counts once.")
        else:
            files[digest] = ExampleFile(path, digest)
    return ExampleFiles(name, tuple(files.values()), tuple(notes))


def read_example(file: ExampleFile) -> ExamplePicture:
    """Decode one example. Raises UselessExample for one that shows nothing, or cannot be read."""
    try:
        picture = read_picture(file.path)
    except ImageError as error:
        raise UselessExample(f"cannot be used: {error}") from error
    pixels, alpha = picture.srgb, picture.alpha
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise UselessExample(
            f"is only {width} x {height} pixels; give one whose shorter side has at least {SMALLEST_SIDE}"
        )
    scale = LARGEST_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        alpha = None if alpha is None else cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    if alpha is not None and alpha.min() > 250:
        alpha = None
    seen = pixels if alpha is None else pixels[alpha > 127]
    if seen.size == 0 or (alpha is None and cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).std() <= BLANK_SPREAD):
        raise UselessExample("shows nothing: it is of one colour; give a photo of the product")
    return ExamplePicture(np.ascontiguousarray(pixels), alpha)


def check_examples(name: str, texts: Sequence[str], kept: Kept = lambda _: None) -> tuple[str, ...]:
    """Return what is to be said about the examples of a product, a sentence each, without loading a model.

    Raises ExamplesError where none can be used.
    """
    found = list_examples(name, texts, kept)
    said, useful = list(found.notes), 0
    for file in found.files:
        try:
            read_example(file)
            useful += 1
        except UselessExample as error:
            said.append(sentence_about(file, error))
    if not useful:
        raise none_useful(name, said)
    return (*said, *few_examples(name, useful))


def check_distinct_examples(products: Iterable[Product], kept: Kept = lambda _: None) -> None:
    """Raise ExamplesError where two products name the same picture: nothing could tell them apart."""
    owners: dict[str, str] = {}
    for product in products:
        for text in product.examples:
            for path in _pictures(product.name, text, kept):
                owner = owners.setdefault(os.path.realpath(path), product.name)
                if owner != product.name:
                    raise ExamplesError(
                        f"{shown(path)} is an example of {owner!r} and of {product.name!r}; give each product "
                        "pictures of its own."
                    )


def sentence_about(file: ExampleFile, error: UselessExample) -> str:
    """Return the sentence for an example that is left out."""
    return f"The example {shown(file.path)} {str(error).rstrip('.')}."


def none_useful(name: str, said: Sequence[str]) -> ExamplesError:
    """Return the error for a product none of whose examples can be used; ``said`` tells why, the first is enough."""
    return ExamplesError(f"None of the examples of {name!r} can be used: {said[0] if said else 'there are none.'}")


def few_examples(name: str, useful: int) -> Iterator[str]:
    """Yield the sentence for too few examples, if they are too few."""
    if useful < FEW_EXAMPLES:
        count = "one example" if useful == 1 else f"{useful} examples"
        yield (
            f"{name!r} is known by {count} only, so that it may be missed from other sides and in other light; "
            f"give at least {FEW_EXAMPLES}, better 5."
        )


def _pictures(name: str, text: str, kept: Kept) -> list[Path]:
    path = Path(os.path.expanduser(text))
    if not os.path.lexists(path):
        known = kept(text)
        if known is None:
            raise ExamplesError(
                f"The examples {shown(text)} of {name!r} do not exist; name a folder with photos of it, or a photo."
            )
        path = known
    if not os.path.isdir(path):
        return [path]
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise ExamplesError(f"The folder {shown(path)} may not be read; give yourself permission on it.") from error
    found = [path / item for item in names if _is_picture(item) and os.path.isfile(path / item)]
    if not found:
        raise ExamplesError(
            f"There is no picture in {shown(path)}, the examples of {name!r}; put photos of it right into that folder."
        )
    return found


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; of its name where it cannot be read, which reading it will say."""
    try:
        # Asked with every picture of a run: a file that did not change is not read again.
        return _digest_of(path, stamp_of(path))
    except OSError:
        return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()


@lru_cache(maxsize=1024)
def _digest_of(path: Path, stamp: tuple[int, int, int] | None) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
