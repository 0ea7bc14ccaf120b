"""Which pictures this host's picture pages show, and who decides about them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lib_photoshoot.pages.application import Reviewed
from lib_photoshoot.shoot.review.opening import open_reviewed
from lib_photoshoot.webui.hosts.a1111.outer import page_folders
from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost
from lib_photoshoot.webui.http.picture_pages import PicturePages
from lib_photoshoot.webui.shoot.service import ShootService


@cache
def shoot_service() -> ShootService:
    """Return the one service of this process, which knows the shoots that run."""
    return ShootService(A1111ShootHost())


@cache
def picture_pages() -> PicturePages:
    """Return the pages of this process."""
    return PicturePages(_open, page_folders)


def _open(folder: Path) -> Reviewed:
    return shoot_service().own(folder) or open_reviewed(folder)
