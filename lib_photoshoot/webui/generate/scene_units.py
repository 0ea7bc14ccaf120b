"""Which ControlNet units paint a scene, and what of the staged picture each of them is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lib_photoshoot.scene_units import AUTO, UnitText, parse_units
from lib_photoshoot.settings import NO_MODEL, FilterSettings
from lib_photoshoot.webui.generate.units import (
    PAIRS,
    UnitError,
    check_module,
    checked_pair,
    fitting_models,
    not_offered,
    usable,
)
from lib_photoshoot.webui.hosts.protocol import ControlUnit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from PIL import Image

    from lib_photoshoot.staging.plan import Staged
    from lib_photoshoot.webui.hosts.protocol import ControlNetApi

_INPAINT = ("inpaint", "inpaint_only")
# What draws the product's own outline, so that the scene does not go on where the product ends: lines before depth,
# which has no edge where the product stands on something.
_SHAPES = (
    ("lineart", "lineart_standard"),
    ("canny", "canny"),
    ("softedge", "softedge_pidinet"),
    ("depth", "depth_midas"),
)
_SHAPE_WEIGHT = 0.8
_SEES_THE_PRODUCT = ("ip-adapter", "reference", "revision", "pulid")
"""Preprocessors that take in what a thing looks like, not where it is."""
_NEEDS_NO_MODEL = ("reference", "revision")
_NO_REGION = ("lllite",)
"""Models that ControlNet cannot keep to a part of the picture."""
_LEAST_REACH = 16
_GROUND = 235
"""Grey around a cut-out: light, so that it says nothing of a scene, and no white, in which white products end."""


@dataclass(frozen=True)
class SceneUnits:
    """The units; ``note`` tells the user what differs from the request, ``problem`` why it cannot be carried out."""

    units: tuple[ControlUnit, ...] = ()
    note: str | None = None
    problem: str | None = None

    @property
    def in_words(self) -> str:
        """Name them for a verdict, without commas."""
        return " + ".join(
            f"{unit.module} / {unit.model}" if unit.model != NO_MODEL else unit.module for unit in self.units
        )


def choose_scene_units(
    settings: FilterSettings, controlnet: ControlNetApi | None, family: str | None, is_inpainting: bool
) -> SceneUnits:
    """Return the units of ``settings.scene_units``; never raises.

    With a checkpoint that ``is_inpainting`` the automatic ones leave inpainting to it.
    """
    wanted = parse_units(settings.scene_units)
    if not wanted:
        return SceneUnits()
    refused = "ControlNet is not installed" if controlnet is None else not_offered(family)
    if controlnet is None or refused:
        if all(unit.is_auto for unit in wanted):
            return SceneUnits(note=f"{refused}, so scenes are painted by plain inpainting.")
        return SceneUnits(problem=f"{refused}, and the scene asks for its units; write none or auto.")
    try:
        units = [made for unit in wanted for made in _made(unit, controlnet, family, is_inpainting)]
    except UnitError as error:
        return SceneUnits(problem=str(error))
    most = controlnet.most_units()
    if len(units) > most:
        return SceneUnits(
            problem=f"The scene asks for {len(units)} ControlNet units, and the WebUI has {most}; write fewer, or "
            "raise their number in Settings, ControlNet."
        )
    if not units and not is_inpainting:
        return SceneUnits(note="No ControlNet model fits this checkpoint, so scenes are painted by plain inpainting.")
    return SceneUnits(tuple(units))


def _made(unit: UnitText, controlnet: ControlNetApi, family: str | None, is_inpainting: bool) -> Iterator[ControlUnit]:
    if unit.is_auto:
        yield from _automatic(controlnet, family, is_inpainting)
        return
    module, model = unit.module, unit.model
    if model == AUTO:
        check_module(module, controlnet)
        model = _model_for(module, controlnet, family)
    elif model.lower() == NO_MODEL.lower():
        model = NO_MODEL
        check_module(module, controlnet)
    else:
        module, model = checked_pair(module, model, controlnet, family)
    if model == NO_MODEL and not module.startswith(_NEEDS_NO_MODEL):
        raise UnitError(f"The ControlNet preprocessor {module!r} needs a model; write it as {module} + model.")
    yield ControlUnit(module, model, unit.weight, unit.mode, unit.start, unit.end)


def _automatic(controlnet: ControlNetApi, family: str | None, is_inpainting: bool) -> Iterator[ControlUnit]:
    """Yield one for the rest of the picture, one for the product's own outline."""
    models = fitting_models(controlnet, family)
    for pairs, weight in ([] if is_inpainting else [((_INPAINT,), 1.0)]) + [(_SHAPES, _SHAPE_WEIGHT)]:
        found = (
            ControlUnit(module, model.name, weight)
            for word, module in pairs
            for model in models
            if word in model.name.lower() and usable(module, controlnet)
        )
        unit = next(found, None)
        if unit is not None:
            yield unit


def _model_for(module: str, controlnet: ControlNetApi, family: str | None) -> str:
    """Return the model for a preprocessor that was written alone. Raises UnitError."""
    if module.startswith(_NEEDS_NO_MODEL):
        return NO_MODEL
    # Preprocessors are called after their models: lineart_standard, softedge_hed, ip-adapter_clip_h, inpaint_only.
    words = [word for word, known in (*PAIRS, *_SHAPES) if known == module] or [module.split("_")[0].split("-auto")[0]]
    for model in fitting_models(controlnet, family):
        if words[0] in model.name.lower():
            return model.name
    raise UnitError(
        f"No ControlNet model for the preprocessor {module!r} fits this checkpoint; write {module} + model, or auto."
    )


def with_product(units: Sequence[ControlUnit], staged: Staged, keep_out: int) -> tuple[ControlUnit, ...]:
    """Give each unit what it works on.

    IP-Adapter and reference see the product alone, cut out. What steers shapes works in and around the product: on an
    empty backdrop it would keep the scene empty. Inpainting sees the whole canvas.
    """
    return tuple(_shown(unit, staged, keep_out) for unit in units)


def _shown(unit: ControlUnit, staged: Staged, keep_out: int) -> ControlUnit:
    if unit.module.startswith(_SEES_THE_PRODUCT):
        return replace(unit, image=_cut_out(staged))
    if unit.module.startswith("inpaint") or any(word in unit.model.lower() for word in _NO_REGION):
        return unit
    from lib_photoshoot.masks.cutout import mask_image
    from lib_photoshoot.masks.morphology import grow

    reach = max(_LEAST_REACH, 2 * keep_out, min(staged.alpha.shape) // 32)
    return replace(unit, region=mask_image(grow(staged.alpha > 0, reach)))


def _cut_out(staged: Staged) -> Image.Image:
    """Return the products on a plain ground, the canvas cropped to them."""
    from lib_photoshoot.images import to_image
    from lib_photoshoot.masks.morphology import bounding_rect

    rect = bounding_rect(staged.alpha)
    assert rect is not None, "a staged canvas has a product"
    return to_image(_on_ground(staged.article[rect.slices], staged.alpha[rect.slices]))


def _on_ground(article: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    import numpy as np

    weight = alpha[:, :, None].astype(np.float32) / 255
    return np.rint(article * weight + _GROUND * (1 - weight)).astype(np.uint8)
