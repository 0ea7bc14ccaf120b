"""What requests and answers hold."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class _Generation(BaseModel):
    """What both have."""

    prompt: str = ""
    negative_prompt: str = ""
    styles: list[str] | None = None
    seed: int = -1
    subseed: int = -1
    subseed_strength: float = 0
    sampler_name: str = "Euler"
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    override_settings: dict[str, Any] | None = None
    script_name: str | None = None
    script_args: list[Any] = []
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = {}


class StableDiffusionTxt2ImgProcessingAPI(_Generation):
    """A generation from a prompt."""

    enable_hr: bool = False
    hr_scale: float = 2.0
    hr_upscaler: str | None = None


class StableDiffusionImg2ImgProcessingAPI(_Generation):
    """A generation from pictures in base64."""

    init_images: list[str] | None = None
    mask: str | None = None
    mask_blur: int = 4
    resize_mode: int = 0
    denoising_strength: float = 0.75
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0


class TextToImageResponse(BaseModel):
    """Pictures in base64, the request, and what is known of them as JSON."""

    images: list[str] | None
    parameters: dict[str, Any]
    info: str


class SDModelItem(BaseModel):
    """A checkpoint."""

    title: str
    model_name: str
    filename: str
