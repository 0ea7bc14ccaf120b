"""Loopback: each result is the next generation's input."""

from __future__ import annotations

import gradio as gr
from modules import processing, scripts, shared


class Script(scripts.Script):
    """Img2img several times over, one processing object for all of them."""

    def title(self):
        return "Loopback"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        return [gr.Slider(1, 32, value=2, step=1, label="Loops")]

    def run(self, p, loops):
        p.batch_size = p.n_iter = 1
        p.do_not_save_grid = True
        shared.state.job_count = loops
        history, seed, info = [], None, ""
        for _ in range(int(loops)):
            processed = processing.process_images(p)
            if seed is None:
                seed, info = processed.seed, processed.info
            p.seed = processed.seed + 1
            history.append(processed.images[0])
            p.init_images = [history[-1]]
        return processing.Processed(p, history, seed, info)
