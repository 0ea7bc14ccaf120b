"""A WebUI extension for tests: puts given pictures in place of what the checkpoint painted.

Random weights paint noise, in which nothing is ever found. Its one argument is ``{"pictures": [path, ...]}``: image
number n of the job becomes picture n, scaled to the job's size, before any other extension sees it. Where no argument
can be given, the negative prompt does it: ``paint(path)``, several with ``;`` between them, by the seed.
"""

import re

import numpy as np
import torch
from modules import scripts
from PIL import Image


class Painter(scripts.Script):
    def title(self):
        return "Painter"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        import gradio

        return [gradio.State(None)]

    def postprocess_batch_list(self, p, pp, argument, *_, **__):
        named = re.search(r"paint\((.+?)\)", str(p.negative_prompt))
        if named and not argument:
            paths = named[1].split(";")
            argument = {"pictures": [paths[int(p.seeds[0]) % len(paths)]]}
        if not argument or getattr(p, "_photoshoot_inner", False) or getattr(p, "_ad_inner", False):
            return
        for index in range(len(pp.images)):
            number = p.iteration * p.batch_size + index
            name = argument["pictures"][number % len(argument["pictures"])]
            if name == "-":  # this image stays as painted
                continue
            picture = Image.open(name).convert("RGB")
            pixels = np.asarray(picture.resize((pp.images[index].shape[2], pp.images[index].shape[1])), np.float32)
            pp.images[index] = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels / 255, 2, 0)))
