"""The accepted pictures of a shoot, ready to sell: cut out, ranked, and the best of them in the form of each channel.

Everything goes into the shoot's folder ``finished``: a run of the product filter for each product, ``ranking.json``,
and ``exports/PROFILE``, which holds exactly the pictures that are to be sold there. The shoot itself is only read, and
may be running. Running it again does what is new: pictures are cut out, measured and exported once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.build import check_words
from lib_photoshoot.catalog.by_hand import ACCEPTED, REJECTED
from lib_photoshoot.catalog.outputs import cutout_name
from lib_photoshoot.catalog.runner import header_of, run_catalog
from lib_photoshoot.confined import inside, stays_inside
from lib_photoshoot.errors import CatalogError, ExportError, ImageError, ProductsError, ShootError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.products import parse_products
from lib_photoshoot.ranking.order import Ranked, default_weights, rank
from lib_photoshoot.ranking.run_folder import Candidate, measure, read_candidates
from lib_photoshoot.results import Decision
from lib_photoshoot.shoot.finish.exports import (
    WITHDRAWN,
    FinishedCutOut,
    ProfileExports,
    exports_for,
    free_name,
    stamp_of,
)
from lib_photoshoot.shoot.finish.for_shops import FOR_NOBODY, ForShops, Sold
from lib_photoshoot.shoot.finish.ledger import FINISH_LEDGER, FinishLedger
from lib_photoshoot.shoot.finish.moved import follow
from lib_photoshoot.shoot.finish.ranking import (
    Channel,
    FinishedProduct,
    FinishProgress,
    alike_in_words,
    seed_of,
    write_ranking,
)
from lib_photoshoot.shoot.finish.runs import (
    EXPORTS,
    RANKING,
    LoadedLater,
    candidates_folder,
    run_folder,
    source_of,
    take_over,
    told_of,
)
from lib_photoshoot.shoot.finish.sentences import not_found, rejected_in_words, why_rejected
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.run.ledger import FINISHED

if TYPE_CHECKING:
    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.shoot.run.ledger import Try
    from lib_photoshoot.shoot.shot_list.product import ListedProduct


def finish_shoot(
    shoot: Path,
    choose: Callable[[FilterSettings], ModelChoice],
    load: Callable[[ModelChoice], Filter],
    profiles: Sequence[str] = (),
    top: int | None = None,
    tell: Callable[[FinishProgress], None] = lambda _: None,
    shop: ForShops = FOR_NOBODY,
) -> Iterator[FinishedProduct]:
    """Finish every product that has accepted pictures, one after the other, and write ``ranking.json`` at the end.

    Behind the last product the pictures of each channel are named and handed over as ``shop`` says, which is told.

    ``choose`` says which models a product's settings ask for. ``load`` gives a filter with them that enhances nothing;
    it is called only where a picture has to be cut out. ``profiles`` replace those of all products, ``top`` their
    counts. What is wrong with one product stands in its problems. Raises ShootError, CatalogError, ExportError or
    ImageError for a folder or profile that cannot be used, a full disk, and where there is nothing to finish, and
    WeightsError as ``load`` does.
    """
    folder = ShootFolder(shoot)
    tries: dict[str, list[Try]] = {}
    for entry in folder.state().tries:
        tries.setdefault(entry.product, []).append(entry)
    out = inside(shoot, FINISHED, ShootError)
    if not any(entry.accepted for entry in chain(*tries.values())) and not (out / FINISH_LEDGER).is_file():
        raise ShootError(f"No picture in {shown(shoot)} is accepted yet; go on with the shoot, or accept some by hand.")
    products = folder.products()
    default_weights()  # says now, and not after the first product, what it lacks
    names = [name for product in products for name in profiles or product.exports]
    exporters = exports_for(inside(out, EXPORTS, ShootError), names, None if profiles else shoot)
    shop.check([exports.profile for exports in exporters.values()])
    finished: list[FinishedProduct] = []
    try:
        opened = FinishLedger(out)
    except OSError as error:
        raise _cannot_write(out, error) from error
    with opened as ledger:
        work = _Work(shoot, out, ledger, exporters, choose, load, tell)
        jobs = [_job(product, tries.get(product.name, []), profiles, top) for product in products]
        work.total = sum(job.steps for job in jobs)
        for job in jobs:
            if job.tries or job.product.name in ledger.exports:
                try:
                    result = work.finish(job)
                except OSError as error:
                    raise _cannot_write(out, error) from error
                finished.append(result)
                yield result
        try:
            for exports in exporters.values():
                shop.hand_over(exports, ledger, work.sold[exports.name])
            write_ranking(out / RANKING, finished)
        except OSError as error:
            raise _cannot_write(out, error) from error


@dataclass(frozen=True)
class _Job:
    """A product with its accepted tries in the order of their numbers, and those that a person rejected, by seed."""

    product: ListedProduct
    tries: tuple[Try, ...]
    rejected: Mapping[int, Try]
    profiles: tuple[str, ...]
    wanted: int

    @property
    def steps(self) -> int:
        return 2 * len(self.tries) + min(self.wanted, len(self.tries)) * len(self.profiles)


def _job(product: ListedProduct, tries: Sequence[Try], profiles: Sequence[str], top: int | None) -> _Job:
    names = tuple(dict.fromkeys(profiles or product.exports))
    in_order = tuple(sorted((entry for entry in tries if entry.accepted), key=lambda entry: entry.number))
    rejected = {entry.seed: entry for entry in tries if entry.by_hand == REJECTED}
    return _Job(product, in_order, rejected, names, product.count if top is None else top)


class _Work:
    """Does one product after the other, with what they share."""

    def __init__(
        self,
        shoot: Path,
        out: Path,
        ledger: FinishLedger,
        exporters: Mapping[str, ProfileExports],
        choose: Callable[[FilterSettings], ModelChoice],
        load: Callable[[ModelChoice], Filter],
        tell: Callable[[FinishProgress], None],
    ) -> None:
        self.total = 0
        self.sold: dict[str, list[Sold]] = {exports.name: [] for exports in exporters.values()}
        self._shoot, self._out, self._ledger, self._exporters = shoot, out, ledger, exporters
        self._choose, self._load, self._tell = choose, load, tell
        self._done = 0

    def finish(self, job: _Job) -> FinishedProduct:
        """One product. Raises OSError as it comes, WeightsError and ShootError."""
        end = self._done + job.steps
        problems: list[str] = []
        ranking: tuple[Ranked, ...] = ()
        found: dict[int, FinishedCutOut] = {}
        unreadable: set[int] = set()
        rejected = dict(job.rejected)
        if job.tries:
            try:
                found, unreadable = self._cut_out(job, problems, rejected)
            except (ProductsError, _Unusable) as error:
                # Nothing is known about its pictures now, so nothing is exported, and nothing withdrawn.
                self._at(job, end)
                sentence = f"{job.product.name}: {error}"
                return FinishedProduct(job.product.name, len(job.tries), job.wanted, problems=(sentence,))
            ranking = self._rank(job, found, unreadable, problems)
        best = {seed_of(item): item for item in ranking[: job.wanted]}
        withdrawn = self._withdraw(job, best, found, unreadable, rejected)
        chosen = [found[seed] for seed in best]
        channels = tuple(self._export(job, self._exporters[name], chosen, problems) for name in job.profiles)
        self._at(job, end)
        return FinishedProduct(
            name=job.product.name,
            accepted=len(job.tries),
            wanted=job.wanted,
            ranking=ranking,
            channels=channels,
            withdrawn=tuple(withdrawn),
            problems=tuple(problems),
            left_out=rejected_in_words(rejected.values()),
            cutouts={item.entry.file: self._cutouts(job, item.candidate) for item in found.values()},
            alike=tuple(alike_in_words(ranking)),
        )

    def _at(self, job: _Job, done: int) -> None:
        self._done = done
        self._tell(FinishProgress(done, self.total, job.product.name))

    def _run_folder(self, job: _Job) -> Path:
        return run_folder(self._shoot, job.product.folder)

    def _cutouts(self, job: _Job, candidate: Candidate) -> tuple[str, ...]:
        """Its cut-outs' paths relative to the shoot's folder, one for each region."""
        run = self._run_folder(job).relative_to(self._shoot).as_posix()
        return tuple(f"{run}/{cutout_name(mask)}" for mask in candidate.masks)

    def _cut_out(
        self, job: _Job, problems: list[str], rejected: dict[int, Try]
    ) -> tuple[dict[int, FinishedCutOut], set[int]]:
        """Return the pictures in which the product is found, by seed, and the seeds of those that cannot be read.

        Those of which a person rejected the cut-out join ``rejected``. Raises ProductsError, and _Unusable where the
        run's folder belongs to something else.
        """
        run, start = self._run_folder(job), self._done
        sources = [source_of(self._shoot, entry.file, entry.seed) for entry in job.tries]
        choice = self._choose(job.product.settings)
        checked = check_words(choice, parse_products(job.product.settings.products), job.product.settings.require_all)
        problems.extend(filter(None, [checked.refusal]))
        products, settings = checked.products, told_of(choice)
        try:
            candidates = candidates_folder(self._shoot, job.product.folder)
            for moved in (run, candidates):
                follow(self._shoot, moved)
            problems += take_over(candidates, run, sources, header_of(products, settings))
            summary = run_catalog(
                LoadedLater(lambda: self._load(choice)),
                sources,
                products,
                run,
                resume=True,
                progress=lambda state: self._at(job, start + state.done),
                settings=settings,
                withdraw=False,
            )
            names = {product.name for product in products}  # by hand another can be added to a picture
            found_in_run = {item.source: item for item in read_candidates(run) if item.product in names}
            images = json.loads((run / "report.json").read_text("utf-8"))["images"]
        except CatalogError as error:
            if isinstance(error.__cause__, OSError):
                raise _cannot_write(run, error.__cause__) from error
            raise _Unusable(
                f"{shown(run)} holds cut-outs with other settings or models, or other files; move that folder away and "
                "run `finish` again."
            ) from error
        problems.extend(item["error"] for item in summary.unreadable)
        unreadable = {item["file"] for item in summary.unreadable}
        reasons = {entry["file"]: entry for entry in images if entry["decision"] == Decision.SKIP.value}
        found = {}
        for entry, source in zip(job.tries, sources, strict=True):
            if (candidate := found_in_run.get(source.name)) is not None and candidate.by_hand == REJECTED:
                rejected[entry.seed] = entry
            elif candidate is not None:
                found[entry.seed] = FinishedCutOut(entry, candidate, stamp_of(run, candidate))
            elif (reason := reasons.get(source.name)) is not None:
                problems.append(not_found(entry, reason))
        seeds = {entry.seed for entry, source in zip(job.tries, sources, strict=True) if source.name in unreadable}
        return found, seeds

    def _rank(
        self, job: _Job, found: Mapping[int, FinishedCutOut], unreadable: set[int], problems: list[str]
    ) -> tuple[Ranked, ...]:
        """Return the pictures, measured where they are new; those that cannot be read join ``unreadable``."""
        name, run, start = job.product.name, self._run_folder(job), self._done
        measured = []
        for number, (seed, item) in enumerate(found.items()):
            self._at(job, start + number)
            made_from, known = self._ledger.measured.get((name, seed), ("", None))
            # A ledger of an earlier release has no traits: such a picture is measured once more.
            if known is None or known.traits is None or made_from != item.made_from:
                try:
                    known = replace(measure(run, item.candidate), product=name)
                except ImageError as error:
                    problems.append(str(error))
                    unreadable.add(seed)
                    continue
                self._ledger.add_measured(seed, item.made_from, known)
            by_hand = ACCEPTED in (item.entry.by_hand, item.candidate.by_hand)
            doubts = item.candidate.doubts
            measured.append(replace(known, file=item.entry.file, doubts=doubts, accepted_by_hand=by_hand))
        return rank(measured)

    def _withdraw(
        self,
        job: _Job,
        best: Collection[int],
        found: Collection[int],
        unreadable: Collection[int],
        rejected: Mapping[int, Try],
    ) -> list[str]:
        """Move away what was exported and is no longer to be sold; a sentence for each."""
        accepted = {entry.seed for entry in job.tries}
        sentences = []
        folders = {self._exporters[profile].name for profile in job.profiles}
        for record in self._ledger.exports.get(job.product.name, {}).values():
            asked = record.profile in folders
            # Of a profile that is not asked for now, only what must not be sold at all is withdrawn.
            stays = record.seed in (best if asked else found) or record.seed in unreadable
            path = self._out / EXPORTS / record.profile / record.file
            if stays or not path.is_file() or not stays_inside(self._out, path):
                continue
            if record.seed not in accepted or record.seed in rejected:
                words = why_rejected(rejected.get(record.seed))
                why = f"is no longer accepted{words and f' ({words})'}"
            elif record.seed not in found:
                why = "no longer shows the product"
            else:
                why = f"is no longer among the best {job.wanted}"
            target = free_name(inside(path.parent, f"{WITHDRAWN}/{path.name}", ShootError), path)
            target.parent.mkdir(exist_ok=True)
            os.replace(path, target)
            where = f"{record.profile}/{WITHDRAWN}"
            sentences.append(f"{record.profile}/{record.file} {why}, and was moved to {where}.")
        return sentences

    def _export(
        self, job: _Job, exports: ProfileExports, best: Sequence[FinishedCutOut], problems: list[str]
    ) -> Channel:
        made: list[str] = []
        kept: list[str] = []
        missed: list[str] = []
        for item in best:
            self._at(job, self._done + 1)
            before = self._ledger.exports.get(job.product.name, {}).get((exports.name, item.entry.seed))
            try:
                record, exported = exports.export(job.product, item, self._run_folder(job), before)
            except (ImageError, ExportError) as error:
                problems.append(str(error))
                continue
            if record is not before:
                self._ledger.add_export(record)
            self.sold[exports.name].append(Sold(job.product, item, self._run_folder(job), record, exported))
            (kept if record is before else made).append(record.file)
            missed.extend(f"{record.file} misses {finding}" for finding in record.missed)
        return Channel(exports.name, exports.folder, tuple(made), tuple(kept), tuple(missed))


class _Unusable(Exception):
    """A product's folder in ``finished`` cannot be used; the text is a sentence."""


def _cannot_write(where: Path, error: OSError) -> ShootError:
    return ShootError(writing_failed(where, error, "run `finish` again: it goes on"))
