"""What users are told about words: how each is looked for, and what can be done about those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lib_photoshoot.detection.embedded.lookup import Answer
from lib_photoshoot.detection.translations import listed, told_languages
from lib_photoshoot.products import Product
from lib_photoshoot.typed import typed_command

GROUNDING_DINO = (
    "get GroundingDINO, which knows any English words (in the WebUI by its button in the panel, else with "
    f"'{typed_command('models get groundingdino')}' and '--detector groundingdino')"
)
ONLY_SEEN = "known to the small detector alone, so look at what is found"
EXAMPLES = 3
"""Photos that are enough to teach a product."""


def told(
    product: Product, word: str, answer: Answer[Any], looked_for: Sequence[str], only: str = "", seen: bool = False
) -> str | None:
    """Return what is to be said of a word that is looked for; None where it is one of the table's own.

    ``looked_for`` are the words of the table that it is looked for by, ``only`` what those mean less than they say,
    ``seen`` whether a small detector alone knows one of them.
    """
    shown = product.as_typed(word)
    if answer.is_own:
        if seen:
            return f"{shown}: {ONLY_SEEN}."
        return f"{shown}: of these the embedded detector knows {only} only." if only else None
    remarks = [*_remarks(answer, _as_typed(shown, answer.ignored)), *([f"it knows {only} only"] if only else [])]
    remarks += [ONLY_SEEN] if seen else []
    notes = f" ({'; '.join(remarks)})" if remarks else ""
    return f"{shown}: looked for as {listed(looked_for, 'or')}{notes}."


def _remarks(answer: Answer[Any], ignored: str) -> Iterator[str]:
    if answer.english:
        yield told_languages(answer.english)
        if len(answer.english) > 1:
            yield "write the one that you mean to look for it alone"
    if answer.wider:
        if answer.respelt:
            yield f"taken for {answer.respelt[0]}"
        yield "a wider kind"
    if ignored:
        yield f"the embedded detector ignores '{ignored}'"


def _as_typed(shown: str, part: str) -> str:
    """Return a part of a word as the user wrote it, where it can be found there."""
    at = shown.lower().find(part)
    return shown[at : at + len(part)] if at >= 0 else part


def unknown(products: Sequence[Product], answers: Sequence[Answer[Any]]) -> str:
    """Return the sentence on products that are not looked for; the way to GroundingDINO stands in it once."""
    names = [product.as_typed(product.name) for product in products]
    meant = [
        f"{name} is {told_languages(answer.english)}"
        for name, answer in zip(names, answers, strict=True)
        if answer.english
    ]
    meant += [
        f"{name} may be {listed(answer.respelt, 'or')}{', write the one that you mean' if answer.respelt[1:] else ''}"
        for name, answer in zip(names, answers, strict=True)
        if answer.respelt
    ]
    several = len(products) > 1
    teach = f"teach {'each' if several else 'it'} with {EXAMPLES} photos ({names[0]} = @folder)"
    hint = f" ({'; '.join(meant)})" if meant else ""
    return (
        f"{listed(names)}{hint}: not looked for, since the embedded detector does not know "
        f"{'these words' if several else 'the word'}; {teach}, or {GROUNDING_DINO}."
    )


def idle_aliases(product: Product, idle: Sequence[str]) -> str:
    """Return the sentence on aliases of a product that find nothing."""
    shown = listed([product.as_typed(alias) for alias in idle])
    return (
        f"{product.as_typed(product.name)}: looked for without {shown}, which the embedded detector does not know; "
        f"remove {'it' if len(idle) == 1 else 'them'}, or ask GroundingDINO."
    )
