"""Reads what our filter decided from the infotext of a picture, and says whether the picture is accepted.

The filter's result is one line: ``skipped: why``, or ``found shoe 0.83 + bag 0.41; what was done``. Anything else says
why the filter could not look at the picture at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lib_photoshoot.settings import OnMatch

RESULT_KEY = "Product filter result"

# The WebUI's own grammar: values with commas, colons or new lines stand in quotes, escaped as in JSON.
_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_FOUND = re.compile(r"found (.+? [0-9.]+(?: \+ .+? [0-9.]+)*); (.+)", re.DOTALL)
_SKIPPED = "skipped: "
_UNDONE = ("enhancement of ", "enhancement undone: ")
_DONE = {OnMatch.ENHANCE.value: "enhanced with ", OnMatch.CUT_OUT.value: "mask and cut-out only"}


@dataclass(frozen=True)
class Verdict:
    """Whether a picture is accepted, the filter's words for it, and each found product with its score in [0, 1]."""

    accepted: bool
    why: str
    scores: tuple[tuple[str, float], ...] = ()


def result_text(infotext: str) -> str | None:
    """What the filter wrote into an infotext, None where it wrote nothing."""
    # The parameters are the last line; a prompt above may hold anything.
    values = dict(_PARAMETER.findall(infotext.rpartition("\n")[2]))
    value = values.get(RESULT_KEY)
    if value is None or not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def verdict_of(result: str, on_match: str) -> Verdict | None:
    """The verdict for a result text.

    None where the filter could not look at the picture, or not enhance what it found, for the reason in the text: that
    says nothing about the picture.
    """
    if result.startswith(_SKIPPED):
        return Verdict(False, result)
    found = _FOUND.fullmatch(result)
    if found is None or not found[2].startswith((*_DONE.values(), *_UNDONE)):
        return None
    scores = tuple(_score(part) for part in found[1].split(" + "))
    return Verdict(found[2].startswith(_DONE[on_match]), result, scores)


def _score(text: str) -> tuple[str, float]:
    product, _, score = text.rpartition(" ")
    return product, float(score)
