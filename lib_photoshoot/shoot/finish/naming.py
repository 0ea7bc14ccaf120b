"""Files that are to be called otherwise: each keeps its content, and none takes the place of somebody else's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from lib_photoshoot.file_names import same_name
from lib_photoshoot.files import sha256_of, shown

_ASIDE = ".renamed-"
"""How files begin that are between two names: two may change theirs for each other's."""


def rename_files(
    folder: Path, wanted: Mapping[str, str], digests: Mapping[str, str], moved: Callable[[str, str], object]
) -> list[str]:
    """Give files of a folder the names that are ``wanted``, by their own; returns a sentence for each that cannot be.

    ``digests`` are the sha256 that all files of ours in the folder have, by name: one with another was changed by
    somebody and keeps its name, as does one whose new name is taken. ``moved`` hears of each old and new name, once it
    is so; a file that a kill left between the two is removed by the next call, and has to be made again. Raises
    OSError.
    """
    for left in folder.glob(f"{_ASIDE}*"):
        left.unlink()
    others = {same_name(name) for name, target in wanted.items() if target != name}
    stay, moving = [], {}
    for name, target in wanted.items():
        if target == name:
            continue
        path, place = folder / name, folder / target
        if sha256_of(path) != digests[name]:
            stay.append(f"{shown(path)} was changed since it was exported, and keeps its name in place of {target}.")
        elif place.exists() and same_name(target) not in others and sha256_of(place) != digests[name]:
            stay.append(
                f"{shown(place)} is there and was not written by `finish`; remove it, and {name} gets its name."
            )
        else:
            moving[name] = target
    kept = {same_name(name) for name in wanted if name not in moving}
    for name, target in list(moving.items()):
        if same_name(target) in kept and same_name(target) != same_name(name):
            stay.append(f"{shown(folder / target)} keeps its name, so {name} does, too.")
            del moving[name]
    for number, name in enumerate(moving):
        os.replace(folder / name, folder / f"{_ASIDE}{number}")
    for number, (name, target) in enumerate(moving.items()):
        os.replace(folder / f"{_ASIDE}{number}", folder / target)
        moved(name, target)
    return stay
