"""Deciding by hand about a shoot's pictures: what the served page asks for, and saved decisions."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.correction.fixer import Turn
from lib_photoshoot.errors import MissingPictureError, ShootError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.pages.application import CHANGES, DECIDE, picture_in
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.pages.stamps import revision_seen
from lib_photoshoot.shoot.review.fixing import ShootFixer
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder, chosen_from
from lib_photoshoot.shoot.review.outlines import ShotOutlines
from lib_photoshoot.shoot.review.report import page_title, report_chunks, shot_item, write_report
from lib_photoshoot.shoot.review.view import shoot_view
from lib_photoshoot.shoot.run.ledger import LEDGER_NAME, ShootGoesOnError, ShootLedger, ShootState
from lib_photoshoot.shoot.run.waiting import WAITING_NAME
from lib_photoshoot.shoot.shot_list.reading import REPORT_NAME

if TYPE_CHECKING:
    from lib_photoshoot.correction.clicks import ClickOutliner

_HOLD_S = 1.0
"""For how long after a decision the ledger stays open, and no shoot can begin in its folder."""


class ReviewedShoot:
    """A shoot's folder under review; methods may be called from several threads.

    Views and files come from what is in the folder at the moment: a shoot may be running in it.
    """

    def __init__(self, folder: ShootFolder) -> None:
        """Open a shoot. Raises ShootError where its list or ledger cannot be read or names files outside the folder."""
        self.folder = folder
        self.decided = self.corrected = 0
        self.fixing: Fixing | None = None
        self._outlines: ShotOutlines | None = None
        self._ended = False
        self._ledger: ShootLedger | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._names = folder.names()
        self._files: set[str] = set()
        self._stamp: object = None
        self._state: ShootState | None = None
        self._epoch = secrets.token_hex(4)
        self._read()

    def correct(self, outlines: ShotOutlines, load: Callable[[], ClickOutliner], turn: Turn = nullcontext) -> None:
        """Let outlines be corrected from now on; ``load`` and ``turn`` are as for ``ShootFixer``."""
        self._outlines = outlines
        self.fixing = ShootFixer(self.folder, outlines, load, self._count_correction, turn)

    def _count_correction(self) -> None:
        with self._lock:
            self.corrected += 1

    def view(self, after: int = 0, outlined_after: int | None = None) -> dict[str, Any]:
        """As :meth:`ShootFolder.view`, and with the shots whose outlines changed after that revision of theirs.

        Raises ShootError.
        """
        also = () if self._outlines is None or outlined_after is None else self._outlines.since(outlined_after)
        with self._lock:
            self._names = self.folder.names()  # a shoot that goes on may have a longer list
            state = self._read()
            # A ledger that is shorter than what was told is another one.
            return shoot_view(self._names, state, after if after <= len(state.changes) else 0, also)

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises ShootError."""
        changes = self._address(view := self.view())
        return report_chunks(self.folder.path, view, DECIDE, embed=False, changes=changes, outlines=self._outlines)

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since the page was made or asked last. Raises ShootError."""
        # Behind the revision stand that of the outlines, and how far the decisions that wait were read, which only
        # makes the address another.
        epoch, seen, outlined, *_ = (*since.split("."), "", "", "")
        after = revision_seen(f"{epoch}.{seen}", self._epoch, 0)
        view = self.view(after, revision_seen(f"{epoch}.{outlined}", self._epoch, 0))
        answer: dict[str, Any] = {
            "changes": self._address(view),
            "items": [shot_item(shot, self._outlines) for shot in view["shots"]],
            "gone": [],
        }
        if view["shots"] or not after:
            answer["page"] = {"title": page_title(view["products"]), "products": view["products"]}
        return answer

    def _address(self, view: Mapping[str, Any]) -> str:
        waiting = stamp_of(self.folder.path / WAITING_NAME) or (0, 0)
        outlined = 0 if self._outlines is None else self._outlines.revision
        return f"{CHANGES}?since={self._epoch}.{view['revision']}.{outlined}.{waiting[1]}"

    def chosen(self, values: Any) -> list[ChosenShot]:
        """Decisions out of JSON. Raises ShootError."""
        return chosen_from(values)

    def decide(self, chosen: Sequence[ChosenShot]) -> dict[str, Any]:
        """Write decisions; the ``shots`` that this changed, and all ``products``.

        Raises ShootError: where a picture is not there, nothing is decided.
        """
        with self._lock:
            if self._ended:
                raise ShootError("This review has ended; start it again, and open the address that it prints.")
            if chosen and self._stamp_now() is None:
                raise self._lacks(chosen[0])  # opening the ledger would begin one
            try:
                ledger = self._taken()
                before = len(ledger.state.changes)
                self._decide(ledger, chosen)
            except ShootGoesOnError:
                return self._decide_later(chosen)
            except OSError as error:
                self._give_back()
                raise ShootError(
                    f"The decision could not be kept in {shown(self.folder.path)} ({error.strerror}); "
                    "correct it and decide again."
                ) from error
            except BaseException:
                self._give_back()
                raise
            self._stamp = self._stamp_now()
            self.decided += len(chosen)
            view = shoot_view(self._names, ledger.state, before)
        return {"shots": view["shots"], "products": view["products"]}

    def _decide_later(self, chosen: Sequence[ChosenShot]) -> dict[str, Any]:
        """Leave decisions to the shoot that holds the ledger."""
        if self._timer is not None:
            self._timer.cancel()
        state = self._read()
        for one in chosen:
            if state.find(one.product, one.number) is None:
                raise self._lacks(one)
        self.folder.decide_later(chosen)
        self.decided += len(chosen)
        state = self._read()
        view = shoot_view(self._names, state, len(state.changes))
        return {"shots": view["shots"], "products": view["products"]}

    def _decide(self, ledger: ShootLedger, chosen: Sequence[ChosenShot]) -> None:
        for one in chosen:
            if ledger.state.find(one.product, one.number) is None:
                raise self._lacks(one)
        for one in chosen:
            before = ledger.state.find(one.product, one.number)
            after = ledger.decide(one.product, one.number, one.hand)
            if before is not None and before.file in self._files:
                self._files.remove(before.file)
                self._files.add(after.file)

    def _lacks(self, one: ChosenShot) -> MissingPictureError:
        return MissingPictureError(f"{shown(self.folder.path)} has no picture {one.number} of {one.product!r}")

    def _taken(self) -> ShootLedger:
        """Return the ledger, read and locked; kept for a moment, since reading a long one for every key takes too
        long.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._ledger is None:
            self._read_if_changed()  # pictures may have been made or moved elsewhere meanwhile
            self._ledger = ShootLedger(self.folder.path, None, resume=True)
        self._timer = threading.Timer(_HOLD_S, self._release)
        self._timer.daemon = True
        self._timer.start()
        return self._ledger

    def _release(self) -> None:
        with self._lock:
            # A decision may have come between the timer's end and the lock: it has a timer of its own.
            if self._timer is None or threading.current_thread() is self._timer:
                self._give_back()

    def _give_back(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        ledger, self._timer, self._ledger = self._ledger, None, None
        if ledger is not None:
            self._state = ledger.state
            ledger.close()

    def picture(self, name: str) -> Path | None:
        """Return the file of that name if it is a picture or thumbnail of the shoot, in its folder; None otherwise."""
        with self._lock:
            if name not in self._files:
                self._read_if_changed()
            if name not in self._files:
                return None
        return picture_in(self.folder.path, name)

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True
            self._give_back()

    def write_report(self) -> None:
        """Write the file ``report.html`` anew. Raises ShootError."""
        view = self.view()
        try:
            write_report(self.folder.path, view)
        except OSError as error:
            raise ShootError(
                f"{shown(self.folder.path / REPORT_NAME)} cannot be written ({error.strerror}), though the decisions "
                "are kept; make room or correct it, and review the shoot again."
            ) from error

    def _read_if_changed(self) -> None:
        # Else every address that does not exist would cost reading the whole ledger.
        if self._stamp != self._stamp_now():
            self._read()

    def _read(self) -> ShootState:
        if self._ledger is not None:  # nobody else writes
            return self._ledger.state
        stamp = self._stamp_now()
        if self._state is not None and stamp is not None and stamp == self._stamp:
            return self._state
        self._state = state = self.folder.state()
        view = shoot_view(self._names, state)
        self._files = {shot[kind] for shot in view["shots"] for kind in ("file", "thumbnail")}
        self._stamp = stamp
        return state

    def _stamp_now(self) -> object:
        ledger = stamp_of(self.folder.path / LEDGER_NAME)
        return ledger and (ledger, stamp_of(self.folder.path / WAITING_NAME))
