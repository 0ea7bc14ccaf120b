"""The page: two tabs with their scripts, and the tabs of the extensions."""

from __future__ import annotations

import inspect
from typing import Any

import gradio as gr

from modules import script_callbacks, scripts, shared
from modules.ui_components import ToolButton


def create_ui() -> Any:
    """Build the page and return it."""
    script_callbacks.ui_settings_callback()
    made = []
    for is_img2img, tab in ((False, "txt2img"), (True, "img2img")):
        runner = scripts.scripts_img2img if is_img2img else scripts.scripts_txt2img
        scripts.scripts_current = runner
        runner.initialize_scripts(is_img2img)
        with gr.Blocks(analytics_enabled=False) as blocks:
            _tab(tab, runner)
        made.append((blocks, tab, tab))
    scripts.scripts_current = None
    made += script_callbacks.ui_tabs_callback()
    with gr.Blocks(analytics_enabled=False, title="stand-in") as demo, gr.Tabs(elem_id="tabs"):
        for blocks, label, name in made:
            with gr.TabItem(label, id=name, elem_id=f"tab_{name}"):
                blocks.render()
    if not shared.cmd_opts.no_gradio_queue:
        demo.queue()
    shared.demo = demo
    return demo


def _tab(tab: str, runner: Any) -> None:
    gr.Textbox(label="Prompt", elem_id=f"{tab}_prompt")
    if tab == "img2img":
        gr.Image(type="pil", elem_id="img_inpaint_base")
        gr.Image(type="pil", elem_id="img_inpaint_mask")
    runner.setup_ui()
    _gallery(tab)
    with gr.Row(elem_id=f"image_buttons_{tab}"):
        ToolButton("📐", elem_id=f"{tab}_send_to_extras")
    gr.Textbox(visible=False, elem_id=f"generation_info_{tab}")


def _gallery(tab: str) -> None:
    """The results: gradio 4's host asks for pictures, and gradio 3 knows files alone."""
    kind = {"type": "pil"} if "type" in inspect.signature(gr.Gallery.__init__).parameters else {}
    gr.Gallery(elem_id=f"{tab}_gallery", show_label=False, **kind)
