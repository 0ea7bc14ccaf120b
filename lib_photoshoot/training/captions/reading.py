"""The caption that the trainer would read for a picture, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lib_photoshoot.files import shown
from lib_photoshoot.training.captions.files import SUFFIXES, metadata_file, read_metadata
from lib_photoshoot.training.captions.sheet import decode, first_line, lines, tags, text_name
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, note, problem
from lib_photoshoot.wording import counted

_ENCODING_NAMES = {"utf-16": "UTF-16", "cp1252": "Windows-1252 (cp1252)"}


def read_folder_metadata(files: Sequence[Path], stems: set[str]) -> tuple[dict[str, str], list[Finding]]:
    """Captions by stem from the folder's metadata, and what there is to say about it."""
    path = metadata_file(files)
    if path is None:
        return {}, []
    try:
        captions = read_metadata(path)
    except ValueError as error:
        sentence = f"{shown(path.name)} is not read as captions ({error}); write the captions as texts instead."
        return {}, [problem(FindingKind.METADATA_UNREADABLE, path, sentence)]
    used = len(stems & captions.keys())
    pictures = counted(used, "picture")
    sentence = f"{shown(path.name)} has captions of {pictures} here; a text beside a picture goes before them."
    return captions, [note(FindingKind.METADATA, path, sentence)]


def read_caption(path: Path, text: Path | str | None, tag: str) -> tuple[str | None, list[Finding]]:
    """Return the caption that the trainer would read, None without one, and what is wrong with it.

    ``text`` is its file, or what the metadata say.
    """
    name = shown(path.name)
    if isinstance(text, str):
        return text, _tag_findings(path, f"The caption of {name}", text, tag)
    if text is None:
        return None, [
            problem(
                FindingKind.CAPTION_MISSING,
                path,
                f"{name} has no caption; write {shown(text_name(path.name))} or let the pictures be captioned.",
            )
        ]
    try:
        data = text.read_bytes()
    except OSError as error:
        sentence = f"{shown(text.name)} cannot be read ({error.strerror}); give yourself read permission on it."
        return None, [problem(FindingKind.CAPTION_UNREADABLE, path, sentence)]
    content, encoding = decode(data)
    findings = _encoding_findings(path, text, encoding)
    caption = first_line(content)
    if not caption:
        rest = "begins with an empty line, and only the first line counts" if content.strip() else "is empty"
        sentence = f"{shown(text.name)} {rest}; write what {name} shows into its first line."
        return "", [*findings, problem(FindingKind.CAPTION_EMPTY, path, sentence)]
    if any(line.strip() for line in lines(content)[1:]):
        sentence = f"{shown(text.name)} has several lines, and only the first is used; put everything into one line."
        findings.append(note(FindingKind.CAPTION_LINES, path, sentence))
    return caption, findings + _tag_findings(path, shown(text.name), caption, tag) + _other_text(path, text, caption)


def _other_text(path: Path, text: Path, caption: str) -> list[Finding]:
    """Return a note where a second text, with kohya's other ending, says something else."""
    other = text.with_suffix(SUFFIXES[-1])
    # os.path's says no of a name that is too long, where pathlib's ends in an error.
    if text.suffix.lower() != SUFFIXES[0] or not os.path.isfile(other):
        return []
    try:
        if first_line(decode(other.read_bytes())[0]) == caption:
            return []
    except OSError:
        pass
    sentence = f"{shown(text.name)} and {shown(other.name)} say different things, and the first is used; remove one."
    return [note(FindingKind.CAPTION_TWO_FILES, path, sentence)]


def edited_findings(picture: Path, caption: str, tag: str) -> list[Finding]:
    """Return what is wrong with a picture's caption that stands in no file."""
    name = f"The caption of {shown(picture.name)}"
    if not caption.strip():
        return [problem(FindingKind.CAPTION_EMPTY, picture, f"{name} is empty; write what the picture shows.")]
    return _tag_findings(picture, name, caption, tag)


def _encoding_findings(path: Path, text: Path, encoding: str) -> list[Finding]:
    name = shown(text.name)
    if encoding == "utf-8":
        return []
    if encoding == "utf-8-sig":
        sentence = f"{name} starts with a byte order mark, which was left out; save it as UTF-8 without one."
        return [note(FindingKind.CAPTION_ENCODING, path, sentence)]
    sentence = f"{name} is not UTF-8 but perhaps {_ENCODING_NAMES[encoding]}; check its letters, save it as UTF-8."
    return [problem(FindingKind.CAPTION_ENCODING, path, sentence)]


def _tag_findings(path: Path, name: str, caption: str, tag: str) -> list[Finding]:
    """``name`` is what the caption is called in the sentences."""
    found = tags(caption)
    if not tag or (found[:1] == [tag] and found.count(tag) == 1):
        return []
    if tag not in found:
        sentence = f"{name} does not hold the activation tag '{tag}'; put it first, or let it be added to all captions."
        return [problem(FindingKind.TAG_MISSING, path, sentence)]
    findings = []
    if found[0] != tag:
        sentence = f"{name} has the activation tag '{tag}' behind other words; put it first, where it is kept."
        findings.append(problem(FindingKind.TAG_NOT_FIRST, path, sentence))
    if found.count(tag) > 1:
        sentence = f"{name} has the activation tag '{tag}' {found.count(tag)} times; leave it once, at the beginning."
        findings.append(note(FindingKind.TAG_TWICE, path, sentence))
    return findings
