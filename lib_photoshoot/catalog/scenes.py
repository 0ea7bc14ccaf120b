"""What a run's report says of the new scenes of its pictures, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_photoshoot.results import Doubt
from lib_photoshoot.wording import counted

SCENE_DOUBTS = {
    Doubt.PRODUCT_HIDDEN: "the product is not seen whole",
    Doubt.FLOATING: "the product touches no surface",
}


def scene_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an entry says of its picture's new scene; nothing where there is none."""
    return entry.get("scene") or {}


def scene_doubts_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the codes of what speaks against how the products stand in a picture's new scene."""
    return list(scene_of(entry).get("doubts", ()))


def scene_in_words(scene: Mapping[str, Any]) -> str:
    """Return one scene's figures as a sentence without its full stop."""
    at = "" if scene["scale"] == 1 else f", at {scene['scale'] * 100:.0f} % of the photo's size"
    changed, kept = scene["changed_product_pixels"], scene["kept_pixels"]
    which = "retouched product" if scene.get("retouched") else "product"
    tried = (
        f"; painted {counted(scene['tries'], 'time')}, grown by {scene['grown'] * 100:.1f} %"
        if "grown" in scene
        else ""
    )
    lit = f"; {light_in_words(scene['light'], bool(scene.get('relit_product')))}" if "light" in scene else ""
    size = f"{scene['width']} × {scene['height']}"
    return f"New scene, {size}: it changed {changed:,} of the {kept:,} pixels that are all {which}{at}{tried}{lit}"


def light_in_words(light: str, relit_product: bool) -> str:
    """Say what of a scene took the new light, without commas; ``light`` is what made it."""
    on = "the products too: that is an edit" if relit_product else "edges and shadow alone"
    return f"new light by {light} on {on}"


class SceneTotals:
    """Of the entries that are added, what is said of all scenes together."""

    def __init__(self) -> None:
        self.scenes = self.kept = self.changed = 0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count one picture."""
        if scene := scene_of(entry):
            self.scenes += 1
            self.kept += scene["kept_pixels"]
            self.changed += scene["changed_product_pixels"]

    def in_words(self, matches: int) -> str:
        """Return the sentence about what was changed in so many pictures with a product."""
        if not self.scenes:
            return "Skipped pictures are untouched; in the others nothing outside the product was changed."
        which = "in the others" if self.scenes == matches else f"in {self.scenes} of the others"
        return (
            f"Skipped pictures are untouched; {which} the products stand in a new scene, which changed "
            f"{self.changed:,} of the {self.kept:,} pixels that are all product."
        )
