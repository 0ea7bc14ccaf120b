"""New light for scenes in the WebUI, by IC-Light: whether it can be had, told before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_photoshoot.scene_settings import Relight
from lib_photoshoot.settings import FilterSettings

if TYPE_CHECKING:
    from lib_photoshoot.staging.light import Light
    from lib_photoshoot.webui.generate.enhancer import JobPrompt
    from lib_photoshoot.webui.hosts.protocol import Host, LightModel


@dataclass(frozen=True)
class LightChoice:
    """The model that gives new light, None without one; ``note`` tells why there is none though it was asked for."""

    model: LightModel | None = None
    note: str | None = None


def choose_light(settings: FilterSettings, host: Host) -> LightChoice:
    """Return the model for ``settings.relight``: rather the one that sees the background, whose light it is to be."""
    if settings.relight == Relight.OFF.value or settings.relight_strength == 0:
        return LightChoice()
    models = host.light_models()
    if models is None:
        why = "this WebUI's networks cannot be relit by IC-Light"
    elif not models:
        why = "IC-Light is not installed: put iclight_sd15_fbc.safetensors into the WebUI's folder models/ic-light"
    elif host.family() != "sd1":
        why = "IC-Light is for checkpoints of SD 1.5, and another one is loaded"
    elif host.is_inpainting():
        why = "IC-Light does not go with inpainting checkpoints, and one is loaded"
    else:
        return LightChoice(max(models, key=lambda model: model.sees_background))
    return LightChoice(note=f"Scenes get no new light, since {why}.")


def light_of(host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt, model: LightModel) -> Light:
    """Return the light of one picture's scene; ``job`` is the host's own processing object."""
    from lib_photoshoot.staging.light import Light
    from lib_photoshoot.webui.generate.light_painter import HostLightPainter

    painter = HostLightPainter(host, job, settings, prompt, model)
    return Light(painter, settings.relight == Relight.PRODUCT.value, settings.relight_strength)
