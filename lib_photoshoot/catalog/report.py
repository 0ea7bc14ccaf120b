"""The run's reports for programs, ``report.json``, ``report.csv`` and ``coco.json``, and their codes in words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lib_photoshoot.catalog.coco import coco_document
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record
from lib_photoshoot.catalog.outputs import products_of
from lib_photoshoot.catalog.scenes import SCENE_DOUBTS, scene_doubts_of, scene_of
from lib_photoshoot.confined import inside
from lib_photoshoot.files import write_atomic
from lib_photoshoot.journal import reopened
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.results import Doubt, Reason
from lib_photoshoot.spreadsheet import formula_safe

CSV_COLUMNS = (
    "file",
    "width",
    "height",
    "decision",
    "reason",
    "product",
    "score",
    "x0",
    "y0",
    "x1",
    "y1",
    "mask",
    "doubts",
    "delta_e",
    "by_hand",
    "by_hand_reason",
    "by_hand_note",
    "changed_product_pixels",
    "scene_doubts",
)

REASON_TEXT = {
    Reason.NOTHING_FOUND: "Nothing in the picture resembles the products.",
    Reason.BELOW_THRESHOLD: "Something resembles a product, but not clearly enough.",
    Reason.WHOLE_IMAGE: "The only candidate was the whole picture, which is typical of a false alarm.",
    Reason.TOO_SMALL: "The candidate is too small to work with.",
    Reason.DUPLICATE: "A better candidate covers the same place.",
    Reason.TOO_MANY: "More of the product are in the picture than are worked on.",
    Reason.EMPTY_MASK: "No clear object could be cut out of the candidate box.",
    Reason.COLOUR_CARD: "The candidate is the colour chart.",
    Reason.NOT_CONFIRMED: "Looked at alone, the cut-out is not the product.",
    Reason.NO_MAIN_OBJECT: "Nothing in the picture stands out as its main object.",
    Reason.UNSURE_MAIN_OBJECT: "What stands out is not surely one whole object; name the product by a word.",
    Reason.PERSON: "What stands out is a person; name the product by a word.",
    Reason.MISSING_PRODUCT: "Not all of the products are in the picture.",
    Reason.LOST_IN_ENHANCEMENT: "The product was no longer recognised after the enhancement; the original was kept.",
    Reason.OTHER_PRODUCT: (
        "After the enhancement it was no longer the product that the examples show; the original was kept."
    ),
    Reason.COLOUR_OFF: "The colour is too far from the product's own; the original was kept.",
    Reason.NOT_ENHANCED: "The enhancement failed; the original was kept.",
    Reason.INTERRUPTED: "The enhancement was stopped; the original was kept.",
    Reason.PRODUCT_GREW: "In every try more of the product was painted than there is; the original was kept.",
    Reason.OTHER_OF_ITS_KIND: "It is of the kind that the examples show, but not the product itself.",
    Reason.REMOVED_BY_HAND: "Somebody removed its outline: it is not the product.",
    Reason.UNREADABLE: "The file cannot be read as a picture.",
}

DOUBT_TEXT = {
    Doubt.PERHAPS_ANOTHER: "of the kind that the examples show, perhaps not this product",
    Doubt.TOUCHES_FRAME: "goes on beyond the picture's edge",
    Doubt.RAGGED: "the edge is ragged or not clear",
    Doubt.VIEWS_DISAGREE: "independent views see other outlines",
    Doubt.EVIDENCE_OUTSIDE: "a part may be missing",
    Doubt.FAINT_EDGE: "looks like its background along the edge",
    Doubt.SEVERAL_OBJECTS: "several pieces, or a neighbour with it",
    **SCENE_DOUBTS,
    Doubt.TOO_SMALL_FOR_EVIDENCE: "hardly recognised alone",
}


def doubts_of(region: Mapping[str, Any]) -> list[str]:
    """Return the codes of the doubts about one region of a report; none where it was written before there were any."""
    return list((region.get("outline") or {}).get("doubts", ()))


def doubts_in_words(codes: Iterable[str], between: str = ", ") -> str:
    """Return what speaks against an outline, for people."""
    return between.join(DOUBT_TEXT[Doubt(code)] for code in codes)


def what_to_check(codes: Iterable[str], between: str = ", ", which: str = "") -> str:
    """Return what somebody has to look at, to stand behind "check"; empty without a doubt.

    ``which`` says of which of several regions, as " of 2 shoe".

    >>> what_to_check(["ragged"])
    'the outline: the edge is ragged or not clear'
    >>> what_to_check(["perhaps_another"], which=" of 1 ring")
    'the product of 1 ring: of the kind that the examples show, perhaps not this product'
    """
    codes = list(codes)
    outline = [code for code in codes if code != Doubt.PERHAPS_ANOTHER]
    parts = [f"the product{which}: {DOUBT_TEXT[Doubt.PERHAPS_ANOTHER]}"] if len(outline) < len(codes) else []
    parts += [f"the outline{which}: {doubts_in_words(outline, between)}"] if outline else []
    return "; check ".join(parts)


def colour_in_words(item: Mapping[str, Any]) -> str:
    """How far the colour of a region or rejected candidate is from its reference; empty where it has none."""
    check = item.get("colour_check")
    return f"{check['says']} ({check['tolerance']:g} allowed)" if check else ""


def write_reports(out: Path, document: dict[str, Any], records: Sequence[Record], hands: Mapping[str, Hand]) -> None:
    """Write all three files atomically; raises ``OSError`` as it comes.

    ``document`` is a :func:`report_document`. ``records`` are gone through several times and never held together: a
    long run's need not fit into memory. ``hands`` is what a person decided.
    """
    _write_with_hands(out, document, records, hands)
    _write(out / "coco.json", coco_chunks(document["products"], records))


def rewrite_reports(out: Path, document: dict[str, Any], records: Sequence[Record], hands: Mapping[str, Hand]) -> None:
    """Write ``report.json`` and ``report.csv`` anew after decisions, and ``coco.json`` after corrections.

    Not where a run has still to write them, or is writing to its ledger at the moment: at its end it does this itself.
    Raises as :func:`write_reports`.
    """
    if (out / "report.json").is_file():
        with suppress(BlockingIOError), reopened(inside(out, LEDGER_NAME)):
            _write_with_hands(out, document, records, hands)
            if any(record.corrected for record in records):
                _write(out / "coco.json", coco_chunks(document["products"], records))


def _write_with_hands(
    out: Path, document: dict[str, Any], records: Sequence[Record], hands: Mapping[str, Hand]
) -> None:
    _write(out / "report.json", report_chunks(document, records, hands))
    _write(out / "report.csv", csv_rows(records, document["unreadable"], hands))


def report_document(
    products: Sequence[str], settings: Mapping[str, Any], unreadable: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """Return the content of ``report.json``, version 1, without its images."""
    return {
        "version": 1,
        "products": list(products),
        "settings": dict(settings),
        "images": [],
        "unreadable": list(unreadable),
    }


def with_added(products: Sequence[str], records: Iterable[Record]) -> list[str]:
    """Return a run's products, and behind them those that somebody added by hand to one of its pictures."""
    return list(dict.fromkeys(chain(products, *map(words_by_hand, records))))


def words_by_hand(record: Record) -> list[str]:
    """Return the products of a picture that a person has corrected; of another one none."""
    return [region["product"] for region in record.entry["regions"]] if record.corrected else []


def report_chunks(
    document: dict[str, Any], records: Iterable[Record], hands: Mapping[str, Hand] = MappingProxyType({})
) -> Iterator[str]:
    """``report.json`` in pieces, as ``json.dumps(…, indent=1)`` writes it whole.

    An image about which a person decided has ``by_hand``: ``decision`` and, where given, ``reason`` and ``note``.
    """
    # With this indentation only the key of the document itself can match.
    before, _, after = json.dumps(document, indent=1).partition('\n "images": []')

    def entry(record: Record) -> dict[str, Any]:
        hand = hands.get(record.file)
        return record.entry if hand is None else {**record.entry, "by_hand": hand.to_json()}

    entries = ("\n  " + json.dumps(entry(record), indent=1).replace("\n", "\n  ") for record in records)
    yield before + '\n "images": ['
    any_there = yield from _joined(entries, ",")
    yield ("\n ]" if any_there else "]") + after + "\n"


def coco_chunks(products: Sequence[str], records: Iterable[Record]) -> Iterator[str]:
    """``coco.json`` in pieces, as ``json.dumps`` writes :func:`coco_document` whole."""
    before, _, after = json.dumps(coco_document(products, ())).partition('"images": [], "annotations": []')
    images = (coco_document(products, [record])["images"][0] for record in records)
    yield before + '"images": ['
    yield from _joined((json.dumps(image | {"id": number}) for number, image in enumerate(images, 1)), ", ")
    yield '], "annotations": ['
    yield from _joined(map(json.dumps, _annotations(products, records)), ", ")
    yield "]" + after + "\n"


def _annotations(products: Sequence[str], records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    number = 0
    for image_id, record in enumerate(records, 1):
        for item in coco_document(products, [record])["annotations"]:
            number += 1
            yield item | {"id": number, "image_id": image_id}


def _joined(pieces: Iterable[str], separator: str) -> Generator[str, None, bool]:
    """Yield the pieces with separators between them; returns whether there were any."""
    between = ""
    for piece in pieces:
        yield between + piece
        between = separator
    return bool(between)


def csv_rows(
    records: Iterable[Record],
    unreadable: Sequence[dict[str, str]],
    hands: Mapping[str, Hand] = MappingProxyType({}),
) -> Iterator[str]:
    """Lines of the CSV: one a region; a skipped or unreadable picture has one without a region."""

    def line(cells: Sequence[object]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\r\n").writerow(cells)
        return buffer.getvalue()

    yield line(CSV_COLUMNS)
    for record in records:
        entry = record.entry
        head = [formula_safe(entry["file"]), entry["width"], entry["height"], entry["decision"], entry["reason"] or ""]
        hand = hands.get(record.file)
        by_hand = ["", "", ""] if hand is None else [hand.decision, hand.reason or "", formula_safe(hand.note)]
        changed = scene_of(entry).get("changed_product_pixels", "")
        in_scene = [changed, " ".join(scene_doubts_of(entry))]
        for region in entry["regions"] or [None]:
            tail = [""] * 9
            if region is not None:
                doubts = " ".join(doubts_of(region))
                tail = [
                    formula_safe(" + ".join(products_of(region))),
                    region["score"],
                    *region["box"],
                    formula_safe(region["mask"] or ""),
                    doubts,
                    (region.get("colour") or {}).get("delta_e", {}).get("mean", ""),
                ]
            yield line(head + tail + by_hand + in_scene)
    for item in unreadable:
        row = [formula_safe(item["file"]), "", "", "unreadable", formula_safe(item["error"])]
        yield line(row + [""] * (len(CSV_COLUMNS) - len(row)))


def _write(path: Path, pieces: Iterable[str]) -> None:
    # Undecodable bytes of a file name are kept as escapes instead of ending the report.
    write_atomic(path, (piece.encode("utf-8", "backslashreplace") for piece in pieces))
