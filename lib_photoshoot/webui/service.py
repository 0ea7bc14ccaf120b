"""What the HTTP API does, without HTTP: one dictionary in, one dictionary out, errors with a status code.

A request is ``{"image" or "path", "settings", "job", "regions", "masks", "cutouts"}``. Reading and writing pictures
happens outside the host's queue, only what uses models inside it.
"""

from __future__ import annotations

import base64
import binascii
import io
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_photoshoot.enhancement.protocol import EnhancementError
from lib_photoshoot.errors import (
    ImageError,
    ImageTooLargeError,
    PhotoshootError,
    ProductsError,
    TrainingError,
    WeightsError,
)
from lib_photoshoot.images import Picture, decode_picture, read_picture, to_image
from lib_photoshoot.products import Product, check_products, parse_products
from lib_photoshoot.results import Decision, FilterResult, ProductRegion, Rejection
from lib_photoshoot.settings import Enhancement, FilterSettings, OnMatch, SettingsError, settings_from
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.transparency import rgba, within
from lib_photoshoot.webui.downloads import Downloads
from lib_photoshoot.webui.folders import AllowedFolders, FolderError, MissingPathError
from lib_photoshoot.webui.registry import REGISTRY, model_choice
from lib_photoshoot.webui.schema import JobValues, job_values

if TYPE_CHECKING:
    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.enhancement.holding import HeldRegion
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.provenance.metadata import Metadata
    from lib_photoshoot.webui.host import Host
    from lib_photoshoot.weights.manifest import WeightFile

DEFAULT_MEGAPIXELS = 50
MOST_REGIONS = 20
DEFAULT_PROMPT = "[PRODUCT], product photography, studio lighting, sharp focus"
_PICTURE = ("image", "path", "settings", "masks", "cutouts")
_REGION = ("product", "mask", "score", "box", "cutout", "outline")


class RequestError(PhotoshootError):
    """A request that cannot be carried out, with the HTTP status that says so."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: PhotoshootError) -> int:
    """The HTTP status of one of the project's errors."""
    if isinstance(error, RequestError):
        return error.status
    kinds: tuple[tuple[type[PhotoshootError], int], ...] = (
        (FolderError, 403),
        (MissingPathError, 404),
        (ImageTooLargeError, 413),
        (ImageError, 422),
        (SettingsError, 422),
        (ProductsError, 422),
        (TrainingError, 422),
        (ShootError, 422),
        (WeightsError, 503),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


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
        open_job: Callable[[JobValues, Image.Image], AbstractContextManager[Any]],
        folders: Callable[[], AllowedFolders],
        downloads: Downloads | None = None,
    ) -> None:
        self._host = host
        self._turn = turn
        self._open_job = open_job
        self._folders = folders
        self._downloads = downloads or Downloads()

    def body_limit(self) -> int:
        """The largest request in bytes: the largest picture, uncompressed with alpha in base64, and some masks."""
        return self._pixel_limit() * 6 + (8 << 20)

    def detect(self, body: Any) -> dict[str, Any]:
        """Find the products: the command line's ``detect`` object. Raises PhotoshootError, as all do here."""
        request = self._request(body, _PICTURE)
        with self._turn():
            found = self._models(request.settings).filter(None, request.settings.require_all)
            picture = request.picture
            result = found.detect(rgba(picture), request.products, picture.space)
        return _entry(request, result)

    def filter(self, body: Any) -> dict[str, Any]:
        """Find the products and enhance them; ``image`` of the answer is null where nothing was changed."""
        request = self._request(body, (*_PICTURE, "job"))
        return self._enhanced(request, job_values(body.get("job", {})), None)

    def enhance(self, body: Any) -> dict[str, Any]:
        """As :meth:`filter`, but in the given ``regions`` where there are any: nothing is looked for then."""
        request = self._request(body, (*_PICTURE, "job", "regions"), products_needed=not _given(body, "regions"))
        job = job_values(body.get("job", {}))
        if not _given(body, "regions"):
            return self._enhanced(request, job, None)
        regions, products = _regions(body["regions"], request, self._pixel_limit())
        return self._enhanced(replace(request, products=products), job, regions)

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
        if download is not None and download.running:
            return answer | {"state": "downloading", "done": download.done, "total": download.total or size}
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

    def _request(self, body: Any, keys: Sequence[str], products_needed: bool = True) -> PictureRequest:
        if not isinstance(body, Mapping):
            raise RequestError(f"The request must be an object with {', '.join(keys)}.")
        unknown = sorted(set(body) - set(keys))
        if unknown:
            raise RequestError(f"There is no field called {unknown[0]!r} here; known are: {', '.join(keys)}.")
        values = body.get("settings", {})
        if not isinstance(values, Mapping):
            raise RequestError("'settings' must be an object; GET schema says what it may hold.")
        settings = settings_from(values)
        products: tuple[Product, ...] = ()
        if products_needed or settings.products.strip():
            products = parse_products(settings.products)
        flags = [_flag(body, name) for name in ("masks", "cutouts")]
        # Last, since it costs the most.
        name, picture = self._picture(body)
        return PictureRequest(name, picture, settings, products, *flags)

    def _picture(self, body: Mapping[str, Any]) -> tuple[str, Picture]:
        if _given(body, "image") == _given(body, "path"):
            raise RequestError("Give the picture either as 'image' (base64) or as 'path'.")
        limit = self._pixel_limit()
        if _given(body, "image"):
            return "image", decode_picture(_from_base64(body["image"], "image"), "The image", limit)
        return body["path"], read_picture(self._folders().file(body["path"]), limit)

    def _enhanced(
        self, request: PictureRequest, job: JobValues, regions: Sequence[ProductRegion] | None
    ) -> dict[str, Any]:
        settings = request.settings
        if not settings.prompt.strip() and not job.prompt.strip():
            settings = replace(settings, prompt=DEFAULT_PROMPT)
        seed = random.randrange(2**32) if job.seed == -1 else job.seed
        job = replace(job, seed=seed)
        request = replace(request, settings=settings)
        note: str | None = None
        held: list[HeldRegion] = []
        with self._turn():
            if settings.on_match == OnMatch.CUT_OUT.value:
                result = self._run(request, None, regions)
            elif settings.enhancement == Enhancement.RETOUCH.value:
                from lib_photoshoot.enhancement.retouch import retouch_of

                result = self._run(request, retouch_of(settings.retouch, settings.white_balance), regions)
            else:
                result, note, held = self._repainted(request, job, regions)
        picture = request.picture
        changed = result.image is not picture.best and not np.array_equal(result.image, picture.best)
        if changed and settings.enhancement != Enhancement.RETOUCH.value:
            picture = replace(picture, metadata=_painted(picture.metadata))
            request = replace(request, picture=picture)
        answer = _entry(request, result)
        return answer | {
            "image": _png(result.image, picture.alpha, picture) if changed else None,
            "changed_outside": result.changed_outside,
            "seed": seed,
            "colour_hold": [held_entry(one) for one in held],
            "note": " ".join(text for text in (note, result.note) if text) or None,
        }

    def _repainted(
        self, request: PictureRequest, job: JobValues, regions: Sequence[ProductRegion] | None
    ) -> tuple[FilterResult, str | None, list[HeldRegion]]:
        """Enhance by the host's own inpainting.

        Also returns what differs from what was asked for, and what became of the products' colours.
        """
        from lib_photoshoot.webui.colour import holding
        from lib_photoshoot.webui.enhancer import InpaintEnhancer, JobPrompt
        from lib_photoshoot.webui.units import choose_unit

        unit = choose_unit(request.settings, self._host.controlnet(), self._host.family())
        if unit.problem:
            raise RequestError(unit.problem)
        named = {product.name: product for product in request.products}
        prompt = JobPrompt(job.prompt, job.negative_prompt, job.seed)
        with self._open_job(job, to_image(request.picture.srgb)) as outer:
            painting = InpaintEnhancer(self._host, outer, request.settings, named, prompt, unit.unit)
            enhancer = holding(painting, request.settings, is_photo=True)
            return self._run(request, enhancer, regions), unit.note, enhancer.held

    def _run(
        self, request: PictureRequest, enhancer: Enhancer | None, regions: Sequence[ProductRegion] | None
    ) -> FilterResult:
        settings, picture = request.settings, request.picture
        if regions is None:
            chosen = self._models(settings).filter(enhancer, settings.require_all, settings.recheck)
            return chosen.run(rgba(picture), request.products, picture.space)
        return enhance_regions(picture.best, regions, enhancer, picture.space, request.products)


def enhance_regions(
    pixels: np.ndarray,
    regions: Sequence[ProductRegion],
    enhancer: Enhancer | None,
    space: ColourSpace,
    products: Sequence[Product] = (),
) -> FilterResult:
    """Enhance where the user says the products are: nothing is looked for, so nothing is looked for again either.

    ``pixels`` is uint8 or uint16 RGB (height, width, 3) in ``space``. Regions are compared with the colours of their
    ``products``. When the enhancement fails, the picture stays and the note says why.
    """
    from lib_photoshoot.enhancement.applying import enhance_products, with_checks

    height, width = pixels.shape[:2]
    image, changed, note = pixels, 0, None
    rejected: list[Rejection] = []
    start = time.perf_counter()
    regions = with_checks(space.to_srgb(pixels), regions, products)
    if enhancer is not None:
        try:
            done = enhance_products(pixels, space, regions, products, enhancer)
            image, changed, regions, rejected = done.image, done.changed, done.regions, done.rejected
        except EnhancementError as error:
            note = str(error)
    seconds = {"enhance": round(time.perf_counter() - start, 4)}
    return FilterResult(
        width, height, Decision.MATCH, None, tuple(regions), tuple(rejected), image, changed, seconds, note
    )


def _given(body: Any, name: str) -> bool:
    return isinstance(body, Mapping) and body.get(name) is not None


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise RequestError(f"'{name}' is {value!r}; it is either true or false.")
    return value


def _from_base64(text: Any, name: str) -> bytes:
    if not isinstance(text, str):
        raise RequestError(f"'{name}' must be a picture file in base64.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"'{name}' is not base64 ({error}); send a whole picture file in base64.") from error


def _regions(values: Any, request: PictureRequest, limit: int) -> tuple[list[ProductRegion], tuple[Product, ...]]:
    """The regions of a request and their products; those that ``detect`` returns with ``masks`` can be sent back."""
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_REGIONS:
        raise RequestError(f"'regions' must be a list of 1 to {MOST_REGIONS} objects with 'mask' and 'product'.")
    known = {product.name: product for product in request.products}
    only = request.products[0].name if len(request.products) == 1 else "product"
    regions = [_region(value, number, only, request.picture, limit) for number, value in enumerate(values, 1)]
    names = dict.fromkeys(region.product for region in regions)
    return regions, check_products([*known.values(), *(Product(name) for name in names if name not in known)])


def _region(value: Any, number: int, product: str, picture: Picture, limit: int) -> ProductRegion:
    from lib_photoshoot.masks.morphology import bounding_rect
    from lib_photoshoot.products import normalise_word

    where = f"Region {number}"
    if not isinstance(value, Mapping) or not _given(value, "mask"):
        raise RequestError(f"{where} has no 'mask'; give a black and white picture in base64, white on the product.")
    unknown = sorted(set(value) - set(_REGION))
    if unknown:
        raise RequestError(f"{where} has the unknown field {unknown[0]!r}; known are: {', '.join(_REGION)}.")
    name = value.get("product", product)
    if not isinstance(name, str):
        raise RequestError(f"{where} has the product {name!r}; give its name.")
    data = _from_base64(value["mask"], "mask")
    mask = decode_picture(data, f"The mask of {where.lower()}", limit).pixels[:, :, 0] > 127
    if mask.shape != (picture.height, picture.width):
        raise RequestError(
            f"{where} has a mask of {mask.shape[1]}x{mask.shape[0]} pixels for a picture of "
            f"{picture.width}x{picture.height}; make them the same size."
        )
    rect = bounding_rect(mask)
    if rect is None:
        raise RequestError(f"{where} has an empty mask; paint the product white.")
    box = (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))
    region = ProductRegion(normalise_word(name), box, 1.0, mask, 1.0)
    if picture.alpha is None or picture.alpha.min() == 255:
        return region
    seen, _ = within([region], picture.alpha)
    if not seen:
        raise RequestError(f"{where} lies where the picture is transparent; mark what can be seen.")
    return seen[0]


def held_entry(one: HeldRegion) -> dict[str, Any]:
    """What became of one product's colour: CIEDE2000 against the picture before, painted and once held."""
    states = {"painted": one.change.painted, "held": one.change.held}
    figures = {
        name: {"mean": round(state.mean, 2), "percentile_95": round(state.percentile_95, 2)}
        for name, state in states.items()
    }
    return {"product": one.region.product, "box": [round(value, 1) for value in one.region.box], **figures}


def _entry(request: PictureRequest, result: FilterResult) -> dict[str, Any]:
    from lib_photoshoot.catalog.outputs import report_entry
    from lib_photoshoot.masks.cutout import cut_out_pixels

    entry = report_entry(request.name, result)
    for item, region in zip(entry["regions"], result.regions, strict=True):
        if request.masks:
            item["mask"] = _mask_png(region.mask)
        if request.cutouts:
            item["cutout"] = _png(*cut_out_pixels(result.image, region.solid, matte=region.alpha), request.picture)
    return entry


def _painted(metadata: Metadata) -> Metadata:
    """The metadata of a picture in which a diffusion model painted: of a photo, it says so from now on."""
    from lib_photoshoot.provenance.evidence import Evidence, evidence_in, strongest
    from lib_photoshoot.provenance.terms import Source

    painted = Evidence(Source.EDITED, "its products were painted anew", metadata)
    return strongest(evidence_in(metadata) or painted, painted).marked


def _png(pixels: np.ndarray, alpha: np.ndarray | None, like: Picture) -> str:
    """The picture as a PNG file in base64, with the bits, profile and metadata of the one that it was made from."""
    options = like.options("PNG")
    if pixels.dtype == np.uint16:
        from lib_photoshoot.colour.deep import encode_deep

        return base64.b64encode(encode_deep(pixels, alpha, options)).decode("ascii")
    return _saved(to_image(pixels, alpha), **options)


def _mask_png(mask: np.ndarray) -> str:
    from lib_photoshoot.masks.cutout import mask_image

    return _saved(mask_image(mask))


def _saved(image: Image.Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4, **options)
    return base64.b64encode(buffer.getbuffer()).decode("ascii")


def _weight(weight: WeightFile, present: bool) -> dict[str, Any]:
    return {
        "name": weight.name,
        "file": weight.file,
        "size": weight.size,
        "licence": weight.licence,
        "present": present,
    }
