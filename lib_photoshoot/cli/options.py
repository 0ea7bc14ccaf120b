"""Options that several commands take in the same words, and the filter that some of them load."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.allocator import keep_freed_memory
from lib_photoshoot.build import ModelChoice, check_words
from lib_photoshoot.cli.exits import say
from lib_photoshoot.model_names import DETECTOR_ALIASES, DETECTORS, DetectorName

if TYPE_CHECKING:
    from lib_photoshoot.detection.checked import CheckedWords
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.products import Product


def _detector(name: str) -> str:
    """Return the detector's own name; raises BadParameter. An enumeration of Typer's would know no other names for
    it.
    """
    name = DETECTOR_ALIASES.get(name, name)
    try:
        return DetectorName(name).value
    except ValueError as error:
        known = ", ".join(known.value for known in DetectorName)
        raise typer.BadParameter(f"{name!r} is not one of {known}.") from error


Products = Annotated[
    str,
    typer.Option("--products", "-p", help='For example "handbag, shoe, watch = wristwatch | watch dial".'),
]
Detector = Annotated[
    str,
    typer.Option(
        callback=_detector,
        metavar=f"[{'|'.join(name.value for name in DetectorName)}]",
        help=" ".join(f"{name.value}: {entry.says}." for name, entry in DETECTORS.items()),
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …, or auto: the GPU where there is one.")]
Colours = Annotated[
    Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option("--colours", help="A CSV table of such colours, with the columns product, colour and tolerance."),
]
IgnoreDecisions = Annotated[
    bool, typer.Option("--ignore-decisions", help="As if nobody had accepted or rejected pictures by hand.")
]
Calibration = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="A file of colour calibrate for photos of its light, or auto: each photo by its own card."),
]


def say_words(choice: ModelChoice, products: Sequence[Product], require_all: bool = False) -> CheckedWords:
    """Say how words are looked for otherwise than as typed, and which are left out; return those to be looked for.

    Raises UnknownProductError where none is left.
    """
    checked = check_words(choice, products, require_all)
    for sentence in checked.sentences:
        say(sentence)
    return checked


def loaded(build: Callable[[], ProductFilter]) -> ProductFilter:
    """Return the real filter; whatever the model libraries print while loading goes to standard error."""
    keep_freed_memory()
    with redirect_stdout(sys.stderr):
        return build()
