"""One catalogue run: every input through the filter, outputs and ledger after each, reports at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.catalog.ledger import Ledger, Record
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.images import read_picture, shown
from lib_photoshoot.products import Product
from lib_photoshoot.results import Decision, FilterResult


class Filter(Protocol):
    """Anything that finds products in a uint8 RGB picture (H, W, 3)."""

    def run(self, image: np.ndarray, products: Any) -> FilterResult: ...


@dataclass(frozen=True)
class Progress:
    """Where a run stands: ``done`` of ``total`` pictures, and the file just begun (None at the end)."""

    done: int
    total: int
    file: str | None


@dataclass(frozen=True)
class CatalogSummary:
    """Figures of a finished run. ``resumed`` of the matched and skipped pictures were done by an earlier run."""

    matched: int
    skipped: int
    resumed: int
    unreadable: tuple[dict[str, str], ...]
    notes: tuple[str, ...]


def run_catalog(
    filter_: Filter,
    inputs: Sequence[InputFile],
    products: Sequence[Product],
    out: Path,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
) -> CatalogSummary:
    """Run the filter over ``inputs`` and write everything into ``out``.

    ``settings`` (JSON values) only describe ``filter_``, for report and ledger: a run with others is not resumed.
    An unreadable picture is listed and the run goes on. After an interrupt, a kill or a full disk the same call with
    ``resume`` does what is left. Raises ``CatalogError`` when the folders cannot be used or the disk is full.
    """
    settings = dict(settings or {})
    tell = progress or (lambda _: None)
    protected = frozenset(os.path.realpath(source.path) for source in inputs)
    records: list[Record] = []
    unreadable: list[dict[str, str]] = []
    resumed = 0
    with Ledger(out, {"products": [asdict(product) for product in products], **settings}, resume) as ledger:
        try:
            for number, source in enumerate(inputs):
                tell(Progress(number, len(inputs), shown(source.path)))
                record = ledger.find(source)
                resumed += record is not None
                if record is None:
                    try:
                        record = _process(filter_, source, products, out, protected)
                    except ImageError as error:
                        unreadable.append({"file": os.fspath(source.path), "error": str(error)})
                        continue
                    ledger.replace(record)
                records.append(record)
            tell(Progress(len(inputs), len(inputs), None))
            from lib_photoshoot.catalog.report import write_reports

            write_reports(out, [product.name for product in products], settings, records, unreadable)
        except OSError as error:
            raise _cannot_write(out, error) from error
    matched = sum(record.entry["decision"] == Decision.MATCH.value for record in records)
    notes = tuple(f"{shown(record.entry['file'])}: {record.note}" for record in records if record.note)
    return CatalogSummary(matched, len(records) - matched, resumed, tuple(unreadable), notes)


def _process(
    filter_: Filter, source: InputFile, products: Sequence[Product], out: Path, protected: frozenset[str]
) -> Record:
    from lib_photoshoot.catalog.coco import annotation
    from lib_photoshoot.catalog.outputs import report_entry, write_outputs

    try:
        # Before reading: a file that changes meanwhile is done again on resume.
        status = os.stat(source.path)
    except OSError:
        read_picture(source.path)  # says what is wrong with the file
        raise
    picture = read_picture(source.path)
    result = filter_.run(picture.pixels, products)
    written = write_outputs(out, source.relative, picture, result, protected)
    matched = result.decision is Decision.MATCH
    return Record(
        file=os.path.abspath(source.path),
        stem=source.relative.as_posix(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        outputs=written.files,
        entry=report_entry(os.fspath(source.path), result, written.masks),
        annotations=tuple(annotation(region) for region in result.regions) if matched else (),
        note=picture.note,
    )


def _cannot_write(out: Path, error: OSError) -> CatalogError:
    where = shown(out)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CatalogError(f"The disk of {where} is full; make room and run the same command with --resume.")
    reason = error.strerror or str(error)
    return CatalogError(f"Writing to {where} failed ({reason}); correct it and run the same command with --resume.")
