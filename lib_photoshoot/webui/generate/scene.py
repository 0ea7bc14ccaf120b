"""New scenes in the WebUI: what a job's settings ask for, checked before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.light import LightChoice, choose_light, light_of
from lib_photoshoot.webui.generate.scene_units import SceneUnits, choose_scene_units

if TYPE_CHECKING:
    from lib_photoshoot.results import FilterResult, NewScene, ProductRegion
    from lib_photoshoot.staging.scenery import Scenery
    from lib_photoshoot.webui.generate.enhancer import JobPrompt
    from lib_photoshoot.webui.generate.units import UnitChoice
    from lib_photoshoot.webui.hosts.protocol import Host


def wants_scene(settings: FilterSettings) -> bool:
    """Whether a new scene is asked for."""
    return settings.repaint != Repaint.PRODUCT.value


def wants_product(settings: FilterSettings) -> bool:
    """Whether the products are to be enhanced."""
    return settings.repaint != Repaint.SCENE.value


@dataclass(frozen=True, eq=False)
class SceneJob:
    """The scenes of one job: what is wished, as the backdrop alone would make it, the ControlNet units, the light."""

    wished: Scenery
    units: SceneUnits = field(default_factory=SceneUnits)
    light: LightChoice = field(default_factory=LightChoice)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done otherwise than asked for, a sentence each."""
        return tuple(note for note in (self.units.note, self.light.note) if note)

    def scenery(self, host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt) -> Scenery:
        """Return what the product filter needs for one picture; ``job`` is the host's own processing object."""
        scenery = self.wished
        if self.light.model is not None:
            scenery = replace(scenery, light=light_of(host, job, settings, prompt, self.light.model))
        if settings.scene_denoise == 0:  # nothing would be painted
            return scenery
        from lib_photoshoot.webui.generate.scene_painter import HostScenePainter

        return replace(scenery, painter=HostScenePainter(host, job, settings, prompt, self.units.units))


def notes_of(unit: UnitChoice, scene: SceneJob | None) -> tuple[str, ...]:
    """Return what is done otherwise than asked for, of product and scene, a sentence each."""
    return (*filter(None, (unit.note,)), *(scene.notes if scene else ()))


def start_scene(host: Host, settings: FilterSettings) -> SceneJob | None:
    """Return the scenes of a job, None where none is asked for.

    Raises StageError, FolderError and ImageError for what cannot be staged; see ``problem`` of the units for what
    cannot be painted.
    """
    if not wants_scene(settings):
        return None
    from lib_photoshoot.wished_scene import wished_scene

    wished = wished_scene(settings, locate=lambda text: host.folders().resolve(text)).scenery
    light = choose_light(settings, host)
    if settings.scene_denoise == 0:
        return SceneJob(wished, light=light)
    units = choose_scene_units(settings, host.controlnet(), host.family(), host.is_inpainting())
    return SceneJob(wished, units, light)


def placed_regions(result: FilterResult) -> tuple[ProductRegion, ...]:
    """Return the products as they stand in the result's picture."""
    return result.regions if result.scene is None else result.scene.regions


def scene_text(scene: NewScene, job: SceneJob) -> str:
    """Say what was painted around the products, and what was measured, without commas."""
    from lib_photoshoot.catalog.scenes import light_in_words

    by = "the backdrop alone" if scene.painter == "surface" else job.units.in_words or "inpaint"
    parts = [f"new scene by {by}: {scene.changed_product} of {scene.kept} product pixels changed"]
    if scene.light is not None:
        parts.append(light_in_words(scene.light, scene.relit_product))
    if scene.tries > 1:
        parts.append(f"{scene.tries} tries")
    if scene.grown is not None:
        parts.append(f"grown by {scene.grown:.1%}")
    parts += _doubts(scene)
    notes = (*scene.notes, *filter(None, (job.light.note,)))
    return "; ".join([*parts, *(note.rstrip(".").replace(",", " and") for note in notes)])


def _doubts(scene: NewScene) -> list[str]:
    from lib_photoshoot.catalog.scenes import SCENE_DOUBTS

    return [f"check: {SCENE_DOUBTS[doubt]}" for doubt in scene.doubts if doubt in SCENE_DOUBTS]
