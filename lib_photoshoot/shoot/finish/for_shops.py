"""The pictures of a shoot's channels as ``export`` hands them over: named, told, and with tables, zips and sheets.

Each channel's folder is an export folder, which ``review`` opens. A file that ``finish`` wrote for a shop is made anew
when it is asked for again; one that somebody changed since is never written over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from lib_photoshoot.catalog.by_hand import rejected_in_words
from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.errors import ExportError, ImageError
from lib_photoshoot.export.profile import Profile
from lib_photoshoot.export.review.records import ExportedFile, ExportJournal
from lib_photoshoot.export.shop.contact_sheet import SHEET_ENDING
from lib_photoshoot.export.shop.handing_over import check_ready, hand_over, judged
from lib_photoshoot.export.shop.planning import CutOutOrigin, PlannedPicture, check_plan, plan_pictures
from lib_photoshoot.export.shop.settings import PLAIN, ShopSettings
from lib_photoshoot.export.shop.sku_table import SkuRow
from lib_photoshoot.export.shop.tables import ShopPicture
from lib_photoshoot.files import sha256_of, shown
from lib_photoshoot.provenance.terms import TERM_OF, DigitalSource
from lib_photoshoot.shoot.finish.exports import FinishedCutOut, ProfileExports, own_name
from lib_photoshoot.shoot.finish.ledger import ExportRecord, FinishLedger, HandedFile
from lib_photoshoot.shoot.finish.naming import rename_files

if TYPE_CHECKING:
    from lib_photoshoot.export.exporter import ExportedPicture
    from lib_photoshoot.shoot.shot_list.product import ListedProduct

_OTHERWISE = "the files stay, in no zip and no shop's table, and marked on contact sheets"


@dataclass(frozen=True, eq=False)
class Sold:
    """A picture that is in place for a channel; ``exported`` where it was made just now."""

    product: ListedProduct
    item: FinishedCutOut
    run: Path
    record: ExportRecord
    exported: ExportedPicture | None = None


@dataclass(frozen=True)
class HandedOver:
    """What became of one channel: a sentence for each file that was written, what needs somebody, and what its pictures
    are called now by what they were called.
    """

    profile: str
    said: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class _Picture:
    """A picture of a channel, what it is called, whether a shop gets it, and what is known of it in its place."""

    sold: Sold
    plan: PlannedPicture
    handed: bool
    file: ExportedFile


class ForShops:
    """What is wanted for shops, by ``settings`` and the ``rows`` of a table of SKUs; ``told`` hears of each channel."""

    def __init__(
        self,
        settings: ShopSettings,
        rows: Sequence[SkuRow] | None = None,
        told: Callable[[HandedOver], object] = lambda _: None,
    ) -> None:
        self._settings, self._rows, self._told = settings, rows, told

    def check(self, profiles: Sequence[Profile]) -> None:
        """Raise ExportError for what could not be made in the end, before anything is."""
        check_ready(self._settings)
        for profile in profiles:
            check_plan(profile, self._settings, self._rows is not None)

    def hand_over(self, exports: ProfileExports, ledger: FinishLedger, sold: Sequence[Sold]) -> None:
        """Name a channel's pictures, tell ``review`` of them, and write what is wanted with them. Raises OSError."""
        if not exports.folder.is_dir():
            return
        said: list[str] = []
        problems: list[str] = []
        names: dict[str, str] = {}
        try:
            journal = ExportJournal(exports.folder)
            pictures = self._planned(exports, journal, sold, problems)
            names = self._named(exports, ledger, pictures, problems)
            _write_down(exports.folder, journal, pictures)
            ready = self._for_shop(exports, journal, pictures, problems)
            said = self._written(exports, ledger, ready, problems)
        except (ExportError, ImageError) as error:
            if isinstance(error.__cause__, OSError):  # the disk is full, or the like: nothing else would go well
                raise error.__cause__ from error
            problems.append(str(error))
        self._told(HandedOver(exports.name, tuple(said), tuple(problems), names))

    def _planned(
        self, exports: ProfileExports, journal: ExportJournal, sold: Sequence[Sold], problems: list[str]
    ) -> list[_Picture]:
        """Return the pictures in the table's order, and then those that no shop gets; all with their own names where
        those that are wanted cannot be made. Raises ExportError, ImageError.
        """
        own = {name: one for one in sold for name in [own_name(one.product, one.item)]}
        plans = wanted = [_plan(one) for one in sold]
        try:
            wanted = plan_pictures(plans, exports.profile, self._settings, self._rows, problems.append)
        except ExportError as error:
            problems.append(str(error))
        handed = {plan.cutout.stem for plan in wanted}
        in_order = [(plan, True) for plan in wanted]
        in_order += [(plan, False) for plan in plans if plan.cutout.stem not in handed]
        return [
            _Picture(own[plan.cutout.stem], plan, shops, _known(exports, journal, own[plan.cutout.stem]))
            for plan, shops in in_order
        ]

    def _named(
        self, exports: ProfileExports, ledger: FinishLedger, pictures: Sequence[_Picture], problems: list[str]
    ) -> dict[str, str]:
        """Rename the files, and return the new names by those before. Raises OSError."""
        by_file = {one.sold.record.file: one for one in pictures}
        targets = {}
        for file, one in by_file.items():
            by_pattern = bool(self._settings.names) and one.plan.name.name != one.plan.cutout.stem
            profile = self._settings.named(exports.profile) if by_pattern else exports.profile
            targets[file] = profile.file_name(one.plan.name.name, one.file.width, one.file.height)
        names: dict[str, str] = {}

        def moved(before: str, now: str) -> None:
            one = by_file[before]
            record = replace(one.sold.record, file=now)
            ledger.add_export(record)
            one.sold, one.file = replace(one.sold, record=record), replace(one.file, file=now)
            names[before] = now

        digests = {file: one.sold.record.sha256 for file, one in by_file.items()}
        problems += rename_files(exports.folder, targets, digests, moved)
        return names

    def _for_shop(
        self, exports: ProfileExports, journal: ExportJournal, pictures: Sequence[_Picture], problems: list[str]
    ) -> list[ShopPicture]:
        found, rejected = [], []
        for one in pictures:
            file, row, path = one.file, one.plan.row, exports.folder / one.file.file
            if not one.handed:
                continue
            if sha256_of(path) != file.digest:
                problems.append(f"{shown(path)} was changed since it was exported, and is not handed over.")
                continue
            hand = journal.hand_about(file.file, file.digest)
            ready, checks = judged(file.missed, file.cut_off, file.doubts, hand)
            if hand is not None and not ready:
                rejected.append(file.file)
            found.append(
                ShopPicture(
                    file=PurePath(file.file),
                    path=path,
                    channel=exports.name,
                    width=file.width,
                    height=file.height,
                    bytes=file.bytes,
                    product=file.product,
                    sku=file.sku,
                    title="" if row is None else row.title,
                    handle="" if row is None else row.handle,
                    alt="" if row is None else row.alt,
                    ready=ready,
                    checks=checks,
                    source=file.source,
                    term=TERM_OF.get(DigitalSource(file.source), ""),
                    made_from=file.made_from,
                )
            )
        if rejected:
            problems.append(rejected_in_words(rejected, "export", _OTHERWISE))
        return found

    def _written(
        self, exports: ProfileExports, ledger: FinishLedger, pictures: Sequence[ShopPicture], problems: list[str]
    ) -> list[str]:
        """Write what is wanted, and say of what is there from before that it is so. Raises ExportError, OSError."""
        of = hashlib.sha256(repr([(item.file, sha256_of(item.path), item.ready) for item in pictures]).encode())
        wanted = _names_of(exports.name, self._settings)
        for handed in [one for one in ledger.handed.values() if one.profile == exports.name]:
            path = exports.folder / handed.file
            if not path.is_file() or path.is_symlink() or sha256_of(path) != handed.sha256:
                continue
            if any(handed.file.startswith(name) for name in wanted):
                path.unlink()  # ours, and made anew
            elif handed.of != of.hexdigest():
                problems.append(f"{shown(path)} is of earlier pictures; ask for it again, or remove it.")
        if not self._settings.wants_more:
            return []
        said = hand_over(exports.folder, exports.profile, pictures, self._settings, problems.append)
        for path in exports.folder.iterdir():
            if path.is_file() and any(path.name.startswith(name) for name in wanted):
                ledger.add_handed(HandedFile(exports.name, path.name, sha256_of(path), of.hexdigest()))
        return said


FOR_NOBODY = ForShops(ShopSettings())


def _plan(one: Sold) -> PlannedPicture:
    entry, name = one.item.entry, own_name(one.product, one.item)
    origin = CutOutOrigin(entry.file, str(entry.seed), one.product.name, one.product.name)
    cutout = next(iter(one.item.candidate.cutouts or one.item.candidate.masks))
    made = InputFile(os.fspath(one.run / cutout), name)
    return PlannedPicture(InputFile(entry.file, str(entry.seed)), made, origin, PurePath(name))


def _known(exports: ProfileExports, journal: ExportJournal, one: Sold) -> ExportedFile:
    """Return what is known of a picture in place; of one that an earlier version exported it is found out again.

    Raises ExportError, ImageError.
    """
    known = journal.known(one.record.file)
    if one.exported is None and known is not None and known.digest == one.record.sha256:
        return known
    exported = one.exported or exports.make(one.product, one.item, one.run)[0]
    return ExportedFile(
        file=one.record.file,
        digest=one.record.sha256,
        bytes=exported.bytes,
        modified=0,
        channel=exports.name,
        title=exports.profile.title,
        width=exported.width,
        height=exported.height,
        source=exported.evidence.source.value,
        made_from=one.item.entry.file,
        cut_off=exported.cut_off,
        missed=tuple(map(str, exported.missed)),
        doubts=one.item.candidate.doubts,
    )


def _write_down(folder: Path, journal: ExportJournal, pictures: Sequence[_Picture]) -> None:
    """Write down which pictures of a channel lie in its folder now. Raises ExportError, OSError."""
    for one in pictures:
        status = os.stat(folder / one.file.file)
        modified = status.st_mtime_ns if status.st_size == one.file.bytes else 0
        product = one.sold.product.name
        one.file = replace(one.file, modified=modified, sku=one.plan.sku, product=product)
        journal.add(one.file)
    for file in set(journal.files()) - {one.file.file for one in pictures}:
        if not (folder / file).is_file():
            journal.forget(file)  # withdrawn, or called otherwise now


def _names_of(profile: str, settings: ShopSettings) -> list[str]:
    """Return how the names begin of what these settings have written."""
    names = [f"{profile}.csv" if shop == PLAIN else f"{profile}-{shop}.csv" for shop in settings.shops]
    names += [f"{profile}.zip"] if settings.archive else []
    return names + ([f"{profile}{SHEET_ENDING}"] if settings.contact_sheet else [])
