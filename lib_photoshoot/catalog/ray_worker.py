"""What runs in another process or on another machine: it reads a picture and sends back what was found."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lib_photoshoot.allocator import keep_freed_memory
from lib_photoshoot.catalog.inputs import InputFile, Stamp
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.runner import Filter, finish_picture
from lib_photoshoot.catalog.urls import UrlFile
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, decode_picture
from lib_photoshoot.products import Product

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator


@dataclass(frozen=True)
class Job:
    """A local file for a worker: ``path`` is absolute, ``data`` the file's bytes where the worker lacks the file."""

    source: InputFile
    path: str
    stamp: Stamp
    data: bytes | None = None

    def load(self) -> tuple[Stamp, Picture] | None:
        """In the worker: version and decoded picture, None where its bytes are needed. Raises ``ImageError``."""
        data = _same_file(self) if self.data is None else self.data
        return None if data is None else (self.stamp, decode_picture(data, shown(self.source.path)))


@dataclass(frozen=True)
class Finished:
    """A picture's record and its encoded files, by their paths relative to the output folder."""

    record: Record
    files: Mapping[str, bytes]


class Worker:
    """What runs in an actor: one filter with its models, loaded at the first picture."""

    def __init__(
        self,
        make_filter: Callable[[], Filter],
        products: Sequence[Product],
        threads: int,
        scratch: str,
        calibrator: Calibrator | None = None,
    ) -> None:
        """``threads`` are the cores that it may use; in ``scratch``, where it is there, files are encoded."""
        self.make_filter = make_filter
        self.products = products
        self.threads = threads
        self.scratch = scratch if os.path.isdir(scratch) else None
        self.calibrator = calibrator
        self.filter: Filter | None = None

    def ready(self) -> None:
        """Answered as soon as the actor runs."""

    def examine(self, job: Job | UrlFile) -> Finished | PhotoshootError | None:
        """Work on one picture; None asks for its bytes. An error for the user is returned, to arrive as it is."""
        source = job.source if isinstance(job, Job) else job
        try:
            loaded = job.load()
            if loaded is None:
                return None
            if self.filter is None:
                self.filter = self._load()
            with TemporaryDirectory(prefix="photoshoot-", dir=self.scratch) as folder:
                out = Path(folder)
                record = finish_picture(self.filter, source, *loaded, self.products, out, calibrator=self.calibrator)
                return Finished(record, {name: (out / name).read_bytes() for name in record.outputs})
        except PhotoshootError as error:
            return error

    def _load(self) -> Filter:
        keep_freed_memory()
        loaded = self.make_filter()
        # Each library would otherwise take all cores of the machine, in every worker.
        import cv2

        cv2.setNumThreads(self.threads)
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(self.threads)
        return loaded


def _same_file(job: Job) -> bytes | None:
    try:
        there = replace(job.source, name=job.path)
        return there.path.read_bytes() if there.stamp() == job.stamp else None
    except OSError:
        return None
