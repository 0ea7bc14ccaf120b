"""The page of a shoot: every picture with its decision, self-contained but for the full pictures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lib_photoshoot.catalog.alike import DRIFT, differing_fields, note_of
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.page import region_of
from lib_photoshoot.consistency.sets import Departure
from lib_photoshoot.consistency.words import told_of
from lib_photoshoot.files import write_atomic
from lib_photoshoot.pages.application import FIX
from lib_photoshoot.pages.data import Item, page, reasons, shows
from lib_photoshoot.pages.html import PER_BLOCK, embedded, html_chunks, key_of
from lib_photoshoot.shoot.review.alike import compare_shots
from lib_photoshoot.shoot.shot_list.reading import REPORT_NAME


def write_report(out: Path, view: Mapping[str, Any]) -> None:
    """Write ``report.html`` atomically for a whole :func:`shoot_view`; raises ``OSError`` as it comes."""
    write_atomic(out / REPORT_NAME, report_chunks(out, view))


class Outlines(Protocol):
    """The outlines of a shoot's pictures."""

    def known(self, file: str, seed: int) -> tuple[Any, Record] | None:
        """Return the record of a picture behind what else is known; None where nobody has looked yet."""


def report_chunks(
    out: Path,
    view: Mapping[str, Any],
    decide: str = "",
    embed: bool = True,
    changes: str = "",
    outlines: Outlines | None = None,
) -> Iterator[bytes]:
    """Return the page as UTF-8 pieces, so that a long report is never whole in memory.

    ``decide`` is the address, relative to the page's, that takes decisions as JSON, ``changes`` the one that tells what
    is new; empty for a page that is a file. With ``outlines`` they can be corrected on it.
    The full pictures are found at their path relative to the page; so are the thumbnails where ``embed`` is False,
    which keeps a served page small.
    """
    products = view["products"]
    order = {product["name"]: index for index, product in enumerate(products)}
    # In the list's order, whichever WebUI was faster.
    shots = sorted(view["shots"], key=lambda shot: (order[shot["product"]], shot["number"]))
    alike = compare_shots(out, shots)
    head = page(
        page_title(products),
        key=_key(shots),
        decide=decide,
        changes=changes,
        fix=FIX if outlines else "",
        reasons=reasons(),
        apply="python3 photoshoot.py review FOLDER --apply decisions.json",
        per_block=PER_BLOCK if embed else 0,
        lead=" ".join(told_of(alike)),
        shows=shows(("all", "accepted", "rejected", *((DRIFT,) if alike.departures else ()), "hand", "differ")),
        products=products,
        order="In the list’s order",
        empty="This shoot has no pictures yet.",
    )
    items = (shot_item(shot, outlines, alike.of(shot["file"])) for shot in shots)
    return html_chunks(head, items, (embedded(out, [shot["thumbnail"]]) for shot in shots) if embed else ())


def page_title(products: Sequence[Mapping[str, Any]]) -> str:
    """Return how many of the wanted pictures of these products are there."""
    accepted, wanted = (sum(product[name] for product in products) for name in ("accepted", "wanted"))
    return f"Product Photoshoot: {accepted} of {wanted} picture{'' if wanted == 1 else 's'}"


def shot_item(shot: Mapping[str, Any], outlines: Outlines | None = None, departures: Sequence[Departure] = ()) -> Item:
    """Return a shot of a :func:`shoot_view` as the page shows it; with ``outlines`` it can be corrected.

    ``departures`` are what it differs by from the other accepted ones.
    """
    item: Item = {
        "id": shot["id"],
        "name": shot["product"],
        "detail": str(shot["seed"]),
        "detail_label": f"seed {shot['seed']}",
        "label": f"{shot['product']}, seed {shot['seed']}",
        "link": [shot["product"], str(shot["seed"])],
        "reference": {"product": shot["product"], "number": shot["number"]},
        "products": [shot["product"]],
        "decision": shot["decision"],
        "filter": shot["filter"],
        **{name: shot[name] for name in ("by_hand", "reason", "note")},  # type: ignore[typeddict-item]
        "why": shot["why"],
        "scores": shot["scores"],
        "file": shot["file"],
        "thumbnail": shot["thumbnail"],
        "more": [*filter(None, [shot["scene"]]), f"{shot['seconds']:.1f} s at {shot['webui']}"],
    }
    if departures:
        item |= {"notes": list(note_of(departures)), **differing_fields(departures)}  # type: ignore[typeddict-item]
    return item if outlines is None else item | _outlined(outlines.known(shot["file"], shot["seed"]))  # type: ignore[return-value]


def _outlined(known: tuple[Any, Record] | None) -> dict[str, Any]:
    """Return the fields of an item that its record tells; its files are the run's own, and not on this page."""
    if known is None:
        return {"fixable": True, "unfound": True}
    entry, drawn = known[1].entry, known[1].drawn_by_hand
    regions = [region_of(region | {"mask": None}) for region in entry["regions"]]
    told = {"size": [entry["width"], entry["height"]], "regions": regions, "marks": ["hand"] if drawn else []}
    return {"fixable": True, "unfound": False, **told}


def _key(shots: Sequence[Mapping[str, Any]]) -> str:
    """Tells this shoot from others: its oldest picture, which a report that is written again still has."""
    oldest = min(shots, key=lambda shot: shot["id"], default={})
    return key_of([oldest.get(name) for name in ("product", "number", "seed", "scene", "webui", "seconds")])
