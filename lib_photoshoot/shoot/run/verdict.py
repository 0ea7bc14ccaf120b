"""Reads what our filter decided from the infotext of a picture, and says whether the picture is accepted."""

from __future__ import annotations

import json
import re

from lib_photoshoot.results import Decision, Doubt
from lib_photoshoot.settings import OnMatch
from lib_photoshoot.verdict import RESULT_KEY, Done, Verdict

# The WebUI's own grammar: values with commas, colons or new lines stand in quotes, escaped as in JSON.
_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_WANTED = {OnMatch.ENHANCE.value: Done.ENHANCED, OnMatch.CUT_OUT.value: Done.CUT_OUT}
_ANSWERS = (Done.ENHANCED, Done.CUT_OUT, Done.UNDONE, Done.NOTHING)


def verdict_in(infotext: str) -> Verdict | None:
    """Return the verdict in an infotext, None where there is none. Raises ValueError for a value of another kind."""
    # The parameters are the last line; a prompt above may hold anything.
    value = dict(_PARAMETER.findall(infotext.rpartition("\n")[2])).get(RESULT_KEY)
    return None if value is None else Verdict.from_json(json.loads(value))


def is_answer(verdict: Verdict) -> bool:
    """Whether it says something about the picture: a filter that could not do its part says nothing."""
    return verdict.done in _ANSWERS


def is_accepted(verdict: Verdict, on_match: str) -> bool:
    """Whether the picture shows the products, surely each, and what was asked for was done with them."""
    sure = {found.product for found in verdict.products if Doubt.PERHAPS_ANOTHER not in found.doubts}
    shows = verdict.decision is Decision.MATCH and sure == {found.product for found in verdict.products}
    return shows and verdict.done is _WANTED[on_match]
