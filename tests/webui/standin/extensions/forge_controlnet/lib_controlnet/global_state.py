"""The models and preprocessors: names as the page lists them."""

from __future__ import annotations

from typing import Any

from modules_forge.shared import supported_preprocessors

controlnet_filename_dict: dict[str, str] = {"None": "model.safetensors"}
controlnet_names: list[str] = ["None"]
found: dict[str, str] = {}
"""What lies in the folder of models, for the tests."""


def update_controlnet_filenames():
    """Read the list anew."""
    global controlnet_filename_dict, controlnet_names
    controlnet_filename_dict = {"None": "model.safetensors", **found}
    controlnet_names = list(controlnet_filename_dict)


def get_all_controlnet_names():
    """All models, with an entry for none."""
    return controlnet_names


def get_controlnet_filename(controlnet_name):
    """The file of a listed name."""
    return controlnet_filename_dict[controlnet_name]


def get_all_preprocessor_names():
    """By the names that the page shows, and no others."""
    return list(supported_preprocessors)


def get_preprocessor(name) -> Any:
    """One of them, None for an unknown name."""
    return supported_preprocessors.get(name, None)
