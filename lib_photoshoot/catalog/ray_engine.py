"""The engine of many processes and machines: Ray actors find the products, this process writes what they found.

Each worker is an actor that holds the models and a fixed share of its machine's cores. It sends back its picture's
record and encoded files; the driver alone writes files, ledger and reports, so nothing of a worker that dies half-way
is left, and its pictures go to another one. A picture has at most ``AHEAD`` others waiting before the same worker:
what is in flight, and with it the object store, stays small however many pictures there are.

A worker reads a picture under the path that the driver knows, where a file of the same size and time is there; else
the driver sends the bytes. So machines need no shared folder, but the program and its weights. Whether a file can be
read is in any case said with the driver's path. A URL is read by the worker itself.

Plain actors instead of Ray Data: measured on two cores with the same workers (Ray 2.60, pictures a second once running,
seconds to the first), without models 40 and 8 against 37 and 14, with the embedded filter 0.9 and 12 against 1.1 and 28
on a busy machine: as fast within the noise, and sooner at work. A picture is long work with a small result, which needs
no blocks. Ray Data wants pyarrow and pandas besides (the newest pyarrow refuses the NumPy that our torch needs), and
leaves no say about which picture was lost with a worker.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.catalog.ray_cluster import brief, cluster, import_ray, scratch_folder
from lib_photoshoot.catalog.ray_worker import Job, Worker
from lib_photoshoot.catalog.runner import Filter, Numbered, Outcome
from lib_photoshoot.catalog.urls import PictureSource, UrlFile
from lib_photoshoot.errors import CatalogError, ImageError, MachinesGoneError, PhotoshootError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.images import read_picture
from lib_photoshoot.paths import scratch_of
from lib_photoshoot.products import Product

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator

AHEAD = 2
"""Pictures given to a worker at once: the one it works on, and the next, so that it never waits for the driver."""
LOSSES = 5
"""So many workers may die, or fail to start, over one picture before the run ends."""
LOOK_S = 5.0
"""Seconds without a result after which is looked whether a machine is left to bring one."""
PATIENCE_S = 60.0
"""So long may a cluster that others run be without any machine: one that starts again joins it within that."""


@dataclass(frozen=True)
class RayEngine:
    """Runs pictures through Ray actors; see :func:`lib_photoshoot.catalog.runner.run_engine`.

    ``make_filter`` is called in each worker and must be picklable. ``address`` is that of a running cluster
    (``HOST:PORT``, or ``auto`` for the one of this machine); None starts one on this machine for the run alone.
    ``workers`` defaults to one a core. ``gpu`` gives each worker a GPU, or its share, where the cluster has some.
    The cluster is joined with the first picture: a resumed run with nothing left to do needs none. Raises
    ``CatalogError`` when Ray is not installed or the cluster cannot be used.
    """

    make_filter: Callable[[], Filter]
    address: str | None = None
    workers: int | None = None
    gpu: bool = False
    calibrator: Calibrator | None = None

    def __post_init__(self) -> None:
        import_ray()

    def process(
        self, sources: Iterator[Numbered], products: Sequence[Product], out: Path, protected: frozenset[str]
    ) -> Generator[Outcome, None, None]:
        """See :class:`lib_photoshoot.catalog.runner.Engine`; in the order of finishing."""
        # What a killed run left; the ledger's lock keeps ``out`` to one run at a time.
        shutil.rmtree(scratch_of(out), ignore_errors=True)
        first = next(sources, None)
        if first is None:
            return
        with scratch_folder(out) as scratch, cluster(self.address, self.workers):
            pool = _Pool(self._starter(products, scratch), 0.0 if self.address is None else PATIENCE_S)
            yield from pool.run(_chained(first, sources), out, protected)

    def _starter(self, products: Sequence[Product], scratch: str) -> Starter:
        ray = import_ray()
        cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        workers = self.workers or max(1, sum(cores))
        threads = threads_each(cores, workers)
        gpus = int(ray.cluster_resources().get("GPU", 0)) if self.gpu else 0
        # With more workers than GPUs, whole numbers of them share one.
        share = 1 / -(-workers // gpus) if gpus else 0
        actor = ray.remote(num_cpus=threads, num_gpus=share)(Worker)
        given = (self.make_filter, tuple(products), threads, scratch, self.calibrator)
        return Starter(lambda: actor.remote(*given), workers)


@dataclass(frozen=True)
class Starter:
    """How a worker is started, and how many there are."""

    start: Callable[[], Any]
    workers: int


def threads_each(cores: Sequence[int], workers: int) -> int:
    """Cores that each of ``workers`` can have when the machines have ``cores``. Raises ``CatalogError`` for none."""
    for threads in range(max(cores, default=0), 0, -1):
        if sum(count // threads for count in cores) >= workers:
            return threads
    raise CatalogError(f"The Ray cluster has {sum(cores)} cores; ask for at most that many --workers.")


@dataclass
class _Flight:
    """A picture on its way, with the worker that has it and how many have died over it."""

    number: int
    job: Job | UrlFile
    actor: Any = None
    losses: int = 0

    @property
    def source(self) -> PictureSource:
        return self.job.source if isinstance(self.job, Job) else self.job


class _Pool:
    """The workers of a run: hands out pictures, takes in results, replaces those that die."""

    def __init__(self, starter: Starter, patience: float) -> None:
        """``patience`` says how many seconds there may be no machine at all."""
        self.ray = import_ray()
        self.patience = patience
        self.starter = starter
        self.starting: dict[Any, Any] = {}
        self.failed_starts = 0
        self.in_flight: dict[Any, _Flight] = {}
        # A worker stands here once for each picture that it can still take.
        self.free: deque[Any] = deque()
        self.again: deque[_Flight] = deque()
        for _ in range(starter.workers):
            self._start()

    def run(self, sources: Iterator[Numbered], out: Path, protected: frozenset[str]) -> Generator[Outcome, None, None]:
        """Outcomes in the order of finishing; see :class:`lib_photoshoot.catalog.runner.Engine`."""
        flights = _flights(sources)
        while True:
            while self.free and (flight := self.again.popleft() if self.again else next(flights, None)):
                if isinstance(flight, _Flight):
                    self._send(flight)
                else:
                    yield flight
            # Room was left, so there is nothing more to send.
            if self.free and not self.in_flight:
                return
            reference = self._next()
            if reference in self.starting:
                self._started(reference)
            elif (outcome := self._landed(reference, out, protected)) is not None:
                yield outcome

    def _next(self) -> Any:
        """Return the next reference with an answer. Raises ``MachinesGoneError``: Ray itself would wait for ever."""
        alone_since = None
        while True:
            ready, _ = self.ray.wait([*self.in_flight, *self.starting], num_returns=1, timeout=LOOK_S)
            if ready:
                return ready[0]
            if self._any_machine():
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since >= self.patience:
                raise MachinesGoneError(
                    "The last machine of the Ray cluster is gone, as when its memory runs out; every finished picture "
                    "is kept: run the same command with --resume, perhaps with fewer --workers."
                )

    def _any_machine(self) -> bool:
        try:
            return any(node["Alive"] for node in self.ray.nodes())
        except (RuntimeError, OSError, self.ray.exceptions.RayError):
            # Who knows the machines is gone too.
            return False

    def _start(self) -> None:
        actor = self.starter.start()
        self.starting[actor.ready.remote()] = actor

    def _started(self, reference: Any) -> None:
        actor = self.starting.pop(reference)
        try:
            self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self.failed_starts += 1
            if self.failed_starts >= LOSSES:
                # After a fault in the worker's own code, the last line of its traceback says most.
                reason = str(error).strip().splitlines()[-1]
                raise CatalogError(f"Ray's workers do not start ({reason}); correct it and use --resume.") from error
            self._start()
        else:
            self.failed_starts = 0
            self.free.extend([actor] * AHEAD)

    def _send(self, flight: _Flight) -> None:
        flight.actor = self.free.popleft()
        self.in_flight[flight.actor.examine.remote(flight.job)] = flight

    def _landed(self, reference: Any, out: Path, protected: frozenset[str]) -> Outcome | None:
        """Return what became of a picture; None when it has to be sent once more."""
        try:
            answer = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            # A fault of the program, not of the machine: it ends the run as it does in one process.
            raise error.cause from error
        except self.ray.exceptions.RayError as error:
            self._lost(self.in_flight[reference].actor, error)
            return None
        flight = self.in_flight.pop(reference)
        self.free.append(flight.actor)
        if isinstance(answer, ImageError):
            return flight.number, answer
        if isinstance(answer, PhotoshootError):
            raise answer
        if answer is None:
            return self._with_bytes(flight)
        _write(answer.files, out, protected)
        # The worker's current folder may be another one.
        return flight.number, replace(answer.record, file=flight.source.key)

    def _with_bytes(self, flight: _Flight) -> Outcome | None:
        assert isinstance(flight.job, Job)
        try:
            flight.job = replace(flight.job, data=_read(flight.job.source))
        except ImageError as error:
            return flight.number, error
        self.again.append(flight)
        return None

    def _lost(self, actor: Any, error: Exception) -> None:
        """Replace a worker. The first of its pictures is the one that it worked on; all of them go to others."""
        references = [reference for reference, flight in self.in_flight.items() if flight.actor is actor]
        flights = [self.in_flight.pop(reference) for reference in references]
        flights[0].losses += 1
        if flights[0].losses >= LOSSES:
            raise CatalogError(
                f"{LOSSES} workers ended while they worked on {shown(flights[0].source.name)} ({brief(error)}); "
                "give them more memory or take that file out, and run the same command with --resume."
            ) from error
        self.again.extendleft(reversed(flights))
        self.free = deque(other for other in self.free if other is not actor)
        # After a lost result the worker itself may still be alive.
        self.ray.kill(actor)
        self._start()


def _flights(sources: Iterator[Numbered]) -> Iterator[_Flight | Outcome]:
    for number, source in sources:
        try:
            yield _Flight(number, _job(source))
        except ImageError as error:
            yield number, error


def _job(source: PictureSource) -> Job | UrlFile:
    """Return what a worker is given. Raises ``ImageError`` for what is no file with content, which only the driver can
    tell from an absent one.
    """
    if isinstance(source, UrlFile):
        return source
    stamp = None
    with suppress(OSError):
        stamp = source.stamp()
    if stamp is None or stamp.size == 0 or not os.path.isfile(source.path):
        stamp, _ = source.load()  # says what is wrong with the file
    return Job(source, source.key, stamp)


def _read(source: InputFile) -> bytes:
    try:
        return source.path.read_bytes()
    except OSError:
        read_picture(source.path)  # says what is wrong with the file
        raise


def _write(files: Mapping[str, bytes], out: Path, protected: frozenset[str]) -> None:
    from lib_photoshoot.catalog.outputs import output_path

    for name, data in files.items():
        path = output_path(out, name, protected)
        write_atomic(path, data)


def _chained(first: Numbered, rest: Iterator[Numbered]) -> Iterator[Numbered]:
    yield first
    yield from rest
