"""Our options on a host's Settings page; its adapter puts them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
    """Says which program is run: cannot be set where strangers may reach the page."""
    check: Callable[[str], Any] | None = None
    """For an option that names a folder or program: raises FolderError for a value that is not taken."""


def _subfolder(text: str) -> None:
    from lib_photoshoot.webui.http.folders import subfolder

    subfolder(Path(), text)


def _full_path(text: str) -> None:
    from lib_photoshoot.webui.http.folders import full_path

    if text.strip():
        full_path(text.strip().strip('"'))


def _full_paths(text: str) -> None:
    from lib_photoshoot.webui.http.folders import split_folders

    for part in split_folders(text):
        _full_path(part)


OPTIONS = {
    "device": Option(
        "cpu", "Device for detection and segmentation", "cpu leaves the GPU's memory to the checkpoint", ("cpu", "auto")
    ),
    "unload": Option(KEEP, "Detection models between jobs", "unloading gives back their memory", (KEEP, UNLOAD)),
    "skipped_folder": Option(
        "photoshoot-skipped",
        "Folder for images without a product",
        "for 'move to folder'; a name inside the folder that the image would go to",
        check=_subfolder,
    ),
    "masks_folder": Option(
        "photoshoot-masks",
        "Folder for masks and cut-outs",
        "a name inside the folder of the job's images",
        check=_subfolder,
    ),
    "defaults": Option("", "Preset that the panel starts with", "empty for none; takes effect after a UI reload"),
    "api_folders": Option(
        "",
        "Folders that the HTTP API and the tab may read and write",
        "full paths with commas between; empty allows the WebUI's own output folders only",
        page_only=True,
        check=_full_paths,
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
        check=_full_path,
    ),
    "trainer_python": Option(
        "",
        "Python with the packages of that sd-scripts",
        "the full path of its program",
        page_only=True,
        names_code=True,
        check=_full_path,
    ),
    "trainer_room": Option(
        MOVE,
        "Checkpoint while a training runs",
        "moving keeps it in main memory, unloading does not; the next generation brings it back",
        (MOVE, LET_GO, STAY),
    ),
}


def option_key(name: str) -> str:
    """Return the option's key in the host's configuration."""
    return f"photoshoot_{name}"
