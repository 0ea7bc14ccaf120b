"""What is known of a product by its examples: how it looks to a network, its colours, and what is printed on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib_photoshoot.detection.embedded.classifier import square_cutout
from lib_photoshoot.examples.colours import colour_likeness, colours_of
from lib_photoshoot.examples.cutting import ExampleCutter
from lib_photoshoot.examples.features import Features, looks_alike, unit
from lib_photoshoot.examples.prints import Print, print_score, take_print
from lib_photoshoot.examples.sources import (
    ExampleFiles,
    ExamplePicture,
    UselessExample,
    few_examples,
    none_useful,
    read_example,
    sentence_about,
)
from lib_photoshoot.files import shown
from lib_photoshoot.masks.morphology import bounding_rect

PRINT_SIDE = 400
"""Longest side, in pixels, of the product in an example's print."""
PRINT_FEATURES, LEAST_FEATURES = 3000, 250
"""Local features of all examples together, since finding them takes longer with each, and at least of one."""
MARGIN = 0.04
PRINTED_FEATURES = 200
"""Local features from which a single example counts as printed: plain things have a few at their edges."""
PRINTED_SHARE = 0.4
"""Share of the examples whose print is found on another from which the product is known by its print."""
SAME_PRINT = 0.0
"""Log odds from which two examples show the same print."""
USUAL_COHESION = 0.55
MOST_LIKENESS = 0.75
"""Of the examples to each other that is asked of a candidate: five shots of one moment are more alike than that."""
UNLIKE = 0.18
"""Likeness of an example to the nearest other one below which they show different products."""
GREY = 128


@dataclass(frozen=True, eq=False)
class Signature:
    """A product as n examples show it.

    ``looks`` are unit vectors (n, d): the product with what is around it and on plain grey, together. ``colours`` are
    (n, m) histograms, ``prints`` what is printed on it. ``digests`` says which file each came from; ``refused``
    holds the digest of each that is no use, and why. ``agreement`` (n, n) are log odds that two show the
    same print. ``second`` are unit vectors (n, e) of the second network, None without it.
    """

    looks: np.ndarray
    colours: np.ndarray
    prints: tuple[Print, ...]
    agreement: np.ndarray
    digests: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    second: np.ndarray | None = None

    @cached_property
    def is_printed(self) -> bool:
        """Whether it is known by a print: examples show the same one again, or the only ones are full of detail."""
        if len(self.prints) <= 2:
            return all(len(one.points) >= PRINTED_FEATURES for one in self.prints)
        return float((self.agreement.max(1) > SAME_PRINT).mean()) >= PRINTED_SHARE

    @cached_property
    def steady_colour(self) -> float | None:
        """The usual likeness of an example's colours to the nearest other's; None for a single example."""
        count = len(self.colours)
        if count < 2:
            return None
        nearest = [max(colour_likeness(self.colours[i], self.colours[j]) for j in range(count) if j != i)
                   for i in range(count)]  # fmt: skip
        return float(np.median(nearest))

    @cached_property
    def cohesion(self) -> float:
        """How alike the examples are: the usual likeness of one to the nearest other; a guess for a single one."""
        count = len(self.looks)
        if count < 2:
            return USUAL_COHESION
        likeness = self.looks @ self.looks.T
        np.fill_diagonal(likeness, -1)
        return float(np.median(likeness.max(1)))

    @cached_property
    def own_likeness(self) -> float:
        """How like all others the usual example is, as a candidate is compared with them; a guess for a single one."""
        found = _to_the_others(self.looks)
        return min(float(np.median(found)), MOST_LIKENESS) if len(found) else USUAL_COHESION

    @cached_property
    def least_second(self) -> float | None:
        """How like the others the least alike example is to the second network; None without it or for a single one."""
        if self.second is None or len(self.second) < 2:
            return None
        return float(min(_to_the_others(self.second)))

    @cached_property
    def strangers(self) -> tuple[int, ...]:
        """Indices of examples that look like none of the others, and share no print with them."""
        count = len(self.looks)
        if count < 2:
            return ()
        likeness = self.looks @ self.looks.T
        np.fill_diagonal(likeness, -1)
        apart = (likeness.max(1) < UNLIKE) & (self.agreement.max(1) <= SAME_PRINT)
        return tuple(int(i) for i in np.flatnonzero(apart))


def make_signature(
    files: ExampleFiles, features: Features, cutter: ExampleCutter, second: Features | None = None
) -> Signature:
    """Return what the examples show; ``second`` looks too where it is there. Raises ExamplesError where none can be
    used.
    """
    pictures, digests, refused = [], [], []
    for file in files.files:
        try:
            pictures.append(read_example(file))
            digests.append(file.digest)
        except UselessExample as error:
            refused.append((file.digest, str(error)))
    if not pictures:
        said = [sentence_about(file, UselessExample(why)) for file, (_, why) in zip(files.files, refused, strict=True)]
        raise none_useful(files.product, said)
    masks = [cutter.mask(picture) for picture in pictures]
    alone = [on_grey(picture.pixels, mask) for picture, mask in zip(pictures, masks, strict=True)]
    most = max(LEAST_FEATURES, PRINT_FEATURES // len(pictures))
    prints = tuple(_print(picture, mask, most) for picture, mask in zip(pictures, masks, strict=True))
    boxes = [_in_box(picture, mask) for picture, mask in zip(pictures, masks, strict=True)]
    return Signature(
        looks=look(features, boxes, alone),
        colours=np.stack([colours_of(p.pixels, mask) for p, mask in zip(pictures, masks, strict=True)]),
        prints=prints,
        agreement=_agreement(prints),
        digests=tuple(digests),
        refused=tuple(refused),
        second=None if second is None else look(second, boxes, alone),
    )


def _to_the_others(looks: np.ndarray) -> np.ndarray:
    """Return how like all others each of the unit vectors (n, d) is, as a candidate is compared; empty for one."""
    if len(looks) < 2:
        return np.zeros(0, np.float32)
    return np.array([looks_alike(one[None], np.delete(looks, i, axis=0))[0] for i, one in enumerate(looks)])


def said_of(files: ExampleFiles, signature: Signature) -> Iterator[str]:
    """Yield what is to be said about the examples: which are no use, too few, and which disagree."""
    yield from files.notes
    by_digest = {file.digest: file for file in files.files}
    for digest, why in signature.refused:
        yield sentence_about(by_digest[digest], UselessExample(why))
    yield from few_examples(files.product, len(signature.digests))
    yield from disagreements(files, signature)


def disagreements(files: ExampleFiles, signature: Signature) -> Iterator[str]:
    """Yield the sentence for examples that show different products, if some do."""
    count = len(signature.digests)
    by_digest = {file.digest: file for file in files.files}
    strangers = [shown(by_digest[signature.digests[i]].path) for i in signature.strangers]
    if strangers and 2 * len(strangers) >= count:
        yield (
            f"The examples of {files.product!r} seem to show different products; any of them is looked for. Give "
            "photos of one."
        )
    elif strangers:
        yield (
            f"{', '.join(strangers)} looks unlike the other examples of {files.product!r}; take it away if it shows "
            "another product."
        )


def look(features: Features, boxes: Sequence[np.ndarray], alone: Sequence[np.ndarray]) -> np.ndarray:
    """Return one unit vector (n, d) of each product's two cut-outs, with what is around it and on plain grey."""
    seen = features.cutouts([*boxes, *alone])
    return unit(seen[: len(boxes)] + seen[len(boxes) :])


def on_grey(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the square cut-out of what ``mask`` (bool) shows of ``image`` (uint8 RGB), on plain grey."""
    rect = bounding_rect(mask)
    if rect is None:
        return square_cutout(image, (0.0, 0.0, float(image.shape[1]), float(image.shape[0])))
    crop = np.where(mask[rect.slices][..., None], image[rect.slices], np.uint8(GREY))
    return square_cutout(crop, (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0])))


def _in_box(picture: ExamplePicture, mask: np.ndarray) -> np.ndarray:
    """Return the cut-out with what is around it; what is transparent was never part of the photo."""
    if picture.alpha is not None:
        return on_grey(picture.pixels, mask)
    rect = bounding_rect(mask)
    if rect is None:
        return square_cutout(picture.pixels, (0.0, 0.0, float(mask.shape[1]), float(mask.shape[0])))
    return square_cutout(picture.pixels, (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1)))


def _print(picture: ExamplePicture, mask: np.ndarray, most: int) -> Print:
    rect = bounding_rect(mask)
    if rect is None:
        return take_print(picture.pixels, mask, PRINT_SIDE, most)
    margin = round(MARGIN * max(rect.x1 - rect.x0, rect.y1 - rect.y0))
    rows = slice(max(0, rect.y0 - margin), rect.y1 + margin)
    columns = slice(max(0, rect.x0 - margin), rect.x1 + margin)
    return take_print(np.ascontiguousarray(picture.pixels[rows, columns]), mask[rows, columns], PRINT_SIDE, most)


def _agreement(prints: Sequence[Print]) -> np.ndarray:
    """Return the log odds that each example's print (rows) is seen on each other example (columns)."""
    count = len(prints)
    odds = np.full((count, count), -9.0, np.float32)
    for i in range(count):
        for j in range(count):
            if i != j:
                odds[i, j] = print_score(prints[i], prints[j])
    return np.maximum(odds, odds.T)
