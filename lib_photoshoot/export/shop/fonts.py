"""Fonts of this machine that have the characters of a text; none is shipped, since one for all scripts takes 20 MB."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.errors import ExportError
from lib_photoshoot.files import shown

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PREFERRED = (
    *("notosans-regular", "dejavusans", "liberationsans-regular", "arial", "segoeui", "helvetica"),
    *("notosanscjk-regular", "notosanscjkjp-regular", "notosansjp", "yugothr", "yugothm", "meiryo", "msgothic"),
    *("ヒラギノ角ゴシック w3", "hiraginosansgb", "pingfang", "msyh", "simsun", "malgun", "applesdgothicneo"),
    *("ipaexg", "ipag", "takaogothic", "vl-gothic-regular", "wqy-zenhei", "wqy-microhei", "droidsansfallbackfull"),
    *("arialuni", "arial unicode", "notosansarabic-regular", "notosanshebrew-regular", "notosansthai-regular"),
)
"""Beginnings of file names, in the order in which fonts are asked: upright, without serifs, of many systems."""
_MOST_BYTES = 64 << 20
"""A larger file is not read for a font."""


@dataclass(frozen=True)
class ChosenFonts:
    """Font files, of which each has characters that those before it lack, and the characters that none has."""

    files: tuple[Path, ...]
    lacking: frozenset[str]


def choose_fonts(text: Collection[str], own: Sequence[Path] = (), folders: Sequence[Path] | None = None) -> ChosenFonts:
    """Return fonts for all characters of ``text``: the user's ``own`` first, then those of the system's ``folders``.

    Raises ExportError where one of the user's own is no TrueType or OpenType font.
    """
    missing = {sign for sign in text if not sign.isspace()}
    files: list[Path] = []
    for path in (*own, *_by_preference(_folders() if folders is None else folders)):
        if not missing and files:
            break
        has = _characters(path)
        if has is None:
            if path in own:
                raise ExportError(f"{shown(path)} is no TrueType or OpenType font; name another one with --font.")
            continue
        found = {sign for sign in missing if ord(sign) in has}
        if found or path in own:
            files.append(path)
            missing -= found
    return ChosenFonts(tuple(files), frozenset(missing))


def _characters(path: Path) -> Collection[int] | None:
    """Return the code points that a font has; None of what is no font, or one of symbols alone."""
    from fontTools.ttLib import TTFont

    # Damaged fonts raise many kinds in fontTools.
    with suppress(Exception):
        if path.stat().st_size > _MOST_BYTES:
            return None
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return None if "glyf" not in font and "CFF " not in font else frozenset(font.getBestCmap() or ())
    return None


def _by_preference(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the font files below the folders, the preferred ones first."""
    found = sorted(
        {
            Path(folder) / name
            for top in folders
            for folder, _, names in os.walk(top)
            for name in names
            if name.lower().endswith(_SUFFIXES)
        }
    )

    def rank(path: Path) -> tuple[int, int, str]:
        name = path.name.lower()
        place = next((place for place, begin in enumerate(_PREFERRED) if name.startswith(begin)), len(_PREFERRED))
        slanted = sum(word in name for word in ("bold", "italic", "oblique", "light", "mono", "serif", "condensed"))
        return place, slanted, str(path)

    yield from sorted(found, key=rank)


def _folders() -> list[Path]:
    """Where this system keeps its fonts."""
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home))
        return [Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts", Path(local) / "Microsoft/Windows/Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    data = os.environ.get("XDG_DATA_HOME", str(home / ".local/share"))
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path(data) / "fonts", home / ".fonts"]
