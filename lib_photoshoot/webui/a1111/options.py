"""The extension's section of the host's Settings page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SECTION = ("product_photoshoot", "Product Photoshoot")
KEEP, UNLOAD = "keep loaded", "unload after each job"
MOVE, LET_GO, STAY = "move off the GPU", "unload", "leave where it is"


@dataclass(frozen=True)
class Option:
    """One option: its default, its label, what it means, and its choices if it is a closed list."""

    default: Any
    label: str
    help: str
    choices: tuple[str, ...] = ()
    page_only: bool = False
    """Cannot be set through the host's HTTP API."""
    names_code: bool = False
    """Says which program is run: cannot be set where strangers may reach the page, see :func:`code_refusal`."""


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
    "shoot_hosts": Option(
        "",
        "WebUIs that a shoot may use",
        "hosts, or host:port, with commas between, such as 192.168.1.20:7860; others only where the WebUI's own "
        "switches for requests of its API allow them",
        page_only=True,
    ),
    "api_megapixels": Option(50, "Largest image that the HTTP API accepts", "megapixels"),
    "trainer_folder": Option(
        "",
        "Folder of an sd-scripts that you have",
        "empty takes the one that the Train part installs; changes nothing in the folder",
        page_only=True,
        names_code=True,
    ),
    "trainer_python": Option(
        "",
        "Python with the packages of that sd-scripts",
        "the full path of its program",
        page_only=True,
        names_code=True,
    ),
    "trainer_room": Option(
        MOVE,
        "Checkpoint while a training runs",
        "moving keeps it in main memory, unloading does not; the next generation brings it back",
        (MOVE, LET_GO, STAY),
    ),
}


def option_key(name: str) -> str:
    """The option's key in the host's configuration."""
    return f"photoshoot_{name}"


def read_option(name: str) -> Any:
    """The option's value in the running host."""
    from modules import shared

    return shared.opts.data.get(option_key(name), OPTIONS[name].default)


def code_refusal() -> str | None:
    """Why nobody may choose or install programs on this host, as it is with extensions; None where one may."""
    from modules import shared

    if not getattr(shared.cmd_opts, "disable_extension_access", False):
        return None
    return (
        "Programs cannot be installed or named while others may reach this WebUI: it was started with --share, "
        "--listen or the like, and without --enable-insecure-extension-access."
    )


def register() -> None:
    """Add the section; for the host's ``on_ui_settings`` callback."""
    import gradio
    from modules import shared

    refusal = code_refusal()
    for name, option in OPTIONS.items():
        extra: dict[str, Any] = {}
        if option.choices:
            extra = {"component": gradio.Dropdown, "component_args": {"choices": list(option.choices)}}
        if refusal and option.names_code:
            # The host shows no such option and refuses to set it; what was set before stays.
            extra = {"component_args": {"visible": False}}
        info = shared.OptionInfo(option.default, option.label, section=SECTION, **extra)
        info.restrict_api = option.page_only
        shared.opts.add_option(option_key(name), info.info(option.help))
    if refusal and hasattr(shared, "OptionHTML"):
        sentence = shared.OptionHTML(refusal)
        sentence.section = SECTION
        shared.opts.add_option(option_key("trainer_refusal"), sentence)
