"""What the HTTP API does, without HTTP: one dictionary in, one dictionary out, errors with a status code.

A request is ``{"image" or "path", "settings", "examples", "job", "regions", "masks", "cutouts"}``. Reading and writing
pictures happens outside the host's queue, only what uses models inside it.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.build import check_words, model_choice
from lib_photoshoot.images import Picture, decode_picture, read_picture
from lib_photoshoot.kept_examples import KeptExamples, kept_examples
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.results import FilterResult, ProductRegion
from lib_photoshoot.settings import Enhancement, FilterSettings, OnMatch, settings_from
from lib_photoshoot.transparency import rgba, split
from lib_photoshoot.webui.generate.answers import entry_of, held_entry, made_picture, said
from lib_photoshoot.webui.generate.examples import keep_given, kept_entry, with_given_examples
from lib_photoshoot.webui.generate.identity import identities
from lib_photoshoot.webui.generate.regions import enhance_regions, regions_of
from lib_photoshoot.webui.generate.repainting import OpenJob, repainting
from lib_photoshoot.webui.generate.scene import wants_scene
from lib_photoshoot.webui.generate.schema import JobValues, job_values
from lib_photoshoot.webui.http.downloads import Downloads
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.examples import with_allowed_examples
from lib_photoshoot.webui.http.fields import Fields
from lib_photoshoot.webui.http.folders import AllowedFolders
from lib_photoshoot.webui.http.pictures import from_base64, png_text

if TYPE_CHECKING:
    from lib_photoshoot.detection.checked import CheckedWords
    from lib_photoshoot.enhancement.holding import HeldRegion
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.staging.scenery import Scenery
    from lib_photoshoot.webui.hosts.protocol import Host
    from lib_photoshoot.weights.manifest import WeightFile

DEFAULT_MEGAPIXELS = 50
DEFAULT_PROMPT = "[PRODUCT], product photography, studio lighting, sharp focus"
_PICTURE = ("image", "path", "settings", "examples", "masks", "cutouts")


@dataclass(frozen=True, eq=False)
class PictureRequest:
    """A checked request: the picture with the name it has in answers, and what to do with it."""

    name: str
    picture: Picture
    settings: FilterSettings
    products: tuple[Product, ...]
    masks: bool
    cutouts: bool


class PhotoshootService:
    """The operations behind the routes.

    ``turn`` gives the models to one caller at a time: the host's queue. ``open_job`` stands in for the generation
    around an enhancement; it takes the request's values and the picture. ``folders`` is asked anew each time.
    """

    def __init__(
        self,
        host: Host,
        turn: Callable[[], AbstractContextManager[Any]],
        open_job: OpenJob,
        folders: Callable[[], AllowedFolders],
        downloads: Downloads | None = None,
        kept: Callable[[], KeptExamples] = kept_examples,
    ) -> None:
        self._host = host
        self._turn = turn
        self._open_job = open_job
        self._folders = folders
        self._downloads = downloads or Downloads()
        self._kept = kept

    def body_limit(self) -> int:
        """Return the largest request in bytes: the largest picture, uncompressed with alpha in base64, and some
        masks.
        """
        return self._pixel_limit() * 6 + (8 << 20)

    def detect(self, body: Any) -> dict[str, Any]:
        """Find the products: the command line's ``detect`` object. Raises PhotoshootError, as all do here."""
        with self._request(Fields(body, _PICTURE)) as asked:
            request, checked = self._checked(asked)
            with self._turn():
                found = self._models(request.settings).filter(None, request.settings.require_all)
                picture = request.picture
                result = found.detect(rgba(picture), request.products, picture.space)
            return entry_of(request.name, result, request.picture, request.masks, request.cutouts) | said(checked)

    def filter(self, body: Any) -> dict[str, Any]:
        """Find the products and enhance them; ``image`` of the answer is null where nothing was changed.

        With ``identity`` the answer says of each product in a new scene whether it is still that of the photo.
        """
        fields = Fields(body, (*_PICTURE, "job", "identity"))
        with self._request(fields) as request:
            return self._enhanced(request, job_values(fields.raw("job", {})), None, fields.flag("identity"))

    def enhance(self, body: Any) -> dict[str, Any]:
        """As :meth:`filter`, but in the given ``regions`` where there are any: nothing is looked for then."""
        fields = Fields(body, (*_PICTURE, "job", "regions"))
        with self._request(fields, products_needed=not fields.given("regions")) as request:
            job = job_values(fields.raw("job", {}))
            if not fields.given("regions"):
                return self._enhanced(request, job, None)
            given = (fields.raw("regions"), request.products, request.picture, self._pixel_limit())
            regions, products = regions_of(*given)
            return self._enhanced(replace(request, products=products), job, regions)

    def kept_examples(self) -> dict[str, Any]:
        """Return the products that were taught by example."""
        return {"examples": [kept_entry(self._kept(), name) for name in self._kept().names()]}

    def keep_examples(self, body: Any) -> dict[str, Any]:
        """Teach a product: keep the pictures of a request under its name; ``notes`` say what is not good about them."""
        name, notes = keep_given(self._kept(), body, self._pixel_limit())
        return kept_entry(self._kept(), name) | {"notes": list(notes)}

    def remove_examples(self, name: str) -> dict[str, Any]:
        """Forget a product that was taught."""
        if self._kept().folder_of(name) is None:
            raise RequestError(f"No product was taught as {name!r}; GET examples lists them.", 404)
        self._kept().remove(name)
        return self.kept_examples()

    def models(self) -> dict[str, Any]:
        """All model files, and the groups that a detector needs together."""
        from lib_photoshoot.weights import store
        from lib_photoshoot.weights.manifest import Manifest

        manifest = Manifest.load()
        absent = {weight.name for weight in store.missing(manifest.files, manifest)}
        groups = {name: not absent.intersection(members) for name, members in manifest.groups.items()}
        return {
            "models": [_weight(weight, weight.name not in absent) for weight in manifest.files.values()],
            "groups": [
                {"name": name, "models": list(manifest.groups[name]), "present": there}
                for name, there in groups.items()
            ],
        }

    def model(self, name: str) -> dict[str, Any]:
        """One model's or group's state: ``present``, ``missing``, ``downloading`` or ``failed``, with its bytes."""
        from lib_photoshoot.weights import store
        from lib_photoshoot.weights.manifest import Manifest

        manifest = Manifest.load()
        if name not in manifest.files and name not in manifest.groups:
            known = ", ".join([*manifest.files, *manifest.groups])
            raise RequestError(f"There is no model called {name!r}; known are: {known}.", 404)
        size = sum(weight.size for weight in manifest.expand(name))
        answer: dict[str, Any] = {"name": name, "size": size, "error": None}
        download = self._downloads.find(name)
        if download is not None and download.busy:
            return answer | {"state": "downloading", "done": download.done, "total": download.of or size}
        lacking = store.download_size(name, manifest)
        if not lacking:
            return answer | {"state": "present", "done": size, "total": size}
        if download is not None and download.error:
            answer |= {"state": "failed", "error": download.error}
        else:
            answer |= {"state": "missing"}
        return answer | {"done": size - lacking, "total": size}

    def get_model(self, name: str) -> dict[str, Any]:
        """Begin to download a model or group unless it is there; the answer is that of :meth:`model`."""
        if self.model(name)["state"] not in ("present", "downloading"):
            self._downloads.start(name)
        return self.model(name)

    def _pixel_limit(self) -> int:
        chosen = self._host.option("api_megapixels")
        return int((DEFAULT_MEGAPIXELS if chosen is None else float(chosen)) * 1_000_000)

    def _models(self, settings: FilterSettings) -> Any:
        return REGISTRY.get(model_choice(settings, self._host.detector_device()))

    def _checked(self, request: PictureRequest) -> tuple[PictureRequest, CheckedWords]:
        """Return the request with the products that can be looked for, and what is to be said of its words."""
        checked = check_words(model_choice(request.settings, "cpu"), request.products, request.settings.require_all)
        return replace(request, products=checked.products), checked

    @contextmanager
    def _request(self, fields: Fields, products_needed: bool = True) -> Iterator[PictureRequest]:
        """Yield the checked request; pictures that came as examples lie on the disk until the end of the ``with``."""
        values = fields.raw("settings", {})
        if not isinstance(values, Mapping):
            raise RequestError("'settings' must be an object; GET schema says what it may hold.")
        settings = settings_from(values)
        flags = [fields.flag(name) for name in ("masks", "cutouts")]
        with tempfile.TemporaryDirectory(prefix="photoshoot-") as folder:
            products: tuple[Product, ...] = ()
            if settings.products.strip() or (products_needed and not fields.given("examples")):
                products = with_allowed_examples(parse_products(settings.products), self._folders, self._kept())
            if fields.given("examples"):
                given = (fields.raw("examples"), products, Path(folder), self._kept(), self._pixel_limit())
                products = with_given_examples(*given)
            # Last, since it costs the most.
            name, picture = self._picture(fields)
            yield PictureRequest(name, picture, settings, products, *flags)

    def _picture(self, fields: Fields) -> tuple[str, Picture]:
        image, path = fields.raw("image"), fields.raw("path")
        if (image is None) == (path is None):
            raise RequestError("Give the picture either as 'image' (base64) or as 'path'.")
        limit = self._pixel_limit()
        if image is not None:
            return "image", decode_picture(from_base64(image, "image"), "The image", limit)
        return path, read_picture(self._folders().file(path), limit)

    def _enhanced(
        self,
        request: PictureRequest,
        job: JobValues,
        regions: Sequence[ProductRegion] | None,
        identity: bool = False,
    ) -> dict[str, Any]:
        settings = request.settings
        if not settings.prompt.strip() and not job.prompt.strip():
            settings = replace(settings, prompt=DEFAULT_PROMPT)
        if not settings.scene_prompt.strip() and not job.prompt.strip():
            settings = replace(settings, scene_prompt=DEFAULT_PROMPT)
        seed = random.randrange(2**32) if job.seed == -1 else job.seed
        job = replace(job, seed=seed)
        request = replace(request, settings=settings)
        note: str | None = None
        checked = None
        if regions is None:
            request, checked = self._checked(request)
        held: list[HeldRegion] = []
        with self._turn():
            if settings.on_match == OnMatch.CUT_OUT.value:
                result = self._run(request, None, None, regions)
            elif settings.enhancement == Enhancement.RETOUCH.value and not wants_scene(settings):
                from lib_photoshoot.enhancement.retouch import retouch_of

                result = self._run(request, retouch_of(settings.retouch, settings.white_balance), None, regions)
            else:
                result, note, held = self._repainted(request, job, regions)
            same: list[dict[str, Any]] = []
            if identity and result.scene is not None:
                same = identities(self._models(settings), request.products, result, request.picture.space)
        picture = request.picture
        changed = result.image is not picture.best and not np.array_equal(result.image, picture.best)
        if changed:
            picture = made_picture(picture, result, settings)
            request = replace(request, picture=picture)
        answer = entry_of(request.name, result, request.picture, request.masks, request.cutouts)
        return (
            answer
            | {
                "image": png_text(result.image, picture.alpha, picture) if changed else None,
                "changed_outside": result.changed_outside,
                "seed": seed,
                "colour_hold": [held_entry(one) for one in held],
                "note": None,
            }
            | ({"identity": same} if identity else {})
            | said(checked, note, result.note)
        )

    def _repainted(
        self, request: PictureRequest, job: JobValues, regions: Sequence[ProductRegion] | None
    ) -> tuple[FilterResult, str | None, list[HeldRegion]]:
        """Enhance by the host's own inpainting.

        Also returns what differs from what was asked for, and what became of the products' colours.
        """
        given = (request.settings, request.products, job, request.picture)
        with repainting(self._host, self._open_job, *given) as painting:
            result = self._run(request, painting.enhancer, painting.scenery, regions)
            return result, painting.note, painting.held

    def _run(
        self,
        request: PictureRequest,
        enhancer: Enhancer | None,
        scenery: Scenery | None,
        regions: Sequence[ProductRegion] | None,
    ) -> FilterResult:
        settings, picture = request.settings, request.picture
        if regions is None:
            chosen = self._models(settings).filter(enhancer, settings.require_all, settings.recheck, scenery)
            return chosen.run(rgba(picture), request.products, picture.space)
        pixels, opacity = split(rgba(picture))
        grows = scenery is not None and scenery.painter.can_grow
        look = self._models(settings).filter().look if grows else None
        given = (pixels, opacity, regions, enhancer, scenery, picture.space, request.products)
        return enhance_regions(*given, look)


def _weight(weight: WeightFile, present: bool) -> dict[str, Any]:
    return {
        "name": weight.name,
        "file": weight.file,
        "size": weight.size,
        "licence": weight.licence,
        "present": present,
    }
