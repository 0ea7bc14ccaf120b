"""Which models a filter runs with, and how they are put together. Loads nothing until :func:`build_filter`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from lib_photoshoot.detection.checked import CheckedWords
from lib_photoshoot.errors import DeviceError, PackagesError, UnknownProductError, WeightsError
from lib_photoshoot.model_names import DETECTORS, DetectorName, RetouchName, SegmenterName
from lib_photoshoot.products import Product, Way
from lib_photoshoot.settings import AUTO, FilterSettings

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.detection.protocol import Confirmer, Finder, Given, Signatures
    from lib_photoshoot.detection.routing import RoutedDetector
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.segmentation.outlining import Outliner
    from lib_photoshoot.segmentation.salience import OnnxSalience, Salience
    from lib_photoshoot.segmentation.sam import SamSegmenter
    from lib_photoshoot.staging.scenery import Scenery


WAYS = {
    Way.EXAMPLES: "lib_photoshoot.examples.detector:load",
    Way.MAIN_OBJECT: "lib_photoshoot.detection.main_object.detector:load",
}
"""Where the function is, as ``module:function``, that makes a finder out of a
:class:`~lib_photoshoot.detection.protocol.Given`, for every way but by words."""
ANY_WORDS = "lib_photoshoot.detection.asked_words:check_words"
"""Where words are checked for detectors that know any."""
FINE_SALIENCE = ("birefnet", "birefnet-tiny", "isnet", "isnet-fp16")
"""Names in the weights manifest of the network that is asked where quicker views disagree: optional, best first."""


@dataclass(frozen=True)
class ModelChoice:
    """The models of one filter.

    ``device`` is a torch device (``cpu``, ``cuda``, ``cuda:1``) or ``auto``: the GPU where there is one. The embedded
    classifier always runs on the CPU, where it takes a tenth of a second. ``bf16`` computes GroundingDINO in bfloat16,
    faster and less exact. ``threshold`` in [0, 1] replaces the detector's own for products that set none. ``thorough``
    asks every view about every outline, not only where the quick ones disagree.

    >>> ModelChoice(DetectorName("groundingdino"), device="auto", threshold=0.3).detector.value
    'groundingdino'
    """

    detector: DetectorName = DetectorName.EMBEDDED
    segmenter: SegmenterName = SegmenterName.MOBILE_SAM
    device: str = "cpu"
    bf16: bool = False
    threshold: float | None = None
    thorough: bool = False


def model_choice(settings: FilterSettings, device: str) -> ModelChoice:
    """Return the models that the settings ask for; ``auto`` is GroundingDINO where its weights are, else the embedded
    one.
    """
    detector = DetectorName(automatic_detector() if settings.detector == AUTO else settings.detector)
    return ModelChoice(detector, SegmenterName(settings.segmenter), device, threshold=settings.threshold or None)


def automatic_detector() -> str:
    """Return the first detector that knows any word and whose weights are there, else the embedded one."""
    from lib_photoshoot.weights.store import find

    for name, entry in DETECTORS.items():
        if entry.check is None:
            with suppress(WeightsError, PackagesError):
                snapshot_of(name)
                for weight in entry.weights[:1]:
                    find(weight)
                return name.value
    return DetectorName.EMBEDDED.value


def snapshot_of(detector: DetectorName) -> Path | None:
    """Return the folder that the user has to bring for a detector; None for one that needs none.

    Raises WeightsError where it is not there, PackagesError where the library that reads it is too old.
    """
    from lib_photoshoot.detection.transformers_models import check_transformers
    from lib_photoshoot.weights.hub_models import find_hub_model

    entry = DETECTORS[detector]
    if entry.transformers is not None:
        check_transformers(entry.transformers, detector.value)
    return None if entry.snapshot is None else find_hub_model(entry.snapshot)


def weights_of(choice: ModelChoice) -> tuple[str, ...]:
    """Names, in the weights manifest, of the files that a choice loads."""
    return ("efficientnet-lite2", choice.segmenter.value, "u2netp", *DETECTORS[choice.detector].weights)


def check_words(choice: ModelChoice, products: Sequence[Product], require_all: bool = False) -> CheckedWords:
    """Return which products can be looked for by a choice's detector and what is to be said, before a model is loaded.

    Words that it cannot know are left out, and told. Raises UnknownProductError where none is left, or where
    ``require_all`` asks for every product.
    """
    by_words = [product for product in products if product.way is Way.WORDS]
    if not by_words:
        return CheckedWords(tuple(products))
    checked: CheckedWords = resolve_name(DETECTORS[choice.detector].check or ANY_WORDS)(by_words)
    kept = tuple(product for product in products if product not in checked.left_out)
    if not kept:
        raise UnknownProductError(checked.refusal)
    if checked.left_out and require_all:
        raise UnknownProductError(f"Pictures must hold all products, and not all can be looked for: {checked.refusal}")
    return replace(checked, products=kept)


@dataclass(frozen=True, eq=False)
class Models:
    """The loaded models of a choice, shared by every filter that is built from them."""

    choice: ModelChoice
    detector: RoutedDetector
    segmenter: SamSegmenter
    confirmer: Confirmer
    classifier: ImageNetClassifier
    outliner: Outliner | None = None
    labels: tuple[str, ...] = ()
    """Of the small detector, where there is one."""

    def filter(
        self,
        enhancer: Enhancer | None = None,
        require_all: bool = False,
        recheck: bool = True,
        scenery: Scenery | None = None,
    ) -> ProductFilter:
        """Return a filter with these models; costs nothing."""
        from lib_photoshoot.detection.embedded.kinship import kinship_of
        from lib_photoshoot.pipeline import ProductFilter

        return ProductFilter(
            self.detector,
            self.segmenter,
            enhancer,
            self.confirmer,
            self.outliner,
            # One that has classified each cut-out already would say the same a second time.
            second_opinion=not DETECTORS[self.choice.detector].classifies_cutouts,
            require_all=require_all,
            threshold=self.choice.threshold,
            recheck=recheck,
            kinship=partial(kinship_of, guesses=DETECTORS[self.choice.detector].classifies_cutouts, labels=self.labels),
            scenery=scenery,
            textures=self.classifier.textures,
        )


def load_models(choice: ModelChoice, signatures: Signatures | None = None) -> Models:
    """Load the models of a choice. Raises WeightsError with the command that gets a missing file, and
    PackagesError for a library that is too old.

    ``signatures`` is what is known already of products by example, where their pictures are not at hand.
    """
    # The models' libraries take seconds to import: only a run pays for them, not --help.
    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.detection.embedded.confirmation import CutoutConfirmer
    from lib_photoshoot.detection.protocol import Given
    from lib_photoshoot.detection.routing import RoutedConfirmer, RoutedDetector
    from lib_photoshoot.detection.small.loading import small_detector
    from lib_photoshoot.segmentation.outlining import Outliner
    from lib_photoshoot.weights.store import find

    device = resolve_device(choice.device)
    classifier = ImageNetClassifier.from_file(find("efficientnet-lite2"))
    segmenter = _segmenter(choice.segmenter, device)
    entry = DETECTORS[choice.detector]
    quick = salience("u2netp")
    given = Given(
        tuple(map(find, entry.weights)),
        classifier,
        segmenter,
        device,
        choice.bf16,
        snapshot_of(choice.detector),
        quick,
        small_detector(),
        signatures or {},
    )
    words = resolve_name(entry.loader)(given)
    detector = RoutedDetector(words, {way: partial(_finder, way, given) for way in WAYS})
    confirmer = CutoutConfirmer(classifier, given.small, guesses=entry.classifies_cutouts)
    outliner = Outliner(segmenter, quick, fine_salience(), confirmer, thorough=choice.thorough)
    labels = given.small.labels if given.small else ()
    routed = RoutedConfirmer(confirmer, detector)
    return Models(choice, detector, segmenter, routed, classifier, outliner, labels)


def _finder(way: Way, given: Given) -> Finder:
    finder: Finder = resolve_name(WAYS[way])(given)
    return finder


def build_filter(
    choice: ModelChoice | None = None,
    require_all: bool = False,
    retouch: str = RetouchName.FAITHFUL.value,
    white_balance: str = "off",
    signatures: Signatures | None = None,
    scenery: Scenery | None = None,
) -> ProductFilter:
    """Load the chosen models, with retouching as the enhancer.

    ``retouch`` is ``off``, ``faithful`` or ``lively``, ``white_balance`` ``off``, ``sweep`` or a neutral place as
    ``X,Y``; ``signatures`` are as for :func:`load_models`; ``scenery`` puts the products into a new scene. Raises
    WeightsError as that does, WhiteBalanceError for a place that cannot be understood.

    >>> import numpy as np
    >>> from lib_photoshoot.products import parse_products
    >>> product_filter = build_filter(ModelChoice(), retouch="off")
    >>> nothing = np.full((64, 64, 3), 128, np.uint8)
    >>> result = product_filter.run(nothing, parse_products("cup"))
    >>> result.decision.value, result.reason.value, result.image is nothing
    ('skip', 'nothing_found', True)
    """
    from lib_photoshoot.enhancement.retouch import retouch_of

    enhancer = retouch_of(retouch, white_balance)
    return load_models(choice or ModelChoice(), signatures).filter(enhancer, require_all, scenery=scenery)


def resolve_device(device: str) -> str:
    """Return ``device`` itself, or for ``auto`` the GPU where torch sees one and else ``cpu``.

    Raises DeviceError for what is no device, or none of this machine.
    """
    if device == "cpu":
        return device
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        # The smallest work there shows whether it is there, for every kind of device.
        torch.zeros(1, device=torch.device(device))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DeviceError(
            f"The device {device!r} cannot be used here ({reason}); choose cpu, or auto for the GPU where there is one."
        ) from error
    return device


def _segmenter(name: SegmenterName, device: str) -> SamSegmenter:
    from lib_photoshoot.segmentation.sam import SamSegmenter
    from lib_photoshoot.weights.store import find

    variant = name.value if name is SegmenterName.MOBILE_SAM else name.value.removeprefix("sam-").replace("-", "_")
    return SamSegmenter.from_file(find(name.value), variant, device)


def salience(name: str) -> OnnxSalience:
    """Return a salience network by its name in the manifest. Raises WeightsError where its file is not there."""
    from lib_photoshoot.segmentation.salience import NETWORKS, OnnxSalience
    from lib_photoshoot.weights.store import find

    return OnnxSalience(find(name), name, NETWORKS[name])


def quick_salience() -> Salience | None:
    """Return the quick network; None where its file is not there."""
    from lib_photoshoot.weights.store import missing

    return None if missing("u2netp") else salience("u2netp")


def fine_salience() -> Salience | None:
    """Return the best of the networks whose file is there; None without any."""
    from lib_photoshoot.weights.store import missing

    present = (name for name in FINE_SALIENCE if not missing(name))
    return next((salience(name) for name in present), None)
