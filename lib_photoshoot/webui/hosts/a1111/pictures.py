"""Pictures between the host and the filter: what its tensors will become, and what it saves for us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_photoshoot.file_names import with_ending
from lib_photoshoot.webui.generate.infotext import RESULT_KEY
from lib_photoshoot.webui.hosts.a1111.extras import free_name, save_extras
from lib_photoshoot.webui.hosts.a1111.keys import KEPT

if TYPE_CHECKING:
    from lib_photoshoot.verdict import Verdict
    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome


def composite_of(p: Any, index: int, tensor: Any) -> Image.Image:
    """Return the picture that image ``index`` of the batch will become: in "only masked" jobs a tensor is the crop
    alone.

    ``tensor`` is float (3, height, width) in [0, 1].
    """
    pixels = (255.0 * np.moveaxis(tensor.cpu().numpy(), 0, 2)).astype(np.uint8)
    image = Image.fromarray(pixels)
    overlays = getattr(p, "overlay_images", None)
    if not overlays or index >= len(overlays):
        return image
    from modules.processing import apply_overlay

    composite = apply_overlay(image, p.paste_to, overlays[index])
    # Hosts before 1.9 return the picture alone.
    return composite[0] if isinstance(composite, tuple) else composite


def photo_of(p: Any, index: int, image: Image.Image) -> Image.Image | None:
    """Return the input that img2img made ``image`` from, number ``index`` of its batch, as large as that; None in
    txt2img.
    """
    given = getattr(p, "init_images", None)
    if not given:
        return None
    photo = given[index] if index < len(given) else given[0]
    if photo.size == image.size:
        return photo
    return resized(p, photo.convert("RGB"), image.size)


def resized(p: Any, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return an RGB picture in another size, resized as a job of img2img does it."""
    from modules import images

    # In mode 3 it resizes what it has encoded.
    return images.resize_image(0 if p.resize_mode == 3 else p.resize_mode, photo, *size)  # type: ignore[no-any-return]


def on_ground(photo: Image.Image) -> Image.Image:
    """Return a picture as the host shows one that is transparent."""
    if photo.mode == "RGB":
        return photo
    from modules import images, shared

    return images.flatten(photo, shared.opts.img2img_background_color)  # type: ignore[no-any-return]


def infotext_of(p: Any) -> str:
    """Return the infotext that the host will write into the image that it is at; empty where it writes none."""
    from modules import shared
    from modules.processing import create_infotext

    if not shared.opts.enable_pnginfo:
        return ""
    lists = (p.prompts, p.seeds, p.subseeds)
    try:
        return str(create_infotext(p, *lists, index=p.batch_index, all_negative_prompts=p.negative_prompts))
    except Exception:  # another host's, or another extension's part of it: an image is never lost for its text
        return ""


def save_returned(p: Any, job: FilterJob, before: Image.Image, outcome: ImageOutcome, text: str, seed: int) -> None:
    """Save what belongs to a picture that a script has returned: an enhanced one goes beside the script's own file.

    ``text`` is the picture's infotext.
    """
    save_extras(p, seed, job, before, outcome, lambda: text)
    written = getattr(before, "already_saved_as", None)  # the host's note; scripts save before they return
    if written is None or outcome.image is before:
        return
    from modules import images

    path = Path(written)
    name = free_name(with_ending(path, "-filtered"))
    images.save_image(
        outcome.image, str(path.parent), "", seed, p.prompt, path.suffix.lstrip("."), info=text, p=p,
        forced_filename=name.stem, save_to_dirs=False,
    )  # fmt: skip


def save_input(p: Any, index: int, image: Image.Image, verdict: Verdict) -> None:
    """Save an input picture of img2img where the host would save its result, under that name; overwrites nothing.

    It has the texts that it came with and the ``verdict``: the job's parameters would say that it was generated.
    """
    from modules import images, shared

    p.batch_index = index
    image.info[KEPT] = True
    own = {key: value for key, value in image.info.items() if isinstance(key, str) and isinstance(value, str)}
    with _replacing_no_file():
        images.save_image(
            image, p.outpath_samples, "", p.all_seeds[index], p.all_prompts[index], shared.opts.samples_format,
            p=p, info=verdict.to_json(), pnginfo_section_name=RESULT_KEY, existing_info=own,
        )  # fmt: skip


@contextmanager
def _replacing_no_file() -> Iterator[None]:
    """Let the host number a file whose name is taken, whatever its settings say.

    The batches of AUTOMATIC1111 and reForge do so; that of Forge, asked to name results after their inputs, does not.
    """
    from modules import shared

    values, name = shared.opts.data, "save_images_replace_action"
    before = values.get(name)
    values[name] = "Add number suffix"  # in Forge Neo "Number Suffix": all hosts ask whether it is that for replacing
    try:
        yield
    finally:
        if before is None:
            del values[name]
        else:
            values[name] = before
