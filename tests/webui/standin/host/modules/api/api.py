"""The host's HTTP API, as far as extensions use it."""

from __future__ import annotations

import base64
import io
from contextlib import closing
from secrets import compare_digest
from typing import Any

import gradio as gr
from fastapi import Depends, FastAPI
from fastapi.exceptions import HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from PIL import Image, PngImagePlugin

from modules import images, scripts, sd_models, sd_samplers, shared
from modules.api import models
from modules.processing import (
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)


def decode_base64_to_image(encoding: str) -> Image.Image:
    """A picture of a request."""
    return images.read(io.BytesIO(base64.b64decode(encoding)))


def encode_pil_to_base64(image: Image.Image) -> bytes:
    """A picture for an answer, with its infotext."""
    chunks, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in image.info.items():
        if isinstance(key, str) and isinstance(value, str):
            chunks.add_text(key, value)
    image.save(buffer, "PNG", pnginfo=chunks)
    return base64.b64encode(buffer.getvalue())


class Api:
    """The functions behind the routes, and the routes."""

    def __init__(self, app: FastAPI, queue_lock: Any) -> None:
        self.credentials = dict(user.split(":") for user in (shared.cmd_opts.api_auth or "").split(",") if user)
        self.app, self.queue_lock = app, queue_lock
        answer = {"response_model": models.TextToImageResponse}
        self.add_api_route("/sdapi/v1/txt2img", self.text2imgapi, methods=["POST"], **answer)
        self.add_api_route("/sdapi/v1/img2img", self.img2imgapi, methods=["POST"], **answer)
        self.add_api_route("/sdapi/v1/sd-models", self.get_sd_models, methods=["GET"])
        self.default_script_arg_txt2img = self.init_default_script_args(scripts.scripts_txt2img)
        self.default_script_arg_img2img = self.init_default_script_args(scripts.scripts_img2img)

    def add_api_route(self, path: str, endpoint: Any, **kwargs: Any) -> Any:
        """A route, behind the API's own users where it has some."""
        guards = {"dependencies": [Depends(self.auth)]} if self.credentials else {}
        return self.app.add_api_route(path, endpoint, **guards, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> bool:  # noqa: B008
        """Let a user in."""
        expected = self.credentials.get(credentials.username)
        if expected is not None and compare_digest(credentials.password, expected):
            return True
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})

    def init_default_script_args(self, script_runner: Any) -> list[Any]:
        """The scripts' values where a request names none; asks every script twice."""
        script_args: list[Any] = [None] * max(1, *(script.args_to for script in script_runner.scripts))
        script_args[0] = 0
        with gr.Blocks():
            for script in script_runner.scripts:
                if script.ui(script.is_img2img):
                    values = [element.value for element in script.ui(script.is_img2img)]
                    script_args[script.args_from : script.args_to] = values
        return script_args

    def init_script_args(
        self, request, default_script_args, selectable_scripts, selectable_idx, script_runner, *,
        input_script_args=None,
    ):  # fmt: skip
        """The scripts' values of a request; more than a script has are cut off."""
        script_args = [*default_script_args]
        if selectable_scripts:
            script_args[selectable_scripts.args_from : selectable_scripts.args_to] = request.script_args
            script_args[0] = selectable_idx + 1
        for title, given in request.alwayson_scripts.items():
            script = script_runner.script(title)
            if script is None:
                raise HTTPException(422, f"always on script {title} not found")
            values = given.get("args", [])[: script.args_to - script.args_from]
            script_args[script.args_from : script.args_from + len(values)] = values
        return script_args

    def get_sd_models(self) -> list[Any]:
        """The checkpoints."""
        return [
            models.SDModelItem(title=info.title, model_name=info.name_for_extra, filename=info.filename)
            for info in sd_models.checkpoints_list.values()
        ]

    def text2imgapi(self, txt2imgreq: models.StableDiffusionTxt2ImgProcessingAPI) -> Any:
        """A generation from a prompt."""
        return self._generated(txt2imgreq, False, StableDiffusionProcessingTxt2Img, {})

    def img2imgapi(self, img2imgreq: models.StableDiffusionImg2ImgProcessingAPI) -> Any:
        """A generation from pictures."""
        if img2imgreq.init_images is None:
            raise HTTPException(404, "Init image not found")
        pictures = {"init_images": [decode_base64_to_image(text) for text in img2imgreq.init_images]}
        if img2imgreq.mask:
            pictures["mask"] = decode_base64_to_image(img2imgreq.mask)
        return self._generated(img2imgreq, True, StableDiffusionProcessingImg2Img, pictures)

    def _generated(self, request: Any, is_img2img: bool, kind: Any, pictures: dict[str, Any]) -> Any:
        if request.sampler_name not in sd_samplers.all_samplers_map:
            raise HTTPException(400, "Sampler not found")
        runner = scripts.scripts_img2img if is_img2img else scripts.scripts_txt2img
        titles = [script.name for script in runner.selectable_scripts]
        selected = None
        if request.script_name:
            if request.script_name.lower() not in titles:
                raise HTTPException(422, f"Script '{request.script_name}' not found")
            selected = runner.selectable_scripts[titles.index(request.script_name.lower())]
        default = self.default_script_arg_img2img if is_img2img else self.default_script_arg_txt2img
        index = titles.index(selected.name) if selected else None
        script_args = self.init_script_args(request, default, selected, index, runner)
        values = {**vars(request), **pictures}
        for name in ("script_name", "script_args", "alwayson_scripts", "send_images", "save_images"):
            values.pop(name)
        save = dict.fromkeys(("do_not_save_samples", "do_not_save_grid"), not request.save_images)
        with self.queue_lock, closing(kind(sd_model=shared.sd_model, **values, **save)) as p:
            p.is_api = True
            p.scripts = runner
            for name, folder in images.default_folders(is_img2img).items():
                setattr(p, name, folder)
            try:
                shared.state.begin(job="scripts_" + ("img2img" if is_img2img else "txt2img"))
                if selected is not None:
                    p.script_args = script_args
                    processed = runner.run(p, *script_args)
                else:
                    p.script_args = tuple(script_args)
                    processed = process_images(p)
            finally:
                shared.state.end()
                shared.total_tqdm.clear()
        sent = [encode_pil_to_base64(image) for image in processed.images] if request.send_images else []
        parameters = {name: value for name, value in vars(request).items() if name != "init_images"}
        return models.TextToImageResponse(images=sent, parameters=parameters, info=processed.js())
