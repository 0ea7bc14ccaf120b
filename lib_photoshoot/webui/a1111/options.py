"""The extension's section of the host's Settings page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SECTION = ("product_photoshoot", "Product Photoshoot")
KEEP, UNLOAD = "keep loaded", "unload after each job"


@dataclass(frozen=True)
class Option:
    """One option: its default, its label, what it means, and its choices if it is a closed list."""

    default: Any
    label: str
    help: str
    choices: tuple[str, ...] = ()
    page_only: bool = False
    """Cannot be set through the host's HTTP API."""


OPTIONS = {
    "device": Option(
        "cpu", "Device for detection and segmentation", "cpu leaves the GPU's memory to the checkpoint", ("cpu", "auto")
    ),
    "unload": Option(KEEP, "Detection models between jobs", "unloading gives back their memory", (KEEP, UNLOAD)),
    "skipped_folder": Option(
        "photoshoot-skipped",
        "Folder for images without a product",
        "for 'move to folder'; relative to the folder that the image would go to",
    ),
    "masks_folder": Option(
        "photoshoot-masks", "Folder for masks and cut-outs", "relative to the folder of the job's images"
    ),
    "defaults": Option("", "Preset that the panel starts with", "empty for none; takes effect after a UI reload"),
    "api_folders": Option(
        "",
        "Folders that the HTTP API and the tab may read and write",
        "one path after the other with commas between; empty allows the WebUI's own output folders only",
        page_only=True,
    ),
    "api_megapixels": Option(50, "Largest image that the HTTP API accepts", "megapixels"),
}


def option_key(name: str) -> str:
    """The option's key in the host's configuration."""
    return f"photoshoot_{name}"


def read_option(name: str) -> Any:
    """The option's value in the running host."""
    from modules import shared

    return shared.opts.data.get(option_key(name), OPTIONS[name].default)


def register() -> None:
    """Add the section; for the host's ``on_ui_settings`` callback."""
    import gradio
    from modules import shared

    for name, option in OPTIONS.items():
        extra: dict[str, Any] = {}
        if option.choices:
            extra = {"component": gradio.Dropdown, "component_args": {"choices": list(option.choices)}}
        info = shared.OptionInfo(option.default, option.label, section=SECTION, **extra)
        info.restrict_api = option.page_only
        shared.opts.add_option(option_key(name), info.info(option.help))
