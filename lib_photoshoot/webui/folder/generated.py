"""A picture that the host has generated, as a run of its own on the picture page.

Its products are outlined by the boxes that its infotext tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.build import check_words, model_choice
from lib_photoshoot.catalog.inputs import InputFile, is_run
from lib_photoshoot.catalog.outputs import slug
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection, FilterResult
from lib_photoshoot.settings import FilterSettings, SettingsError, settings_from_json
from lib_photoshoot.verdict import RESULT_KEY, Verdict
from lib_photoshoot.webui.generate.infotext import SETTINGS_KEY
from lib_photoshoot.webui.generate.schema import JobValues, job_values

if TYPE_CHECKING:
    from lib_photoshoot.build import Models
    from lib_photoshoot.colour.space import ColourSpace

GENERATED = "generated"
"""In a run's settings: that its picture is the host's, and can be painted again as its infotext says."""
_DIGITS = 12
_JOB: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "prompt": ("Prompt", str), "negative_prompt": ("Negative prompt", str), "seed": ("Seed", int),
    "steps": ("Steps", int), "cfg_scale": ("CFG scale", float), "sampler": ("Sampler", str),
    "scheduler": ("Schedule type", str),
}  # fmt: skip
"""The host's names in an infotext."""


def settings_in(infotext: Mapping[str, Any], products: str = "") -> FilterSettings:
    """Return the filter's settings of an infotext's fields; without any the defaults, for these ``products``."""
    try:
        settings = settings_from_json(str(infotext[SETTINGS_KEY]))
    except (KeyError, SettingsError):
        settings = FilterSettings()
    return settings if settings.products.strip() else FilterSettings(products=products)


def job_of_infotext(infotext: Mapping[str, Any]) -> JobValues:
    """Return what an infotext's fields say of the generation. Raises SettingsError for what is out of its range."""
    values: dict[str, Any] = {}
    for name, (key, kind) in _JOB.items():
        with suppress(KeyError, ValueError):
            values[name] = kind(infotext[key])
    return job_values(values)


def run_of_generated(
    picture: Path,
    infotext: Mapping[str, Any],
    settings: FilterSettings,
    products: tuple[Product, ...],
    root: Path,
    load: Callable[[], Models],
    turn: Callable[[], AbstractContextManager[Any]],
) -> Path:
    """Return the folder below ``root`` of a run of this picture alone: the same for the same file, with what was done
    there since.

    ``products`` are those of ``settings``. Raises PhotoshootError.
    """
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()[:_DIGITS]
    out = root / f"{slug(picture.stem)}-{digest}"
    if not is_run(out):
        words = check_words(model_choice(settings, "cpu"), products, settings.require_all)
        products = words.products
        finding = _AsSaid(found_in(infotext, products), settings, load, turn)
        told = {
            "detector": settings.detector,
            "segmenter": settings.segmenter,
            "all": settings.require_all,
            "retouch": "off",
            GENERATED: True,
        }
        summary = run_catalog(
            finding, [InputFile(str(picture), slug(picture.stem))], products, out, True, settings=told
        )
        if summary.unreadable:
            raise PhotoshootError(summary.unreadable[0]["error"])
    return out


def found_in(infotext: Mapping[str, Any], products: Sequence[Product]) -> list[Detection] | None:
    """Return where the products were found by what the filter said of the picture; None where it did not say it."""
    try:
        verdict = Verdict.from_json(str(infotext.get(RESULT_KEY)))
    except ValueError:
        return None
    names = {product.name for product in products}
    found = [one for one in verdict.products if one.product in names]
    if verdict.decision is None or any(one.box is None for one in found):
        return None
    return [
        Detection(one.product, one.box, one.score, also=tuple(name for name in one.also if name in names))
        for one in found
        if one.box is not None
    ]


class _Known:
    """A detector that has been asked before."""

    name = "infotext"
    default_threshold = 0.0

    def __init__(self, found: Sequence[Detection]) -> None:
        self._found = found

    def threshold_for(self, product: Product) -> float:
        """See ``Detector``."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See ``Detector``."""
        return list(self._found)


class _AsSaid:
    """A filter for one picture whose products were ``found`` before; None looks for them."""

    def __init__(
        self,
        found: Sequence[Detection] | None,
        settings: FilterSettings,
        load: Callable[[], Models],
        turn: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._found, self._settings, self._load, self._turn = found, settings, load, turn

    def run(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace) -> FilterResult:
        """See ``Filter``."""
        with self._turn():
            # One of its own: a filter costs nothing.
            finding = self._load().filter(None, self._settings.require_all, recheck=False)
            if self._found is not None:
                finding.detector, finding.threshold, finding.second_opinion = _Known(self._found), 0.0, False
            return finding.detect(image, products, space)
