"""Deciding by hand about the pictures of an export folder: what the served page asks for."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.decisions import (
    DECISIONS_NAME,
    ChosenPicture,
    KeptHands,
    chosen_from,
    read_decisions,
    write_decisions,
)
from lib_photoshoot.catalog.drawn import DrawnFiles
from lib_photoshoot.catalog.page import id_of
from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import ExportError, ImageError, MissingPictureError
from lib_photoshoot.export.review.alike import compare_records
from lib_photoshoot.export.review.items import address, full_name, item_of, page_of, thumbnail_name
from lib_photoshoot.export.review.records import (
    EXPORTED_NAME,
    ExportedFile,
    digest_in,
    is_export,
    read_records,
    state_of,
)
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.images import read_picture
from lib_photoshoot.journal import is_another
from lib_photoshoot.pages.application import picture_in
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.pages.hands import item_fields
from lib_photoshoot.pages.html import html_chunks
from lib_photoshoot.pages.stamps import revision_seen
from lib_photoshoot.transparency import on_neutral_ground

if TYPE_CHECKING:
    from PIL import Image


class ReviewedExports:
    """An export folder under review, also while ``export`` writes into it; methods may be called from several threads.

    Nothing but decisions is written into the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Open a folder. Raises ExportError where nothing was exported into it, or it cannot be read."""
        if not is_export(folder):
            raise ExportError(
                f"{shown(folder / EXPORTED_NAME)} is no record of exports of this program; move it away, and export "
                "into the folder again."
            )
        self.decided = self.corrected = 0
        self.fixing: Fixing | None = None
        self._folder = folder
        self._lock = threading.Lock()
        self._ended = False
        self._drawn = DrawnFiles()
        self._stamps: tuple[Any, ...] = ()
        self._begin()
        self._update()

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises ExportError, CatalogError."""
        with self._lock:
            self._update()
            self._look(self._records)
            head = page_of(self._folder, self._records.values(), self._stamp(), self._alike)
            return html_chunks(head, [self._item(file) for file in self._records])

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since the page was made or asked last. Raises ExportError, CatalogError."""
        with self._lock:
            self._update()
            after = revision_seen(since, self._epoch, -1)
            new = [file for file, revision in self._changed.items() if revision > after]
            items = [self._item(file) for file in new if file in self._records]
            gone = [id_of(file) for file in new if file not in self._records]
            answer: dict[str, Any] = {"changes": address(self._stamp()), "items": items, "gone": gone}
            if self._told > after:
                head = page_of(self._folder, self._records.values(), self._stamp(), self._alike)
                answer["page"] = {name: head[name] for name in ("lead", "products", "shows")}  # type: ignore[literal-required]
            return answer

    def picture(self, name: str) -> Path | None:
        """Return the file of a picture or thumbnail by its name; None for anything else, and for what is gone."""
        with self._lock:
            record, small = self._names.get(name, (None, False))
        path = self._folder / record.file if record else self._folder
        if record is None or not digest_in(self._folder, record) or not stays_inside(self._folder, path):
            return None
        if name == record.file:
            return picture_in(self._folder, name)
        try:
            return self._drawn.file(path, "", small, lambda: _looked_at(path))
        except ImageError:
            return None

    def chosen(self, values: Any) -> list[ChosenPicture]:
        """Decisions out of JSON. Raises CatalogError."""
        return chosen_from(values)

    def decide(self, chosen: Sequence[ChosenPicture]) -> dict[str, Any]:
        """Write decisions into the folder, all or none, each about the file as it is now.

        Raises ExportError, CatalogError, MissingPictureError.
        """
        with self._lock:
            if self._ended:
                raise ExportError("This review has ended; start it again, and open the address that it prints.")
            self._update()
            for one in chosen:
                self._check(one.file)
            write_decisions(self._folder, lambda: self._new_lines(chosen))
            self.decided += len(chosen)
            self._update()
            hands = [(one.file, self._hands.get(one.file)) for one in chosen]
        return {"shots": [{"id": id_of(file), **item_fields(hand)} for file, hand in hands], "products": []}

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True
        self._drawn.close()

    def write_report(self) -> None:
        """Write nothing: an export folder has no page of its own."""

    def _check(self, file: str) -> None:
        """Raise for a picture that there is not, or that is another than the person has seen."""
        record = self._records.get(file)
        digest = digest_in(self._folder, record, known=False) if record else ""
        if not digest:
            raise MissingPictureError(f"{shown(self._folder)} has no picture {shown(file)}")
        if digest != self._digests[file]:
            self._take_digest(file, digest)
            self._touch([file])
            raise ExportError(f"{shown(file)} was changed meanwhile; load the page again.")

    def _new_lines(self, chosen: Sequence[ChosenPicture]) -> list[bytes]:
        self._update()  # somebody else may have decided meanwhile
        return self._hands.lines(chosen)

    def _item(self, file: str) -> Item:
        return item_of(self._records[file], self._hands.get(file), self._digests[file], self._alike.of(file))

    def _stamp(self) -> str:
        return f"{self._epoch}.{self._revision}"

    def _begin(self) -> None:
        self._epoch, self._revision, self._told = secrets.token_hex(4), 0, 0
        self._ends = 0, 0
        self._records: dict[str, ExportedFile] = {}
        self._digests: dict[str, str] = {}
        self._seen: dict[str, tuple[ExportedFile, object]] = {}
        self._names: dict[str, tuple[ExportedFile, bool]] = {}
        self._changed: dict[str, int] = {}
        self._hands = KeptHands()
        self._alike = compare_records(())

    def _update(self) -> None:
        """Read on: ``export`` or another page may be writing."""
        stamps = tuple(stamp_of(self._folder / name) for name in (EXPORTED_NAME, DECISIONS_NAME))
        if stamps == self._stamps:
            return
        if any(map(is_another, stamps, self._stamps, self._ends)):
            self._begin()
        lines: list[ExportedFile | str] = []
        decided: list[str | None] = []
        try:
            exported = read_records(self._folder, lines.append, self._ends[0], lines.append)
            hands = read_decisions(
                self._folder, lambda line: decided.append(self._hands.decision_line(line)), self._ends[1]
            )
        except OSError as error:
            raise ExportError(f"{shown(self._folder)} cannot be read ({error.strerror}); check permissions.") from error
        self._ends, self._stamps = (exported, hands), stamps
        for line in lines:
            if isinstance(line, str):
                self._drop(line)
            else:
                self._records[line.file] = line
                self._names |= {full_name(line): (line, False), thumbnail_name(line): (line, True)}
        told = dict.fromkeys(line if isinstance(line, str) else line.file for line in lines)
        self._look(file for file in told if file in self._records)
        self._touch(told | dict.fromkeys(file for file in decided if file in self._records))  # type: ignore[arg-type]
        if told:
            # Another picture may make one differ that did not, or the other way round.
            before, self._alike = self._alike, compare_records(self._records.values())
            both = dict.fromkeys((*before.departures, *self._alike.departures))
            self._touch(file for file in both if file in self._records and before.of(file) != self._alike.of(file))
            self._told = self._revision

    def _drop(self, file: str) -> None:
        record = self._records.pop(file, None)
        for known in (self._digests, self._seen):
            known.pop(file, None)
        for name in () if record is None else (full_name(record), thumbnail_name(record)):
            self._names.pop(name, None)

    def _touch(self, files: Iterable[str]) -> None:
        for file in files:
            self._revision += 1
            self._changed[file] = self._revision

    def _look(self, files: Iterable[str]) -> None:
        """Find out what content files have now that are not as they were when last looked at."""
        for file in files:
            record, stamp = self._records[file], stamp_of(self._folder / file)
            if self._seen.get(file) != (record, stamp):
                self._take_digest(file, digest_in(self._folder, record))
                self._seen[file] = record, stamp

    def _take_digest(self, file: str, digest: str) -> None:
        self._digests[file] = digest
        self._hands.is_now(file, state_of(digest))


def _looked_at(path: Path) -> Image.Image:
    """Return a picture as it is looked at, in sRGB and without transparency. Raises ImageError."""
    from PIL import Image

    picture = read_picture(path)
    return Image.fromarray(on_neutral_ground(picture.srgb, picture.alpha))
