"""Pictures: their sizes, grids and files."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

from PIL import Image, PngImagePlugin

from modules import script_callbacks, shared


def image_grid(imgs: list[Image.Image], batch_size: int = 1, rows: int | None = None) -> Image.Image:
    """All pictures in one. Fails where there is none, as the host's does."""
    rows = min(rows or round(math.sqrt(len(imgs))), len(imgs))
    columns = math.ceil(len(imgs) / rows)
    width, height = max(image.width for image in imgs), max(image.height for image in imgs)
    grid = Image.new("RGB", (columns * width, rows * height))
    for number, image in enumerate(imgs):
        grid.paste(image, (number % columns * width, number // columns * height))
    return grid


def flatten(img: Image.Image, bgcolor: str) -> Image.Image:
    """The picture on a ground of that colour."""
    if img.mode == "RGBA":
        ground = Image.new("RGBA", img.size, bgcolor)
        ground.paste(img, mask=img)
        img = ground
    return img.convert("RGB")


def resize_image(resize_mode: int, im: Image.Image, width: int, height: int, upscaler_name: Any = None) -> Image.Image:
    """The picture in another size; mode 0 stretches, and the others do so too here."""
    return im.resize((width, height), Image.Resampling.LANCZOS)


def save_image(
    image, path, basename, seed=None, prompt=None, extension="png", info=None, short_filename=False, no_prompt=False,
    grid=False, pnginfo_section_name="parameters", p=None, existing_info=None, forced_filename=None, suffix="",
    save_to_dirs=None,
):  # fmt: skip
    """Save under the next free number, with the infotext; returns the file."""
    os.makedirs(path, exist_ok=True)
    number = _next_number(path, basename)
    decoration = "" if short_filename or seed is None else f"-{seed}"
    stem = f"{number:05}" if basename == "" else f"{basename}-{number:04}"
    name = forced_filename or f"{stem}{decoration}{suffix}"
    known = dict(existing_info or {})
    if info is not None:
        known[pnginfo_section_name] = info
    params = script_callbacks.ImageSaveParams(image, p, os.path.join(path, f"{name}.{extension}"), known)
    script_callbacks.before_image_saved_callback(params)
    params.filename = _free(params.filename)
    chunks = PngImagePlugin.PngInfo()
    for key, text in params.pnginfo.items():
        chunks.add_text(key, str(text))
    params.image.save(params.filename, pnginfo=chunks)
    params.image.already_saved_as = params.filename
    script_callbacks.image_saved_callback(params)
    return params.filename, None


def _free(filename: str) -> str:
    """The name itself, or where no file is to be replaced one with a number behind it."""
    stem, extension = os.path.splitext(filename)
    names = itertools.chain([filename], (f"{stem}-{number}{extension}" for number in itertools.count(1)))
    replaces = shared.opts.save_images_replace_action == "Replace"
    return next(name for name in names if replaces or not os.path.exists(name))


def _next_number(path: str, basename: str) -> int:
    prefix = f"{basename}-" if basename else ""
    heads = [name[len(prefix) :].split(".")[0].split("-")[0] for name in os.listdir(path) if name.startswith(prefix)]
    return max((int(head) for head in heads if head.isdigit()), default=-1) + 1


def read(fp: Any, **kwargs: Any) -> Image.Image:
    """A picture from a file."""
    image = Image.open(fp, **kwargs)
    image.load()
    return image


def default_folders(is_img2img: bool) -> dict[str, str]:
    """Where a tab's samples and grids go."""
    tab, opts = "img2img" if is_img2img else "txt2img", shared.opts
    return {
        "outpath_samples": opts.outdir_samples or getattr(opts, f"outdir_{tab}_samples"),
        "outpath_grids": opts.outdir_grids or getattr(opts, f"outdir_{tab}_grids"),
    }


def read_info_from_image(image: Image.Image) -> tuple[str | None, dict[str, Any]]:
    """The infotext of a file, and what else stands in it."""
    items = dict(image.info)
    return items.pop("parameters", None), items
