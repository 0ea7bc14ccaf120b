"""One catalogue run: every input through the filter, outputs and ledger after each, reports at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lib_photoshoot.catalog.inputs import InputFile, Stamp
from lib_photoshoot.catalog.ledger import WITHDRAWN, Ledger, Record, Records
from lib_photoshoot.catalog.report import words_by_hand
from lib_photoshoot.catalog.urls import PictureSource
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.images import Picture
from lib_photoshoot.products import Product
from lib_photoshoot.results import Decision, FilterResult
from lib_photoshoot.transparency import rgba
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.colour.space import ColourSpace


class Filter(Protocol):
    """Anything that finds products in a picture of some colour space, uint8 or uint16, RGB (H, W, 3) or RGBA."""

    def run(self, image: np.ndarray, products: Any, space: ColourSpace) -> FilterResult:
        """Where a photo holds colour cards, ``cards`` has their boxes besides."""
        ...


Numbered = tuple[int, PictureSource]
Outcome = tuple[int, Record | ImageError]


class Engine(Protocol):
    """Where the pictures of a run are worked on: in this process, or elsewhere."""

    def process(
        self, sources: Iterator[Numbered], products: Sequence[Product], out: Path, protected: frozenset[str]
    ) -> Generator[Outcome, None, None]:
        """Take sources as there is room for them; yield each one's record, or what is wrong with its file.

        In any order, and a record only when all its outputs are in place below ``out``. ``protected`` holds the real
        paths of the inputs, which are never written over. The generator is closed when the run ends early.
        """
        ...


@dataclass(frozen=True)
class CatalogProgress:
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
    inputs: Sequence[PictureSource],
    products: Sequence[Product],
    out: Path,
    resume: bool = False,
    progress: Callable[[CatalogProgress], None] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    withdraw: bool = True,
    calibrator: Calibrator | None = None,
) -> CatalogSummary:
    """Run the filter over ``inputs``, one after the other in this process, and write everything into ``out``.

    ``withdraw`` moves away what was made of pictures that are gone; not for callers whose pictures move and come back.
    ``settings`` (JSON values) only describe ``filter_``, for report and ledger: a run with others is not resumed.
    ``calibrator`` makes the colours of each picture true before anything looks at it.
    An unreadable picture is listed and the run goes on. After an interrupt, a kill or a full disk the same call with
    ``resume`` does what is left. Raises ``CatalogError`` when the folders cannot be used or the disk is full.
    """
    engine = OneByOne(filter_, calibrator)
    return run_engine(engine, inputs, products, out, resume, progress, settings=settings, withdraw=withdraw)


def run_engine(
    engine: Engine,
    inputs: Sequence[PictureSource],
    products: Sequence[Product],
    out: Path,
    resume: bool = False,
    progress: Callable[[CatalogProgress], None] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    withdraw: bool = True,
) -> CatalogSummary:
    """Yield what :func:`run_catalog` does, with any engine: ledger and reports are the same, and so is resuming."""
    settings = dict(settings or {})
    tell = progress or (lambda _: None)
    protected = _real_paths(inputs)
    done: set[int] = set()
    aside = 0
    bad: dict[int, dict[str, str]] = {}
    notes: dict[int, str] = {}
    words: dict[int, list[str]] = {}
    resumed = matched = gone = 0
    with Ledger(out, header_of(products, settings), resume) as ledger:

        def count(number: int, record: Record) -> None:
            # The record itself stays in the ledger alone.
            nonlocal matched
            done.add(number)
            matched += record.entry["decision"] == Decision.MATCH.value
            if by_hand := words_by_hand(record):
                words[number] = by_hand
            if record.note:
                notes[number] = f"{shown(record.entry['file'])}: {record.note}"

        def unfinished() -> Iterator[Numbered]:
            nonlocal resumed, aside
            for number, source in enumerate(inputs):
                record = ledger.find(source)
                if record is None:
                    aside += ledger.withdraw_correction(source.key)
                    tell(CatalogProgress(len(done) + len(bad), len(inputs), shown(source.name)))
                    yield number, source
                else:
                    resumed += 1
                    count(number, record)

        try:
            gone = ledger.withdraw_gone() if withdraw else 0
            with closing(engine.process(unfinished(), products, out, protected)) as outcomes:
                for number, outcome in outcomes:
                    if isinstance(outcome, ImageError):
                        bad[number] = {"file": inputs[number].name, "error": str(outcome)}
                        gone += ledger.withdraw(inputs[number].key)
                    else:
                        ledger.add(outcome)
                        count(number, outcome)
            tell(CatalogProgress(len(inputs), len(inputs), None))
            from lib_photoshoot.catalog.decisions import read_hands
            from lib_photoshoot.catalog.page import write_page
            from lib_photoshoot.catalog.report import report_document, write_reports

            # In the inputs' order, whatever the order of finishing.
            records = Records(ledger, [inputs[number].key for number in sorted(done)])
            unreadable = [bad[number] for number in sorted(bad)]
            added = chain.from_iterable(words[number] for number in sorted(words))
            names = list(dict.fromkeys(chain((product.name for product in products), added)))
            document = report_document(names, settings, unreadable)
            # Read once for all: of a long run that takes a while.
            hands = read_hands(out)
            write_reports(out, document, records, hands)
            write_page(out, document, records, hands)
        except OSError as error:
            raise _cannot_write(out, error) from error
    in_order = [notes[number] for number in sorted(notes)]
    if gone:
        moved = f"{shown(out / WITHDRAWN)} has what was made of {counted(gone, 'picture')} that"
        in_order.append(f"{moved} can no longer be read: no report, export or ranking takes it.")
    if aside:
        in_order.append(
            f"{shown(out / WITHDRAWN)} has the corrections by hand of {counted(aside, 'picture')} whose file is "
            "another now: the new ones were filtered, and have to be corrected anew."
        )
    return CatalogSummary(matched, len(done) - matched, resumed, tuple(unreadable), tuple(in_order))


def header_of(products: Sequence[Product], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the ledger of a run says of it: only a run with the same products and settings goes on there."""
    return {"products": [_as_json(product) for product in products], **settings}


def _as_json(product: Product) -> dict[str, Any]:
    """Return the product as the ledger names it; colour and examples only where it has some, as in older runs."""
    values = asdict(product)
    del values["typed"]  # how it was written makes no other run
    if product.colour is None:
        del values["colour"]
    if not product.examples:
        del values["examples"]
    return values


def _real_paths(sources: Iterable[PictureSource]) -> frozenset[str]:
    """Real paths of the local sources; each folder is looked up once."""
    folders: dict[str, str] = {}
    found = []
    for source in sources:
        if isinstance(source, InputFile):
            key = source.key
            folder, name = os.path.split(key)
            if folder not in folders:
                folders[folder] = os.path.realpath(folder)
            real = os.path.realpath(key) if os.path.islink(key) else os.path.join(folders[folder], name)
            found.append(key if real == key else real)
    return frozenset(found)


class OneByOne:
    """The engine of one process: a picture is begun when the one before it is in the ledger."""

    def __init__(self, filter_: Filter, calibrator: Calibrator | None = None) -> None:
        self.filter = filter_
        self.calibrator = calibrator

    def process(
        self, sources: Iterator[Numbered], products: Sequence[Product], out: Path, protected: frozenset[str]
    ) -> Generator[Outcome, None, None]:
        for number, source in sources:
            outcome: Record | ImageError
            try:
                stamp, picture = source.load()
                outcome = finish_picture(self.filter, source, stamp, picture, products, out, protected, self.calibrator)
            except ImageError as error:
                outcome = error
            yield number, outcome


def finish_picture(
    filter_: Filter,
    source: PictureSource,
    stamp: Stamp,
    picture: Picture,
    products: Sequence[Product],
    out: Path,
    protected: frozenset[str] = frozenset(),
    calibrator: Calibrator | None = None,
) -> Record:
    """Filter one picture that has been read, write its outputs below ``out`` and return its record.

    Raises ``ImageError`` for a picture that cannot be calibrated.
    """
    from lib_photoshoot.catalog.alike import traits_entry
    from lib_photoshoot.catalog.coco import annotation
    from lib_photoshoot.catalog.outputs import report_entry, write_outputs

    told: dict[str, str] = {}
    cards: dict[str, Any] = {}
    if calibrator is not None:
        calibrated = calibrator(picture, shown(source.name))
        picture, told = calibrated.picture, {"calibration": calibrated.told}
        cards = {"cards": calibrated.cards} if calibrated.cards else {}
    result = filter_.run(rgba(picture), products, picture.space, **cards)
    if result.decision is Decision.SKIP:
        # The result's own may be a view of the array with alpha, which would stay in memory beside the picture.
        result = replace(result, image=picture.best)
    try:
        written = write_outputs(out, source.relative, picture, result, protected)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ImageError(
            f"{shown(source.name)} has too long a name or path for files of its own in {shown(out)}; rename it, or "
            "choose another --out."
        ) from error
    matched = result.decision is Decision.MATCH
    return Record(
        file=source.key,
        stem=source.stem,
        size=stamp.size,
        mtime_ns=stamp.mtime_ns,
        outputs=written.files,
        entry=report_entry(source.name, result, written.masks)
        | told
        | traits_entry(result, picture.space, picture.alpha),
        annotations=tuple(annotation(region) for region in result.regions) if matched else (),
        note="; ".join(filter(None, (picture.note, result.note))) or None,
        version=stamp.version,
    )


def _cannot_write(out: Path, error: OSError) -> CatalogError:
    return CatalogError(writing_failed(out, error, "run the same command with --resume"))
