"""One generation with the filter on, whatever the host: settings checked once, then one answer per image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.build import model_choice
from lib_photoshoot.enhancement.holding import HoldingEnhancer
from lib_photoshoot.errors import PhotoshootError, WeightsError
from lib_photoshoot.model_names import DETECTORS
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.results import Decision, Doubt, FilterResult, Reason, Rejection
from lib_photoshoot.settings import Enhancement, FilterSettings, NoMatch, OnMatch
from lib_photoshoot.transparency import rgba_of
from lib_photoshoot.verdict import Done, Verdict, found_products
from lib_photoshoot.webui.generate.colour import change_text, holding
from lib_photoshoot.webui.generate.enhancer import InpaintEnhancer, JobPrompt
from lib_photoshoot.webui.generate.scene import (
    SceneJob,
    notes_of,
    placed_regions,
    scene_text,
    start_scene,
    wants_product,
)
from lib_photoshoot.webui.generate.scene_units import SceneUnits
from lib_photoshoot.webui.generate.units import UnitChoice, choose_unit
from lib_photoshoot.webui.http.examples import with_allowed_examples
from lib_photoshoot.webui.http.sentences import sentence

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.results import ProductRegion
    from lib_photoshoot.staging.scenery import Scenery
    from lib_photoshoot.webui.generate.drivers import Driver
    from lib_photoshoot.webui.hosts.protocol import Host

SAME_PLACE = 0.85
"""IoU of a product's outline before and after a pass of the host from which on pixel stands for pixel."""
_UNDONE = {
    Reason.LOST_IN_ENHANCEMENT: "no longer recognised",
    Reason.OTHER_PRODUCT: "no longer the product of its examples",
    Reason.COLOUR_OFF: "its colour was too far off",
}
Key = tuple[int, int]
"""Iteration and index within its batch: which image of the job."""


@dataclass(eq=False)
class ImageOutcome:
    """What was found, decided and done for one image."""

    result: FilterResult | None
    image: Image.Image
    verdict: Verdict

    @property
    def summary(self) -> str:
        """The line for the page."""
        return self.verdict.says

    @property
    def skipped(self) -> bool:
        """Whether the image holds none of the products."""
        return self.result is not None and self.result.decision is Decision.SKIP


@dataclass(eq=False)
class FilterJob:
    """The filter's part of one job. Build it with :func:`start_job`; ``problem`` tells why it will change nothing,
    ``hints`` which words are looked for otherwise than as typed, or left out.

    ``driver`` is the selectable script that runs the job, if one does: nothing is left out or stopped then.
    """

    host: Host
    settings: FilterSettings
    driver: Driver | None = None
    products: tuple[Product, ...] = ()
    unit: UnitChoice = field(default_factory=UnitChoice)
    scene: SceneJob | None = None
    problem: str | None = None
    hints: tuple[str, ...] = ()
    outcomes: dict[Key, ImageOutcome] = field(default_factory=dict)
    input_verdict: Verdict | None = None
    _decisions: dict[bytes, FilterResult] = field(default_factory=dict)

    @property
    def obstacle(self) -> str | None:
        """Why the settings cannot be carried out, as far as it can be known before anything is painted."""
        return self.problem or self.unit.problem or self._scene_units.problem

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done otherwise than asked for, a sentence each."""
        return notes_of(self.unit, self.scene)

    @property
    def _scene_units(self) -> SceneUnits:
        return self.scene.units if self.scene else SceneUnits()

    @property
    def leaves_out(self) -> bool:
        """Whether images without a product are to be left out of the results."""
        wanted = self.settings.on_no_match == NoMatch.LEAVE_OUT.value
        return wanted and self.problem is None and self.driver is None

    @property
    def looks_at_input(self) -> bool:
        """Whether img2img's input is to be looked at before anything is painted."""
        return self.settings.filter_input and self.problem is None and self.driver is None

    def decide(self, image: Image.Image) -> FilterResult:
        """Look for the products without changing anything; the answer for the same pixels is kept for this job.

        Raises PhotoshootError.
        """
        pixels = rgba_of(image)
        key = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
        if key not in self._decisions:
            self._decisions[key] = self._filter(None).detect(pixels, self.products)
        return self._decisions[key]

    def handle(
        self, job: Any, key: Key, image: Image.Image, prompt: JobPrompt, photo: Image.Image | None = None
    ) -> ImageOutcome:
        """Filter one final image: the outcome's image is ``image`` itself unless a product in it was enhanced.

        ``photo`` is the picture that the host was given to make it from, as large as it; None in txt2img. Never raises
        a PhotoshootError: what went wrong stands in the outcome's summary.
        """
        if self.problem is not None:
            outcome = ImageOutcome(None, image, Verdict(Done.REFUSED, self.problem))
        elif self.host.stopped():
            outcome = ImageOutcome(None, image, Verdict(Done.STOPPED, "not looked at: the job was stopped"))
        else:
            try:
                outcome = self._filtered(job, image, prompt, photo)
            except PhotoshootError as error:
                outcome = ImageOutcome(None, image, Verdict(Done.REFUSED, sentence(error)))
        self.outcomes[key] = outcome
        return outcome

    def _filtered(self, job: Any, image: Image.Image, prompt: JobPrompt, photo: Image.Image | None) -> ImageOutcome:
        from lib_photoshoot.images import to_image

        pixels = rgba_of(image)
        enhance = self.settings.on_match == OnMatch.ENHANCE.value and self.obstacle is None
        enhancer = self._enhancer(job, prompt, photo) if enhance and wants_product(self.settings) else None
        scenery = self.scene.scenery(self.host, job, self.settings, prompt) if enhance and self.scene else None
        result = self._filter(enhancer, scenery).run(pixels, self.products)
        if np.may_share_memory(result.image, pixels):
            return ImageOutcome(result, image, self._verdict(result, enhancer))
        alpha = np.asarray(image.getchannel("A")) if image.mode == "RGBA" and result.scene is None else None
        return ImageOutcome(result, to_image(result.image, alpha), self._verdict(result, enhancer))

    def _filter(self, enhancer: Enhancer | None, scenery: Scenery | None = None) -> ProductFilter:
        models = REGISTRY.get(model_choice(self.settings, self.host.detector_device()))
        return models.filter(enhancer, self.settings.require_all, self.settings.recheck, scenery)

    def _enhancer(self, job: Any, prompt: JobPrompt, photo: Image.Image | None) -> Enhancer | None:
        if self.settings.enhancement == Enhancement.RETOUCH.value:
            from lib_photoshoot.enhancement.retouch import retouch_of

            return retouch_of(self.settings.retouch, self.settings.white_balance)
        named = {product.name: product for product in self.products}
        painting = InpaintEnhancer(self.host, job, self.settings, named, prompt, self.unit.unit)
        # In a new scene the products are the picture's own.
        original = None if photo is None or self.scene else partial(self._shown_in, photo)
        return holding(painting, self.settings, photo is not None, original, self.products)

    def _shown_in(self, photo: Image.Image, region: ProductRegion) -> np.ndarray | None:
        """Return the photo's pixels, if it shows the product at this very place: the host's own pass may have moved
        it.
        """
        from lib_photoshoot.masks.comparison import mask_iou

        try:
            seen = self.decide(photo).regions
        except PhotoshootError:
            return None
        same = [other for other in seen if other.product == region.product]
        if any(mask_iou(region.mask, other.mask) >= SAME_PLACE for other in same):
            return np.asarray(photo.convert("RGB"))
        return None

    def _verdict(self, result: FilterResult, enhancer: Enhancer | None) -> Verdict:
        """Its sentence has no commas or quotes of its own, so that infotext stays readable."""
        products = found_products(placed_regions(result))
        if result.decision is Decision.SKIP:
            kept = self.driver is not None and self.settings.on_no_match == NoMatch.LEAVE_OUT.value
            why = f"; kept because {self.driver.title} runs the job" if kept and self.driver else ""
            says = f"skipped: {_skip_text(result)}{why}"
            return Verdict(Done.NOTHING, says, result.decision, result.reason, products)
        found = " + ".join(f"{' and '.join(region.products)} {region.score:.2f}" for region in result.regions)
        done, how = self._done(result, enhancer)
        says = f"found {found}; {how}{_moved(enhancer)}{_against_references(result)}{_to_check(result)}"
        return Verdict(done, says, result.decision, result.reason, products)

    def _done(self, result: FilterResult, enhancer: Enhancer | None) -> tuple[Done, str]:
        """Return what was done with the products, and how that is told."""
        undone = [
            f"enhancement of {' + '.join(names)} undone: {why}"
            for reason, why in _UNDONE.items()
            if (names := sorted({item.product for item in _undone(result) if item.reason is reason}))
        ]
        if self.obstacle is not None:
            return Done.REFUSED, self.obstacle
        if result.note:
            grew = any(item.reason is Reason.PRODUCT_GREW for item in result.rejected)
            return (Done.UNDONE if grew else Done.FAILED), result.note
        made = [scene_text(result.scene, self.scene)] if result.scene and self.scene else []
        if undone:
            return Done.UNDONE, "; ".join([*made, *undone])
        if enhancer is not None:
            made.append(f"enhanced with {self._means(enhancer)}")
        return (Done.ENHANCED, "; ".join(made)) if made else (Done.CUT_OUT, "mask and cut-out only")

    def _means(self, enhancer: Enhancer) -> str:
        unit = self.unit.unit
        return f"ControlNet {unit.module} / {unit.model}" if unit and enhancer.name == "inpaint" else enhancer.name


def _undone(result: FilterResult) -> list[Rejection]:
    """Return what was rejected of products that are in the picture: their enhancement alone."""
    found = {(region.product, region.box) for region in result.regions}
    return [item for item in result.rejected if (item.product, item.box) in found]


def _skip_text(result: FilterResult) -> str:
    """Why the picture is skipped, without commas or semicolons; for a colour with the figures."""
    off = [f"{item.product} {item.colour_check.in_words()}" for item in result.rejected if item.colour_check]
    if result.reason is not Reason.COLOUR_OFF or not off:
        return reason_text(result.reason)
    return f"colour of {' + '.join(off)}"


def _moved(enhancer: Enhancer | None) -> str:
    """How far each product's colour was moved, and how far it still is, without commas."""
    if not isinstance(enhancer, HoldingEnhancer):
        return ""
    return "".join(f"; colour of {one.region.product}: {change_text(one.change)}" for one in enhancer.held)


def _against_references(result: FilterResult) -> str:
    """How far the products' colours are from their references, without commas; nothing without references."""
    off = [
        f"{item.product} {item.colour_check.in_words()} when enhanced" for item in _undone(result) if item.colour_check
    ]
    parts = [f"{region.product} {region.colour_check.in_words()}" for region in result.regions if region.colour_check]
    return f"; colour against the reference: {' and '.join(parts + off)}" if parts or off else ""


def _to_check(result: FilterResult) -> str:
    """Return what is not sure about the regions, without commas; nothing where all are sure."""
    from lib_photoshoot.catalog.report import DOUBT_TEXT

    about: dict[str, list[str]] = {"the product": [], "the outline of": []}
    for region in result.regions:
        doubts = () if region.outline is None else region.outline.doubts
        outline = [DOUBT_TEXT[doubt].replace(",", "") for doubt in doubts if doubt is not Doubt.PERHAPS_ANOTHER]
        about["the outline of"] += [f"{region.product}: {' + '.join(outline)}"] if outline else []
        if len(outline) < len(doubts):
            said = DOUBT_TEXT[Doubt.PERHAPS_ANOTHER].replace(",", "")
            about["the product"].append(f"{region.product}: {said}")
    return "".join(f"; check {what} {' and '.join(parts)}" for what, parts in about.items() if parts)


def start_job(host: Host, settings: FilterSettings, driver: Driver | None = None) -> FilterJob:
    """Check everything that can be checked before the job spends anything. Never raises: see ``obstacle``."""
    job = FilterJob(host, settings, driver)
    try:
        job.products = with_allowed_examples(parse_products(settings.products), host.folders)
        _check_words(job)
        _check_models(job)
    except PhotoshootError as error:
        job.problem = sentence(error)
    if job.problem is not None:
        return job
    if settings.on_match != OnMatch.ENHANCE.value:
        return job
    if wants_product(settings):
        job.unit = choose_unit(settings, host.controlnet(), host.family())
    try:
        job.scene = start_scene(host, settings)
    except PhotoshootError as error:
        job.problem = sentence(error)
    return job


def _check_words(job: FilterJob) -> None:
    """Keep the products that can be looked for; where there are none, raise UnknownProductError now rather than after
    the images are painted.
    """
    from lib_photoshoot.build import check_words

    checked = check_words(model_choice(job.settings, "cpu"), job.products, job.settings.require_all)
    job.products, job.hints = checked.products, checked.sentences
    if any(product.examples for product in job.products):
        from lib_photoshoot.examples.sources import check_distinct_examples

        check_distinct_examples(job.products)  # reads folders, and no picture


def _check_models(job: FilterJob) -> None:
    """Raise WeightsError or PackagesError for a model file or a package that is not there."""
    from lib_photoshoot.build import snapshot_of, weights_of
    from lib_photoshoot.webui.hosts.requirements import missing
    from lib_photoshoot.weights.store import find

    choice = model_choice(job.settings, "cpu")
    lacking = missing(embedded_only=not DETECTORS[choice.detector].packages)
    if lacking.message:
        raise WeightsError(lacking.message)
    snapshot_of(choice.detector)
    for name in weights_of(choice):
        find(name)


def reason_text(reason: Reason | None) -> str:
    """Return the reason of a skip in words."""
    from lib_photoshoot.catalog.report import REASON_TEXT

    return REASON_TEXT[reason].rstrip(".").lower() if reason else "no reason"
