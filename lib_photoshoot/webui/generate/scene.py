"""New scenes in the WebUI: what a job's settings ask for, checked before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.scene_units import SceneUnits, choose_scene_units

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.results import FilterResult, NewScene, ProductRegion
    from lib_photoshoot.staging.plan import StagePlan
    from lib_photoshoot.staging.protocol import ScenePainter
    from lib_photoshoot.staging.scenery import Scenery
    from lib_photoshoot.webui.generate.enhancer import JobPrompt
    from lib_photoshoot.webui.hosts.protocol import Host


def wants_scene(settings: FilterSettings) -> bool:
    """Whether a new scene is asked for."""
    return settings.repaint != Repaint.PRODUCT.value


def wants_product(settings: FilterSettings) -> bool:
    """Whether the products are to be enhanced."""
    return settings.repaint != Repaint.SCENE.value


@dataclass(frozen=True, eq=False)
class SceneJob:
    """The scenes of one job: plan, ControlNet units, and the backdrop's pixels, uint8 sRGB, where it is a picture.

    ``generated`` says that a trained model made the backdrop.
    """

    plan: StagePlan
    units: SceneUnits = field(default_factory=SceneUnits)
    backdrop: np.ndarray | None = None
    generated: bool = False

    def scenery(self, host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt) -> Scenery:
        """Return what the product filter needs for one picture; ``job`` is the host's own processing object."""
        from lib_photoshoot.staging.scene import SceneLimits
        from lib_photoshoot.staging.scenery import Scenery

        limits = SceneLimits(settings.growth_limit, settings.scene_tries, settings.keep_out)
        painter = self._painter(host, job, settings, prompt)
        return Scenery(self.plan, painter, limits, self.backdrop, self.generated)

    def _painter(self, host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt) -> ScenePainter:
        if settings.scene_denoise == 0:
            from lib_photoshoot.staging.scenery import SurfacePainter

            return SurfacePainter()  # nothing would be painted
        from lib_photoshoot.webui.generate.scene_painter import HostScenePainter

        return HostScenePainter(host, job, settings, prompt, self.units.units)


def start_scene(host: Host, settings: FilterSettings) -> SceneJob | None:
    """Return the scenes of a job, None where none is asked for.

    Raises StageError, FolderError and ImageError for what cannot be staged; see ``problem`` of the units for what
    cannot be painted.
    """
    if not wants_scene(settings):
        return None
    from lib_photoshoot.staging.reading import read_stage

    plan = read_stage(settings)
    units = SceneUnits()
    if settings.scene_denoise > 0:
        units = choose_scene_units(settings, host.controlnet(), host.family(), host.is_inpainting())
    return SceneJob(plan, units, *_backdrop(host, plan.backdrop))


def _backdrop(host: Host, text: str) -> tuple[np.ndarray | None, bool]:
    """Return the pixels of a backdrop that is a picture, and whether a trained model made it."""
    from lib_photoshoot.staging.backdrops import BackdropKind, read_backdrop

    backdrop = read_backdrop(text)
    if backdrop.kind is not BackdropKind.PICTURE:
        return None, False
    from lib_photoshoot.images import read_picture
    from lib_photoshoot.provenance.evidence import evidence_in
    from lib_photoshoot.transparency import flattened

    picture = read_picture(host.folders().resolve(backdrop.picture))
    return flattened(picture), evidence_in(picture.metadata) is not None


def placed_regions(result: FilterResult) -> tuple[ProductRegion, ...]:
    """Return the products as they stand in the result's picture."""
    return result.regions if result.scene is None else result.scene.regions


def scene_text(scene: NewScene, units: SceneUnits) -> str:
    """Say what was painted around the products, and what was measured, without commas."""
    by = "the backdrop alone" if scene.painter == "surface" else units.in_words or "inpaint"
    parts = [f"new scene by {by}: {scene.changed_product} of {scene.kept} product pixels changed"]
    if scene.tries > 1:
        parts.append(f"{scene.tries} tries")
    if scene.grown is not None:
        parts.append(f"grown by {scene.grown:.1%}")
    parts += _doubts(scene)
    return "; ".join([*parts, *(note.rstrip(".").replace(",", " and") for note in scene.notes)])


def _doubts(scene: NewScene) -> list[str]:
    from lib_photoshoot.catalog.scenes import SCENE_DOUBTS

    return [f"check: {SCENE_DOUBTS[doubt]}" for doubt in scene.doubts if doubt in SCENE_DOUBTS]
