"""A WebUI extension for tests: puts given pictures in place of what the checkpoint painted.

Random weights paint noise, in which nothing is ever found. Its one argument is ``{"pictures": [path, ...]}``: image
number n of the job becomes picture n, scaled to the job's size, before any other extension sees it. Where no argument
can be given, the negative prompt does it: ``paint(path)``, several with ``;`` between them, by the seed. With
``"first": true`` the pictures are those of hires fix's low-resolution pass, and its second one goes on from them; with
a latent upscaler they are only what the latents look like.
"""

import re

import numpy as np
import torch
from modules import processing, scripts
from PIL import Image


class Painter(scripts.Script):
    def title(self):
        return "Painter"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        import gradio

        return [gradio.State(None)]

    def process_batch(self, p, argument, **_):
        """Stands before the second pass, and whoever else does."""
        if not argument or not argument.get("first") or not getattr(p, "enable_hr", False):
            return
        second = p.sample_hr_pass

        def from_pictures(samples, decoded, *rest):
            p.sample_hr_pass = second
            shown = torch.stack(
                [
                    self._picture(p, argument, n, [8 * side for side in samples[0].shape[1:]])
                    for n in range(len(samples))
                ]
            )
            in_levels = decoded is not None and decoded.min() >= 0 and decoded.max() <= 1  # as Forge Neo has it
            given = None if decoded is None else (shown + 1) / 2 if in_levels else shown
            decode = processing.decode_latent_batch

            def look(*_, **__):
                processing.decode_latent_batch = decode
                return list(shown)

            # Somebody looks first, and not at what is given.
            if getattr(second, "__self__", None) is not p and (given is None or in_levels):
                processing.decode_latent_batch = look
            try:
                return second(samples, given, *rest)
            finally:
                processing.decode_latent_batch = decode

        p.sample_hr_pass = from_pictures

    @staticmethod
    def _picture(p, argument, index, size):
        name = argument["pictures"][(p.iteration * p.batch_size + index) % len(argument["pictures"])]
        height, width = size
        pixels = np.asarray(Image.open(name).convert("RGB").resize((width, height)), np.float32)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels / 127.5 - 1, 2, 0)))

    def postprocess_batch_list(self, p, pp, argument, *_, **__):
        named = re.search(r"paint\((.+?)\)", str(p.negative_prompt))
        if named and not argument:
            paths = named[1].split(";")
            argument = {"pictures": [paths[int(p.seeds[0]) % len(paths)]]}
        if (
            not argument
            or argument.get("first")
            or getattr(p, "_photoshoot_inner", False)
            or getattr(p, "_ad_inner", False)
        ):
            return
        for index in range(len(pp.images)):
            number = p.iteration * p.batch_size + index
            name = argument["pictures"][number % len(argument["pictures"])]
            if name == "-":  # this image stays as painted
                continue
            picture = Image.open(name).convert("RGB")
            pixels = np.asarray(picture.resize((pp.images[index].shape[2], pp.images[index].shape[1])), np.float32)
            pp.images[index] = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels / 255, 2, 0)))
