"""Hands out shots to the WebUIs, one at a time to each, and takes back what they make of them.

A shot is handed out only while its product would still need it if every shot under way were accepted. So the shots
that are taken are exactly those that one WebUI would take one after the other, however many there are.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lib_photoshoot.errors import ShootError
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.shoot.review.view import shoot_view
from lib_photoshoot.shoot.run.ledger import ShootLedger, Try
from lib_photoshoot.shoot.run.webui import Fault, WebUiError
from lib_photoshoot.shoot.shot_list.photos import ListedPhoto, PhotoError
from lib_photoshoot.shoot.shot_list.product import ListedProduct, Shot

DEFAULT_TRIES = 5
"""Tries for each picture that is wanted."""
_BROKEN_ANSWERS = 3
"""After so many broken answers to one product's shots in a row it is set aside: it may be what breaks the WebUI."""


@dataclass(eq=False)
class Standing:
    """How a product stands. ``waiting`` are the numbers of claimed shots that nobody is making, the lowest first.

    ``aside`` says why no WebUI can make it, None as long as one may. ``useless`` are photos that cannot be used, with
    the reasons: their shots are passed over.
    """

    product: ListedProduct
    limit: int
    next: int = 0
    accepted: int = 0
    under_way: int = 0
    waiting: list[int] = field(default_factory=list)
    refused_by: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    aside: str | None = None
    useless: dict[ListedPhoto, str] = field(default_factory=dict)

    @property
    def needed(self) -> bool:
        """Whether one more shot is wanted even if all that are under way are accepted."""
        return self.accepted + self.under_way < self.product.count

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to do for it in this run."""
        if self.aside is not None or self.accepted >= self.product.count:
            return not self.under_way
        return not self.under_way and not self.waiting and self.next >= self.limit

    def take(self) -> int | None:
        """Return the number of the next shot, or None."""
        while self.needed and (self.waiting or self.next < self.limit):
            if self.waiting:
                number = self.waiting.pop(0)
            else:
                number, self.next = self.next, self.next + 1
            if self.product.shot(number).photo not in self.useless:
                return number
        return None


class Desk:
    """The shots of one run. All methods may be called from any thread; the ledger is only written here."""

    def __init__(
        self, products: Sequence[ListedProduct], ledger: ShootLedger, tries: int | None, webuis: Iterable[str]
    ) -> None:
        """Allow ``tries`` for each product; None allows :data:`DEFAULT_TRIES` for each picture wanted."""
        done: dict[str, list[Try]] = defaultdict(list)
        for entry in ledger.tries:
            done[entry.product].append(entry)
        self.standings = [
            _standing(product, tries, ledger.claimed.get(product.name, set()), done[product.name])
            for product in products
        ]
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.lost: dict[str, str] = {}
        self.stopped = False
        self._ledger = ledger
        self._webuis = set(webuis)
        self._change = threading.Condition()
        self._of = {standing.product.name: standing for standing in self.standings}
        self._open = [standing for standing in self.standings if not standing.finished]

    def take(self, webui: str) -> Shot | None:
        """Return the next shot for a WebUI, claimed; waits while there may be one, None when there is none any more."""
        with self._change:
            while not self.ended.is_set() and not self.stopped:
                self._take_waiting()
                self._open = [standing for standing in self._open if not standing.finished]
                if not self._open:
                    self._end()
                    break
                shot = self._next(webui)
                if shot is not None:
                    return shot
                if not any(standing.finished for standing in self._open):  # else there was nothing but useless photos
                    self._change.wait()
            return None

    def finish(self, shot: Shot, entry: Try) -> None:
        """Record a finished try. What comes after the end is dropped: its claim stays, and a later run takes it."""
        with self._change:
            if self.ended.is_set():
                return
            try:
                self._ledger.finish(entry)
            except OSError as error:
                self._end(error)
                return
            standing = self._of[shot.product.name]
            standing.under_way -= 1
            standing.broken = 0
            standing.accepted += entry.accepted
            self._take_waiting()
            self._end_if_stopped()
            self._change.notify_all()

    def give_back(self, shot: Shot, webui: str, error: WebUiError) -> None:
        """Take back a shot that a WebUI did not make: others may, unless all refuse it or it keeps breaking them."""
        with self._change:
            standing = self._of[shot.product.name]
            standing.under_way -= 1
            standing.waiting = sorted([*standing.waiting, shot.number])
            if error.fault is Fault.REFUSED:
                standing.refused_by[webui] = str(error)
            if error.fault is Fault.BROKEN:
                standing.broken += 1
                if standing.broken >= _BROKEN_ANSWERS:
                    standing.aside = str(error)
            self._set_aside_refused()
            self._end_if_stopped()
            self._change.notify_all()

    def set_photo_aside(self, shot: Shot, why: str) -> None:
        """Take back a shot whose photo cannot be used, and make no other with it; the product's other photos go on."""
        with self._change:
            standing = self._of[shot.product.name]
            standing.under_way -= 1
            assert shot.photo is not None, "there is a photo"
            standing.useless[shot.photo] = why
            if len(standing.useless) == len(standing.product.photos):
                standing.aside = why
            self._end_if_stopped()
            self._change.notify_all()

    def decide(self, product: str, number: int, hand: Hand | None) -> bool:
        """Write that a person accepts or rejects a picture, or withdraws that (None); False where the run has ended
        meanwhile.

        A product that now lacks a picture gets further tries. Raises ShootError for an unknown picture, and OSError as
        it comes; the run goes on.
        """
        with self._change:
            if self.ended.is_set():
                return False
            before = self._ledger.state.find(product, number)
            after = self._ledger.decide(product, number, hand)
            self._recount(before, after)
            self._change.notify_all()
            return True

    def _recount(self, before: Try | None, after: Try) -> None:
        """Count a decision; one about a product that is no longer listed does not count."""
        if standing := self._of.get(after.product):
            standing.accepted += after.accepted - (before is not None and before.accepted)
            self._open = [each for each in self.standings if not each.finished]

    def _take_waiting(self) -> None:
        """Take in what a person decided in another program meanwhile."""
        with suppress(ShootError):  # the file is not ours: the shoot goes on
            try:
                for before, after in self._ledger.take_waiting():
                    self._recount(before, after)
            except OSError as error:
                self._end(error)

    def view(self, after: int = 0) -> dict[str, Any]:
        """How the shoot stands now: :func:`lib_photoshoot.shoot.review.view.shoot_view`."""
        with self._change:
            return shoot_view([standing.product for standing in self.standings], self._ledger.state, after)

    def asides(self) -> dict[str, str]:
        """Why products were set aside, by their names."""
        with self._change:
            return {each.product.name: each.aside for each in self.standings if each.aside is not None}

    def retire(self, webui: str, why: str) -> None:
        """Give a WebUI up; the run ends with the last one."""
        with self._change:
            self._webuis.discard(webui)
            self.lost[webui] = why
            if not self._webuis:
                self._end()
            self._set_aside_refused()
            self._change.notify_all()

    def finish_up(self) -> None:
        """Hand out no further shot, and end the run when those under way are finished or given back."""
        with self._change:
            self.stopped = not self.ended.is_set()
            self._end_if_stopped()
            self._change.notify_all()

    def stop(self, error: BaseException | None = None) -> None:
        """End the run now; ``error`` is why, for the caller's thread to raise."""
        with self._change:
            self._end(error)

    @property
    def all_lost(self) -> bool:
        """Whether every WebUI was given up."""
        return not self._webuis

    def counts(self) -> tuple[int, int]:
        """Return how many pictures are accepted, and how many are wanted."""
        with self._change:
            counted = [(min(each.accepted, each.product.count), each.product.count) for each in self.standings]
        return sum(accepted for accepted, _ in counted), sum(count for _, count in counted)

    def _next(self, webui: str) -> Shot | None:
        for standing in self._open:
            if standing.aside is not None or webui in standing.refused_by:
                continue
            number = standing.take()
            if number is None:
                continue
            shot = standing.product.shot(number)
            if number not in self._ledger.claimed[standing.product.name]:
                try:
                    self._ledger.claim(shot)
                except OSError as error:
                    self._end(error)
                    return None
            standing.under_way += 1
            return shot
        return None

    def _set_aside_refused(self) -> None:
        for standing in self._open:
            if standing.refused_by and self._webuis and self._webuis <= set(standing.refused_by):
                standing.aside = next(reversed(standing.refused_by.values()))

    def _end_if_stopped(self) -> None:
        if self.stopped and not any(standing.under_way for standing in self.standings):
            self._end()

    def _end(self, error: BaseException | None = None) -> None:
        if not self.ended.is_set():
            self.error = error
        self.ended.set()
        self._change.notify_all()


def _standing(product: ListedProduct, tries: int | None, claimed: set[int], done: Sequence[Try]) -> Standing:
    """How a product stands after earlier runs: whatever was begun and not finished waits."""
    following = max([*claimed, *(entry.number for entry in done)], default=-1) + 1
    return Standing(
        product,
        limit=product.limit(tries or DEFAULT_TRIES * product.count),
        next=following,
        accepted=sum(entry.accepted for entry in done),
        waiting=sorted(set(range(following)) - {entry.number for entry in done}),
        aside=_other_photos(product, done),
    )


def _other_photos(product: ListedProduct, done: Sequence[Try]) -> str | None:
    """Return why the product's photos cannot be gone on with: a fault, or others than those of the earlier tries."""
    if product.fault:
        return f"{product.where}: {product.fault}"
    try:
        for entry in done:
            photo = product.shot(entry.number).photo
            if photo is not None and photo.digest != entry.digest:
                now = "has another content now" if photo.name == entry.photo else f"is {photo.name} now"
                return (
                    f"{product.where}: the photo {entry.photo} of picture {entry.seed} {now}; put the photos back as "
                    "they were, or give the row another name."
                )
    except PhotoError as error:
        return f"{product.where}: {error}"
    return None
