"""Deciding about the photos of a training, and captioning them: what the picture page asks for."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.decisions import ChosenPicture, chosen_from
from lib_photoshoot.catalog.page import id_of
from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.pages.application import CHANGES
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.pages.hands import item_fields
from lib_photoshoot.pages.html import html_chunks
from lib_photoshoot.pages.stamps import revision_seen
from lib_photoshoot.training.captions.sheet import one_line
from lib_photoshoot.training.dataset.dataset import Counting
from lib_photoshoot.training.dataset.folders import scan_all, stamps_of
from lib_photoshoot.training.dataset.pictures import colour_of
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.review.looks import Look, Looks
from lib_photoshoot.training.review.outlines import outlines_of
from lib_photoshoot.training.review.page import head_of, lead_of
from lib_photoshoot.training.review.photo import Photo, item_of, masks_of, thumbnail_of, views_of
from lib_photoshoot.training.review.photos import alike_in, photos_of

if TYPE_CHECKING:
    from lib_photoshoot.training.controller import TrainingController

LONGEST_CAPTION = 10_000
"""Characters; the trainer reads some 225 tokens at most."""


@dataclass(frozen=True)
class TypedCaption:
    """A caption as a person typed it for the picture of this name."""

    file: str
    caption: str


class ReviewedPhotos:
    """A folder of photos under review; methods may be called from several threads.

    Nothing is written into the folder: captions and decisions go where the controller keeps them.
    """

    def __init__(
        self,
        controller: TrainingController,
        folder: Path,
        recipe: Recipe,
        progress: Counting | None = None,
        run: Path | None = None,
    ) -> None:
        """Look at every photo; ``run`` is one of the filter, whose outlines are shown.

        Raises TrainingError for a folder that cannot be read or has no picture, and for a run of other photos;
        CatalogError where there is no run.
        """
        self.decided = self.corrected = 0
        self.fixing: Fixing | None = None
        self._controller = controller
        self._folder = folder
        self._recipe = recipe
        self._lock, self._writing = threading.Lock(), threading.Lock()  # no decision waits for what follows from one
        self._ended = False
        self._epoch = secrets.token_hex(4)
        self._revision = 0
        self._changed: dict[int, int] = {}
        self._items: dict[int, Item] = {}
        self._photos: dict[str, Photo] = {}
        self._looks: dict[str, Look] = {}
        self._stamps: object = None
        self._outlines = outlines_of(run, folder) if run else {}
        self._drawn = Looks(colour_of(recipe.background))
        self._update(progress)

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises TrainingError."""
        with self._lock:
            self._update()
            return html_chunks(head_of(self._check, self._photos.values(), self._address()), list(self._items.values()))

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since the page was made or asked last. Raises TrainingError."""
        after = revision_seen(since, self._epoch, 0)
        with self._lock:
            self._update()
            new = [identity for identity, revision in self._changed.items() if revision > after]
            answer: dict[str, Any] = {
                "changes": self._address(),
                "items": [self._items[identity] for identity in new if identity in self._items],
                "gone": [identity for identity in new if identity not in self._items],
            }
            return answer | ({"page": {"lead": lead_of(self._check)}} if new else {})

    def picture(self, name: str) -> Path | None:
        """Return the file of a view by its name; None for anything else, and for a photo that is gone."""
        with self._lock:
            look = self._looks.get(name)
        try:
            return self._drawn.file(look) if look else None
        except ImageError:
            return None

    def chosen(self, values: Any) -> list[ChosenPicture | TypedCaption]:
        """Decisions and captions out of JSON: ``{"file": NAME, "caption": TEXT}`` is a caption.

        Raises CatalogError, TrainingError.
        """
        if not isinstance(values, list):
            raise TrainingError("The decisions are no list; load the page again.")
        return [_caption(one) if _is_caption(one) else chosen_from([one])[0] for one in values]

    def decide(self, chosen: Sequence[ChosenPicture | TypedCaption]) -> dict[str, Any]:
        """Keep decisions and captions; one about an unknown file, and none is kept. Raises TrainingError.

        Answers at once: what follows for this photo and others, ``changes`` tells.
        """
        with self._writing:
            if self._ended:
                raise TrainingError("This review has ended; start it again, and open the address that it prints.")
            if any(isinstance(one, TypedCaption) or one.file not in self._photos for one in chosen):
                with self._lock:  # a caption stands against the texts that are beside the photos now
                    self._update()
            for one in chosen:
                self._check_one(one)
            captions = {one.file: one.caption for one in chosen if isinstance(one, TypedCaption)}
            decisions = [one for one in chosen if isinstance(one, ChosenPicture)]
            if decisions:
                self._controller.decide(self._dataset, decisions)
            if captions:
                self._controller.set_captions(self._dataset, captions)
            self.decided += len(chosen)
            hands = self._controller.decisions(self._dataset)
        changed = [{"id": id_of(name), **item_fields(hands.get(name))} for name in {one.file: None for one in chosen}]
        texts = {id_of(name): one_line(text) for name, text in captions.items()}
        return {
            "shots": [one | ({"caption": texts[one["id"]]} if one["id"] in texts else {}) for one in changed],
            "products": [],
        }

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._writing:
            self._ended = True
        self._drawn.close()

    def write_report(self) -> None:
        """Write nothing: the folder is the user's."""

    def _check_one(self, one: ChosenPicture | TypedCaption) -> None:
        photo = self._photos.get(one.file)
        if photo is None:
            raise TrainingError(f"{shown(self._folder)} has no photo {shown(one.file)}; load the page again.")
        if photo.image is None and (isinstance(one, TypedCaption) or one.decision == "accepted"):
            why = photo.findings[0].text if photo.findings else ""
            raise TrainingError(f"{shown(one.file)} cannot be trained on. {why}".strip())

    def _address(self) -> str:
        return f"{CHANGES}?since={self._epoch}.{self._revision}"

    def _update(self, progress: Counting | None = None) -> None:
        """Look at what is in the folder now, and at what was decided and typed, wherever that was."""
        files = stamps_of(self._folder)
        stamps = files, self._controller.stamps(self._folder)
        if stamps == self._stamps:
            return
        if self._stamps is None or files != self._stamps[0]:  # type: ignore[index]
            tag, settings = self._recipe.activation_tag, self._recipe.bucket_settings()
            self._dataset = scan_all(self._folder, tag, settings, progress=progress)
            self._alike = alike_in(self._dataset)
        captions = self._controller.captions(self._dataset).captions
        self._check = self._controller.checked(self._dataset, self._recipe, captions)
        hands, edited = self._controller.decisions(self._dataset), self._controller.edited(self._dataset)
        self._photos = {
            photo.name: photo for photo in photos_of(self._check, hands, edited, self._alike, self._outlines)
        }
        items = {id_of(name): item_of(photo) for name, photo in self._photos.items()}
        changed = [one for one in {*items, *self._items} if items.get(one) != self._items.get(one)]
        if changed:
            self._revision += 1
        self._changed |= dict.fromkeys(changed, self._revision)
        self._items, self._looks, self._stamps = items, _looks_of(self._photos.values()), stamps


def _is_caption(values: Any) -> bool:
    return isinstance(values, dict) and "caption" in values


def _caption(values: dict[str, Any]) -> TypedCaption:
    name, text = values.get("file"), values["caption"]
    if sorted(values) != ["caption", "file"] or not isinstance(name, str) or not isinstance(text, str):
        raise TrainingError("A caption needs exactly file, caption, both texts; load the page again.")
    if len(text) > LONGEST_CAPTION:
        raise TrainingError(f"A caption is a text of at most {LONGEST_CAPTION:,} characters; shorten it.")
    return TypedCaption(name, text)


def _looks_of(photos: Iterable[Photo]) -> dict[str, Look]:
    looks: dict[str, Look] = {}
    for photo in photos:
        masks = {name: photo.masks[label] for name, label in masks_of(photo).items()}
        for view, file in views_of(photo).items():
            look = Look(masks[view], view) if view in masks else Look(photo.path, view, photo.image)
            looks |= {file: look, thumbnail_of(file): look.smaller()}
    return looks
