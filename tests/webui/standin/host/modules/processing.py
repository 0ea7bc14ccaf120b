"""A generation: its values, and the one path that all of them take."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps

from modules import errors, images, infotext_utils, paths, scripts, shared
from modules.shared import opts, state


def apply_overlay(image: Image.Image, paste_loc: Any, overlay: Any) -> tuple[Image.Image, Image.Image]:
    """The picture below the part of the original that stays, and the picture alone."""
    if overlay is None:
        return image, image.copy()
    if paste_loc is not None:
        x, y, width, height = paste_loc
        whole = Image.new("RGBA", overlay.size)
        whole.paste(images.resize_image(1, image, width, height), (x, y))
        image = whole
    alone = image.copy()
    image = image.convert("RGBA")
    image.alpha_composite(overlay)
    return image.convert("RGB"), alone


class DecodedSamples(list):
    """Pictures as tensors (3, height, width) in [-1, 1]."""

    already_decoded = True


def decode_latent_batch(model, batch, target_device=None, check_for_nans=False):
    """The pictures of latents, which are the pictures themselves here."""
    return DecodedSamples(batch)


@dataclass(repr=False)
class StableDiffusionProcessing:
    """What both tabs' generations have."""

    sd_model: Any = None
    outpath_samples: str | None = None
    outpath_grids: str | None = None
    prompt: Any = ""
    negative_prompt: Any = ""
    styles: list[str] | None = None
    seed: Any = -1
    subseed: Any = -1
    subseed_strength: float = 0
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict[str, Any] | None = None
    overlay_images: list[Any] | None = None
    do_not_reload_embeddings: bool = False
    denoising_strength: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True

    scripts_value: Any = field(default=None, init=False)
    script_args_value: Any = field(default=None, init=False)
    scripts_setup_complete: bool = field(default=False, init=False)
    cached_uc: ClassVar[list[Any]] = [None, None]
    cached_c: ClassVar[list[Any]] = [None, None]
    comments: dict[str, int] | None = None
    paste_to: Any = field(default=None, init=False)
    color_corrections: list[Any] | None = field(default=None, init=False)
    all_prompts: Any = field(default=None, init=False)
    all_negative_prompts: Any = field(default=None, init=False)
    all_seeds: Any = field(default=None, init=False)
    all_subseeds: Any = field(default=None, init=False)
    iteration: int = field(default=0, init=False)
    main_prompt: Any = field(default=None, init=False)
    prompts: Any = field(default=None, init=False)
    negative_prompts: Any = field(default=None, init=False)
    seeds: Any = field(default=None, init=False)
    subseeds: Any = field(default=None, init=False)
    is_api: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.comments = {}
        self.styles = self.styles or []
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        self.cached_uc, self.cached_c = StableDiffusionProcessing.cached_uc, StableDiffusionProcessing.cached_c

    @property
    def scripts(self) -> Any:
        return self.scripts_value

    @scripts.setter
    def scripts(self, value: Any) -> None:
        self.scripts_value = value
        self._set_up_once()

    @property
    def script_args(self) -> Any:
        return self.script_args_value

    @script_args.setter
    def script_args(self, value: Any) -> None:
        self.script_args_value = value
        self._set_up_once()

    def _set_up_once(self) -> None:
        if self.scripts_value and self.script_args_value and not self.scripts_setup_complete:
            self.setup_scripts()

    def setup_scripts(self):
        self.scripts_setup_complete = True
        self.scripts.setup_scrips(self, is_ui=not self.is_api)

    def comment(self, text):
        self.comments[text] = 1

    def save_samples(self) -> bool:
        """Whether the pictures are saved."""
        return opts.samples_save and not self.do_not_save_samples

    def setup_prompts(self):
        count = self.batch_size * self.n_iter
        self.all_prompts = self.prompt if isinstance(self.prompt, list) else [self.prompt] * count
        negative = self.negative_prompt
        self.all_negative_prompts = negative if isinstance(negative, list) else [negative] * len(self.all_prompts)
        self.main_prompt = self.all_prompts[0]

    def init(self, all_prompts, all_seeds, all_subseeds):
        pass

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        """Float pictures (3, height, width) in [0, 255], one for each seed."""
        raise NotImplementedError

    def close(self):
        if not opts.persistent_cond_cache:
            StableDiffusionProcessing.cached_c = [None, None]
            StableDiffusionProcessing.cached_uc = [None, None]

    def _painted(self, seeds: list[int], prompts: list[str]) -> list[np.ndarray]:
        """All pictures of a batch (height, width, 3); half done where the user stops."""
        self.sd_model.before_sampling()
        if self.scripts is not None:
            self.scripts.process_before_every_sampling(p=self, x=None, noise=None, c=None, uc=None)
        state.sampling_steps, done = self.steps, 0
        for done in range(1, self.steps + 1):
            state.sampling_step = done
            self.sd_model.at_step(self)
            if state.interrupted or state.skipped:
                break
        share = done / self.steps
        size = self.width, self.height
        return [share * self.sd_model.paint(prompt, seed, *size) for seed, prompt in zip(seeds, prompts, strict=True)]


class Processed:
    """A generation's results: pictures, and an infotext for each."""

    def __init__(
        self, p: StableDiffusionProcessing, images_list, seed=-1, info="", subseed=None, all_prompts=None,
        all_negative_prompts=None, all_seeds=None, all_subseeds=None, index_of_first_image=0, infotexts=None,
        comments="",
    ):  # fmt: skip
        self.images = images_list
        self.prompt, self.negative_prompt = p.prompt, p.negative_prompt
        self.seed, self.subseed, self.info = seed, subseed, info
        self.width, self.height, self.steps, self.batch_size = p.width, p.height, p.steps, p.batch_size
        self.comments = "".join(f"{comment}\n" for comment in p.comments or {})
        self.extra_generation_params = p.extra_generation_params
        self.index_of_first_image = index_of_first_image
        self.all_prompts = all_prompts or p.all_prompts or [p.prompt]
        self.all_negative_prompts = all_negative_prompts or p.all_negative_prompts or [p.negative_prompt]
        self.all_seeds = all_seeds or p.all_seeds or [seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [subseed]
        self.infotexts = infotexts or [info] * len(images_list)

    def js(self) -> str:
        """For the page and the API."""
        names = (
            "prompt", "all_prompts", "all_seeds", "seed", "width", "height", "index_of_first_image", "infotexts",
            "extra_generation_params",
        )  # fmt: skip
        return json.dumps({name: getattr(self, name) for name in names}, default=lambda _: None)

    def infotext(self, p: StableDiffusionProcessing, index: int) -> str:
        """The infotext of one picture of the job."""
        return create_infotext(p, self.all_prompts, self.all_seeds, self.all_subseeds, index=index)


def get_fixed_seed(seed: Any) -> Any:
    """The seed, or one by chance."""
    return random.randrange(4294967294) if seed in (None, "", -1) else seed


def create_infotext(
    p, all_prompts, all_seeds, all_subseeds, comments=None, iteration=0, position_in_batch=0, use_main_prompt=False,
    index=None, all_negative_prompts=None,
):  # fmt: skip
    """How a picture came to be. A parameter may be a text, a list by index, or a function of what is known here."""
    if use_main_prompt:
        index = 0
    elif index is None:
        index = position_in_batch + iteration * p.batch_size
    prompt = p.main_prompt if use_main_prompt else all_prompts[index]
    negative = (all_negative_prompts or p.all_negative_prompts)[index]
    values = {
        "Steps": p.steps, "Sampler": p.sampler_name, "Schedule type": p.scheduler, "CFG scale": p.cfg_scale,
        "Seed": p.all_seeds[0] if use_main_prompt else all_seeds[index], "Size": f"{p.width}x{p.height}",
        **p.extra_generation_params, "Version": "stand-in" if opts.add_version_to_infotext else None,
    }  # fmt: skip
    for key, value in values.items():
        try:
            if isinstance(value, list):
                values[key] = value[index]
            elif callable(value):
                values[key] = value(p=p, index=index, use_main_prompt=use_main_prompt, all_seeds=all_seeds)
        except Exception:
            errors.report(f'Error creating infotext for key "{key}"', exc_info=True)
            values[key] = None
    fields = ", ".join(f"{key}: {infotext_utils.quote(value)}" for key, value in values.items() if value is not None)
    return f"{prompt}{f'{chr(10)}Negative prompt: {negative}' if negative else ''}\n{fields}".strip()


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Run a generation, with its own settings meanwhile."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    stored = {key: opts.data[key] for key in p.override_settings or {} if key in opts.data}
    try:
        for key, value in (p.override_settings or {}).items():
            opts.set(key, value, is_api=True, run_callbacks=False)
        return process_images_inner(p)
    finally:
        if p.override_settings_restore_afterwards:
            for key, value in stored.items():
                setattr(opts, key, value)


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    """The batches of a generation, and the hooks around them."""
    seed, subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)
    p.setup_prompts()
    count = len(p.all_prompts)
    p.all_seeds = seed if isinstance(seed, list) else [int(seed) + (p.subseed_strength == 0) * x for x in range(count)]
    p.all_subseeds = subseed if isinstance(subseed, list) else [int(subseed) + x for x in range(count)]
    if p.scripts is not None:
        p.scripts.process(p)
    infotexts: list[str] = []
    output_images: list[Image.Image] = []
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
    if state.job_count == -1:
        state.job_count = p.n_iter
    for n in range(p.n_iter):
        p.iteration = n
        state.skipped = False
        if state.interrupted or state.stopping_generation:
            break
        _one_batch(p, n, output_images, infotexts)
    if not infotexts:
        infotexts.append(Processed(p, []).infotext(p, 0))
    p.color_corrections = None
    first = _grid(p, output_images, infotexts)
    result = Processed(
        p, output_images, p.all_seeds[0], infotexts[0], p.all_subseeds[0], index_of_first_image=first,
        infotexts=infotexts,
    )  # fmt: skip
    if p.scripts is not None:
        p.scripts.postprocess(p, result)
    return result


def _one_batch(p: Any, n: int, output_images: list[Image.Image], infotexts: list[str]) -> None:
    part = slice(n * p.batch_size, (n + 1) * p.batch_size)
    for name in ("prompts", "negative_prompts", "seeds", "subseeds"):
        setattr(p, name, getattr(p, f"all_{name}")[part])
    known = {"batch_number": n, "prompts": p.prompts, "seeds": p.seeds, "subseeds": p.subseeds}
    if p.scripts is not None:
        p.scripts.before_process_batch(p, **known)
        p.scripts.process_batch(p, **known)
    if n == 0 and not shared.cmd_opts.no_prompt_history:
        with open(os.path.join(paths.data_path, "params.txt"), "w", encoding="utf8") as file:
            file.write(Processed(p, []).infotext(p, 0))
    if p.n_iter > 1:
        state.job = f"Batch {n + 1} out of {p.n_iter}"
    samples = p.sample(None, None, p.seeds, p.subseeds, p.subseed_strength, p.prompts)
    if isinstance(samples, torch.Tensor):
        samples = decode_latent_batch(p.sd_model, samples)
    if getattr(samples, "already_decoded", False):
        tensors = torch.clamp((torch.stack(list(samples)).float() + 1) / 2, 0, 1)
    else:
        tensors = torch.stack([torch.from_numpy(np.ascontiguousarray(one)) for one in samples]).float() / 255
    state.nextjob()
    if p.scripts is not None:
        p.scripts.postprocess_batch(p, tensors, batch_number=n)
        p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
        kept = scripts.PostprocessBatchListArgs(list(tensors))
        p.scripts.postprocess_batch_list(p, kept, batch_number=n)
        tensors = kept.images
    save = p.save_samples()
    for i, tensor in enumerate(tensors):
        p.batch_index = i
        image = _finished(p, i, Image.fromarray(np.moveaxis(255.0 * tensor.cpu().numpy(), 0, 2).astype(np.uint8)))
        text = create_infotext(
            p, p.prompts, p.seeds, p.subseeds, index=i, all_negative_prompts=p.negative_prompts
        )  # fmt: skip
        if save:
            images.save_image(image, p.outpath_samples, "", p.seeds[i], p.prompts[i], opts.samples_format, text, p=p)
        infotexts.append(text)
        if opts.enable_pnginfo:
            image.info["parameters"] = text
        output_images.append(image)


def _finished(p: Any, i: int, image: Image.Image) -> Image.Image:
    if p.scripts is not None:
        alone = scripts.PostprocessImageArgs(image)
        p.scripts.postprocess_image(p, alone)
        image = alone.image
    overlays = p.overlay_images if opts.overlay_inpaint else None
    image, _ = apply_overlay(image, p.paste_to, overlays[i] if overlays and i < len(overlays) else None)
    if p.scripts is not None:
        whole = scripts.PostprocessImageArgs(image)
        p.scripts.postprocess_image_after_composite(p, whole)
        image = whole.image
    return image


def _grid(p: Any, output_images: list[Image.Image], infotexts: list[str]) -> int:
    """Put the grid first where one is wanted; returns the index of the first picture."""
    too_few = len(output_images) < 2 and opts.grid_only_if_multiple
    if not (opts.return_grid or opts.grid_save) or p.do_not_save_grid or too_few:
        return 0
    grid = images.image_grid(output_images, p.batch_size)
    text = create_infotext(p, p.prompts, p.seeds, p.subseeds, use_main_prompt=True, index=0)
    if opts.grid_save:
        images.save_image(grid, p.outpath_grids, "grid", info=text, short_filename=True, p=p, grid=True)
    if not opts.return_grid:
        return 0
    infotexts.insert(0, text)
    output_images.insert(0, grid)
    return 1


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """From a prompt alone."""

    enable_hr: bool = False
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    firstpass_image: Any = None
    hr_prompts: Any = field(default=None, init=False)

    def init(self, all_prompts, all_seeds, all_subseeds):
        if self.enable_hr:
            state.job_count = 2 * self.n_iter

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        samples = [np.moveaxis(pixels, 2, 0) for pixels in self._painted(seeds, prompts)]
        if not self.enable_hr:
            return samples
        self.hr_prompts = list(prompts)
        latents = torch.from_numpy(np.ascontiguousarray(np.stack(samples))).float() / 127.5 - 1
        # Upscalers of pictures get pictures, those of latents nothing else.
        decoded = None if (self.hr_upscaler or "").startswith("Latent") else self._handed_on(latents)
        return self.sample_hr_pass(latents, decoded, seeds, subseeds, subseed_strength, prompts)

    @staticmethod
    def _handed_on(latents):
        """What upscalers of pictures get, in [-1, 1]."""
        return latents.clone()

    def sample_hr_pass(self, samples, decoded_samples, seeds, subseeds, subseed_strength, prompts):
        if state.interrupted:
            return samples
        state.nextjob()
        first = self.iteration * self.batch_size
        size = int(self.width * self.hr_scale), int(self.height * self.hr_scale)
        large = DecodedSamples()
        for index, (sample, seed) in enumerate(zip(samples, seeds, strict=True)):
            # Each picture by its own seed and prompt, wherever they are looked up.
            assert seed == self.seeds[index] == self.all_seeds[first + index] and len(self.hr_prompts) == len(seeds)
            self.sd_model.at_step(self)
            pixels = np.moveaxis(sample.numpy(), 0, 2)
            detail = np.random.default_rng(seed).normal(0, 0.02, (size[1], size[0], 3))
            large.append(torch.from_numpy(np.moveaxis(cv2.resize(pixels, size) + detail, 2, 0)).float())
        return large


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """From pictures, all of them or where a mask is white."""

    init_images: list[Any] | None = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    image_mask: Any = field(default=None, init=False)
    mask_for_overlay: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.image_mask, self.mask = self.mask, None

    @property  # the field's default, so that a value given to it is heard of
    def mask_blur(self) -> int | None:  # noqa: F811
        return self.mask_blur_x if self.mask_blur_x == self.mask_blur_y else None

    @mask_blur.setter
    def mask_blur(self, value: Any) -> None:
        if isinstance(value, int):
            self.mask_blur_x = self.mask_blur_y = value

    def init(self, all_prompts, all_seeds, all_subseeds):
        self.extra_generation_params["Denoising strength"] = self.denoising_strength
        mask, crop = self._prepared_mask()
        starts, overlays = [], []
        for picture in self.init_images:
            image = picture.convert("RGB")
            if crop is None:
                image = images.resize_image(self.resize_mode, image, self.width, self.height)
            if mask is not None:
                stays = ImageOps.invert(self.mask_for_overlay.resize(image.size))
                overlay = Image.new("RGBa", image.size)
                overlay.paste(image.convert("RGBA").convert("RGBa"), mask=stays)
                overlays.append(overlay.convert("RGBA"))
            if crop is not None:
                image = images.resize_image(2, image.crop(crop), self.width, self.height)
            # Encoding draws a little noise.
            noise = torch.randint(0, 2, (self.height, self.width, 1)).numpy()
            starts.append(np.asarray(image, np.float32) + noise)
        if len(starts) == 1:
            starts, overlays = starts * self.batch_size, overlays * self.batch_size
        elif len(starts) > self.batch_size:
            raise RuntimeError(f"bad number of images passed: {len(starts)}; expecting {self.batch_size} or less")
        else:
            self.batch_size = len(starts)
        self._starts, self._mask = starts, mask
        self.overlay_images = overlays or None

    def _prepared_mask(self) -> tuple[Any, Any]:
        """The mask in the size of what is painted, (height, width, 1) in [0, 1], and which part that is."""
        if self.image_mask is None:
            return None, None
        mask = self.image_mask.convert("L").point(lambda value: 255 if value > 128 else 0)
        if self.inpainting_mask_invert:
            mask = ImageOps.invert(mask)
        if self.mask_blur_x:
            size = 2 * int(2.5 * self.mask_blur_x + 0.5) + 1
            mask = Image.fromarray(cv2.GaussianBlur(np.array(mask), (size, size), self.mask_blur_x))
        crop = None
        if self.inpaint_full_res:
            self.mask_for_overlay = mask
            crop = self._crop(mask)
            mask = mask.crop(crop)
            self.paste_to = (crop[0], crop[1], crop[2] - crop[0], crop[3] - crop[1])
        else:
            mask = images.resize_image(self.resize_mode, mask, self.width, self.height)
            self.mask_for_overlay = mask.point(lambda value: min(2 * value, 255))
        small = np.asarray(mask.resize((self.width, self.height)), np.float32) / 255
        return np.round(small)[..., None], crop

    def _crop(self, mask: Image.Image) -> tuple[int, int, int, int]:
        """The masked part with its padding, in the shape of what is painted, inside the picture."""
        x0, y0, x1, y1 = mask.getbbox()
        width, height = (far - near + 2 * self.inpaint_full_res_padding for near, far in ((x0, x1), (y0, y1)))
        width, height = max(width, height * self.width // self.height), max(height, width * self.height // self.width)
        width, height = min(width, mask.width), min(height, mask.height)
        left = min(max((x0 + x1 - width) // 2, 0), mask.width - width)
        top = min(max((y0 + y1 - height) // 2, 0), mask.height - height)
        return left, top, left + width, top + height

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts):
        done = []
        for start, new in zip(self._starts, self._painted(seeds, prompts), strict=True):
            pixels = (1 - self.denoising_strength) * start + self.denoising_strength * new
            if self._mask is not None:
                pixels = pixels * self._mask + start * (1 - self._mask)
            done.append(np.moveaxis(np.clip(pixels, 0, 255), 2, 0))
        return done
