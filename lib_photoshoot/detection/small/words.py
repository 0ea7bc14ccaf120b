"""Which labels of a small detector show a product that a user names.

``words.json`` holds, for each list of labels, the words that a label is, and those that it may be: a bottle may be a
perfume, which the classifier has to confirm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from lib_photoshoot.detection.small.labels import COCO, OBJECTS365


@dataclass(frozen=True)
class Labels:
    """The labels that show a product: those that are its own, and those under which it may be among others."""

    own: frozenset[str]
    wider: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.own | self.wider


def labels_for(words: Iterable[str], labels: tuple[str, ...], key: Callable[[str], str]) -> Labels:
    """Return the labels among ``labels`` that show a product with these ``words``.

    ``key`` brings words to a form in which they are compared.
    """
    keys = set(map(key, words))
    table = _table("objects365" if labels is OBJECTS365 else "coco")
    rows = {label: row for label, row in table.items() if label in labels}
    own = {label for label, row in rows.items() if any(key(word) in keys for word in row.get("is", ()))}
    wider = {label for label, row in rows.items() if any(key(word) in keys for word in row.get("may_be", ()))}
    return Labels(frozenset(own), frozenset(wider - own))


@lru_cache(maxsize=2)
def _table(name: str) -> Mapping[str, Mapping[str, list[str]]]:
    text = resources.files(__package__).joinpath("words.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, list[str]]] = json.loads(text)[name]
    assert set(table) <= set(OBJECTS365 if name == "objects365" else COCO)
    return table
