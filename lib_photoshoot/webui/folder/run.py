"""A catalogue run that a page watches: in its own thread, one turn in the host's queue for each picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.catalog.runner import CatalogProgress, CatalogSummary, run_catalog
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.products import Product
from lib_photoshoot.results import Decision, FilterResult
from lib_photoshoot.webui.http.background import in_background

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.colour.space import ColourSpace


class FolderRunState(str, Enum):
    """Where a run stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in (FolderRunState.STOPPED, FolderRunState.DONE, FolderRunState.FAILED)


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment: ``done`` of ``total`` pictures, the file at hand, and what was found since it began.

    ``waiting`` says that another job has the host's queue. ``message`` is a sentence for the user. ``summary`` is there
    once a run is done or stopped.
    """

    state: FolderRunState
    done: int
    total: int
    file: str | None = None
    matched: int = 0
    skipped: int = 0
    seconds: float = 0.0
    waiting: bool = False
    message: str | None = None
    summary: CatalogSummary | None = None


class _Stopped(Exception):
    """The user wants no further picture."""


class FolderRun:
    """One run over files; watch it with :meth:`snapshot`. A stopped run goes on when it is repeated.

    ``make_filter`` is called in each turn (a generation in between may have replaced the models). ``settings`` only
    describe it, for the report and the check on resuming. ``turn`` is the host's queue; ``finish`` is called at the
    end, whatever happened. ``message`` is a sentence to be shown with the progress.
    """

    def __init__(
        self,
        make_filter: Callable[[], Any],
        inputs: Sequence[InputFile],
        products: Sequence[Product],
        out: Path,
        settings: Mapping[str, Any],
        turn: Callable[[], AbstractContextManager[Any]],
        finish: Callable[[], None] = lambda: None,
        message: str | None = None,
        calibrator: Calibrator | None = None,
    ) -> None:
        self.out = out
        self.products = tuple(products)
        self._make_filter = make_filter
        self._inputs = tuple(inputs)
        self._settings = dict(settings)
        self._turn = turn
        self._finish = finish
        self._calibrator = calibrator
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._snapshot = Snapshot(FolderRunState.RUNNING, 0, len(self._inputs), message=message)

    def start(self) -> FolderRun:
        """Begin in a thread of its own."""
        in_background("run", self._run, lambda text: self._end(FolderRunState.FAILED, message=text))
        return self

    def stop(self) -> None:
        """Begin no further picture; the one at hand is finished."""
        self._stop.set()
        with self._lock:
            if not self._snapshot.state.ended:
                self._snapshot = replace(self._snapshot, state=FolderRunState.STOPPING)

    def snapshot(self) -> Snapshot:
        """How it stands now."""
        with self._lock:
            if self._snapshot.state.ended:
                return self._snapshot
            return replace(self._snapshot, seconds=time.monotonic() - self._began)

    def run(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace, **cards: Any) -> FilterResult:
        """One picture, when it is our turn; what :func:`run_catalog` calls."""
        self._note(waiting=True)
        with self._turn():
            if self._stop.is_set():
                raise _Stopped
            self._note(waiting=False)
            result = self._make_filter().run(image, products, space, **cards)
        matched = result.decision is Decision.MATCH
        with self._lock:
            self._snapshot = replace(
                self._snapshot,
                matched=self._snapshot.matched + matched,
                skipped=self._snapshot.skipped + (not matched),
            )
        return result

    def _run(self) -> None:
        try:
            summary = self._catalog(self._inputs, self._tell)
            self._end(FolderRunState.DONE, summary=summary)
        except _Stopped:
            self._end(FolderRunState.STOPPED, **self._report_so_far())
        finally:
            self._finish()

    def _catalog(self, inputs: Sequence[InputFile], tell: Callable[[CatalogProgress], None]) -> CatalogSummary:
        return run_catalog(
            self, inputs, self.products, self.out, True, tell, settings=self._settings, calibrator=self._calibrator
        )

    def _report_so_far(self) -> dict[str, Any]:
        """Report on what is finished: it stands in the ledger, so no picture is filtered again."""
        finished = self._inputs[: self._snapshot.done]
        if not finished:
            return {}
        try:
            return {"summary": self._catalog(finished, lambda _: None)}
        except (_Stopped, PhotoshootError) as error:
            return {"message": str(error) or None}

    def _tell(self, progress: CatalogProgress) -> None:
        self._note(done=progress.done, file=progress.file)
        if self._stop.is_set() and progress.file is not None:
            raise _Stopped

    def _note(self, **changes: Any) -> None:
        with self._lock:
            self._snapshot = replace(self._snapshot, **changes)

    def _end(self, state: FolderRunState, **changes: Any) -> None:
        self._note(state=state, file=None, waiting=False, seconds=time.monotonic() - self._began, **changes)
