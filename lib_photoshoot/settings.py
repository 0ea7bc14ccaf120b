"""The filter's settings for one generation, declared once.

The panel's widgets, infotext, paste-back, presets, HTTP schema and X/Y/Z axes are all built from :data:`FIELDS`. A
settings object is frozen and valid by construction; as a dictionary it carries :data:`VERSION`, so that a later field
breaks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.declared import check_fields, check_names, declared_in, migrated, number, setting
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.model_names import DETECTOR_ALIASES, DetectorName, RetouchName, SegmenterName
from lib_photoshoot.scene_settings import SceneFields
from lib_photoshoot.scene_units import AUTO, CONTROL_MODES, parse_units

MIGRATIONS: Sequence[Callable[[dict[str, Any]], dict[str, Any]]] = ()
"""From each version of the dictionary to the next; see :func:`lib_photoshoot.declared.migrated`."""
VERSION = len(MIGRATIONS) + 1


class SettingsError(PhotoshootError):
    """A setting is unknown or has a value that it cannot have."""


class NoMatch(str, Enum):
    """What happens to an image that holds none of the products."""

    KEEP = "keep untouched"
    LEAVE_OUT = "leave out"
    MOVE = "move to folder"


class OnMatch(str, Enum):
    """What happens to an image that holds one."""

    ENHANCE = "enhance"
    CUT_OUT = "mask and cut-out only"


class Enhancement(str, Enum):
    """How a product is enhanced."""

    CONTROLNET = "ControlNet"
    INPAINT = "inpaint"
    RETOUCH = "retouch"


class ColourHold(str, Enum):
    """Whose products keep their colour when they are repainted."""

    PHOTOS = "photos"
    """Those of pictures that the user brought: what img2img or a request was given. txt2img has no true colour."""
    ALWAYS = "always"
    NEVER = "never"


class Order(str, Enum):
    """Which of several regions comes first."""

    SCORE = "best score"
    AREA = "largest"
    LEFT = "left to right"
    PRODUCTS = "as products are listed"


SAME = "same as the job"
"""Sampler or scheduler of the nested pass: the job's own."""
NO_MODEL = "None"
"""ControlNet model: none, plain inpainting."""


def _number(default: float, label: str, group: str, lowest: float, highest: float, step: float, **more: Any) -> Any:
    return number(default, label, group, lowest, highest, step, **{"axis": True, **more})


def _values(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)


@dataclass(frozen=True)
class _FilterFields:
    enabled: bool = setting(False, "Product filter", "main")
    products: str = setting(
        "",
        "Products",
        "main",
        "Commas between products; aliases as: watch = wristwatch | watch dial; by photos as: ring = @/folder/of/rings; "
        "own settings as: "
        'shoe [threshold=0.4; denoise=0.5; prompt="a red shoe"; colour=#7a5c3e; tolerance=3].',
        axis=True,
    )
    detector: str = setting(
        AUTO,
        "Detector",
        "detect",
        "auto takes GroundingDINO where its weights are, else the embedded one.",
        choices=(AUTO, *_values(DetectorName)),
        axis=True,
        aliases=DETECTOR_ALIASES,
    )
    segmenter: str = setting(
        SegmenterName.MOBILE_SAM.value,
        "Segmenter",
        "detect",
        choices=_values(SegmenterName),
        axis=True,
    )
    threshold: float = _number(0.0, "Detection threshold", "detect", 0, 1, 0.01, help="0 takes the detector's own.")
    require_all: bool = setting(False, "All products must be there", "detect", "Otherwise one of them is enough.")
    order: str = setting(
        Order.SCORE.value, "Order", "detect", "Which region is enhanced first.", choices=_values(Order)
    )
    limit: int = _number(0, "Most regions", "detect", 0, 20, 1, help="0 takes all.", axis=False)
    on_no_match: str = setting(
        NoMatch.KEEP.value,
        "No product found",
        "decide",
        "What happens to the image.",
        choices=_values(NoMatch),
        axis=True,
    )
    on_match: str = setting(
        OnMatch.ENHANCE.value,
        "Product found",
        "decide",
        "What happens to the image.",
        choices=_values(OnMatch),
        axis=True,
    )
    filter_input: bool = setting(
        False, "Look at the input first", "decide", "img2img: without a product in it the whole job is skipped."
    )
    save_masks: bool = setting(False, "Save masks", "decide", "Black and white, beside the image.")
    save_cutouts: bool = setting(False, "Save cut-outs", "decide", "Transparent PNG, beside the image.")
    save_before: bool = setting(False, "Save the image before enhancement", "decide")
    enhancement: str = setting(
        Enhancement.CONTROLNET.value,
        "Enhancement",
        "enhance",
        "How the product is repainted.",
        choices=_values(Enhancement),
        axis=True,
    )
    retouch: str = setting(
        RetouchName.FAITHFUL.value,
        "Retouch",
        "enhance",
        "faithful keeps the article's colour; lively makes it lighter and more colourful. For the retouch alone.",
        choices=_values(RetouchName),
        axis=True,
    )
    white_balance: str = setting(
        "off",
        "White balance of the retouch",
        "enhance",
        "off; sweep: from an even white ground around the article; or a neutral place as X,Y in pixels or X%,Y%.",
    )
    prompt: str = setting(
        "",
        "Prompt for the product",
        "enhance",
        "Empty takes the job's own; [PROMPT] inserts it, [PRODUCT] the word.",
        axis=True,
        lines=2,
    )
    negative_prompt: str = setting(
        "", "Negative prompt for the product", "enhance", "Empty takes the job's own; [PROMPT] inserts it.", lines=2
    )
    denoise: float = _number(0.4, "Denoising strength", "enhance", 0, 1, 0.01)
    mask_grow: int = _number(4, "Grow mask (pixels)", "enhance", -64, 128, 1, help="Negative shrinks it.")
    mask_blur: int = _number(4, "Mask blur", "enhance", 0, 64, 1)
    only_masked: bool = setting(
        True, "Only masked", "enhance", "Paints at the size of the job, then scales into place."
    )
    padding: int = _number(32, "Only masked padding (pixels)", "enhance", 0, 256, 4)
    recheck: bool = setting(True, "Re-check", "enhance", "Undo an enhancement in which the product is no longer found.")
    cn_module: str = setting(AUTO, "ControlNet preprocessor", "controlnet", axis=True)
    cn_model: str = setting(AUTO, "ControlNet model", "controlnet", axis=True)
    cn_weight: float = _number(1.0, "ControlNet weight", "controlnet", 0, 2, 0.05)
    cn_mode: str = setting("Balanced", "Control mode", "controlnet", choices=CONTROL_MODES, axis=True)
    cn_start: float = _number(0.0, "Guidance start", "controlnet", 0, 1, 0.01)
    cn_end: float = _number(1.0, "Guidance end", "controlnet", 0, 1, 0.01)
    steps: int = _number(0, "Steps", "sampling", 0, 150, 1, help="0 takes the job's own.")
    cfg_scale: float = _number(0.0, "CFG scale", "sampling", 0, 30, 0.5, help="0 takes the job's own.")
    sampler: str = setting(SAME, "Sampler", "sampling", axis=True)
    scheduler: str = setting(SAME, "Schedule type", "sampling")
    colour_hold: str = setting(
        ColourHold.PHOTOS.value,
        "Hold the product's colour",
        "enhance",
        "photos: in img2img and requests, where the picture before has the true colour; not in txt2img.",
        choices=_values(ColourHold),
        axis=True,
    )
    colour_strength: float = _number(
        1.0, "Colour hold strength", "enhance", 0, 1, 0.05, help="1 takes all of the pass's colour shift back."
    )
    colour_limit: float = _number(
        4.0, "Largest colour difference (ΔE)", "enhance", 0, 20, 0.5,
        help="Of what is held; beyond it the original stays. 0 for no limit.",
    )  # fmt: skip


@dataclass(frozen=True)
class FilterSettings(SceneFields, _FilterFields):
    """One generation's settings; SettingsError for a value of the wrong type or out of its range.

    Fields of :class:`SceneFields` come last, so that positions of older ones stay what they were in the HTTP API.
    """

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: meta.label, SettingsError)
        if self.cn_start > self.cn_end:
            raise SettingsError(
                f"Guidance start ({self.cn_start:g}) lies after guidance end ({self.cn_end:g}); exchange the two."
            )
        parse_units(self.scene_units, SettingsError)

    def to_dict(self) -> dict[str, Any]:
        """All values with the version."""
        return {"version": VERSION, **asdict(self)}

    def changed(self) -> dict[str, Any]:
        """Return the values that differ from the defaults, without ``enabled`` and the version."""
        return {name: value for name, value in asdict(self).items() if name != "enabled" and value != DEFAULTS[name]}

    def to_json(self) -> str:
        """Return the changed values as one line of JSON, for infotext."""
        return json.dumps(self.changed(), ensure_ascii=False, separators=(", ", ": "))


FIELDS = declared_in(FilterSettings)
DEFAULTS: Mapping[str, Any] = {name: meta.default for name, meta in FIELDS.items()}


def settings_from(values: Mapping[str, Any]) -> FilterSettings:
    """Return settings from a dictionary; what is absent keeps its default.

    Raises SettingsError for an unknown name, a wrong value, or a version that is newer than this program's.
    """
    return FilterSettings(**current_values(values))


def current_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a dictionary of any version under their names of today. Raises SettingsError for an unknown
    one.
    """
    values = migrated(values, MIGRATIONS, "The settings have", SettingsError)
    check_names(values, FIELDS, "There is no setting called {}", SettingsError)
    return values


def settings_from_json(text: str) -> FilterSettings:
    """Return settings from one line of JSON as :meth:`FilterSettings.to_json` writes it, enabled. Raises
    SettingsError.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"The product filter's settings are not JSON ({error}); copy them again.") from error
    if not isinstance(values, dict):
        raise SettingsError("The product filter's settings are no JSON object; copy them again.")
    return settings_from({"enabled": True, **values})
