"""The pictures of this WebUI's own shoots on the picture page: decided about while the shoot runs, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder


class OwnShoot(ReviewedShoot):
    """A shoot whose decisions are written by ``write``: who runs it holds its ledger."""

    def __init__(self, folder: ShootFolder, write: Callable[[Sequence[ChosenShot]], dict[str, Any]]) -> None:
        super().__init__(folder)
        self._write = write

    def decide(self, chosen: Sequence[ChosenShot]) -> dict[str, Any]:
        """See ``Reviewed``."""
        return self._write(chosen)
