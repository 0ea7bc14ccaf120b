"""What the HTTP API answers about one picture: what was found, what was made of it, what is to be said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lib_photoshoot.settings import Enhancement, FilterSettings
from lib_photoshoot.webui.generate.scene import wants_product
from lib_photoshoot.webui.http.pictures import mask_text, png_text

if TYPE_CHECKING:
    from lib_photoshoot.detection.checked import CheckedWords
    from lib_photoshoot.enhancement.holding import HeldRegion
    from lib_photoshoot.images import Picture
    from lib_photoshoot.provenance.metadata import Metadata
    from lib_photoshoot.results import FilterResult


def held_entry(one: HeldRegion) -> dict[str, Any]:
    """Return what became of one product's colour: CIEDE2000 against the picture before, painted and once held."""
    states = {"painted": one.change.painted, "held": one.change.held}
    figures = {
        name: {"mean": round(state.mean, 2), "percentile_95": round(state.percentile_95, 2)}
        for name, state in states.items()
    }
    return {"product": one.region.product, "box": [round(value, 1) for value in one.region.box], **figures}


def said(checked: CheckedWords | None, *notes: str | None) -> dict[str, Any]:
    """Return what there is of ``note``, all that is to be said in sentences, and ``left_out``, names of products."""
    sentences = [*filter(None, notes), *(checked.sentences if checked else ())]
    said: dict[str, Any] = {"note": " ".join(sentences)} if sentences else {}
    if checked and checked.left_out:
        said["left_out"] = [product.name for product in checked.left_out]
    return said


def entry_of(name: str, result: FilterResult, picture: Picture, masks: bool, cutouts: bool) -> dict[str, Any]:
    """Return what was found in a picture and done with it, with masks and cut-outs as PNG in base64 where asked for.

    Both fit the picture that came: of a product in a new scene the answer's ``scene`` says where it stands.
    """
    from lib_photoshoot.catalog.outputs import report_entry
    from lib_photoshoot.masks.cutout import cut_out_pixels

    entry = report_entry(name, result)
    colours = result.image if result.scene is None else result.scene.photo
    for item, region in zip(entry["regions"], result.regions, strict=True):
        if masks:
            item["mask"] = mask_text(region.mask)
        if cutouts:
            item["cutout"] = png_text(*cut_out_pixels(colours, region.solid, matte=region.alpha), picture)
    return entry


def made_picture(picture: Picture, result: FilterResult, settings: FilterSettings) -> Picture:
    """Return the picture as what the result's image is like: what it says of its origin, and alpha where it has any."""
    from lib_photoshoot.provenance.evidence import in_new_scene

    metadata = picture.metadata
    if settings.enhancement != Enhancement.RETOUCH.value and wants_product(settings):
        metadata = _painted(metadata)
    if result.scene is None:
        return replace(picture, metadata=metadata)
    height, width = result.image.shape[:2]
    metadata = in_new_scene(metadata, result.scene.generated)
    return replace(picture, alpha=None, width=width, height=height, metadata=metadata)


def _painted(metadata: Metadata) -> Metadata:
    """Return the metadata of a picture in which a diffusion model painted: of a photo, it says so from now on."""
    from lib_photoshoot.provenance.evidence import OriginEvidence, evidence_in, strongest
    from lib_photoshoot.provenance.terms import DigitalSource

    painted = OriginEvidence(DigitalSource.EDITED, "its products were painted anew", metadata)
    return strongest(evidence_in(metadata) or painted, painted).marked
