"""Captions: the text rules of the original experiment, and a sheet of captions that can be edited and undone.

A caption is one line of tags separated by commas, the activation tag first: ``ppzocketv2, a cup of coffee``.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.file_names import LONGEST, shortened
from lib_photoshoot.files import shown, write_atomic

TEXT_SUFFIX = ".txt"
BACKUP_SUFFIX = ".bak"
_LONGEST_BACKED_UP = LONGEST - len(BACKUP_SUFFIX) - 6
"""Bytes of a name that leave room for the suffix and its number."""
_SHEET_KEY = "captions"


def tags(caption: str) -> list[str]:
    """Return the tags of a caption, in order; line breaks count as spaces, empty tags are dropped."""
    stripped = (tag.strip() for tag in one_line(caption).split(","))
    return [tag for tag in stripped if tag]


def joined(caption_tags: Iterable[str]) -> str:
    """Return the caption of these tags."""
    return ", ".join(caption_tags)


def one_line(text: str) -> str:
    """Return the text with spaces for line breaks: the trainer reads the first line only."""
    return " ".join(line.strip() for line in text.splitlines()).strip()


def with_tag(caption: str, tag: str) -> str:
    """Return the caption with the activation tag first and nowhere else."""
    return add_tag(caption, tag, 0)


def add_tag(caption: str, tag: str, position: int | None = None) -> str:
    """Return the caption with ``tag`` once, at ``position`` (0 is first) or last. Raises TrainingError for no single
    tag.
    """
    tag = _single_tag(tag)
    others = [other for other in tags(caption) if other != tag]
    others.insert(len(others) if position is None else position, tag)
    return joined(others)


def remove_tag(caption: str, tag: str) -> str:
    """Return the caption without any tag that is exactly ``tag``."""
    tag = tag.strip()
    return joined(other for other in tags(caption) if other != tag)


def search_replace(caption: str, search: str, replacement: str) -> str:
    """Return the caption with every occurrence of the text ``search`` replaced, upper and lower case told apart.

    Raises TrainingError for an empty ``search``.
    """
    if not search:
        raise TrainingError("The text to search for in the captions is empty; type what should be replaced.")
    # A caption without the text stays as it was typed, so that a replacement changes nothing else.
    return joined(tags(caption.replace(search, replacement))) if search in caption else caption


def first_line(text: str) -> str:
    """Return what the trainer makes of a caption file's text: its first line, stripped."""
    return lines(text)[0].strip()


def lines(text: str) -> list[str]:
    """Return the lines of a caption file as the trainer counts them; at least one."""
    # Not splitlines(): that also breaks at form feeds and other characters that a file's lines do not end with.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def decode(data: bytes) -> tuple[str, str]:
    """Return a caption file's text, and its encoding: ``utf-8``, or ``utf-8-sig``, ``utf-16`` or ``cp1252`` as a good
    guess.

    Never fails: what even cp1252 does not define becomes U+FFFD.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), "utf-16"
    if b"\0" in data:
        # No text holds the character NUL, but half the bytes of western UTF-16 are 0: the first where it is big-endian.
        return data.decode("utf-16-be" if data[0] == 0 else "utf-16-le", "replace"), "utf-16"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "cp1252"
    # The trainer would take the mark for a letter of the first tag.
    return (text[1:], "utf-8-sig") if text.startswith("\ufeff") else (text, "utf-8")


def text_name(image_name: str) -> str:
    """Return the name of the caption file that belongs to an image file."""
    return Path(image_name).with_suffix(TEXT_SUFFIX).name


class CaptionSheet:
    """Captions by image file name, edited in steps that can be undone and done again.

    Every editing method makes one step, or none where nothing changes, and works on all images unless ``names`` are
    given. Captions are kept as one line. Raises TrainingError for a name that is not in the sheet.
    """

    def __init__(self, captions: Mapping[str, str]) -> None:
        """Start with these captions, in this order. Raises TrainingError for a name that is no plain file name."""
        for name in captions:
            if name in ("", "..") or "\0" in name or Path(name).name != name:
                raise TrainingError(f"The caption sheet names '{shown(name)}'; name image files without their folder.")
        self._states = [{name: one_line(text) for name, text in captions.items()}]
        self._now = 0

    def __getitem__(self, name: str) -> str:
        """Return the caption of an image."""
        self._check((name,))
        return self._states[self._now][name]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._states[self._now])

    @property
    def names(self) -> tuple[str, ...]:
        """The image file names, in order."""
        return tuple(self._states[self._now])

    @property
    def captions(self) -> dict[str, str]:
        """A copy of all captions by image file name, in order."""
        return dict(self._states[self._now])

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._now > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a step that was taken back."""
        return self._now + 1 < len(self._states)

    def undo(self) -> bool:
        """Take the last step back; False where there is none."""
        if not self.can_undo:
            return False
        self._now -= 1
        return True

    def redo(self) -> bool:
        """Do the step again that was taken back last; False where there is none."""
        if not self.can_redo:
            return False
        self._now += 1
        return True

    def set(self, name: str, text: str) -> int:
        """Give one image this caption. Returns how many captions changed, as every editing method does."""
        return self._edit(lambda _: one_line(text), (name,))

    def update(self, captions: Mapping[str, str]) -> int:
        """Give several images their captions in one step."""
        self._check(captions)
        return self._step({**self.captions, **{name: one_line(text) for name, text in captions.items()}})

    def replace(self, search: str, replacement: str, names: Iterable[str] | None = None) -> int:
        """Replace a text; see :func:`search_replace`."""
        return self._edit(lambda caption: search_replace(caption, search, replacement), names)

    def add_tag(self, tag: str, position: int | None = None, names: Iterable[str] | None = None) -> int:
        """Add a tag; see :func:`add_tag`."""
        return self._edit(lambda caption: add_tag(caption, tag, position), names)

    def remove_tag(self, tag: str, names: Iterable[str] | None = None) -> int:
        """Remove a tag; see :func:`remove_tag`."""
        return self._edit(lambda caption: remove_tag(caption, tag), names)

    def with_tag(self, tag: str, names: Iterable[str] | None = None) -> int:
        """Put the activation tag first; see :func:`with_tag`."""
        return self._edit(lambda caption: with_tag(caption, tag), names)

    def save(self, path: Path) -> None:
        """Write the captions, without the steps, as JSON; whole or not at all. Raises TrainingError."""
        _write(path, json.dumps({_SHEET_KEY: self.captions}, indent=1).encode())

    @classmethod
    def load(cls, path: Path) -> CaptionSheet:
        """Read what :meth:`save` wrote. Raises TrainingError."""
        try:
            captions = json.loads(path.read_bytes())[_SHEET_KEY]
            if not all(isinstance(text, str) for text in captions.values()):
                raise TypeError
        except OSError as error:
            raise TrainingError(
                f"{shown(path)} cannot be read ({error.strerror}); caption the images again."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TrainingError(
                f"{shown(path)} is no caption sheet; remove it and caption the images again."
            ) from error
        return cls(captions)

    def write_texts(self, folder: Path) -> None:
        """Write every caption as ``NAME.txt`` into ``folder``, over any that are there: UTF-8, one line, no line end.

        Raises TrainingError when a file cannot be written, and for two images that would share one file.
        """
        for name, caption in self._texts():
            _write(folder / name, caption)

    def write_beside(self, folder: Path, overwrite: bool = False) -> tuple[str, ...]:
        """Write the captions beside the user's own pictures, and return the names of files left as they were.

        A text file that says something else is left alone, or with ``overwrite`` kept as ``NAME.txt.bak`` first.
        Raises TrainingError as :meth:`write_texts` does.
        """
        left = []
        for name, caption in self._texts():
            path = folder / name
            try:
                present = path.read_bytes() if path.exists() else None
            except OSError as error:
                raise TrainingError(
                    f"{shown(path)} cannot be read ({error.strerror}); give yourself read permission on it."
                ) from error
            if present == caption:
                continue
            if present is not None and not overwrite:
                left.append(name)
                continue
            if present is not None:
                _write(_free_backup(path), present)
            _write(path, caption)
        return tuple(left)

    def _texts(self) -> list[tuple[str, bytes]]:
        """File name and content of every caption."""
        owners: dict[str, str] = {}
        for name in self.names:
            owner = owners.setdefault(text_name(name), name)
            if owner != name:
                raise TrainingError(
                    f"'{shown(owner)}' and '{shown(name)}' would share the caption file '{shown(text_name(name))}'; "
                    "rename one of the images."
                )
        # Half of a surrogate pair, as a page may send it, is no text that a file can hold.
        return [(text, self[name].encode("utf-8", "replace")) for text, name in owners.items()]

    def _edit(self, change: Callable[[str], str], names: Iterable[str] | None) -> int:
        chosen = self.names if names is None else tuple(names)
        self._check(chosen)
        return self._step({**self.captions, **{name: change(self[name]) for name in chosen}})

    def _step(self, after: dict[str, str]) -> int:
        before = self._states[self._now]
        changed = sum(before[name] != after[name] for name in before)
        if changed:
            # Unchanged captions are the same str objects in every state: a thousand steps cost little.
            self._states[self._now + 1 :] = [after]
            self._now += 1
        return changed

    def _check(self, names: Iterable[str]) -> None:
        unknown = next((name for name in names if name not in self._states[self._now]), None)
        if unknown is not None:
            raise TrainingError(f"The caption sheet has no image '{shown(unknown)}'; check the folder again.")


def _single_tag(tag: str) -> str:
    parts = tags(tag)
    if len(parts) != 1:
        raise TrainingError(f"'{shown(tag)}' is not one tag; give a word or a phrase without a comma.")
    return parts[0]


def _free_backup(path: Path) -> Path:
    """``NAME.txt.bak``, or with a number where that is taken: the user's first text is never lost."""
    name = f"{shortened(path.name, _LONGEST_BACKED_UP)}{BACKUP_SUFFIX}"
    backup, number = path.with_name(name), 2
    while backup.exists():
        backup, number = path.with_name(f"{name}{number}"), number + 1
    return backup


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomic(path, data)
    except OSError as error:
        raise TrainingError(
            f"{shown(path)} cannot be written ({error.strerror}); check the folder's space and permissions."
        ) from error
