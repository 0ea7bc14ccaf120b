"""The panel in txt2img and img2img.

Nothing here looks at models, files or the network while the host builds its page; that happens when the user opens the
panel. Each part of it is a class that makes its components and binds their events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.settings import FIELDS, FilterSettings, SettingsError
from lib_photoshoot.webui.generate.infotext import SETTINGS_KEY, pasted
from lib_photoshoot.webui.hosts.a1111.choices import LISTS, controlnet_models, loras
from lib_photoshoot.webui.hosts.a1111.options import read_option
from lib_photoshoot.webui.hosts.a1111.page import FormRow, ToolButton
from lib_photoshoot.webui.interface.preset_bar import PresetBar, preset_names
from lib_photoshoot.webui.interface.preview import Preview
from lib_photoshoot.webui.interface.prompt_helper import PromptHelper
from lib_photoshoot.webui.interface.stage_preview import StagePreview
from lib_photoshoot.webui.interface.teach_bar import TeachBar
from lib_photoshoot.webui.interface.weights_bar import WeightsBar, chosen_needs, grounding_dino_needs
from lib_photoshoot.webui.interface.widgets import Widgets, element_id

_BASIC = ("products", "on_no_match", "repaint", "enhancement", "prompt", "denoise")
_DETAILS = {
    "detect": "Detection",
    "decide": "What happens to the images",
    "enhance": "Enhancement in detail",
    "controlnet": "ControlNet",
    "sampling": "Sampling",
}
_CONTROLNET_LISTS = ("cn_module", "cn_model")

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Panel:
    """The components of the settings in the order of FIELDS, what an infotext restores, and the preview's end of it."""

    controls: list[Any]
    infotext_fields: list[tuple[Any, Callable[[Mapping[str, Any]], Any]]]
    preview: Preview
    stage: StagePreview

    def connect(self, gallery: Any, generation_info: Any) -> None:
        """Give the previews the tab's results, which the host makes after the panel."""
        self.preview.connect(gallery, generation_info, self.controls)
        self.stage.connect(gallery, generation_info, self.controls)


def outlines_button(tab: str) -> Any:
    """Return our button in the row below the host's gallery, where it is called."""
    tooltip = "Open the picture with its products' outlines: correct them, and enhance it again."
    return ToolButton("✂️", elem_id=element_id(tab, "outlines"), tooltip=tooltip)


def build_panel(is_img2img: bool) -> Panel:
    """One tab's panel, inside the host's layout."""
    tab = _tab(is_img2img)
    start, values = _start()
    widgets = Widgets(tab, values)
    with widgets.add("enabled") as enabled:
        needs = WeightsBar(tab)
        widgets.add(_BASIC[0])
        teach = TeachBar(tab)
        widgets.rows(_BASIC[1:])
        presets = PresetBar(tab, start)
        preview = Preview(tab)
        stage = _scene(tab, widgets)
        refresh = _details(tab, widgets, needs)
        with gr.Accordion("Prompt for a product LoRA", open=False, elem_id=element_id(tab, "helper")):
            helper = PromptHelper(tab)
    controls = [widgets.made[name] for name in FIELDS]
    for control in controls if start else []:
        # Else the values that the host saved at an earlier start would win over the chosen preset.
        control.do_not_save_to_config = True
    models = [widgets.made[name] for name in ("detector", "segmenter")]
    needs.bind(*models)
    teach.bind(widgets.made["products"])
    preview.bind(controls)
    stage.bind(controls, widgets.made)
    presets.bind(controls)
    lists = [*(widgets.made[name] for name in LISTS), helper.lora]
    enabled.change(
        _opened,
        inputs=[enabled, *models],
        outputs=[presets.name, *lists, *needs.outputs, *needs.other_outputs],
        show_progress=False,
    )
    refresh.click(partial(_lists, True), outputs=lists, show_progress=False)
    return Panel(controls, [(widgets.made[name], partial(_restored, name)) for name in FIELDS], preview, stage)


def _tab(is_img2img: bool) -> str:
    return "img2img" if is_img2img else "txt2img"


def _scene(tab: str, widgets: Widgets) -> StagePreview:
    """Add what a new scene is made of: first where the products stand, which can be seen at once, then what is painted
    around them.
    """
    with gr.Accordion("Scene", open=False, elem_id=element_id(tab, "scene")):
        widgets.rows(["canvas", *_of_group("staging", but="canvas")])
        stage = StagePreview(tab)
        widgets.rows(_of_group("scene"))
    return stage


def _of_group(group: str, but: str = "") -> list[str]:
    return [name for name, meta in FIELDS.items() if meta.group == group and name != but]


def _details(tab: str, widgets: Widgets, needs: WeightsBar) -> Any:
    """Return the settings that a newcomer need not see, by group; returns the button that reads the host's lists
    anew.
    """
    for group, label in _DETAILS.items():
        with gr.Accordion(label, open=False, elem_id=element_id(tab, group)):
            if group == "controlnet":
                with FormRow():
                    for name in _CONTROLNET_LISTS:
                        widgets.add(name)
                    refresh = ToolButton("🔄", elem_id=element_id(tab, "refresh"), tooltip="Read the lists anew")
            widgets.rows([name for name in _of_group(group) if name not in widgets.made])
            if group == "detect":
                needs.add_grounding_dino(tab)
    return refresh


def _start() -> tuple[str | None, dict[str, Any]]:
    """Name of the preset to start with, if the user chose one, and the panel's first values."""
    values = asdict(FilterSettings())
    name = str(read_option("defaults")).strip()
    if not name:
        return None, values
    from lib_photoshoot.presets import loaded, user_presets

    try:
        return name, values | loaded(user_presets().load(name))
    except PhotoshootError as error:
        _LOG.warning("Product Photoshoot: the panel starts with its own values. %s", error)
        return None, values


def _lists(rescan: bool) -> list[Any]:
    """Return updates of the lists of ControlNet's preprocessors and models, samplers, schedule types and LoRAs."""
    if rescan:
        controlnet_models(rescan=True)
    return [gr.update(choices=make()) for make in (*LISTS.values(), loras)]


def _opened(enabled: bool, detector: str, segmenter: str) -> list[Any]:
    """Return what the panel shows once it is opened. Nothing when it is closed."""
    if not enabled:
        return [gr.update()] * (len(LISTS) + 6)
    return [preset_names(), *_lists(False), *chosen_needs(detector, segmenter), *grounding_dino_needs()]


def _restored(name: str, infotext: Mapping[str, Any]) -> Any:
    """Return the value that a pasted infotext gives one setting; None leaves it."""
    try:
        return pasted(infotext.get(SETTINGS_KEY)).get(name)
    except SettingsError as error:
        if name == "enabled":  # once, not for every setting
            gr.Warning(str(error))
        return None
