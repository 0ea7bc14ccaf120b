"""*Enhance again* on the picture page: what a generated picture's settings paint, by the outlines as they are now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.fixer import Fixer, Turn
from lib_photoshoot.correction.originals import read_original
from lib_photoshoot.correction.run_settings import run_settings
from lib_photoshoot.enhancement.protocol import EnhancementError, Enhancer
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.images import Picture
from lib_photoshoot.products import Product
from lib_photoshoot.results import Decision, ProductRegion
from lib_photoshoot.staging.plan import Staged
from lib_photoshoot.staging.protocol import Attempt, ScenePainter
from lib_photoshoot.staging.scenery import Scenery
from lib_photoshoot.webui.folder.generated import GENERATED
from lib_photoshoot.webui.generate.repainting import Repainting

Painting = Callable[[Path, Picture, Sequence[Product]], AbstractContextManager[Repainting]]
"""Opens what paints the picture that lies there; it is our turn in the host's queue."""


class EnhancingFixer(Fixer):
    """See ``Fixing``; paints through the host."""

    def __init__(self, run: ReviewedRun, load: Callable[[], ClickOutliner], turn: Turn, painting: Painting) -> None:
        super().__init__(run, load, turn=turn)
        self._painting = painting
        self.enhances = bool(run.settings().get(GENERATED))

    def enhance(self, id_: int) -> dict[str, Any]:
        """See ``Fixing``. Raises PhotoshootError; then nothing has changed."""
        if not self.enhances:
            return super().enhance(id_)
        record = self._run.record(id_)
        if record.entry["decision"] != Decision.MATCH.value:
            raise CatalogError("No product is outlined in this picture; draw an outline, then enhance it again.")
        settings, picture = run_settings(self._run.settings()), read_original(record)
        with self._saving, self._turn(), self._painting(Path(record.file), picture, settings.products) as paints:
            painted = replace(settings, enhancer=_whole(paints.enhancer), scenery=_whole_scene(paints.scenery))
            return {"shots": [self._saved(record, picture, [], [], painted)], "products": []}


def _whole(enhancer: Enhancer | None) -> Enhancer | None:
    return None if enhancer is None else _AllOrNothing(enhancer)


def _whole_scene(scenery: Scenery | None) -> Scenery | None:
    return None if scenery is None else replace(scenery, painter=_WholeScene(scenery.painter))


class _WholeScene:
    """A painter whose failure is told, as that of :class:`_AllOrNothing`."""

    def __init__(self, painter: ScenePainter) -> None:
        self._painter = painter
        self.name, self.can_grow = painter.name, painter.can_grow

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        try:
            return self._painter.paint(staged, attempt)
        except EnhancementError as error:
            raise CatalogError(str(error)) from error


class _AllOrNothing:
    """An enhancer whose failure is told, and leaves the picture's files as they were."""

    def __init__(self, enhancer: Enhancer) -> None:
        self._enhancer = enhancer
        self.name = enhancer.name

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        return self._enhancer.alpha(mask)

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        try:
            return self._enhancer.enhance(image, regions)
        except EnhancementError as error:
            raise CatalogError(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._enhancer, name)  # what it may have besides, see ``Enhancer``
