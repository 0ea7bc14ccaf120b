"""Who corrects the outlines of a shoot's pictures on their own page: accepted ones, and candidates."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.confined import inside
from lib_photoshoot.correction.fixer import Fixer, Turn
from lib_photoshoot.correction.originals import jpeg_of
from lib_photoshoot.errors import PhotoshootError, ShootError
from lib_photoshoot.files import shown
from lib_photoshoot.images import read_picture
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.fixing import OutlineAnswers, OutlineRequest, RegionChange
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.review.outlines import ShotOutlines
from lib_photoshoot.shoot.review.report import shot_item
from lib_photoshoot.shoot.review.view import shoot_view
from lib_photoshoot.shoot.run.ledger import Try

if TYPE_CHECKING:
    from lib_photoshoot.correction.clicks import ClickOutliner


class ShootFixer:
    """See ``Fixing``: each picture is corrected in the run that keeps its outlines."""

    enhances = False

    def __init__(
        self,
        folder: ShootFolder,
        outlines: ShotOutlines,
        load: Callable[[], ClickOutliner],
        corrected: Callable[[], object] = lambda: None,
        turn: Turn = nullcontext,
    ) -> None:
        """``load`` loads the models for clicks, once; ``corrected`` hears of each correction; ``turn`` as for Fixer."""
        self._folder, self._outlines, self._corrected, self._turn = folder, outlines, corrected, turn
        self._load, self._lock = load, threading.Lock()
        self._outliner: ClickOutliner | None = None
        self._fixers: dict[Path, tuple[ReviewedRun, Fixer]] = {}

    def original(self, id_: int) -> bytes:
        """Return the original as a JPEG file. Raises PhotoshootError."""
        return jpeg_of(read_picture(self._place(self._entry(id_))))

    def find(self, id_: int) -> dict[str, Any]:
        """Look for the product where nobody has. Raises PhotoshootError."""
        self._outlines.find(id_, self._entry(id_))
        return self._told(id_)

    def ready(self, ids: Sequence[int]) -> None:
        """Prepare for questions about these pictures, as far as somebody has looked for their products."""
        by_fixer: dict[int, tuple[Fixer, list[int]]] = {}
        for id_ in ids:
            with suppress(PhotoshootError):
                fixer = self._fixer(id_)
                by_fixer.setdefault(id(fixer), (fixer, []))[1].append(id_)
        for fixer, own in by_fixer.values():
            fixer.ready(own)

    def outline(self, request: OutlineRequest) -> OutlineAnswers:
        """Return answers to the last step. Raises PhotoshootError."""
        return self._fixer(request.id).outline(request)

    def save(self, id_: int, changes: Sequence[RegionChange]) -> dict[str, Any]:
        """Correct a picture's outlines, all or none. Raises PhotoshootError."""
        answer = self._fixer(id_).save(id_, changes)
        self._outlines.touch(id_)
        self._corrected()
        return self._told(id_) | {"told": answer["told"]}

    def enhance(self, id_: int) -> dict[str, Any]:
        """Raise CatalogError, as for any run."""
        return self._fixer(id_).enhance(id_)

    def item(self, id_: int) -> Item | None:
        """Return a picture as the page shows it, None where its product is no longer listed. Raises ShootError."""
        state = self._folder.state()
        view = shoot_view(self._folder.names(), state, len(state.changes), (id_,))
        shots = [shot for shot in view["shots"] if shot["id"] == id_]
        return shot_item(shots[0], self._outlines) if shots else None

    def record(self, run: ReviewedRun, number: int) -> Record:
        """Return the record of a picture as its run has it. Raises PhotoshootError."""
        entry = self._entry(number)
        known = self._outlines.known(entry.file, entry.seed)
        if known is None or known[0] is not run:
            raise ShootError(f"The outlines of {shown(entry.file)} were moved meanwhile; open the picture again.")
        return known[1]

    def placed(self, record: Record, number: int) -> Record:
        """Return the record with the place where the picture lies now: a ledger of somebody else's names none."""
        return replace(record, file=os.path.abspath(self._place(self._entry(number))))

    def _fixer(self, number: int) -> Fixer:
        entry = self._entry(number)
        known = self._outlines.known(entry.file, entry.seed)
        if known is None:
            raise ShootError(f"Nobody has looked for {entry.product} in {shown(entry.file)} yet; open it again.")
        with self._lock:
            run, fixer = self._fixers.get(known[0].out, (None, None))
            if run is not known[0] or fixer is None:
                fixer = Fixer(_ShotsOfRun(self, known[0]), self._loaded, turn=self._turn)
                self._fixers[known[0].out] = known[0], fixer
            return fixer

    def _loaded(self) -> ClickOutliner:
        with self._lock:
            if self._outliner is None:
                self._outliner = self._load()
            return self._outliner

    def _entry(self, number: int) -> Try:
        tries = self._folder.state().tries
        if number >= len(tries):
            raise ShootError(f"{shown(self._folder.path)} has no such picture; load the page again.")
        return tries[number]

    def _place(self, entry: Try) -> Path:
        return inside(self._folder.path, entry.file, ShootError)

    def _told(self, number: int) -> dict[str, Any]:
        item = self.item(number)
        return {"shots": [] if item is None else [item], "products": []}


class _ShotsOfRun:
    """See ``CorrectedRun``: pictures have the shoot's numbers, and are read where the shoot has them now."""

    def __init__(self, shots: ShootFixer, run: ReviewedRun) -> None:
        self._shots, self._run = shots, run
        self._homes: dict[tuple[str, str], str] = {}

    @property
    def out(self) -> Path:
        return self._run.out

    def settings(self) -> dict[str, Any]:
        return self._run.settings()

    def record(self, number: int) -> Record:
        record = self._shots.record(self._run, number)
        now = self._shots.placed(record, number)
        self._homes[now.file, now.stem] = record.file
        return now

    def replace(self, old: Record, new: Record, scratch: Path) -> Item:
        home = self._homes[old.file, old.stem]
        return self._run.replace(replace(old, file=home), replace(new, file=home), scratch)
