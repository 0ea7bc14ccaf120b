"""What a run was told, as a correction of one of its pictures needs it: read from the header of its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_photoshoot.colour.reference import ColourReference, ReferenceColour
from lib_photoshoot.errors import CatalogError, ProductsError
from lib_photoshoot.model_names import RetouchName
from lib_photoshoot.products import Product, check_products, normalise_word, parse_products

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.staging.scenery import Scenery


@dataclass(frozen=True)
class RunSettings:
    """A run's products, whether a match needs all of them, its retouch, how its photos were calibrated, and its
    scene.
    """

    products: tuple[Product, ...]
    require_all: bool
    enhancer: Enhancer | None
    calibrator: Calibrator | None
    scenery: Scenery | None = None

    def named(self, word: str) -> Product:
        """Return the run's product of that word, else a new one. Raises ProductsError for a word that is none.

        A person may add what the run has not looked for: the word needs no detector then, but has to be one product's.
        """
        wanted = normalise_word(word)
        for product in self.products:
            if wanted in product.words:
                return product
        try:
            (product,) = parse_products(word)
        except ValueError as error:
            raise ProductsError(f"{word[:60]!r} names several products; correct one after the other.") from error
        if product != Product(product.name):
            raise ProductsError(f"{word[:60]!r} is more than a product's word; leave out aliases and settings.")
        return product


def run_settings(header: Mapping[str, Any], calibrator: Calibrator | None = None) -> RunSettings:
    """Read what stands in the ledger; ``calibrator`` where somebody named the run's calibration again.

    Raises CatalogError for a header that no run of ours has written, and where a calibration or what its scene needs is
    missing.
    """
    from lib_photoshoot.enhancement.retouch import retouch_of
    from lib_photoshoot.wished_scene import remembered_scene

    try:
        products = check_products([_product(value) for value in header["products"]])
        # Before it could be chosen there was the lively one alone, under no name; `finish`, which never says whether
        # all products are asked for, enhances nothing.
        unsaid = RetouchName.LIVELY if "all" in header else RetouchName.OFF
        retouch = str(header.get("retouch", unsaid.value) or RetouchName.OFF.value)
        enhancer = retouch_of(retouch, str(header.get("white_balance", "off")))
    except (KeyError, TypeError, ValueError, AttributeError, ProductsError) as error:
        raise CatalogError(f"The run's settings cannot be read ({error}); run `filter` again.") from error
    calibrated = _calibrator(header.get("calibration"), calibrator)
    return RunSettings(products, bool(header.get("all")), enhancer, calibrated, remembered_scene(header))


def _product(value: Mapping[str, Any]) -> Product:
    colour = value.get("colour")
    reference = None
    if colour is not None:
        colours = tuple(ReferenceColour(str(one["text"]), one["share"]) for one in colour["colours"])
        reference = ColourReference(colours, float(colour["tolerance"]))
    return Product(
        str(value["name"]),
        tuple(map(str, value["aliases"])),
        value["threshold"],
        value["prompt"],
        value["denoise"],
        reference,
    )


def _calibrator(told: Any, given: Calibrator | None) -> Calibrator | None:
    from lib_photoshoot.calibration.applying import AUTO, Calibrator

    if told is None:
        return None
    if told == AUTO:
        return Calibrator()
    calibration = None if given is None else given.calibration
    if calibration is None or told != f"{calibration.name} {calibration.digest}":
        raise CatalogError(
            f"This run's photos were calibrated with {str(told)[:80]}; name that file by --calibration to correct them."
        )
    return given
