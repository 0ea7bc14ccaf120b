"""The head of the page on which the photos of a training are looked through."""

from __future__ import annotations

from collections.abc import Iterable

from lib_photoshoot.files import shown
from lib_photoshoot.pages.application import DECIDE
from lib_photoshoot.pages.data import Line, Page, page, reasons, shows
from lib_photoshoot.pages.html import key_of
from lib_photoshoot.training.folder_check import FolderCheck
from lib_photoshoot.training.review.photo import DUPLICATES, EDITED, FINDINGS, MASK, VIEWS, Photo
from lib_photoshoot.wording import counted

_SHOWS = ("all", "accepted", "rejected", FINDINGS, DUPLICATES, EDITED, "hand")


def head_of(check: FolderCheck, photos: Iterable[Photo], changes: str) -> Page:
    """Return all that the page shows besides its photos; ``changes`` is the address of what is new."""
    folder, listed = check.whole.folder, list(photos)
    used = {view for photo in listed for view in VIEWS if view != MASK or photo.masks}
    groups = dict.fromkeys(photo.group for photo in listed if photo.group)
    return page(
        f"Photos of a training: {shown(folder.name)}",
        heading=shown(folder.name),
        lead=lead_of(check),
        key=key_of([str(folder.absolute())]),
        decide=DECIDE,
        changes=changes,
        judge="",
        captions=True,
        words={"accepted": "Trained on", "rejected": "Left out"},
        reasons=reasons(),
        shows=shows(_SHOWS, accepted="Trained on", rejected="Left out"),
        views=[{"name": name, "label": label} for name, label in VIEWS.items() if name in used],
        products=[{"name": name} for name in groups],
        noun="folder",
        order="By name, alike ones side by side",
        footer=_footer(check),
        empty="There are no photos in this folder.",
    )


def lead_of(check: FolderCheck) -> str:
    """Say what would be trained as things stand."""
    whole, now = len(check.whole.images), len(check.dataset.images)
    photos = counted(now, "photo") if now == whole else f"{now} of {counted(whole, 'photo')}"
    steps = f"{counted(check.steps_per_epoch, 'step')} an epoch, {check.total_steps:,} in all"
    bare = f", {len(check.uncaptioned)} without a caption" if check.uncaptioned else ""
    return f"{photos} to train on{bare}; {steps}; activation tag {check.dataset.tag}"


def _footer(check: FolderCheck) -> list[Line]:
    sizes = ", ".join(f"{bucket.width} × {bucket.height} ({count})" for bucket, count in check.whole.buckets.items())
    return [
        {"text": f"Sizes in the training, of all photos: {sizes}." if sizes else "", "links": ()},
        {
            "text": "Nothing is written into your folder: captions and decisions are kept beside the trainings. "
            "“train caption FOLDER --write-beside” writes the captions there.",
            "links": (),
        },
    ]
