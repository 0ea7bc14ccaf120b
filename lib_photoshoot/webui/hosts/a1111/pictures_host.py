"""Which pictures this host's picture pages show, who decides about them, and what corrects their outlines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.build import model_choice, quick_salience
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.fixer import EMBEDDINGS_KEPT
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.files import shown
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import Enhancement, FilterSettings, SettingsError
from lib_photoshoot.shoot.review.opening import open_reviewed
from lib_photoshoot.webui.folder.enhancing import EnhancingFixer
from lib_photoshoot.webui.folder.generated import job_of_infotext, run_of_generated, settings_in
from lib_photoshoot.webui.generate.job import start_job
from lib_photoshoot.webui.generate.repainting import Repainting, repainting
from lib_photoshoot.webui.generate.scene import wants_scene
from lib_photoshoot.webui.generate.service import DEFAULT_PROMPT
from lib_photoshoot.webui.hosts.a1111.host import A1111Host
from lib_photoshoot.webui.hosts.a1111.infotexts import fields_of, infotext_in
from lib_photoshoot.webui.hosts.a1111.outer import open_job, own_outputs, page_folders, queue_turn, usable_folders
from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.picture_pages import PicturePages
from lib_photoshoot.webui.shoot.service import ShootService

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.catalog.review import ReviewedRun
    from lib_photoshoot.images import Picture
    from lib_photoshoot.pages.application import Reviewed
    from lib_photoshoot.products import Product
    from lib_photoshoot.segmentation.sam import SamSegmenter
    from lib_photoshoot.shoot.review.decisions import ReviewedShoot


@cache
def shoot_service() -> ShootService:
    """Return the one service of this process, which knows the shoots that run."""
    return ShootService(A1111ShootHost())


@cache
def picture_pages() -> PicturePages:
    """Return the pages of this process."""
    return PicturePages(_open, page_folders)


def _open(folder: Path) -> Reviewed:
    own = shoot_service().own(folder)
    if own is not None:
        _correct(own)
    found = own or open_reviewed(folder, _fixer, _correct) or _photos(folder)
    if found is None:
        raise RequestError(
            f"{shown(folder)} holds no shoot, no run of the filter and no pictures; name another folder."
        )
    return found


def _photos(folder: Path) -> Reviewed | None:
    """Return a folder of plain pictures, such as photos to train on; None where there are none."""
    from lib_photoshoot.training.dataset.folders import holds_photos
    from lib_photoshoot.training.recipe import Recipe
    from lib_photoshoot.training.review.reviewed import ReviewedPhotos
    from lib_photoshoot.webui.hosts.a1111.training_host import training_service
    from lib_photoshoot.webui.http.fields import Fields

    if not holds_photos(folder):
        return None
    training = training_service()
    allowed = training.pictures.folder(Fields({"folder": str(folder)}, ("folder",)))  # its links, too
    return ReviewedPhotos(training.controller, allowed, Recipe())


def _fixer(run: ReviewedRun) -> EnhancingFixer:
    # Where the user wants the models unloaded, the next job does it: with each click they would be loaded anew.
    return EnhancingFixer(run, lambda: _outliner(run.settings()), queue_turn, _painting)


def _outliner(settings: dict[str, Any]) -> ClickOutliner:
    return ClickOutliner(HostSegmenter(settings), quick_salience())


def _correct(shoot: ReviewedShoot) -> None:
    from lib_photoshoot.shoot.review.outlines import ShotOutlines

    host = A1111ShootHost()
    outlines = ShotOutlines(shoot.folder, host.choose, host.load)
    shoot.correct(outlines, lambda: _outliner({}), queue_turn)


def open_generated(image: Image.Image, own: str, infotext: str, products: str) -> Path:
    """Return the folder of a run of a picture in the host's gallery, which lies in the file ``own`` or in none.

    ``products`` are looked for where the picture was made without the filter. Raises PhotoshootError.
    """
    told = infotext_in(image) or infotext
    fields = fields_of(told)
    settings = settings_in(fields, products)
    job = start_job(
        A1111Host(), replace(settings, enhancement=Enhancement.RETOUCH.value, repaint=Repaint.PRODUCT.value)
    )
    if job.problem:  # a wrong word, or missing weights
        raise PhotoshootError(job.problem)
    root = own_outputs() / "results"
    kept = own and infotext_in(image) and usable_folders().holds(Path(own))
    picture = Path(own) if kept else _copy(image, told, root / "pictures")
    choice = model_choice(settings, A1111Host().detector_device())
    return run_of_generated(picture, fields, settings, job.products, root, lambda: REGISTRY.get(choice), queue_turn)


def _copy(image: Image.Image, infotext: str, folder: Path) -> Path:
    """Keep a picture that lies nowhere for good, with what is told of it; the same one has the same name."""
    import io

    from lib_photoshoot.files import write_atomic
    from lib_photoshoot.provenance.metadata import Metadata, save_options

    buffer = io.BytesIO()
    texts = (("parameters", infotext),) if infotext else ()
    image.save(buffer, "PNG", **save_options("PNG", Metadata(texts=texts)))
    path = folder / f"{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.png"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(path, [buffer.getvalue()])
    return path


@contextmanager
def _painting(file: Path, picture: Picture, products: Sequence[Product]) -> Iterator[Repainting]:
    """See ``Painting``: as the picture's infotext says it was made, and with its filter's settings."""
    from PIL import Image as Images

    with Images.open(file) as image:
        fields = fields_of(infotext_in(image))
    settings = settings_in(fields)
    if settings.enhancement == Enhancement.RETOUCH.value and not wants_scene(settings):
        from lib_photoshoot.enhancement.retouch import retouch_of

        retouch = retouch_of(settings.retouch, settings.white_balance)
        if retouch is None:
            raise PhotoshootError("The picture's settings retouch nothing; generate it with another enhancement.")
        yield Repainting(retouch, None)
        return
    job = job_of_infotext(fields)
    if not settings.prompt.strip() and not job.prompt.strip():
        settings = replace(settings, prompt=DEFAULT_PROMPT)
    with repainting(A1111Host(), open_job, settings, products, job, picture, is_photo=False) as paints:
        yield paints


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
