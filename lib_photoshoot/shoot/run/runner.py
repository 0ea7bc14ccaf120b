"""One shoot: a thread for each WebUI, which takes one shot after the other from the desk until all is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import writing_failed
from lib_photoshoot.shoot.run.desk import Desk, Standing
from lib_photoshoot.shoot.run.ledger import Acceptance, ShootLedger, Try
from lib_photoshoot.shoot.run.pictures import store
from lib_photoshoot.shoot.run.verdict import is_accepted
from lib_photoshoot.shoot.run.webui import Fault, WebUi, WebUiError
from lib_photoshoot.shoot.shot_list.photos import PhotoError
from lib_photoshoot.shoot.shot_list.product import ListedProduct, Shot, with_photos
from lib_photoshoot.shoot.shot_list.reading import write_shot_list
from lib_photoshoot.wording import counted

PATIENCE = 5
"""Failures in a row after which a WebUI is given up."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 30.0


@dataclass(frozen=True)
class ShootProgress:
    """``accepted`` of ``wanted`` pictures; ``note`` is a sentence about a WebUI that failed, empty otherwise."""

    accepted: int
    wanted: int
    note: str = ""


@dataclass(frozen=True)
class ShootSummary:
    """Figures of a finished run. ``resumed`` of the ``tries`` were made by earlier runs.

    ``short`` has a sentence for each product that lacks pictures, ``lost`` one for each WebUI that was given up.
    ``stopped`` says that somebody ended it early.
    """

    accepted: int
    wanted: int
    tries: int
    resumed: int
    short: tuple[str, ...]
    lost: tuple[str, ...]
    stopped: bool = False


class ShootRun:
    """Makes pictures until every product has its count of accepted ones or its limit of ``tries``.

    Use it as a context manager, which gives the folder back. While :meth:`run` is at work, other threads may stop it,
    watch it and decide about its pictures. After an interrupt, a kill or a full disk another one with ``resume`` does
    what is left.
    """

    def __init__(
        self,
        products: Sequence[ListedProduct],
        webuis: Sequence[WebUi],
        out: Path,
        resume: bool = False,
        tries: int | None = None,
        tell: Callable[[ShootProgress], None] = lambda _: None,
        first_pause: float = _FIRST_PAUSE_S,
        locate: Callable[[str], Path] = Path,
    ) -> None:
        """Ask the WebUIs for everything that is needed, and take the folder. Raises ShootError.

        ``locate`` says which place a photo's path means, and refuses those that may not be read; a product whose photos
        cannot be had is set aside.

        ``tell`` is called from several threads; ``first_pause`` (seconds) follows a WebUI's first failure, and doubles
        with each.
        """
        addresses = [webui.address for webui in webuis]
        if len(set(addresses)) < len(addresses):
            raise ShootError("One WebUI is named twice; name each once.")
        for webui in webuis:
            webui.check(products)
        products = [with_photos(product, locate) for product in products]
        self._webuis, self._out, self._tell, self._first_pause = webuis, out, tell, first_pause
        self._ledger = ShootLedger(out, products, resume)
        self._resumed = len(self._ledger.tries)
        self.desk = Desk(products, self._ledger, tries, addresses)

    def run(self) -> ShootSummary:
        """Do it, and write the report. Raises ShootError when the disk is full, or every WebUI was given up."""
        desk, ledger = self.desk, self._ledger
        try:
            write_shot_list(self._out, [standing.product.row for standing in desk.standings])
            for webui in self._webuis:
                worker = _Worker(webui, desk, self._out, self._tell, self._first_pause)
                # A WebUI that hangs must not keep the program from ending.
                threading.Thread(target=worker.run, name=webui.address, daemon=True).start()
            try:
                desk.ended.wait()
            finally:
                desk.stop()
            if desk.error is not None:
                raise desk.error
            from lib_photoshoot.shoot.review.report import write_report

            write_report(self._out, desk.view())
        except OSError as error:
            raise _cannot_write(self._out, error) from error
        if desk.all_lost:
            reasons = " ".join(dict.fromkeys(desk.lost.values()))
            raise ShootError(
                f"Every WebUI was given up; run the same command with --resume when they answer: {reasons}"
            )
        accepted, wanted = desk.counts()
        lacking = [standing for standing in desk.standings if standing.accepted < standing.product.count]
        short = tuple(_shortage(standing, desk.stopped) for standing in lacking)
        return ShootSummary(
            accepted, wanted, len(ledger.tries), self._resumed, short, tuple(desk.lost.values()), desk.stopped
        )

    def stop(self) -> None:
        """End after the pictures at hand."""
        self.desk.finish_up()

    def __enter__(self) -> ShootRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.close()


class _Worker:
    """What one WebUI's thread does."""

    def __init__(
        self, webui: WebUi, desk: Desk, out: Path, tell: Callable[[ShootProgress], None], first_pause: float
    ) -> None:
        self._webui, self._desk, self._out, self._tell = webui, desk, out, tell
        self._first_pause = first_pause
        self._failures = 0
        self._proven = False

    def run(self) -> None:
        """Take shots until there is none any more or the WebUI is given up."""
        try:
            while (shot := self._desk.take(self._webui.address)) is not None:
                try:
                    entry = self._shoot(shot)
                except PhotoError as error:
                    why = f"{shot.product.where}: {error}"
                    self._desk.set_photo_aside(shot, why)
                    self._say(why)
                    continue
                except WebUiError as error:
                    self._desk.give_back(shot, self._webui.address, error)
                    if self._gives_up(error):
                        return
                    continue
                self._failures, self._proven = 0, True
                self._desk.finish(shot, entry)
                self._say()
        except BaseException as error:  # else the main thread would wait for ever
            self._desk.stop(error)

    def _shoot(self, shot: Shot) -> Try:
        start = time.monotonic()
        taken = self._webui.shoot(shot)
        seconds = round(time.monotonic() - start, 3)
        verdict = taken.verdict
        accepted = is_accepted(verdict, shot.product.settings.on_match)
        return Try(
            product=shot.product.name,
            number=shot.number,
            seed=shot.seed,
            scene=shot.scene,
            webui=self._webui.address,
            seconds=seconds,
            scores=tuple((name, one.score) for one in verdict.products for name in (one.product, *one.also)),
            decision=Acceptance.ACCEPTED if accepted else Acceptance.REJECTED,
            why=verdict.says,
            file=store(self._out, shot, taken.picture, accepted),
            exports=shot.product.exports,
            photo=shot.photo.name if shot.photo else "",
            digest=shot.photo.digest if shot.photo else "",
        )

    def _gives_up(self, error: WebUiError) -> bool:
        """Count a failure; wait, or say that this WebUI is given up."""
        if error.fault is Fault.REFUSED and self._proven:
            # It works, so the product is at fault, and the desk will not offer that one again.
            self._say(str(error))
            return False
        self._failures += 1
        if error.fault is Fault.LOGIN or self._failures >= PATIENCE:
            why = f"WebUI given up: {error}"  # its sentence has the address
            self._say(why)
            self._desk.retire(self._webui.address, why)
            return True
        pause = 0 if error.fault is Fault.REFUSED else self._first_pause * 2 ** (self._failures - 1)
        self._say(str(error))
        self._desk.ended.wait(min(pause, _LONGEST_PAUSE_S))
        return False

    def _say(self, note: str = "") -> None:
        self._tell(ShootProgress(*self._desk.counts(), note))


def _shortage(standing: Standing, stopped: bool) -> str:
    product = standing.product
    head = f"{product.name}: {standing.accepted} of {counted(product.count, 'picture')}"
    if standing.aside is not None:
        return f"{head}, set aside: {standing.aside}"
    if stopped and (standing.waiting or standing.next < standing.limit):
        return f"{head} so far; stopped."
    if product.seeds and standing.limit == len(product.seeds):
        return f"{head} after all {standing.limit} seeds of its list; give it more."
    return f"{head} after {counted(standing.limit, 'try', 'tries')}; raise --tries and add --resume to go on."


def _cannot_write(out: Path, error: OSError) -> ShootError:
    return ShootError(writing_failed(out, error, "run the same command with --resume"))
