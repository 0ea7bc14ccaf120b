"""From the settings of a job to the plan of its scene."""

from __future__ import annotations

import re
from pathlib import Path

from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.backdrops import read_backdrop
from lib_photoshoot.staging.placing import LARGEST
from lib_photoshoot.staging.plan import StageError, StagePlan
from lib_photoshoot.toml_text import parse_toml

CHANNELS = Path(__file__).resolve().parent.parent / "export" / "profiles"
"""The export profiles, of which the frame's size alone is read here."""
_LEAST = 16


def read_stage(settings: FilterSettings) -> StagePlan:
    """Return what the settings say about the stage. Raises StageError with one sentence for what cannot be
    understood.
    """
    read_backdrop(settings.backdrop)
    return StagePlan(
        canvas=read_canvas(settings.canvas),
        share=settings.product_share or None,
        ground=settings.ground_line or None,
        # Products whose size is asked for are the picture, and stand in its middle.
        across=0.5 if settings.product_share else None,
        backdrop=settings.backdrop.strip(),
        shadow=settings.shadow,
        reflection=settings.reflection,
        cast=settings.colour_cast,
    )


def read_canvas(text: str) -> tuple[int, int] | float | None:
    """Return a canvas as (width, height) in pixels, as a ratio, or None for the picture's own. Raises StageError.

    >>> read_canvas("1024x768"), read_canvas("4:5"), read_canvas(" ")
    ((1024, 768), 0.8, None)
    """
    wanted = text.strip().lower()
    if not wanted:
        return None
    if size := re.fullmatch(r"(\d{1,6})\s*[x×*]\s*(\d{1,6})", wanted):
        width, height = int(size[1]), int(size[2])
        if not (_LEAST <= width <= LARGEST and _LEAST <= height <= LARGEST):
            raise StageError(f"The canvas {text.strip()} must have {_LEAST} to {LARGEST} pixels a side.")
        return width, height
    if ratio := re.fullmatch(r"(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)", wanted):
        width_part, height_part = float(ratio[1]), float(ratio[2])
        if min(width_part, height_part) <= 0 or not 0.1 <= width_part / height_part <= 10:
            raise StageError(f"The canvas's ratio {text.strip()} must lie between 1:10 and 10:1.")
        return width_part / height_part
    names = sorted(path.stem for path in CHANNELS.glob("*.toml"))
    if wanted in names:
        frame = parse_toml((CHANNELS / f"{wanted}.toml").read_text("utf-8"))["canvas"]
        return int(frame["width"]), int(frame["height"])
    raise StageError(
        f"The canvas {text.strip()[:100]!r} cannot be understood: write a size as 1024x1024, a ratio as 4:5, or a "
        f"sales channel's name: {', '.join(names)}."
    )
