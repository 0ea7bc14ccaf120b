"""Which ControlNet unit a job's settings mean on this host, decided before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.settings import AUTO, NO_MODEL, Enhancement, FilterSettings
from lib_photoshoot.webui.hosts.protocol import FAMILIES, ControlUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlNetApi

# A model without its preprocessor at hand is passed over, never fed a raw picture.
PAIRS = (
    ("tile", "tile_resample"),
    ("lineart", "lineart_standard"),
    ("canny", "canny"),
    ("depth", "depth_midas"),
    ("scribble", "scribble_xdog"),
    ("inpaint", "inpaint_only"),
)
"""What keeps a product's shape best first: the model's name holds the first word, the second is a preprocessor."""
_NEEDS_A_MAP = ("depth", "normal", "openpose", "seg")
"""Models that are no use with the picture itself as their map."""


class UnitError(PhotoshootError):
    """A ControlNet unit cannot work on this host."""


@dataclass(frozen=True)
class UnitChoice:
    """The unit, or None for plain inpainting; ``note`` tells the user about anything that differs from the request.

    ``problem`` is a sentence for a request that cannot be carried out at all: nothing is enhanced then.
    """

    unit: ControlUnit | None = None
    note: str | None = None
    problem: str | None = None


def choose_unit(settings: FilterSettings, controlnet: ControlNetApi | None, family: str | None) -> UnitChoice:
    """Return the unit for these settings; never raises, since a job is under way when it is asked."""
    if settings.enhancement != Enhancement.CONTROLNET.value or settings.cn_model == NO_MODEL:
        return UnitChoice()
    if controlnet is None:
        return UnitChoice(note="ControlNet is not installed, so products are enhanced by plain inpainting.")
    refused = not_offered(family)
    if refused:
        if settings.cn_model == AUTO:
            return UnitChoice(note=f"{refused}, so products are enhanced by plain inpainting.")
        return UnitChoice(problem=f"{refused}; choose no model, or load an SD 1.5, SD 2 or SDXL checkpoint.")
    if settings.cn_model == AUTO:
        return _automatic(settings, controlnet, fitting_models(controlnet, family))
    try:
        module, name = checked_pair(settings.cn_module, settings.cn_model, controlnet, family)
    except UnitError as error:
        return UnitChoice(problem=str(error))
    return UnitChoice(_unit(settings, module, name))


def not_offered(family: str | None) -> str | None:
    """Return why ControlNet is not offered with a family of checkpoints, as the begin of a sentence; None if it is."""
    if family is None or family in FAMILIES:
        return None
    return f"ControlNet is not offered with a {family} checkpoint"


def fitting_models(controlnet: ControlNetApi, family: str | None) -> list[ControlModel]:
    """Return the models that were made for the checkpoint's family, as far as their files tell."""
    return [model for model in controlnet.models() if model.family in (None, family) or family is None]


def checked_pair(module: str, model: str, controlnet: ControlNetApi, family: str | None) -> tuple[str, str]:
    """Return preprocessor and model as ControlNet lists them, the preprocessor chosen where it is ``auto``.

    Raises UnitError for what cannot work.
    """
    name = find_model(model, [known.name for known in controlnet.models()])
    if name is None:
        raise UnitError(f"The ControlNet model {model!r} is not installed; choose another one or auto.")
    if name not in [known.name for known in fitting_models(controlnet, family)]:
        raise UnitError(
            f"The ControlNet model {name!r} was made for another kind of checkpoint than the one loaded "
            f"({family}); choose one for {family}, or auto."
        )
    if module == AUTO:
        module = next((m for word, m in PAIRS if word in name.lower() and usable(m, controlnet)), "none")
    check_module(module, controlnet)
    if module == "none" and any(word in name.lower() for word in _NEEDS_A_MAP):
        raise UnitError(
            f"The ControlNet model {name!r} needs a map, and no preprocessor that makes one is at hand; "
            "choose a preprocessor, or another model."
        )
    return module, name


def check_module(module: str, controlnet: ControlNetApi) -> None:
    """Raise UnitError for a preprocessor that is not there, or not whole."""
    if module not in controlnet.modules():
        raise UnitError(f"The ControlNet preprocessor {module!r} does not exist; choose another one or auto.")
    if controlnet.needs_download(module):
        raise UnitError(
            f"The ControlNet preprocessor {module!r} has not been downloaded; run it once in ControlNet's own "
            "panel with internet, or choose a model with a preprocessor that needs no file, such as canny."
        )


def _automatic(settings: FilterSettings, controlnet: ControlNetApi, models: Sequence[ControlModel]) -> UnitChoice:
    for word, module in PAIRS:
        model = next((m.name for m in models if word in m.name.lower()), None)
        chosen = module if settings.cn_module == AUTO else settings.cn_module
        if model is not None and settings.cn_module in (AUTO, module) and usable(chosen, controlnet):
            return UnitChoice(_unit(settings, chosen, model))
    return UnitChoice(note="No ControlNet model fits this checkpoint, so products are enhanced by plain inpainting.")


def usable(module: str, controlnet: ControlNetApi) -> bool:
    """Whether a preprocessor is there and works without a download."""
    return module in controlnet.modules() and not controlnet.needs_download(module)


def _unit(settings: FilterSettings, module: str, model: str) -> ControlUnit:
    return ControlUnit(module, model, settings.cn_weight, settings.cn_mode, settings.cn_start, settings.cn_end)


def find_model(wanted: str, names: Iterable[str]) -> str | None:
    """Return the host's name ``stem [hash]`` for a full name or a bare stem; None when there is none.

    Always the listed name: a bare stem would be another key in ControlNet's cache and load the file twice.
    """
    by_stem: dict[str, str] = {}
    for name in names:
        if name == wanted:
            return name
        by_stem.setdefault(stem(name), name)
    return by_stem.get(stem(wanted))


def stem(name: str) -> str:
    """Return the model's name without its hash, lower case."""
    return name.rpartition(" [")[0].lower() if name.endswith("]") and " [" in name else name.lower()
