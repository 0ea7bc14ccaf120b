"""The extension's section of the host's Settings page."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.hosts.options import OPTIONS, SECTION, option_key


def read_option(name: str) -> Any:
    """Return the option's value in the running host."""
    return host_option(option_key(name), OPTIONS[name].default)


def host_option(name: str, default: Any) -> Any:
    """Return the value of an option of the host or of another extension, ``default`` where nobody has set it."""
    from modules import shared

    return shared.opts.data.get(name, default)


def folder_option(name: str, parent: Path) -> Path:
    """Return the folder below ``parent`` that an option names. Raises FolderError for one that leads out of it."""
    from lib_photoshoot.webui.http.folders import subfolder

    return subfolder(parent, read_option(name))


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
    no_folders = bool(getattr(shared.cmd_opts, "hide_ui_dir_config", False))
    for name, option in OPTIONS.items():
        extra: dict[str, Any] = {}
        if option.choices:
            extra = {"component": gradio.Dropdown, "component_args": {"choices": list(option.choices)}}
        if (refusal and option.names_code) or (no_folders and option.check):
            # The host shows no such option and refuses to set it, for a job too; what was set before stays.
            extra = {"component_args": {"visible": False}}
        if option.check or option.page_only:
            extra["onchange"] = partial(_check, name)
        info = shared.OptionInfo(option.default, option.label, section=SECTION, **extra)
        info.restrict_api = option.page_only
        shared.opts.add_option(option_key(name), info.info(option.help))
    if refusal and hasattr(shared, "OptionHTML"):
        sentence = shared.OptionHTML(refusal)
        sentence.section = SECTION
        shared.opts.add_option(option_key("trainer_refusal"), sentence)


def drop_refused(overrides: dict[str, Any]) -> list[str]:
    """Take out of a job's ``override_settings`` what :func:`register` has hidden; returns the labels.

    The host would paint, and then fail on putting the old value back.
    """
    from modules import shared

    refused = []
    for name, option in OPTIONS.items():
        info = shared.opts.data_labels.get(option_key(name))
        hidden = info is not None and (info.component_args or {}).get("visible") is False
        if hidden and overrides.pop(option_key(name), None) is not None:
            refused.append(option.label)
    return refused


def _check(name: str) -> None:
    """For the host, which takes a new value back when this raises."""
    option = OPTIONS[name]
    if option.page_only and _is_set_by_the_api():
        raise PhotoshootError(f"'{option.label}' can be set on the Settings page alone.")
    if option.check is not None:
        option.check(str(read_option(name)))


def _is_set_by_the_api() -> bool:
    """Whether the host's HTTP API is setting an option: Forge's and Forge Neo's sets those as well that it must not."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "set_config" and frame.f_globals.get("__name__") == "modules.api.api":
            return True
        frame = frame.f_back
    return False
