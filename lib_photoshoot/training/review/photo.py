"""A photo of a training as an item of the picture page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lib_photoshoot.catalog.page import id_of
from lib_photoshoot.files import shown
from lib_photoshoot.pages.data import Item, Note, View
from lib_photoshoot.pages.hands import Hand, item_fields
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, Severity
from lib_photoshoot.wording import counted

FINDINGS, DUPLICATES, EDITED = "findings", "duplicates", "edited"
"""What photos are marked with: names of the page's filters."""
MASK = "mask"
VIEWS = {"photo": "Photo", "cut": "What is cut away", "trained": "As trained", MASK: "Mask"}
_LEAST_CUT = 0.005
"""Share of a photo's area from which a view shows what the crop takes away; rounding takes less."""


@dataclass(frozen=True)
class Photo:
    """A file of the folder: a picture that can be trained on, or one that cannot (``image`` is None).

    ``masks`` are files by their labels: one that lies beside it, and outlines of the filter. ``group`` is the folder
    that it is in.
    """

    path: Path
    image: TrainingImage | None
    findings: Sequence[Finding]
    hand: Hand | None
    marks: Collection[str] = ()
    masks: Mapping[str, Path] = field(default_factory=dict)
    group: str = ""

    @property
    def name(self) -> str:
        """The file name."""
        return self.path.name


def views_of(photo: Photo) -> dict[str, str]:
    """Return the file of each view by its name, relative to the page; the first is the photo's own."""
    image = photo.image
    if image is None:
        return {}
    cut = image.placement.kept < 1 - _LEAST_CUT
    names = ["photo", *(["cut"] if cut else ()), "trained", *masks_of(photo)]
    return {name: f"{name}/{photo.name}.jpg" for name in names}


def masks_of(photo: Photo) -> dict[str, str]:
    """Return the labels of the views that show a mask, by the views' names: the first is the page's view of masks."""
    return {MASK if number == 1 else f"{MASK} {number}": label for number, label in enumerate(photo.masks, 1)}


def thumbnail_of(file: str) -> str:
    """Return the name of a view's thumbnail."""
    return f"thumbnails/{file}"


def item_of(photo: Photo) -> Item:
    """Return a photo with what was found about it."""
    image, caption = photo.image, (photo.image.caption or "") if photo.image else ""
    notes: list[Note] = [
        {"text": found.text, "wrong": found.severity is Severity.PROBLEM}
        for found in sorted(photo.findings, key=lambda found: found.severity is not Severity.PROBLEM)
    ]
    problem = next((note["text"] for note in notes if note["wrong"]), "")
    looks: list[View] = [
        {"view": name, "file": file, "thumbnail": thumbnail_of(file), "cropped": name == "trained"}
        for name, file in views_of(photo).items()
    ]
    for look, label in zip(looks[len(looks) - len(photo.masks) :], photo.masks, strict=True):
        look["label"] = label
    first, others = (looks[0], looks[1:]) if looks else (None, [])
    usual = "accepted" if image else "rejected"
    item: Item = {
        "id": id_of(photo.name),
        "name": shown(photo.name),
        "detail": f"{image.width} × {image.height}" if image else "",
        "link": [photo.name],
        "reference": {"file": photo.name},
        "products": [photo.group] if photo.group else [],
        "decision": photo.hand.decision if photo.hand else usual,
        "filter": usual,
        **item_fields(photo.hand),  # type: ignore[typeddict-item]
        "why": problem or caption,
        "scores": [],
        "file": first["file"] if first else "",
        "thumbnail": first["thumbnail"] if first else "",
        "views": others,
        "check": bool(problem),
        "notes": notes,
        "marks": sorted(photo.marks),
        "aside": counted(len(notes), "finding") if notes else "",
    }
    if image is None:
        return item
    return item | {  # type: ignore[return-value]
        "view": "photo",
        "size": [image.width, image.height],
        "caption": caption,
        "more": list(_placed(image)),
        "details": [("Changed", _changed(photo.path))],
    }


def _changed(path: Path) -> str:
    """When the file was changed last: who has an older one shows it anew."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "milliseconds")
    except OSError:  # it has just gone
        return ""


def _placed(image: TrainingImage) -> Iterator[str]:
    """Yield what the trainer does with the picture's size."""
    placement = image.placement
    yield f"trained at {image.bucket.width} × {image.bucket.height}"
    if placement.scale > 1:
        yield f"enlarged {placement.scale:.2f} times"
    elif placement.scale < 1:
        yield f"made {1 / placement.scale:.2f} times smaller"
    away = 1 - placement.kept
    yield f"{away:.0%} cut away" if away >= _LEAST_CUT else "nothing cut away"
    if image.repeats:
        yield f"{image.repeats} times an epoch"
