"""The tab's pieces of HTML: progress, and the results of a run, page by page.

Everything that comes from a file or a user passes through :func:`escape`. The client side is in
``pages/folder/``.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from html import escape
from pathlib import Path
from urllib.parse import quote

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, read_records
from lib_photoshoot.catalog.report import REASON_TEXT, colour_in_words
from lib_photoshoot.confined import inside, stays_inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.results import Reason
from lib_photoshoot.webui.folder.run import FolderRunState, Snapshot
from lib_photoshoot.webui.http.sentences import note

PAGE_SIZE = 12


class Show(str, Enum):
    """Which results are shown."""

    MATCH = "match"
    SKIP = "skip"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Results:
    """A finished or stopped run: its folder, its records in the order of the inputs, and files that were no pictures.

    ``unreadable`` are the ``{"file", "error"}`` of the report.
    """

    out: Path
    records: tuple[Record, ...]
    unreadable: tuple[dict[str, str], ...]

    def chosen(self, show: Show) -> tuple[Record, ...]:
        """Return the records with that decision."""
        return tuple(record for record in self.records if record.entry["decision"] == show.value)

    def count(self, show: Show) -> int:
        """How many there are to show."""
        return len(self.unreadable) if show is Show.UNREADABLE else len(self.chosen(show))


def load_results(out: Path, sources: Collection[str]) -> Results:
    """Read the report and ledger of a run over these ``sources``, by their keys; other pictures are none of its.

    Raises OSError, ValueError or KeyError for a report that is not what was written.
    """
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    records = {one.entry["file"]: one for one in read_records(inside(out, LEDGER_NAME)) if one.file in sources}
    # The ledger may hold pictures of an earlier, larger run; the report names those of the last one.
    found = tuple(records[entry["file"]] for entry in report["images"] if entry["file"] in records)
    return Results(out, found, tuple(report["unreadable"]))


def progress_html(snapshot: Snapshot) -> str:
    """Return the bar, and one line below it."""
    share = snapshot.done / snapshot.total if snapshot.total else 1
    if snapshot.state is FolderRunState.FAILED:
        return note(snapshot.message or "", wrong=True)
    if snapshot.state is FolderRunState.STOPPED:
        left = snapshot.total - snapshot.done
        text = (
            "Stopped; 1 picture left. Start again with the same settings to go on."
            if left == 1
            else f"Stopped; {left:,} pictures left. Start again with the same settings to go on."
        )
    elif snapshot.state is FolderRunState.DONE:
        text = f"Done in {_time(snapshot.seconds)}."
    elif snapshot.state is FolderRunState.STOPPING:
        text = "Stopping after this picture …"
    elif snapshot.waiting:
        text = "Waiting for the WebUI to finish another job …"
    else:
        text = os.path.basename(snapshot.file) if snapshot.file else "Starting …"
    return (
        f'<div class="photoshoot-tab-progress photoshoot-tab-{snapshot.state.value}" role="status">'
        f'<div class="photoshoot-tab-bar"><i style="width:{share * 100:.1f}%"></i></div>'
        f"<p><b>{snapshot.done} / {snapshot.total}</b><span>{escape(shown(text))}</span>"
        f"<em>{_found_so_far(snapshot)}</em></p>"
        f"</div>{note(snapshot.message or '')}"
    )


def _found_so_far(snapshot: Snapshot) -> str:
    matched, skipped = snapshot.matched, snapshot.skipped
    if snapshot.state.ended:
        return ""
    if not matched + skipped:  # those of an earlier run took no time
        return f"{matched} with a product, {skipped} without"
    left = _time(snapshot.seconds / (matched + skipped) * (snapshot.total - snapshot.done))
    return f"{matched} with a product, {skipped} without · about {left} left"


def summary_html(results: Results, address: str | None) -> str:
    """Return the figures of a run and where everything is."""
    regions = sum(len(record.entry["regions"]) for record in results.chosen(Show.MATCH))
    figures = [
        (results.count(Show.MATCH), "with a product"),
        (results.count(Show.SKIP), "skipped, untouched"),
        (regions, "product cut out" if regions == 1 else "products cut out"),
    ]
    if results.unreadable:
        figures.append((len(results.unreadable), "unreadable"))
    cells = "".join(f"<div><b>{number}</b><span>{label}</span></div>" for number, label in figures)
    link = ""
    if address:
        link = f'<a class="photoshoot-tab-open" href="{escape(address)}" target="_blank" rel="noopener">Open report</a>'
    where = escape(shown(results.out))
    return (
        f'<div class="photoshoot-tab-summary"><div class="photoshoot-tab-figures">{cells}</div>{link}</div>'
        f'<p class="photoshoot-tab-where">Masks, cut-outs, pictures and reports are in<code>{where}</code></p>'
    )


def page_html(results: Results, show: Show, page: int) -> str:
    """One page (from 0) of what is chosen."""
    start = page * PAGE_SIZE
    if show is Show.UNREADABLE:
        rows = "".join(
            f"<li><div><b>{escape(shown(os.path.basename(item['file'])))}</b>"
            f"<span>{escape(shown(item['error']))}</span></div></li>"
            for item in results.unreadable[start : start + PAGE_SIZE]
        )
        return f'<ul class="photoshoot-tab-skips">{rows}</ul>' if rows else _nothing("Every file could be read.")
    records = results.chosen(show)
    part = records[start : start + PAGE_SIZE]
    if show is Show.SKIP:
        rows = "".join(_skip_row(results.out, record) for record in part)
        return f'<ul class="photoshoot-tab-skips">{rows}</ul>' if rows else _nothing("No picture was skipped.")
    cards = "".join(_card(results.out, record, start + number) for number, record in enumerate(part))
    if cards:
        return f'<div class="photoshoot-tab-cards">{cards}</div>'
    return _nothing("None of the products was found. The skipped pictures and the reasons are under 'Skipped'.")


def page_count(results: Results, show: Show) -> int:
    """How many pages there are, at least one."""
    return max(1, -(-results.count(show) // PAGE_SIZE))


def report_link(path: Path, version: int) -> str:
    """Address of a file through gradio's own file route, which asks for the page's login; anew for each version."""
    return f"file={quote(str(path))}?{version}"


def linked_files(results: Results) -> list[Path]:
    """Return the reports and the pictures that they show: what the page may ask for, all inside the run's folder."""
    names = ["report.html", "report.json", "report.csv", "coco.json"]
    names += [name for record in results.records for name in record.outputs]
    return [path for name in names if stays_inside(results.out, path := results.out / name)]


def _card(out: Path, record: Record, index: int) -> str:
    entry = record.entry
    chips = "".join(f"<li>{escape(region['product'])} <i>{region['score']:.2f}</i></li>" for region in entry["regions"])
    name = escape(shown(record.stem))
    undone = "".join(
        f'<p class="photoshoot-tab-undone">{escape(item["product"])}: '
        f"<span>{escape(REASON_TEXT[Reason(item['reason'])])}</span></p>"
        for item in entry["rejected"]
        if item["reason"] in (Reason.LOST_IN_ENHANCEMENT.value, Reason.COLOUR_OFF.value, Reason.NOT_ENHANCED.value)
    )
    return (
        '<article class="photoshoot-tab-card"><div class="photoshoot-tab-pair">'
        f'<figure class="photoshoot-tab-compare"><img src="{_thumb(out, record, "before")}" alt="Before">'
        f'<img class="photoshoot-tab-after" src="{_thumb(out, record, "after")}" alt="After">'
        "<span>before</span><span>after</span>"
        f'<input type="range" min="0" max="100" step="0.5" value="50" aria-label="Before and after of {name}"></figure>'
        f'<figure><img src="{_thumb(out, record, "overlay")}" alt="Found in {name}"><span>found</span></figure>'
        f'</div><div class="photoshoot-tab-text"><h4>{name} <small>{entry["width"]} × {entry["height"]}</small></h4>'
        f'<ul class="photoshoot-tab-chips">{chips}</ul>{undone}'
        f'<button type="button" class="photoshoot-tab-send" data-photoshoot-send="{index}" '
        'title="Open this picture with its mask in img2img, Inpaint upload">Send to inpaint</button></div></article>'
    )


def _skip_row(out: Path, record: Record) -> str:
    entry = record.entry
    reason = REASON_TEXT[Reason(entry["reason"])] if entry["reason"] else ""
    best = max(entry["rejected"], key=lambda item: item["score"], default=None)
    nearest = f"closest: {best['product']} {best['score']:.2f}" if best else ""
    if off := [f"{item['product']} {colour_in_words(item)}" for item in entry["rejected"] if colour_in_words(item)]:
        nearest = f"colour: {', '.join(off)}"
    return (
        f'<li><img src="{_thumb(out, record, "before")}" alt=""><div><b>{escape(shown(record.stem))}</b>'
        f"<span>{escape(reason)}</span><small>{escape(nearest)}</small></div></li>"
    )


def _nothing(text: str) -> str:
    return f'<div class="photoshoot-tab-nothing">{escape(text)}</div>'


def _thumb(out: Path, record: Record, kind: str) -> str:
    """Return a thumbnail as a data URI, so that it needs no route of its own; empty where a user has deleted it."""
    try:
        data = inside(out, record.output_in(f"thumbnails/{kind}")).read_bytes()
    except (OSError, CatalogError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def picture_and_masks(results: Results, index: int) -> tuple[Path, list[Path]]:
    """Return the picture of a card and the masks of its products.

    Raises IndexError for a number that no card has, and CatalogError for a mask outside the run's folder.
    """
    records = results.chosen(Show.MATCH)
    if not 0 <= index < len(records):
        raise IndexError(index)
    record = records[index]
    return Path(record.file), [inside(results.out, region["mask"]) for region in record.entry["regions"]]
