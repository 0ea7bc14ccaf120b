"""What ``finish`` has made of a shoot, and the ranking that it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePath

from lib_photoshoot.consistency.words import told_of
from lib_photoshoot.files import write_atomic
from lib_photoshoot.ranking.alike import compare_measured
from lib_photoshoot.ranking.order import Ranked, to_json


@dataclass(frozen=True)
class FinishProgress:
    """``done`` of ``total`` steps (a picture cut out, measured or exported), and the product at hand."""

    done: int
    total: int
    product: str


@dataclass(frozen=True)
class Channel:
    """One product's pictures for one profile: names of files in ``folder``, best first.

    ``made`` are new, ``kept`` were there; ``missed`` has a sentence for each rule that one of them misses.
    """

    profile: str
    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    missed: tuple[str, ...]


@dataclass(frozen=True)
class FinishedProduct:
    """What became of one product.

    ``ranking`` holds the pictures that look different, best first; the first ``wanted`` of them are exported.
    ``withdrawn`` has a sentence for each export that was moved away, ``problems`` one for whatever needs somebody;
    ``left_out`` is the one about pictures that a person rejected, empty where there are none; ``alike`` are those about
    how far the pictures are alike.
    """

    name: str
    accepted: int
    wanted: int
    ranking: tuple[Ranked, ...] = ()
    channels: tuple[Channel, ...] = ()
    withdrawn: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    left_out: str = ""
    cutouts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alike: tuple[str, ...] = ()


def called(product: FinishedProduct, names: Mapping[tuple[str, str], str]) -> FinishedProduct:
    """Return the product with its files as they are called now, by profile and the name before."""

    def now(channel: Channel) -> Channel:
        new = {old: names.get((channel.profile, old), old) for old in (*channel.made, *channel.kept)}
        told = [
            next((text.replace(old, name, 1) for old, name in new.items() if text.startswith(f"{old} ")), text)
            for text in channel.missed
        ]
        made, kept = ([new[old] for old in files] for files in (channel.made, channel.kept))
        return replace(channel, made=tuple(made), kept=tuple(kept), missed=tuple(told))

    return replace(product, channels=tuple(map(now, product.channels)))


def alike_in_words(ranking: Sequence[Ranked]) -> list[str]:
    """Return the sentences about how far ranked pictures, with their duplicates, are alike."""
    pictures = chain.from_iterable((item, *item.duplicates) for item in ranking)
    return told_of(compare_measured((item.measured.file, item.measured.traits) for item in pictures))


def seed_of(item: Ranked) -> int:
    """Return the seed of a ranked picture, whose file is ``PRODUCT/SEED.png``."""
    return int(PurePath(item.measured.file).stem)


def write_ranking(path: Path, finished: Sequence[FinishedProduct]) -> None:
    """Write ``ranking.json`` atomically. Raises OSError as it comes."""
    document = {
        "version": 1,
        "products": [
            {
                "name": product.name,
                "accepted": product.accepted,
                "problems": list(product.problems),
                **({"left_out": product.left_out} if product.left_out else {}),
                **({"alike": list(product.alike)} if product.alike else {}),
                "ranking": [
                    {
                        "seed": seed_of(item),
                        **to_json(item),
                        "cutouts": list(product.cutouts[item.measured.file]),
                    }
                    for item in product.ranking
                ],
            }
            for product in finished
        ],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_atomic(path, text.encode("utf-8", "backslashreplace"))
