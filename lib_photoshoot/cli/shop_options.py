"""Options of ``export`` for what goes to a shop: names, tables, a zip, contact sheets."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

PATTERN_HELP = (
    "Name the files by this pattern: {sku}, {product}, {stem} (the cut-out's name), {channel} and {n} (1, 2, …; "
    "{n:02} is 01, 02, …), such as {sku}_{n}."
)


class PaperChoice(str, Enum):
    """The contact sheet's."""

    A4 = "a4"
    LETTER = "letter"


Names = Annotated[str, typer.Option("--names", metavar="PATTERN", help=PATTERN_HELP, show_default=False)]
Table = Annotated[
    Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option(
        "--table",
        help="A CSV table of SKUs with the columns sku and file (a picture's or cut-out's name or path), and for the "
        "shops title, handle and alt.",
    ),
]
Shops = Annotated[
    str,
    typer.Option(
        "--shop",
        metavar="LIST",
        help="CSV tables to write: plain for people, shopify, woocommerce; several with commas between. The shops' "
        "need --table.",
        show_default=False,
    ),
]
UrlBase = Annotated[
    str,
    typer.Option(
        "--url-base",
        metavar="URL",
        help="Web folder in which the pictures will lie, for the shops' tables. Shopify needs it.",
        show_default=False,
    ),
]
Zip = Annotated[bool, typer.Option("--zip", help="Write one zip of the pictures; those to check are left out.")]
ContactSheet = Annotated[
    bool, typer.Option("--contact-sheet", help="Write a PDF of the pictures with boxes to sign them off (needs fpdf2).")
]
Paper = Annotated[PaperChoice, typer.Option("--paper", help="Of the contact sheet.")]
Font = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--font", help="A TrueType or OpenType font for the contact sheet; by default the system's are used."),
]


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas between, each once."""
    return tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
