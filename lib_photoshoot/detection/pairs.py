"""What is sold by the pair, and how many articles a picture holds then: two shoes side by side are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from lib_photoshoot.detection.asked_words import asked_words
from lib_photoshoot.detection.english import heads, singular_forms
from lib_photoshoot.results import Box

_SOLD_BY_THE_PAIR = frozenset(
    {"shoe", "sneaker", "trainer", "boot", "ankle boot", "sandal", "flip flop", "slipper", "loafer", "moccasin", "clog"}
    | {"high heel", "heel", "pump", "ballerina", "oxford", "brogue", "espadrille", "mule", "footwear", "wellington"}
    | {
        "cowboy boot",
        "running shoe",
        "tennis shoe",
        "inline skate",
        "roller skate",
        "skate",
        "ski boot",
        "football boot",
    }
    | {"earring", "stud earring", "hoop earring", "cufflink", "sock", "stocking", "glove", "mitten", "leg warmer"}
)
"""English words; what is made as one and called a pair, such as trousers, glasses or scissors, is none of them."""
ALIKE = 0.5
"""The two of a pair have areas of which the smaller is at least this share of the larger."""
APART = 0.75
"""They lie at most this share of their longer side apart."""


@lru_cache(maxsize=256)
def sold_by_the_pair(word: str) -> bool:
    """Whether a product word, in any language that is known, names what is sold by the pair.

    >>> [sold_by_the_pair(word) for word in ("red shoes", "Ohrringe", "trousers", "shoe box")]
    [True, True, False, False]
    """
    phrases = [phrase for asked in asked_words(word) for phrase in (asked, *(head for head, _ in heads(asked)))]
    return any(form in _SOLD_BY_THE_PAIR for phrase in phrases for form in singular_forms(phrase))


def articles(found: Iterable[tuple[str, Box]]) -> int:
    """Return how many articles the regions of a picture are, as a shop counts: each a product's name and its box.

    Of what is sold by the pair, two of a size that lie close together are one. Which belong together is decided from
    the nearest on: four shoes in a row are two pairs.

    >>> articles([("shoe", (0, 0, 10, 5)), ("shoe", (11, 0, 21, 5)), ("hat", (0, 20, 9, 30))])
    2
    """
    regions = list(found)
    near = sorted(
        (gap, i, j)
        for i, (name, box) in enumerate(regions)
        for j, (other, beside) in enumerate(regions[:i])
        if name == other and sold_by_the_pair(name) and (gap := _gap(box, beside)) is not None
    )
    taken: set[int] = set()
    for _, i, j in near:
        if not taken & {i, j}:
            taken |= {i, j}
    return len(regions) - len(taken) // 2


def _gap(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return how far apart two boxes lie, as a share of their longer side; None for such as are no pair."""
    sizes = [(box[2] - box[0], box[3] - box[1]) for box in (one, other)]
    small, large = sorted(width * height for width, height in sizes)
    if small < ALIKE * large:
        return None
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    gap = float(max(0.0, across, down) / max(1e-9, *sizes[0], *sizes[1]))
    return gap if gap <= APART else None
