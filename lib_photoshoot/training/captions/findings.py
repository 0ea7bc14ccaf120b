"""What is to be said about captions that depends on the recipe, or on what was edited here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lib_photoshoot.files import shown
from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, Severity

# As CLIP's tokenizer splits a text before it splits words further: each of these is one token at least.
_WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def least_tokens(caption: str) -> int:
    """How many tokens a caption has at least; long or invented words have several each."""
    return len(_WORDS.findall(caption))


def caption_findings(dataset: Dataset, conflicts: Mapping[str, str], longest: int) -> Iterator[Finding]:
    """``conflicts`` are texts beside the pictures, by image name, ``longest`` the recipe's tokens of a caption."""
    for name, text in conflicts.items():
        yield Finding(
            FindingKind.CAPTION_CONFLICT,
            Severity.PROBLEM,
            name,
            f"The caption of {shown(name)} was edited here and says something else beside the picture by now "
            f"('{shown(text)[:80]}'); the edited one is used. Edit it to keep it, or take the texts "
            "(`train caption --take-texts`, or the tick beside Caption on the page).",
        )
    for image in dataset.images:
        tokens = least_tokens(image.caption or "")
        if tokens > longest:
            yield Finding(
                FindingKind.CAPTION_LONG,
                Severity.NOTE,  # the trainer cuts it and goes on
                image.name,
                f"The caption of {shown(image.name)} has at least {tokens} tokens, and only the first {longest} are "
                "used; shorten it.",
            )
