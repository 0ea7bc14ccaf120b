"""The run that the tab's fields ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import PhotoshootError

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.catalog.inputs import InputFile
    from lib_photoshoot.webui.folder.run import FolderRun
    from lib_photoshoot.webui.http.folders import AllowedFolders
    from lib_photoshoot.wished_scene import WishedScene


OWN_SURROUNDINGS = "its own surroundings"
"""In place of a preset: the scene stays."""
WAYS = {"Retouch it, colour stays": "faithful", "Retouch it, livelier": "lively", "Only mask and cut-out": "off"}
"""What can become of a product that is found, and the retouch that it stands for."""


def run_for(
    folder: str,
    dropped: list[str],
    products: str,
    detector: str,
    segmenter: str,
    threshold: float,
    require_all: bool,
    enhance: str,
    white_balance: str,
    calibration: str,
    scene: str,
    out: str,
) -> FolderRun:
    """Return a run that has not begun. Raises PhotoshootError for whatever can be known to be wrong."""
    from lib_photoshoot.build import model_choice
    from lib_photoshoot.catalog.inputs import collect_inputs
    from lib_photoshoot.enhancement.retouch import retouch_of
    from lib_photoshoot.examples.preparing import prepare_examples
    from lib_photoshoot.registry import REGISTRY
    from lib_photoshoot.settings import FilterSettings, OnMatch
    from lib_photoshoot.webui.folder.run import FolderRun
    from lib_photoshoot.webui.generate.job import start_job
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host
    from lib_photoshoot.webui.hosts.a1111.outer import queue_turn, release_models, usable_folders

    host = A1111Host()
    settings = FilterSettings(
        products=products,
        detector=detector,
        segmenter=segmenter,
        threshold=threshold,
        require_all=require_all,
        on_match=OnMatch.CUT_OUT.value,
    )
    # Says what is wrong with the words or missing of the weights, before a folder is made.
    job = start_job(host, settings)
    if job.problem:
        raise PhotoshootError(job.problem)
    allowed = usable_folders()
    named = [str(allowed.folder(folder.strip()))] if folder.strip() else []
    if not named and not dropped:
        raise PhotoshootError("There is nothing to filter yet; name a folder of pictures, or drop some.")
    target = allowed.resolve(out.strip()) if out.strip() else _new_folder()
    collected = collect_inputs([*named, *dropped], target)
    inputs = _inside(collected, allowed, dropped)
    told = [*job.hints]
    if left_out := len(collected) - len(inputs):
        told.append(f"Left out: {left_out} linked pictures that lie outside the folders that may be used.")
    examples = prepare_examples(job.products)
    told += examples.sentences
    choice = model_choice(settings, host.detector_device())
    retouch = WAYS.get(enhance, "")
    enhancer = retouch_of(retouch, white_balance)
    calibrator, calibrated = _calibrator(calibration.strip(), allowed)
    wished = _wished(scene, enhancer is not None, allowed)
    scenery = wished.scenery if wished else None
    described = {
        "detector": choice.detector.value,
        "segmenter": choice.segmenter.value,
        "threshold": choice.threshold,
        "bf16": choice.bf16,
        "all": require_all,
        "retouch": retouch,
        "white_balance": white_balance,
        **({"examples": examples.digests} if examples.digests else {}),
    } | calibrated
    if wished is not None:
        described |= wished.told
    return FolderRun(
        lambda: REGISTRY.get(choice).filter(enhancer, require_all, scenery=scenery),
        inputs,
        job.products,
        target,
        described,
        queue_turn,
        release_models,
        " ".join(told) or None,
        calibrator,
    )


def scene_presets() -> list[str]:
    """Return the presets that say how products stand in a scene, after the entry for none."""
    from lib_photoshoot.presets import user_presets

    presets = user_presets()
    return [OWN_SURROUNDINGS, *(name for name in presets.names() if _stage_of(presets.load(name)))]


def _stage_of(values: Mapping[str, Any]) -> dict[str, Any]:
    from lib_photoshoot.settings import DEFAULTS
    from lib_photoshoot.wished_scene import STAGED

    return {name: values[name] for name in STAGED if name in values and values[name] != DEFAULTS[name]}


def _wished(preset: str, retouched: bool, allowed: AllowedFolders) -> WishedScene | None:
    """Return the scene of a preset as its backdrop alone makes it, None for none. Raises PhotoshootError."""
    if preset in ("", OWN_SURROUNDINGS):
        return None
    from lib_photoshoot.presets import user_presets
    from lib_photoshoot.scene_settings import Repaint
    from lib_photoshoot.settings import settings_from
    from lib_photoshoot.wished_scene import wished_scene

    stage = _stage_of(user_presets().load(preset))
    if not stage:
        raise PhotoshootError(f"The preset {preset!r} says nothing of a scene; choose another one.")
    repaint = Repaint.BOTH if retouched else Repaint.SCENE
    return wished_scene(settings_from({**stage, "repaint": repaint.value}), locate=allowed.file)


def _calibrator(name: str, allowed: AllowedFolders) -> tuple[Calibrator | None, dict[str, str]]:
    """Return what is named, and how a run's settings tell it. Raises PhotoshootError for what cannot be used."""
    if not name:
        return None, {}
    from lib_photoshoot.calibration.applying import AUTO, calibrator_for

    return calibrator_for(name if name == AUTO else str(allowed.file(name)))


def _inside(inputs: tuple[InputFile, ...], allowed: AllowedFolders, dropped: list[str]) -> list[InputFile]:
    """Return the inputs without those that links lead out of the allowed folders. Raises PhotoshootError if none is
    left.
    """
    kept = [source for source in inputs if str(source.path) in dropped or allowed.holds(source.path)]
    if not kept:
        raise PhotoshootError("All pictures there are links that lead outside the folders that may be used.")
    return kept


def _new_folder() -> Path:
    from lib_photoshoot.webui.hosts.a1111.outer import own_outputs

    return own_outputs() / f"{datetime.now():%Y-%m-%d_%H%M%S}"
