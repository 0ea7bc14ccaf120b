"""Named sets of settings: the built-in ones in ``presets.json``, and the user's as one JSON file each."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.settings import DEFAULTS, FilterSettings, SettingsError, current_values, settings_from

SUFFIX = ".json"
TEXTS = ("products", "prompt", "negative_prompt", "scene_prompt", "scene_negative_prompt")
"""Settings that keep what the user typed when a preset says nothing about them; all others go to their defaults."""

_LONGEST_NAME = 60
_LARGEST_FILE = 1 << 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class PresetError(PhotoshootError):
    """A preset cannot be read, saved or deleted."""


@lru_cache(maxsize=1)
def built_in() -> Mapping[str, Mapping[str, Any]]:
    """Return the presets that come with the extension, each with the values that matter to it."""
    return json.loads(Path(__file__).with_suffix(SUFFIX).read_text(encoding="utf-8"))


def preset_to_text(settings: FilterSettings) -> str:
    """Return the file's text: everything but ``enabled``, which belongs to one generation."""
    values = settings.to_dict()
    del values["enabled"]
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def preset_from_text(text: str, source: str) -> dict[str, Any]:
    """Return the values of a preset's file, checked; raises PresetError. ``source`` names the file in the sentence."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PresetError(f"The preset {source} is not JSON ({error}); save it again.") from error
    if not isinstance(values, dict):
        raise PresetError(f"The preset {source} holds no JSON object; save it again.")
    try:
        values = current_values(values)
        settings_from(values)
    except SettingsError as error:
        raise PresetError(f"The preset {source} cannot be used: {error}") from error
    return {name: value for name, value in values.items() if name != "enabled"}


def preset_from_file(path: Path, source: str = "") -> dict[str, Any]:
    """Return the values of a file, checked; raises PresetError."""
    source = source or repr(path.name)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise PresetError(f"The preset {source} is too large to be one; choose another file.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PresetError(f"The preset {source} cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise PresetError(f"The preset {source} is not UTF-8 text; save it again.") from error
    return preset_from_text(text, source)


def loaded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what loading a preset sets: its own values, and the defaults of the rest except ``enabled`` and
    :data:`TEXTS`.
    """
    rest = {name: value for name, value in DEFAULTS.items() if name != "enabled" and name not in TEXTS}
    return {**rest, **{name: value for name, value in values.items() if name in DEFAULTS and name != "enabled"}}


def clean_name(name: str) -> str:
    """Return the name as a file on any system can have it; raises PresetError when nothing is left of it."""
    text = unicodedata.normalize("NFC", " ".join(name.split()))
    text = re.sub(r"[^\w .,+&()-]", "-", text)[:_LONGEST_NAME].strip(" .-")
    # File systems count bytes, most up to 255.
    text = text.encode("utf-8", "ignore")[:200].decode("utf-8", "ignore").rstrip(" .-")
    if not text:
        raise PresetError("The preset has no name; type one with a letter or digit in it.")
    return f"{text}-" if _RESERVED.match(text) else text


class PresetFolder:
    """The presets that can be chosen: the built-in ones and the files of a folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """All names, built-in ones first; a file cannot take the place of a built-in one."""
        return [*built_in(), *sorted(self._own(), key=str.casefold)]

    def load(self, name: str) -> dict[str, Any]:
        """Return a preset's values, checked; raises PresetError."""
        if name in built_in():
            return preset_from_text(json.dumps(built_in()[name]), repr(name))
        return preset_from_file(self._path(name), repr(name))

    def save(self, name: str, settings: FilterSettings) -> str:
        """Save under a name, over an own preset of that name; returns the name as it was kept. Raises PresetError."""
        name = clean_name(name)
        if _is_built_in(name):
            raise PresetError(f"{name!r} is a built-in preset and stays as it is; save under another name.")
        from lib_photoshoot.files import write_atomic

        try:
            write_atomic(self.folder / f"{name}{SUFFIX}", preset_to_text(settings).encode("utf-8", "replace"))
        except OSError as error:
            raise PresetError(f"The preset {name!r} cannot be saved ({error.strerror or error}).") from error
        return name

    def delete(self, name: str) -> None:
        """Delete an own preset; raises PresetError."""
        if _is_built_in(name):
            raise PresetError(f"{name!r} is a built-in preset and cannot be deleted.")
        try:
            self._path(name).unlink()
        except OSError as error:
            raise PresetError(f"The preset {name!r} cannot be deleted ({error.strerror or error}).") from error

    def _own(self) -> list[str]:
        try:
            stems = [path.stem for path in self.folder.iterdir() if path.suffix == SUFFIX and path.is_file()]
        except OSError:  # no folder yet
            return []
        return [stem for stem in stems if not stem.startswith(".") and not _is_built_in(stem)]

    def _path(self, name: str) -> Path:
        # Only what the folder lists: a name is never a path.
        if name not in self._own():
            raise PresetError(f"There is no preset called {name!r}; choose one from the list.")
        return self.folder / f"{name}{SUFFIX}"


def user_presets() -> PresetFolder:
    """Return the presets of this installation."""
    from lib_photoshoot.paths import presets_folder

    return PresetFolder(presets_folder())


def _is_built_in(name: str) -> bool:
    return name.casefold() in {known.casefold() for known in built_in()}
