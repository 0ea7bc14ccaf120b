"""Writes the prompt for a product and its LoRA into the tab's prompt box."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_photoshoot.prompts import DEFAULT_LORA, NO_LORA, PromptError, product_prompt
from lib_photoshoot.webui.hosts.a1111.page import FormRow
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.webui.interface.gradio_dialect import textbox
from lib_photoshoot.webui.interface.page_actions import PANEL, in_page
from lib_photoshoot.webui.interface.widgets import element_id


class PromptHelper:
    """A product, a LoRA and a button."""

    def __init__(self, tab: str) -> None:
        with FormRow():
            self.product = textbox(
                label="Product in the prompt",
                placeholder="handbag",
                elem_id=element_id(tab, "helper_product"),
            )
            # The files are looked up when the panel is opened.
            self.lora = gr.Dropdown(
                [DEFAULT_LORA, NO_LORA],
                value=DEFAULT_LORA,
                label="LoRA",
                allow_custom_value=True,
                elem_id=element_id(tab, "helper_lora"),
            )
        for component in (self.product, self.lora):
            component.do_not_save_to_config = True
        self.button = gr.Button("Write the prompt", elem_id=element_id(tab, "helper_write"))
        self.status = gr.HTML(elem_id=element_id(tab, "helper_status"))
        self._text = textbox(visible=False, elem_id=element_id(tab, "helper_text"))
        self.button.click(
            _write, inputs=[self.product, self.lora], outputs=[self.status, self._text], show_progress=False
        ).then(None, **in_page(PANEL, "writePrompt", tab), inputs=[self._text])


def _write(product: str, lora: str | None) -> list[Any]:
    try:
        return ["", product_prompt(product or "", lora or NO_LORA)]
    except PromptError as error:
        return [note(str(error), wrong=True), ""]
