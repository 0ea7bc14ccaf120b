"""The data of the picture page: JSON, version 1. Paths are relative to the page and have forward slashes.

A page is one :class:`Page` and its :class:`Item` objects in the order in which they are shown. Decisions are sent to
``decide`` as ``{"decisions": [{**item["reference"], "decision": "accepted" | "rejected" | None}]}`` and saved to a file
as that list alone; None withdraws one, and a ``reason`` and a ``note`` may stand with the others. The answer is
``{"shots": [CHANGED, …], "products": [Group, …]}``: of each item that changed its ``id``, its ``by_hand`` with reason
and note, and whichever other fields are others now; a refusal is ``{"error": SENTENCE}``.

A served page asks ``changes`` for what is new. The answer is ``{"changes": the next address, "items": [Item, …],
"gone": [id, …]}``, and ``"page"`` with the fields of the page that are others now; "" ends the asking. What is asked
and answered below ``fix`` stands in :mod:`lib_photoshoot.pages.fixing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict

from lib_photoshoot.pages.hands import REASONS

VERSION = 1


class PageFilter(TypedDict):
    """A filter above the grid, by one of the names that the page knows."""

    name: Literal[
        "all", "accepted", "rejected", "match", "skip", "check", "unreadable", "findings", "duplicates", "edited",
        "fine", "misses", "hand", "differ",
        "drift",
    ]  # fmt: skip
    label: str
    title: str


class Named(TypedDict):
    """A name, and the word for it that people read."""

    name: str
    label: str


class _Group(TypedDict):
    name: str


class Group(_Group, total=False):
    """What pictures are shown by: a product, or the prompt of samples.

    One with a number of ``wanted`` pictures has how many were ``accepted`` and ``rejected`` too.
    """

    wanted: int
    accepted: int
    rejected: int


class Line(TypedDict):
    """A line below the grid: a text, and files beside the page."""

    text: str
    links: Sequence[str]


class _View(TypedDict):
    view: str
    file: str
    thumbnail: str


class View(_View, total=False):
    """Another look at a picture: its name, its full file and its thumbnail, "" where there is none.

    ``label`` is for a view that the page does not list. One that is ``cropped`` has a size of its own.
    """

    label: str
    cropped: bool


class _Note(TypedDict):
    text: str
    wrong: bool


class Note(_Note, total=False):
    """A sentence about a picture; ``colours`` are swatches before it, as CSS has colours."""

    colours: Sequence[str]


class _Region(TypedDict):
    product: str
    score: float
    box: Sequence[float]
    doubts: Sequence[str]


class Region(_Region, total=False):
    """A product in the picture: score in [0, 1], box (x0, y0, x1, y1) in pixels, codes of its outline's doubts.

    ``mask`` and ``cutout`` are files; ``by_hand``: a person drew the outline.
    """

    mask: str
    cutout: str
    by_hand: bool


class _Item(TypedDict):
    id: int
    name: str
    detail: str
    link: Sequence[str]
    reference: dict[str, Any] | None
    products: Sequence[str]
    decision: str | None
    filter: str | None
    by_hand: Literal["accepted", "rejected"] | None
    why: str
    scores: Sequence[Sequence[Any]]
    file: str
    thumbnail: str


class Item(_Item, total=False):
    """One picture.

    ``id``: stays the same, whole. ``name`` and ``detail``: its first line; ``detail_label`` and ``label`` are longer,
    for the large view and for readers. ``link``: the parts of the page's fragment that opens it. ``reference``: names
    it in decisions; None where nothing can be decided. ``products``: names of groups. ``filter``: what was decided
    first, ``by_hand``: what a person decided, with the code of a ``reason`` and a ``note`` or "", ``decision``: what
    holds. ``why``: one sentence. ``scores``: pairs of product and score. ``file`` and ``thumbnail``: the picture as
    ``view`` (the page's first one where that is left out), "" where there is none; ``views``: further looks.
    ``check``: somebody should look at the outline. ``size``: pixels (width, height) of the views that are not cropped.
    ``apart``: how far it differs from its set, in limits; 0 for one that does not.
    ``fixable``: its outlines can be corrected; ``unfound``: once its products were looked for, which takes a while.
    ``cropped``: as of a :class:`View`. ``marks``: names of filters that it counts for by no other field. ``aside``: a
    few words beside the decision. ``caption``: of a photo of a training, which can be typed. ``regions``, ``notes``,
    ``more`` (facts in one line), ``details`` (pairs of name and value): of the large view.
    """

    label: str
    detail_label: str
    reason: str
    note: str
    view: str
    views: Sequence[View]
    check: bool
    size: Sequence[int]
    marks: Sequence[str]
    aside: str
    caption: str
    regions: Sequence[Region]
    notes: Sequence[Note]
    more: Sequence[str]
    details: Sequence[Sequence[str]]
    cropped: bool
    fixable: bool
    unfound: bool
    apart: float


class Page(TypedDict):
    """All that the page shows besides its items.

    ``heading``: "" counts the groups' accepted and wanted pictures instead. ``key``: tells this page's kept decisions
    from others'. ``decide``: the address, relative to the page's, that takes decisions; "" for a page that is a file.
    ``fix``: the address, relative to the page's, below which outlines are corrected; "" where they cannot be.
    ``enhance``: the address that enhances a picture again by its outlines; "" for none.
    ``changes``: the address of what is new, "" for none. ``judge``: who decided first, "" for nobody.
    ``captions``: whether items have some. ``reasons``: why a picture can be rejected. ``apply``: the
    command that takes saved decisions, FOLDER for the page's own; "" for none. ``per_block``: thumbnails in one element
    of the page; 0 where they are files. ``words``: for decisions that nobody took by hand. ``views``:
    those that the grid can show. ``noun``: what a group is. ``order``: the words for the list's own order. ``columns``:
    pictures that belong side by side; 0 for as many as there is room for. ``empty``: said where there are no items.
    """

    version: int
    title: str
    heading: str
    lead: str
    key: str
    decide: str
    fix: str
    enhance: str
    changes: str
    judge: str
    captions: bool
    reasons: Sequence[Named]
    apply: str
    per_block: int
    words: dict[str, str]
    shows: Sequence[PageFilter]
    views: Sequence[Named]
    products: Sequence[Group]
    noun: str
    order: str
    columns: int
    footer: Sequence[Line]
    empty: str


SHOW_LABELS = {
    "all": "All",
    "accepted": "Accepted",
    "rejected": "Rejected",
    "match": "Match",
    "skip": "Skipped",
    "check": "To check",
    "unreadable": "Unreadable",
    "findings": "With findings",
    "duplicates": "Near-duplicates",
    "edited": "Caption edited",
    "fine": "Fine",
    "misses": "Misses rules",
    "hand": "By hand",
    "differ": "Changed",
    "drift": "Apart",
}
"""The names of the page's filters, and how they are called where nobody says otherwise."""

_TITLES = {
    "hand": "What you decided, and outlines that you corrected",
    "differ": "You decided otherwise than the filter",
    "drift": "Differs from the other pictures, by light, white, size, place or camera",
}


def shows(names: Iterable[str], **labels: str) -> list[PageFilter]:
    """Return these filters, with ``labels`` in place of their own."""
    return [
        {"name": name, "label": labels.get(name, SHOW_LABELS[name]), "title": _TITLES.get(name, "")}  # type: ignore[typeddict-item]
        for name in names
    ]


def reasons() -> list[Named]:
    """Return the reasons for rejecting a picture, in the order of the page's keys."""
    return [{"name": code, "label": label} for code, label in REASONS.items()]


def page(title: str, **values: Any) -> Page:
    """Return a page of which only what is named differs from the plainest one."""
    plain: Page = {
        "version": VERSION, "title": title, "heading": "", "lead": "", "key": "", "decide": "", "fix": "",
        "enhance": "",
        "changes": "", "judge": "the filter", "captions": False, "reasons": [], "apply": "", "per_block": 0,
        "words": {},
        "shows": shows(("all", "accepted", "rejected", "hand")), "views": [],
        "products": [], "noun": "product", "order": "", "columns": 0, "footer": [],
        "empty": "There are no pictures yet.",
    }  # fmt: skip
    if unknown := set(values) - set(plain):
        raise TypeError(f"a page has no {', '.join(sorted(unknown))}")
    return plain | values  # type: ignore[return-value]
