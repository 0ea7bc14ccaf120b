"""The outlines of a shoot's pictures: which run keeps them, and finding them where nobody has looked yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.build import check_words
from lib_photoshoot.catalog.inputs import InputFile, is_run
from lib_photoshoot.catalog.ledger import Ledger, Record
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import finish_picture, header_of
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError, PhotoshootError, ShootError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.products import parse_products
from lib_photoshoot.shoot.finish.moved import follow
from lib_photoshoot.shoot.finish.runs import candidates_folder, run_folder, source_of, told_of
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.run.ledger import Try

if TYPE_CHECKING:
    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.shoot.shot_list.product import ListedProduct


class ShotOutlines:
    """The outlines of a shoot's pictures. Safe to call from several threads.

    Every picture whose outlines change gets the next *revision*, as in the runs' own pages.
    """

    def __init__(
        self,
        folder: ShootFolder,
        choose: Callable[[FilterSettings], ModelChoice],
        load: Callable[[ModelChoice], Filter],
    ) -> None:
        """``choose`` says which models a product's settings ask for; ``load`` gives a filter that enhances nothing."""
        self._folder, self._choose, self._load = folder, choose, load
        self._lock, self._finding = threading.Lock(), threading.Lock()
        self._runs: dict[Path, ReviewedRun] = {}
        self._changed: dict[int, int] = {}

    @property
    def revision(self) -> int:
        """How many changes there were."""
        return len(self._changed) and max(self._changed.values())

    def since(self, revision: int) -> list[int]:
        """Return the numbers of the pictures whose outlines changed after a revision."""
        return [number for number, at in list(self._changed.items()) if at > revision]

    def touch(self, number: int) -> None:
        """Say that a picture's outlines are others now."""
        with self._lock:
            self._changed[number] = self.revision + 1

    def known(self, file: str, seed: int) -> tuple[ReviewedRun, Record] | None:
        """Return the record of a shot's picture, and the run that has it; None where nobody has looked yet.

        Raises ShootError for a picture outside of the shoot's folder.
        """
        key, product = source_of(self._folder.path, file, seed).key, file.partition("/")[0]
        for folder in (run_folder(self._folder.path, product), candidates_folder(self._folder.path, product)):
            if (run := self._run(folder)) is not None:
                try:
                    record = run.known(key)
                except CatalogError:  # it was moved away
                    self._runs.pop(folder, None)
                    continue
                if record is not None:
                    return run, record
        return None

    def find(self, number: int, entry: Try) -> None:
        """Look for the product in a picture where nobody has, and keep its outlines. Raises PhotoshootError."""
        with self._finding:
            if self.known(entry.file, entry.seed) is not None:
                return
            product, shoot = self._listed(entry.product), self._folder.path
            choice = self._choose(product.settings)
            # As `finish` does: a run of other words would not be gone on with.
            wanted = parse_products(product.settings.products)
            products = check_words(choice, wanted, product.settings.require_all).products
            filter_ = self._load(choice)
            place = run_folder if entry.accepted else candidates_folder
            run, source = place(shoot, entry.file.partition("/")[0]), source_of(shoot, entry.file, entry.seed)
            lies = InputFile(os.fspath(inside(shoot, entry.file, ShootError)), source.stem)
            try:
                with _opened(run, header_of(products, told_of(choice))) as ledger:
                    stamp, picture = lies.load()
                    protected = frozenset({os.path.realpath(lies.name)})
                    ledger.add(finish_picture(filter_, source, stamp, picture, products, run, protected))
            except OSError as error:
                raise ShootError(writing_failed(run, error, "open the picture again")) from error
        self.touch(number)

    def _listed(self, name: str) -> ListedProduct:
        for product in self._folder.products():
            if product.name == name:
                return product
        raise ShootError(f"{shown(name)} is not in the shot list any more; put it back, and open the picture again.")

    def _run(self, folder: Path) -> ReviewedRun | None:
        with self._lock:
            if folder not in self._runs:
                if not is_run(folder):
                    return None
                # `finish` is at work, and has followed, or nothing can be written here.
                with suppress(PhotoshootError, OSError):
                    follow(self._folder.path, folder)
                self._runs[folder] = ReviewedRun(folder)
            return self._runs[folder]


def _opened(run: Path, header: dict[str, Any]) -> Ledger:
    try:
        return Ledger(run, header, resume=True)
    except CatalogError as error:
        if isinstance(error.__cause__, BlockingIOError):
            why = "is being written to by `finish`; open the picture again when that has ended."
        elif isinstance(error.__cause__, OSError):
            raise
        else:
            why = "holds outlines of other settings or models; move that folder away, and open the picture again."
        raise ShootError(f"{shown(run)} {why}") from error
