"""The runs of the filter in which a shoot's outlines are kept: in the shoot's folder ``finished``, one a product.

A picture that was accepted belongs to the run ``finished/PRODUCT``, from which ``finish`` ranks and exports. One that
was not is a candidate, and its outline must not be sold: it is kept in a run of its own, and taken over once the
picture is accepted and finished. Either run names a picture where it lies when it is accepted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.catalog.ledger import LEDGER_NAME, WITHDRAWN, Ledger, Record, current_records
from lib_photoshoot.catalog.replacement import open_run, remove
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.journal import json_line
from lib_photoshoot.shoot.finish.ledger import FINISH_LEDGER
from lib_photoshoot.shoot.run.ledger import FINISHED
from lib_photoshoot.shoot.run.pictures import placed

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.products import Product
    from lib_photoshoot.results import FilterResult

RANKING, EXPORTS = "ranking.json", "exports"
CANDIDATES = ".candidates"
"""No product's folder begins with a dot."""
_OURS = (RANKING, EXPORTS, FINISH_LEDGER)


def run_folder(shoot: Path, product: str) -> Path:
    """Return the folder of the run of a product's accepted pictures; ``product`` is its folder. Raises ShootError."""
    # No product's folder ends so, unless its name is one that Windows keeps for itself.
    name = f"{product}-" if product.casefold() in _OURS else product
    return inside(shoot, f"{FINISHED}/{name}", ShootError)


def candidates_folder(shoot: Path, product: str) -> Path:
    """Return the folder of the run of those of a product that are not accepted. Raises ShootError."""
    return inside(shoot, f"{FINISHED}/{CANDIDATES}/{product}", ShootError)


def source_of(shoot: Path, file: str, seed: int) -> InputFile:
    """Return a shot's picture as the runs name it: where it lies once it is accepted. Raises ShootError."""
    return InputFile(os.fspath(inside(shoot, placed(file, True), ShootError)), str(seed))


def told_of(choice: ModelChoice) -> dict[str, Any]:
    """Return what the runs' ledgers say of the models; that nothing is enhanced goes without saying."""
    return {"detector": choice.detector.value, "segmenter": choice.segmenter.value, "threshold": choice.threshold}


def take_over(candidates: Path, run: Path, sources: Iterable[InputFile], header: Mapping[str, Any]) -> list[str]:
    """Give the run the outlines that a person drew of these pictures while they were candidates.

    Files first, then the run's record, then the candidates' is forgotten: after a kill the next call does what is left.
    Returns a sentence for each outline that is lost. Raises CatalogError, and OSError as it comes.
    """
    if not (candidates / LEDGER_NAME).is_file():
        return []
    wanted = {source.key: source for source in sources}
    drawn = [one for one in current_records(candidates / LEDGER_NAME) if one.file in wanted and one.drawn_by_hand]
    if not drawn:
        return []
    lost = []
    with open_run(candidates) as given, Ledger(run, header, resume=True) as taking:
        for record in drawn:
            try:
                if record.stamp != wanted[record.file].stamp():
                    continue  # another picture has its name now
                known = taking.get(record.file)
                if known is None or not known.drawn_by_hand:
                    _copy(candidates, run, record)
                    taking.add(record)
            except FileNotFoundError as error:
                file = shown(record.entry["file"])
                lost.append(f"The outline that was drawn of {file} is lost ({error.filename} is gone); draw it again.")
                continue
            given.append(json_line({"file": record.file, WITHDRAWN: True}))
            remove(candidates, record.outputs)
    return lost


def _copy(source: Path, target: Path, record: Record) -> None:
    for name in record.outputs:
        data, place = inside(source, name).read_bytes(), inside(target, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, data)


class LoadedLater:
    """A filter whose models are loaded with its first picture."""

    def __init__(self, load: Callable[[], Filter]) -> None:
        self._load = load
        self._filter: Filter | None = None

    def run(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace) -> FilterResult:
        if self._filter is None:
            self._filter = self._load()
        return self._filter.run(image, products, space)
