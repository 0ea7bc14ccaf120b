"""Misspelt words, by edits of whole words: no word is looked for inside another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby

_SHORTEST, _LONG = 4, 7
"""Letters from which one misspelt letter is forgiven, and two."""
_VOWELS = frozenset("aeiouy")
_SOUNDS = ("bp", "cks", "dt", "fv", "gj", "mn", "sz", "iy")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = tuple(row[at : at + 2] for row in _ROWS for at in range(len(row) - 1))


def respelt(phrase: str, known: Iterable[str], right: Collection[str]) -> tuple[str, ...]:
    """Return the known phrases that a misspelt one may mean, the nearest; several where they are equally near.

    Both are lower-case words with single spaces. Words in ``right`` are spelt as they are meant, though they may be an
    edit away from another: a shirt is no skirt.
    """
    typed = phrase.split()
    nearest: dict[str, int] = {}
    for candidate in known:
        distance = _distance(typed, candidate.split(), right)
        if distance is not None:
            nearest[candidate] = min(distance, nearest.get(candidate, distance))
    least = min(nearest.values(), default=0)
    return tuple(candidate for candidate, distance in nearest.items() if distance == least)


def _distance(typed: list[str], known: list[str], right: Collection[str]) -> int | None:
    """Return the edits between two phrases, None where one cannot be meant by the other."""
    if len(typed) != len(known):
        return _joined_distance(typed, known, right)
    total = 0
    for word, meant in zip(typed, known, strict=True):
        if word == meant:
            continue
        if word in right or not is_misspelt(word, meant):
            return None
        total += edits(word, meant)
    return total or None


def _joined_distance(typed: list[str], known: list[str], right: Collection[str]) -> int | None:
    """Return the edits between what was written apart and in one: *hand bagg*. None for words that are all right."""
    one, other = "".join(typed), "".join(known)
    if abs(len(typed) - len(known)) != 1 or all(word in right for word in typed) or len(one) < _LONG:
        return None
    return 1 if is_misspelt(one, other) and edits(one, other) == 1 else None


def is_misspelt(word: str, meant: str) -> bool:
    """Return whether one word may be a misspelling of another: by an edit, or two of a long one, not in its first
    letter.
    """
    shortest = min(len(word), len(meant))
    if shortest < _SHORTEST:
        # Any two short words are an edit or two apart (bota, boa; cat, car).
        return _without_doubles(word) == _without_doubles(meant)
    if word[0] != meant[0] and word[:2] != meant[1::-1]:
        return False
    if shortest >= _LONG:
        return edits(word, meant) <= 2
    return edits(word, meant) == 1 and (len(word) != len(meant) or _is_slip(word, meant))


def _is_slip(word: str, meant: str) -> bool:
    """Return whether two words of one length and an edit apart are so by a slip: a chain is no chair, a stone no stove.

    Letters are swapped, or one stands for another of like sound, or in longer words for its neighbour on the keyboard.
    """
    other = [(one, right) for one, right in zip(word, meant, strict=True) if one != right]
    pair = set(other[0])
    if len(other) == 2 or pair <= _VOWELS:
        return True
    return len(word) > _SHORTEST and any(pair <= set(alike) for alike in (*_SOUNDS, *_NEIGHBOURS))


def edits(one: str, other: str) -> int:
    """Return how many letters are added, left out, changed or swapped with their neighbour: optimal string
    alignment.
    """
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, opposite in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != opposite))
            swapped = i > 1 and j > 1 and one[i - 2] == opposite and letter == other[j - 2]
            row.append(min(least, last[j - 2] + 1) if swapped else least)
    return row[-1]


def _without_doubles(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))
