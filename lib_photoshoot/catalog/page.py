"""The page of a run, ``report.html``: its pictures before and after, what was found, and why others were skipped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.alike import DRIFT, compare_run, comparison_told, differing_fields, note_of
from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.inputs import RETOUCHED, is_local
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record
from lib_photoshoot.catalog.outputs import cutout_name, products_of
from lib_photoshoot.catalog.report import REASON_TEXT, colour_in_words, doubts_in_words, doubts_of, what_to_check
from lib_photoshoot.catalog.scenes import SceneTotals, scene_doubts_of, scene_in_words, scene_of
from lib_photoshoot.consistency.sets import Comparison, Departure
from lib_photoshoot.detection.pairs import articles
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.pages.data import Item, Note, Page, Region, View, page, reasons, shows
from lib_photoshoot.pages.hands import Hand, item_fields
from lib_photoshoot.pages.html import PER_BLOCK, embedded, html_chunks, key_of
from lib_photoshoot.results import Decision, OutlineSource, Reason
from lib_photoshoot.wording import counted

PAGE_NAME = "report.html"
REPORTS = ("report.json", "report.csv", "coco.json")
"""For programs, beside the page, which names them."""
MOST_EMBEDDED = 128 << 20
"""Bytes of thumbnails that are written into the page; of more it names the files, or no browser would open it."""

_FILTER = {Decision.MATCH.value: "accepted", Decision.SKIP.value: "rejected"}
_VIEWS = {"found": "Found", "after": "After", "retouched": "Retouched", "before": "Before"}
_SCENE_VIEWS = ("after", "retouched", "found", "before")
"""In this order where there are new scenes: they are what was asked for."""


def write_page(
    out: Path, document: Mapping[str, Any], records: Sequence[Record], hands: Mapping[str, Hand] | None = None
) -> None:
    """Write ``report.html`` atomically; raises ``OSError`` as it comes.

    ``document`` is a :func:`~lib_photoshoot.catalog.report.report_document`. ``records`` are gone through several times
    and never held together. ``hands`` are what was decided, read where they are not given.
    """
    embed = _thumbnail_bytes(out, records) <= MOST_EMBEDDED
    write_atomic(out / PAGE_NAME, page_chunks(out, document, records, hands=hands, embed=embed))


def page_chunks(
    out: Path,
    document: Mapping[str, Any],
    records: Sequence[Record],
    served: Mapping[str, str] | None = None,
    hands: Mapping[str, Hand] | None = None,
    embed: bool = True,
) -> Iterator[bytes]:
    """Return the page as UTF-8 pieces.

    ``served`` are the addresses of a page that is no file, such as ``decide``; ``hands`` what was decided, read where
    they are not given; ``embed`` as for :func:`~lib_photoshoot.shoot.review.report.report_chunks`.
    """
    hands, failed = read_hands(out) if hands is None else hands, document["unreadable"]
    alike = compare_run(records)
    fixable = bool((served or {}).get("fix"))
    items = chain(
        (item_of(one, hands.get(one.file), fixable, alike.of(one.file)) for one in records),
        map(unreadable_item, failed),
    )
    own = {"key": _key(out), "per_block": PER_BLOCK if embed else 0, **(served or {})}
    head = page_head(document, records, own, alike)
    names = chain(([view["thumbnail"] for view in _views(record)] for record in records), ((),) * len(failed))
    return html_chunks(head, items, (embedded(out, one) for one in names) if embed else ())


def page_head(
    document: Mapping[str, Any], records: Sequence[Record], more: Mapping[str, Any], alike: Comparison
) -> Page:
    """Return all that the page shows besides its pictures, with ``more`` of its fields.

    ``alike`` are the pictures compared with each other.
    """
    matches, found, doubted, seconds, scenes, retouched = 0, 0, False, 0.0, SceneTotals(), False
    for record in records:
        scenes.add(record.entry)
        retouched |= bool(record.output_in(RETOUCHED))
        matches += record.entry["decision"] == Decision.MATCH.value
        found += articles((region["product"], region["box"]) for region in record.entry["regions"])
        doubted |= _doubtful(record.entry)
        seconds += sum(record.entry["seconds"].values())
    total = counted(len(records) + len(document["unreadable"]), "picture")
    products = document["products"]
    also = [*(("check",) if doubted else ()), *((DRIFT,) if alike.departures else ())]
    chosen = {name.replace("_", " ").capitalize(): value for name, value in document["settings"].items() if value}
    told = [
        f"Found in {matches or 'none'} of {total}.",
        scenes.in_words(matches),
        f"{counted(found, 'product')} cut out; {seconds:.1f} s in the filter.",
        *comparison_told(alike, "`consistency FOLDER` measures what is missing"),
    ]
    return page(
        f"Product Photoshoot: {', '.join(products)}",
        heading=", ".join(products),
        lead=" ".join(told),
        apply="python3 photoshoot.py review FOLDER --apply decisions.json",
        words={"accepted": "Match", "rejected": "Skipped"},
        reasons=reasons(),
        shows=shows(("all", "match", *also, "skip", "unreadable", "hand")),
        views=[
            {"name": name, "label": label}
            for name, label in _in_order(bool(scenes.scenes)).items()
            if name != RETOUCHED or retouched
        ],
        products=[{"name": name} for name in products],
        order="In the pictures’ order",
        footer=[
            {"text": " ".join(f"{name}: {value}." for name, value in chosen.items()), "links": ()},
            {"text": "The same figures for programs:", "links": REPORTS},
        ],
        empty="This run has no pictures.",
        **more,
    )  # fmt: skip


def _key(out: Path) -> str:
    """Tells this run from others by how its ledger begins: that stays, whoever writes the page and when."""
    with open(out / LEDGER_NAME, "rb") as ledger:
        return key_of([line.decode("latin-1") for line in islice(ledger, 2)])


def item_of(record: Record, hand: Hand | None, fixable: bool = False, departures: Sequence[Departure] = ()) -> Item:
    """Return one picture of a run; ``hand`` is what a person decided about it.

    ``fixable`` where a server can correct it, if its source is a file. ``departures`` are what it differs by from the
    run's other pictures.
    """
    entry = record.entry
    first, *others = _views(record)
    notes = [*_notes(record), *note_of(departures)]
    told = next((note for note in notes if note["wrong"]), next(iter(notes), None))
    decided = _FILTER[entry["decision"]]
    return {
        "id": id_of(record.file),
        "name": shown(record.stem),
        "detail": f"{entry['width']} × {entry['height']}",
        "link": record.stem.split("/"),
        "reference": {"file": record.file},
        "products": list(dict.fromkeys(name for region in entry["regions"] for name in products_of(region))),
        "decision": hand.decision if hand else decided,
        "filter": decided,
        **item_fields(hand),  # type: ignore[typeddict-item]
        "why": told["text"] if told else "",
        "scores": [[" + ".join(products_of(region)), region["score"]] for region in entry["regions"]],
        "file": first["file"],
        "thumbnail": first["thumbnail"],
        "view": first["view"],
        "views": others,
        **({"cropped": True} if first.get("cropped") else {}),
        "check": _doubtful(entry),
        "marks": ["hand"] if record.drawn_by_hand else [],
        "size": [entry["width"], entry["height"]],
        "regions": [region_of(region) for region in entry["regions"]],
        "notes": [note for note in notes if note is not told or note.get("colours")],
        "details": list(_details(entry)),
        "fixable": fixable and is_local(record.file),
        **differing_fields(departures),  # type: ignore[typeddict-item]
    }


def id_of(file: str) -> int:
    """Return a picture's number on the page: the same whatever comes before it, and exact in JavaScript."""
    return int.from_bytes(hashlib.sha256(file.encode("utf-8", "surrogateescape")).digest()[:6], "big")


def unreadable_item(one: Mapping[str, str]) -> Item:
    """Return a file that could not be read, as the page shows it."""
    return {
        "id": id_of(one["file"]), "name": shown(one["file"]), "detail": "", "link": one["file"].split("/"),
        "reference": None, "products": [], "decision": "unreadable", "filter": None, "by_hand": None,
        "why": one["error"], "scores": [], "file": "", "thumbnail": "",
    }  # fmt: skip


def _doubtful(entry: Mapping[str, Any]) -> bool:
    return any(map(doubts_of, entry["regions"])) or bool(scene_doubts_of(entry))


def _in_order(scene: bool) -> dict[str, str]:
    """Return the views of pictures with or without a new scene, and how they are called."""
    return {name: _VIEWS[name] for name in (_SCENE_VIEWS if scene else _VIEWS)}


def _views(record: Record) -> list[View]:
    """Return the picture's looks, as far as there are files of them: what was found first, or its new scene."""
    scene = scene_of(record.entry)
    files = {"found": record.output_in("overlays"), "after": record.output_in("enhanced"), "before": ""}
    files[RETOUCHED] = record.output_in(RETOUCHED)
    kinds = {"found": "overlay"}
    views: list[View] = [
        {"view": name, "file": file, "thumbnail": record.output_in(f"thumbnails/{kinds.get(name, name)}")}
        for name, file in ((name, files[name]) for name in _in_order(bool(scene)))
        if file or name == "before"
    ]
    size = [record.entry["width"], record.entry["height"]]
    if scene and files["after"] and [scene["width"], scene["height"]] != size:
        next(view for view in views if view["view"] == "after")["cropped"] = True
    for number, region in enumerate(record.entry["regions"], 1):
        if mask := region["mask"]:
            what = f"{number} {' + '.join(products_of(region))}"
            cutout: View = {"view": f"cutout {number}", "file": cutout_name(mask), "thumbnail": ""}
            views.append(cutout | {"label": f"Cut-out {what}", "cropped": True})
            views.append({"view": f"mask {number}", "file": mask, "thumbnail": "", "label": f"Mask {what}"})
    return views


def region_of(region: Mapping[str, Any]) -> Region:
    """Return a region of a report's entry as the page shows it."""
    found: Region = {
        "product": region["product"], "score": region["score"], "box": region["box"], "doubts": doubts_of(region)
    }  # fmt: skip
    if (region.get("outline") or {}).get("source") == OutlineSource.HAND.value:
        found["by_hand"] = True
    return found | {"mask": region["mask"], "cutout": cutout_name(region["mask"])} if region["mask"] else found


def _notes(record: Record) -> Iterator[Note]:
    """Yield what there is to say about a picture, the doubts first."""
    entry = record.entry
    several = len(entry["regions"]) > 1
    named = [(region, f" of {n} {region['product']}" * several) for n, region in enumerate(entry["regions"], 1)]
    for region, which in named:
        if doubts := what_to_check(doubts_of(region), "; ", which):
            yield {"text": f"Check {doubts}.", "wrong": True}
    if scene := scene_of(entry):
        if doubts := doubts_in_words(scene_doubts_of(entry), "; "):
            yield {"text": f"Check the new scene: {doubts}.", "wrong": True}
        yield {"text": f"{scene_in_words(scene)}.", "wrong": False}
        for note in scene["notes"]:
            yield {"text": note, "wrong": False}
    if entry["reason"]:
        yield {"text": REASON_TEXT[Reason(entry["reason"])], "wrong": False}
    for region, which in named:
        if colour := region.get("colour"):
            yield {
                "text": _colour(colour, which),
                "wrong": False,
                "colours": [_css(colour[at]) for at in ("before", "after")],
            }
    for item in [*entry["regions"], *entry["rejected"]]:
        if says := colour_in_words(item):
            check = item["colour_check"]
            text = f"Colour of {item['product']}: {says}, reference {check['reference']}."
            yield {"text": text, "wrong": bool(check["off"])}
    for said in (entry.get("calibration"), record.note):
        if said:
            yield {"text": f"{said[:1].upper()}{said[1:].rstrip('.')}.", "wrong": False}


def _colour(colour: Mapping[str, Any], which: str) -> str:
    """Return an article's mean colour before and after, and how far apart: about 1 is the least that an eye sees."""
    (before, after), far = (colour["before"], colour["after"]), colour["delta_e"]
    means = " → ".join(f"L* {lab[0]:.1f}, a* {lab[1]:.1f}, b* {lab[2]:.1f}" for lab in (before, after))
    return f"Colour{which}: ΔE {far['mean']:.1f} (95 %: {far['p95']:.1f}), {means}."


def _css(lab: Sequence[float]) -> str:
    """Return a colour in L*a*b* as CSS has it; browsers' own lab() is of another white."""
    import numpy as np

    from lib_photoshoot.colour.space import SRGB

    red, green, blue = SRGB.from_lab(np.array([[lab]], np.float32))[0, 0]
    return f"rgb({red} {green} {blue})"


def _details(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "File", shown(entry["file"])
    regions = entry["regions"]
    if (count := articles((region["product"], region["box"]) for region in regions)) < len(regions):
        yield (
            "Counted",
            f"{counted(count, 'article')} in {len(regions)} outlines: what is sold by the pair counts once.",
        )
    for item in entry["rejected"]:
        says = f" Colour {colour}." if (colour := colour_in_words(item)) else ""
        yield "Rejected", f"{item['product']} {item['score']:.2f}: {REASON_TEXT[Reason(item['reason'])]}{says}"
    for stage, seconds in entry["seconds"].items():
        yield stage.replace("_", " ").capitalize(), f"{seconds * 1000:.0f} ms"


def _thumbnail_bytes(out: Path, records: Iterable[Record]) -> int:
    total = 0
    for record in records:
        for name in record.outputs:
            if name.startswith("thumbnails/"):
                try:
                    total += os.stat(out / name).st_size
                except OSError:  # a user has deleted it
                    continue
    return total
