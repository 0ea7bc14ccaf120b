"""Shoots on the real WebUI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.build import model_choice
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.images import read_picture, to_image
from lib_photoshoot.presets import user_presets
from lib_photoshoot.prompts import NO_LORA
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.settings import SAME, FilterSettings
from lib_photoshoot.shoot.run.scenes import SCENE_PATH
from lib_photoshoot.shoot.run.webui import Fault, WebUi, WebUiError, one_line
from lib_photoshoot.webui.generate.job import start_job
from lib_photoshoot.webui.generate.service import PhotoshootService
from lib_photoshoot.webui.generate.stage_preview import outline, show_stage
from lib_photoshoot.webui.generate.turns import FilterInTurns
from lib_photoshoot.webui.hosts.a1111 import choices
from lib_photoshoot.webui.hosts.a1111.host import A1111Host
from lib_photoshoot.webui.hosts.a1111.options import read_option
from lib_photoshoot.webui.hosts.a1111.outer import (
    models_turn,
    open_job,
    own_outputs,
    queue_turn,
    release_models,
    usable_folders,
)
from lib_photoshoot.webui.hosts.a1111.own_api import host_api, may_request, txt2img_request
from lib_photoshoot.webui.http.folders import split_folders
from lib_photoshoot.webui.http.reachable import Reachable

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.webui.http.folders import AllowedFolders


class A1111ShootHost:
    """See ``ShootHost``."""

    def folder(self) -> Path:
        return own_outputs() / "shoots"

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {
            "lora": [name for name in choices.loras() if name != NO_LORA],
            "checkpoint": choices.checkpoints(),
            "preset": user_presets().names(),
            "sampler": [name for name in choices.samplers() if name != SAME],
            "scheduler": [name for name in choices.schedulers() if name != SAME],
        }

    def problem(self, settings: FilterSettings) -> str | None:
        return start_job(A1111Host(), settings).obstacle

    def folders(self) -> AllowedFolders:
        return usable_folders()

    def stage(self, settings: FilterSettings, photo: Path) -> Image.Image:
        picture = read_picture(photo)
        image = to_image(picture.srgb, picture.alpha)
        with models_turn():
            seen = outline(A1111Host(), settings, image)
        return show_stage(A1111Host(), settings, seen).image

    def webui(self) -> WebUi:
        return OwnWebUi()

    def refusal(self, url: str) -> str | None:
        return Reachable(tuple(split_folders(str(read_option("shoot_hosts") or ""))), *may_request()).refusal(url)

    def choose(self, settings: FilterSettings) -> ModelChoice:
        return model_choice(settings, A1111Host().detector_device())

    def load(self, choice: ModelChoice) -> Filter:
        return FilterInTurns(lambda: REGISTRY.get(choice).filter(), queue_turn, usable_folders)

    def release_models(self) -> None:
        with queue_turn():
            release_models()


class OwnWebUi(WebUi):
    """This WebUI, asked through the functions behind its own HTTP API, with or without ``--api``.

    So what it makes is, to the byte, what it would send to another machine.
    """

    address = "this WebUI"

    def __init__(self) -> None:
        self._api = host_api()

    def check_filter(self) -> None:
        """Nothing to ask: we are here."""

    def call(self, path: str, body: Any = None, timeout: float | None = None) -> Any:
        """See ``WebUi``; a picture takes as long as it takes."""
        from fastapi.encoders import jsonable_encoder
        from fastapi.exceptions import HTTPException

        try:
            if path == "/sdapi/v1/txt2img":
                return self._picture(body)
            if path == SCENE_PATH:
                return PhotoshootService(A1111Host(), models_turn, open_job, usable_folders).filter(body)
            ask = {"/sdapi/v1/sd-models": self._api.get_sd_models, "/sdapi/v1/loras": _loras}[path]
            # A checkpoint's title and name are texts; what is none is of no matter here.
            return jsonable_encoder(ask())
        except HTTPException as error:
            fault = Fault.REFUSED if 400 <= error.status_code < 500 else Fault.BROKEN
            raise WebUiError(f"This WebUI refuses the picture ({one_line(error.detail)}).", fault) from error
        except PhotoshootError as error:
            raise WebUiError(
                f"This WebUI refuses the picture ({one_line(error).rstrip('.')}).", Fault.REFUSED
            ) from error
        except Exception as error:  # whatever a script or the sampler raises
            from lib_photoshoot.webui.hosts.a1111.console import report

            report("a picture of a shoot failed")
            what = one_line(f"{type(error).__name__}: {error}")
            raise WebUiError(f"This WebUI did not make the picture ({what}).", Fault.BROKEN) from error

    def _picture(self, body: Any) -> dict[str, Any]:
        answer = self._api.text2imgapi(txt2img_request(body))
        images = [image if isinstance(image, str) else image.decode("ascii") for image in answer.images]
        return {"images": images, "info": answer.info}


def _loras() -> list[dict[str, str]]:
    return [{"name": name} for name in choices.loras() if name != NO_LORA]
