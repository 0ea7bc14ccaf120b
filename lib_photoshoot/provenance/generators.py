"""The marks by which generators can be known: what each writes into the texts of its files.

A text comes with the place that it stands in: a PNG chunk's keyword, ``comment`` (GIF, JPEG), an EXIF tag's or an XMP
property's name. Patterns have no nested repeats: a file's texts are somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib_photoshoot.provenance.terms import DigitalSource

_READ = 1 << 20
"""Characters of a text that are looked at."""


@dataclass(frozen=True)
class GeneratorMark:
    """What a text says: which generator wrote it, and whether it made the picture or only a part of it."""

    generator: str
    source: DigitalSource
    place: str
    text: str

    @property
    def reason(self) -> str:
        """In words."""
        done = "parts of it were painted" if self.source is DigitalSource.EDITED else "it was made"
        return f"{done} by {self.generator}"


@dataclass(frozen=True)
class _Rule:
    """Patterns: ``places`` of the whole place, ``text`` of a part of the text, ``edits`` of what tells inpainting."""

    generator: str
    places: str
    text: str
    edits: str = ""


_JSON_PLACES = "parameters|UserComment|comment|Comment|ImageDescription|Description"
_NODES = "prompt|workflow|Make|Model|UserComment|ImageDescription|parameters"
_INPAINT_NODES = r'"(?:VAEEncodeForInpaint|InpaintModelConditioning|SetLatentNoiseMask)"'

_RULES = (
    _Rule("SwarmUI", _JSON_PLACES, r'"sui_image_params"', r'"(?:maskimage|initimagemask)"'),
    _Rule("Fooocus", "fooocus_scheme", r"."),
    _Rule("Fooocus", _JSON_PLACES, r'"version"\s*:\s*"Fooocus'),
    _Rule("ComfyUI", _NODES, r'"class_type"\s*:', _INPAINT_NODES),
    _Rule("ComfyUI", "workflow", r'"(?:nodes|last_node_id)"\s*:', _INPAINT_NODES),
    _Rule("ComfyUI", "Make|Model", r"^(?:workflow|prompt):\s*\{"),
    _Rule("InvokeAI", "invokeai_metadata|sd-metadata", r"\{", r'"generation_mode"\s*:\s*"\w*(?:in|out)paint"'),
    _Rule("InvokeAI", "invokeai_graph|invokeai_workflow", r"\{"),
    _Rule("InvokeAI", "Dream", r"-S\s?\d"),
    _Rule("NovelAI", "Software|Title", r"^NovelAI"),
    _Rule("NovelAI", "Comment", r'"request_type"\s*:\s*"(?:PromptGenerate|Img2Img|NativeInfilling)', "NativeInfilling"),
    _Rule("Midjourney", "Description|ImageDescription|UserComment|description", r"\bJob ID: [0-9a-fA-F]{8}-"),
    _Rule("Draw Things", "CreatorTool|Software", r"^Draw Things"),
    _Rule("Easy Diffusion", "use_stable_diffusion_model", r"."),
    _Rule("Easy Diffusion", _JSON_PLACES, r'"use_stable_diffusion_model"\s*:'),
    _Rule("NMKD Stable Diffusion GUI", "NMKDiffusion", r"."),
    _Rule("Google's AI", "Credit", r"Made with Google AI"),
    # GB 45438-2025, China: 1 generated, 2 possibly, 3 suspected.
    _Rule("a generator (its AIGC label)", "AIGC", r'"Label"\s*:\s*"?[123]'),
    _Rule("an AI system (named in its XMP)", "AISystemUsed", r"\S"),
    _Rule(
        "the generator that it names",
        "Software|CreatorTool|Source|Credit",
        r"(?i)\b(?:stable[ -]?diffusion|comfyui|invokeai|fooocus|swarmui|midjourney|dall[·-]?e\b|firefly|draw things|"
        r"ideogram|dreamstudio|leonardo\.ai|sd\.next|forge neo|black forest labs)",
    ),
    # Others that write their settings as JSON.
    _Rule("a generator", "parameters|UserComment|comment", r'^\s*\{(?=[\s\S]*"seed"\s*:)(?=[\s\S]*"prompt"\s*:)'),
)
_COMPILED = tuple(
    (rule, re.compile(rule.places), re.compile(rule.text), re.compile(rule.edits) if rule.edits else None)
    for rule in _RULES
)
# What AUTOMATIC1111's WebUI, and all that write as it does, put below the prompt; the mask's only where it inpainted.
_INFOTEXT = "AUTOMATIC1111's WebUI, or one that writes as it does"
_INFOTEXT_PLACES = re.compile("parameters|UserComment|comment|ImageDescription|Comment")
_STEPS, _SEED = re.compile(r"\bSteps: \d"), re.compile(r"\bSeed: \d")
_INPAINTED = re.compile(r"\b(?:Mask blur|Masked content|Inpaint area|Masked area padding): ")


def marks_in(texts: Iterable[tuple[str, str]]) -> list[GeneratorMark]:
    """Every mark in these (place, text) pairs; nothing where no generator can be known."""
    return [mark for place, text in texts if (mark := mark_of(place, text[:_READ]))]


def mark_of(place: str, text: str) -> GeneratorMark | None:
    """Return the mark in one text; None without one."""
    if _INFOTEXT_PLACES.fullmatch(place) and is_infotext(text):
        return GeneratorMark(
            _INFOTEXT, DigitalSource.EDITED if _INPAINTED.search(text) else DigitalSource.GENERATED, place, text
        )
    for rule, places, pattern, edits in _COMPILED:
        if places.fullmatch(place) and pattern.search(text):
            edited = edits is not None and edits.search(text) is not None
            return GeneratorMark(
                rule.generator, DigitalSource.EDITED if edited else DigitalSource.GENERATED, place, text
            )
    return None


def is_infotext(text: str) -> bool:
    """Whether a text holds generation parameters as AUTOMATIC1111's WebUI writes them."""
    steps = _STEPS.search(text)
    return steps is not None and _SEED.search(text, steps.end()) is not None
