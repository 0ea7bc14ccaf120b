"""Which pictures this host's picture pages show, who decides about them, and what corrects their outlines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.build import model_choice
from lib_photoshoot.correction.fixer import EMBEDDINGS_KEPT, Fixer
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.settings import FilterSettings, SettingsError
from lib_photoshoot.shoot.review.opening import open_reviewed
from lib_photoshoot.webui.hosts.a1111.host import A1111Host
from lib_photoshoot.webui.hosts.a1111.outer import page_folders, queue_turn
from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost
from lib_photoshoot.webui.http.picture_pages import PicturePages
from lib_photoshoot.webui.shoot.service import ShootService

if TYPE_CHECKING:
    from lib_photoshoot.catalog.review import ReviewedRun
    from lib_photoshoot.pages.application import Reviewed
    from lib_photoshoot.segmentation.sam import SamSegmenter


@cache
def shoot_service() -> ShootService:
    """Return the one service of this process, which knows the shoots that run."""
    return ShootService(A1111ShootHost())


@cache
def picture_pages() -> PicturePages:
    """Return the pages of this process."""
    return PicturePages(_open, page_folders)


def _open(folder: Path) -> Reviewed:
    return shoot_service().own(folder) or open_reviewed(folder, _fixer)


def _fixer(run: ReviewedRun) -> Fixer:
    # Where the user wants the models unloaded, the next job does it: with each click they would be loaded anew.
    return Fixer(run, lambda: HostSegmenter(run.settings()), turn=queue_turn)


class HostSegmenter:
    """The host's filter's segmenter by a run's own settings, see ``ClickSegmenter``.

    It is asked for anew each time: a job in between may have let its models go, or replaced them.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        told = {name: settings[name] for name in ("detector", "segmenter") if name in settings}
        try:
            self._settings = FilterSettings(**told)
        except (SettingsError, TypeError):  # of another release: any segmenter answers clicks
            self._settings = FilterSettings()

    def prompted(self, *given: Any) -> Any:
        return self._now().prompted(*given)

    def embed_ahead(self, image: Any) -> None:
        self._now().embed_ahead(image)

    def _now(self) -> SamSegmenter:
        segmenter = REGISTRY.get(model_choice(self._settings, A1111Host().detector_device())).segmenter
        segmenter.keep = max(segmenter.keep, EMBEDDINGS_KEPT)
        return segmenter
