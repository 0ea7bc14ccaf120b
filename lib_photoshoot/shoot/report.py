"""The page of a shoot: every picture with its decision, self-contained but for the full pictures beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lib_photoshoot.images import write_atomic
from lib_photoshoot.shoot.ledger import Try
from lib_photoshoot.shoot.pictures import thumbnail_name
from lib_photoshoot.shoot.shot_list import REPORT_NAME

if TYPE_CHECKING:
    from lib_photoshoot.shoot.desk import Standing


def write_report(out: Path, standings: Sequence[Standing], tries: Sequence[Try]) -> None:
    """Write ``report.html`` atomically; raises ``OSError`` as it comes."""
    write_atomic(out / REPORT_NAME, lambda file: file.writelines(_chunks(out, standings, tries)))


def _chunks(out: Path, standings: Sequence[Standing], tries: Sequence[Try]) -> Iterator[bytes]:
    """The page as UTF-8 pieces, so that a long report is never whole in memory."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lib_photoshoot.shoot", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["link"] = quote
    order = {standing.product.name: index for index, standing in enumerate(standings)}
    # In the list's order, whichever WebUI was faster.
    ordered = sorted(tries, key=lambda entry: (order[entry.product], entry.number))
    pieces = environment.get_template("report.html.j2").generate(
        standings=standings,
        shots=({"entry": entry, "thumb": _data_uri(out, standings[order[entry.product]], entry)} for entry in ordered),
        total=len(tries),
        accepted=sum(entry.accepted for entry in tries),
        seconds=sum(entry.seconds for entry in tries),
        webuis=_per_webui(tries),
    )
    return (piece.encode("utf-8", "backslashreplace") for piece in pieces)


def _per_webui(tries: Sequence[Try]) -> dict[str, int]:
    counts: dict[str, Any] = {}
    for entry in tries:
        counts[entry.webui] = counts.get(entry.webui, 0) + 1
    return counts


def _data_uri(out: Path, standing: Standing, entry: Try) -> str:
    """The thumbnail as a data URI; empty when a user has deleted the file."""
    try:
        data = (out / thumbnail_name(standing.product.folder, entry.seed)).read_bytes()
    except OSError:
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
