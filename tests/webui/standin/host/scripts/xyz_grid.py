"""X/Y/Z plot: one axis here."""

from __future__ import annotations

from copy import copy

import gradio as gr
from modules import images, scripts
from modules.processing import Processed, process_images


class AxisOption:
    """Something that changes from cell to cell."""

    def __init__(self, label, type, apply, format_value=None, confirm=None, cost=0.0, choices=None, prepare=None):
        self.label, self.type, self.apply, self.confirm, self.choices = label, type, apply, confirm, choices


axis_options = [AxisOption("Nothing", str, lambda p, x, xs: None)]


class Script(scripts.Script):
    """A grid of generations that differ in one value."""

    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        return [gr.Textbox(label="X type"), gr.Textbox(label="X values")]

    def run(self, p, x_type, x_values):
        axis = next(option for option in axis_options if option.label == x_type)
        values = [axis.type(text.strip()) for text in x_values.split(",")]
        if axis.confirm:
            axis.confirm(p, values)
        results = []
        for value in values:
            cell = copy(p)
            axis.apply(cell, value, values)
            results.append(process_images(cell))
        pictures = [result.images[0] for result in results]
        texts = [result.infotexts[0] for result in results]
        return Processed(
            p, [images.image_grid(pictures, rows=1), *pictures], results[0].seed, infotexts=[texts[0], *texts]
        )
