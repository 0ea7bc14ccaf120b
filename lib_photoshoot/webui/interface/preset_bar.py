"""Choose, save, delete, download and upload presets.

Nothing of them is read, nor their module imported, before the panel is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.settings import FIELDS
from lib_photoshoot.webui.generate.arguments import settings_from_arguments
from lib_photoshoot.webui.hosts.a1111.page import FormRow, ToolButton
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.webui.interface.gradio_dialect import textbox
from lib_photoshoot.webui.interface.page_actions import PANEL, in_page
from lib_photoshoot.webui.interface.widgets import element_id


class PresetBar:
    """One row: the list, which takes a new name too, and what can be done with it."""

    def __init__(self, tab: str, start: str | None) -> None:
        def tool(text: str, part: str, tooltip: str) -> Any:
            return ToolButton(text, elem_id=element_id(tab, part), tooltip=tooltip)

        with FormRow():
            self.name = gr.Dropdown(
                [start] if start else [],
                value=start,
                label="Preset",
                info="Choosing one fills in this panel. To save your own, type a name and press 💾.",
                allow_custom_value=True,
                elem_id=element_id(tab, "preset"),
            )
            self.name.do_not_save_to_config = True
            self.save = tool("💾", "preset_save", "Save the settings under this name")
            self.delete = tool("🗑️", "preset_delete", "Delete this preset")
            self.download = tool("📥", "preset_download", "Download the settings as a file")
            self.upload = gr.UploadButton(
                "📂", file_types=[".json"], elem_id=element_id(tab, "preset_upload"), elem_classes=["tool"]
            )
        self.status = gr.HTML(elem_id=element_id(tab, "preset_status"))
        self.file = textbox(visible=False, elem_id=element_id(tab, "preset_text"))

    def bind(self, controls: list[Any]) -> None:
        """Bind ``controls``, the settings' components in the order of FIELDS."""
        self.name.select(_load, inputs=[self.name], outputs=[self.status, *controls], show_progress=False)
        self.upload.upload(_read, inputs=[self.upload], outputs=[self.status, self.name, *controls])
        self.save.click(_save, inputs=[self.name, *controls], outputs=[self.status, self.name], show_progress=False)
        self.delete.click(
            _delete,
            **in_page(PANEL, "confirmDelete"),
            inputs=[self.name],
            outputs=[self.status, self.name],
            show_progress=False,
        )
        self.download.click(
            _text, inputs=[self.name, *controls], outputs=[self.status, self.file], show_progress=False
        ).then(None, **in_page(PANEL, "download"), inputs=[self.file])


def preset_names() -> Any:
    """Return the update of the list, when the panel is opened."""
    from lib_photoshoot.presets import user_presets

    return gr.update(choices=user_presets().names())


def _updates(values: dict[str, Any]) -> list[Any]:
    """One update for each control; what is not among the values stays."""
    return [gr.update(value=values[name]) if name in values else gr.update() for name in FIELDS]


def _load(name: str | None) -> list[Any]:
    from lib_photoshoot.presets import loaded, user_presets

    try:
        values = loaded(user_presets().load(name or ""))
    except PhotoshootError as error:
        return [note(str(error), wrong=True), *_updates({})]
    return [note(f"Settings of {name!r} are filled in."), *_updates(values)]


def _read(file: Any) -> list[Any]:
    from lib_photoshoot.presets import clean_name, loaded, preset_from_file

    path = Path(file.name)
    try:
        name, values = clean_name(path.stem), loaded(preset_from_file(path))
    except PhotoshootError as error:
        return [note(str(error), wrong=True), gr.update(), *_updates({})]
    text = f"Settings of the file {path.name!r} are filled in; save them to have them in the list."
    return [note(text), gr.update(value=name), *_updates(values)]


def _save(name: str | None, *values: Any) -> list[Any]:
    from lib_photoshoot.presets import user_presets

    try:
        kept = user_presets().save(name or "", settings_from_arguments(values))
    except PhotoshootError as error:
        return [note(str(error), wrong=True), gr.update()]
    return [note(f"Saved as {kept!r}."), gr.update(choices=user_presets().names(), value=kept)]


def _delete(name: str | None) -> list[Any]:
    from lib_photoshoot.presets import user_presets

    if not name:  # nothing chosen, or the user thought better of it
        return ["", gr.update()]
    try:
        user_presets().delete(name)
    except PhotoshootError as error:
        return [note(str(error), wrong=True), gr.update()]
    return [note(f"Deleted {name!r}."), gr.update(choices=user_presets().names(), value=None)]


def _text(name: str | None, *values: Any) -> list[Any]:
    """Return the file for the page to offer: the settings as they stand in the panel."""
    from lib_photoshoot.presets import clean_name, preset_to_text

    try:
        text = preset_to_text(settings_from_arguments(values))
        stem = clean_name(name) if name else "photoshoot-settings"
    except PhotoshootError as error:
        return [note(str(error), wrong=True), ""]
    return ["", json.dumps({"name": f"{stem}.json", "text": text})]
