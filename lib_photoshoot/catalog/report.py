"""The run's reports: ``report.json``, ``report.csv``, ``coco.json`` and the self-contained ``report.html``."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib_photoshoot.catalog.coco import coco_document
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.outputs import thumbnail_name
from lib_photoshoot.images import write_atomic
from lib_photoshoot.results import Decision, Reason

CSV_COLUMNS = ("file", "width", "height", "decision", "reason", "product", "score", "x0", "y0", "x1", "y1", "mask")

REASON_TEXT = {
    Reason.NOTHING_FOUND: "Nothing in the picture resembles the products.",
    Reason.BELOW_THRESHOLD: "Something resembles a product, but not clearly enough.",
    Reason.WHOLE_IMAGE: "The only candidate was the whole picture, which is typical of a false alarm.",
    Reason.TOO_SMALL: "The candidate is too small to work with.",
    Reason.DUPLICATE: "A better candidate covers the same place.",
    Reason.EMPTY_MASK: "No clear object could be cut out of the candidate box.",
    Reason.NOT_CONFIRMED: "Looked at alone, the cut-out is not the product.",
    Reason.MISSING_PRODUCT: "Not all of the products are in the picture.",
    Reason.LOST_IN_ENHANCEMENT: "The product was no longer recognised after the enhancement; the original was kept.",
    Reason.NOT_ENHANCED: "The enhancement failed; the original was kept.",
    Reason.INTERRUPTED: "The enhancement was stopped; the original was kept.",
    Reason.UNREADABLE: "The file cannot be read as a picture.",
}


def write_reports(
    out: Path,
    products: Sequence[str],
    settings: Mapping[str, Any],
    records: Sequence[Record],
    unreadable: Sequence[dict[str, str]],
) -> None:
    """Write all four files atomically; raises ``OSError`` as it comes."""
    document = report_document(products, settings, records, unreadable)
    _write_text(out / "report.json", json.dumps(document, indent=1) + "\n")
    _write_text(out / "report.csv", csv_text(records, unreadable))
    _write_text(out / "coco.json", json.dumps(coco_document(products, records)) + "\n")
    write_atomic(out / "report.html", lambda file: file.writelines(html_chunks(out, document, records)))


def report_document(
    products: Sequence[str],
    settings: Mapping[str, Any],
    records: Sequence[Record],
    unreadable: Sequence[dict[str, str]],
) -> dict[str, Any]:
    """The content of ``report.json``, version 1."""
    return {
        "version": 1,
        "products": list(products),
        "settings": dict(settings),
        "images": [record.entry for record in records],
        "unreadable": list(unreadable),
    }


def csv_text(records: Sequence[Record], unreadable: Sequence[dict[str, str]]) -> str:
    """One row a region; a skipped or unreadable picture has one row without a region."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for record in records:
        entry = record.entry
        head = [_cell(entry["file"]), entry["width"], entry["height"], entry["decision"], entry["reason"] or ""]
        for region in entry["regions"] or [None]:
            tail = [""] * 7
            if region is not None:
                tail = [_cell(region["product"]), region["score"], *region["box"], _cell(region["mask"] or "")]
            writer.writerow(head + tail)
    for item in unreadable:
        row = [_cell(item["file"]), "", "", "unreadable", _cell(item["error"])]
        writer.writerow(row + [""] * 7)
    return buffer.getvalue()


def _cell(text: str) -> str:
    """Spreadsheets run a cell that begins with one of these signs as a formula; an apostrophe prevents it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write_text(path: Path, text: str) -> None:
    # Undecodable bytes of a file name are kept as escapes instead of ending the report.
    data = text.encode("utf-8", "backslashreplace")
    write_atomic(path, lambda file: file.writelines([data]))


def html_chunks(out: Path, document: dict[str, Any], records: Sequence[Record]) -> Any:
    """The page as UTF-8 pieces, so that a long report is never whole in memory."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lib_photoshoot.catalog", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["reason"] = lambda code: REASON_TEXT[Reason(code)]
    environment.filters["thumb"] = lambda record, kind: _data_uri(out / thumbnail_name(record.stem, kind))
    environment.filters["link"] = lambda path: quote(path, errors="surrogateescape")
    matches = sum(record.entry["decision"] == Decision.MATCH.value for record in records)
    pieces = environment.get_template("report.html.j2").generate(
        report=document,
        records=records,
        matches=matches,
        skipped=len(records) - matches,
        regions=sum(len(record.entry["regions"]) for record in records),
        seconds=sum(sum(record.entry["seconds"].values()) for record in records),
    )
    return (piece.encode("utf-8", "backslashreplace") for piece in pieces)


def _data_uri(path: Path) -> str:
    """A thumbnail as a data URI; empty when a user has deleted the file."""
    try:
        return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError:
        return ""
