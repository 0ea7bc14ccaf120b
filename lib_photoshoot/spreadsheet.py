"""Tables that spreadsheets write: their text, their rows, and cells that must not become a formula in one."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib_photoshoot.wording import counted

_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
MOST_TOLD = 10
"""Mistakes of one file that are told one by one."""
_DELIMITERS = ",;\t"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How the files of spreadsheets begin: xlsx and ods, and xls."""


class TextFileError(Exception):
    """Why a file gives no text, as a sentence's second half ("is empty; ...")."""


class RowFault(Exception):
    """What is wrong with a row of a CSV text: a sentence without file and line, and the ``line``."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line, self.text = line, text


def read_text(path: Path, most_megabytes: int) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with its mark, as spreadsheets save "Unicode text".

    Lines end with ``\\n``. Raises TextFileError.
    """
    try:
        with open(path, "rb") as file:
            data = file.read((most_megabytes << 20) + 1)
    except OSError as error:
        raise TextFileError(f"cannot be read ({error.strerror or error}); check the path.") from error
    if len(data) > most_megabytes << 20:
        raise TextFileError(f"is larger than {most_megabytes} MB; check that it is the right file.")
    return _decoded(data).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    if data.startswith(_WORKBOOKS):
        raise TextFileError("is a spreadsheet's own file; save it there as CSV (UTF-8), and give that one.")
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # binary, or an encoding that is not marked
        raise TextFileError("is not UTF-8 text; save it as UTF-8.")
    return text


def delimiter_of(text: str) -> str:
    """Which sign is between the cells of a CSV text, by its first line."""
    # Spreadsheets of many countries write semicolons, and call the file CSV all the same.
    first = text.lstrip(" \r\n").partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV text but for blank ones, each with the line where it begins. Raises RowFault.

    >>> list(csv_rows("name;count\\n\\ncup;3\\n"))
    [(1, ['name', 'count']), (3, ['cup', '3'])]
    """
    # Lines end as files' lines do, and not at the other characters at which str.splitlines() breaks them.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    line = 1
    try:
        for cells in reader:
            begin, line = line, reader.line_num + 1
            if any(cell.strip() for cell in cells):
                yield begin, cells
    except csv.Error as error:
        raise RowFault(line, "the row cannot be read; check its quotes.") from error


def wrong_width(cells: Sequence[str], columns: Sequence[str], text: str) -> str:
    """Return the sentence for a row of a CSV text whose cells are not as many as its columns."""
    sign = delimiter_of(text)
    return f"there are {len(cells)} cells for {len(columns)} columns; put texts with a {sign!r} in quotes."


def mistakes_told(name: str, mistakes: Sequence[tuple[int, str]]) -> str:
    """Return a line of text for each mistake in the file ``name``, with its line there; past ``MOST_TOLD`` a count."""
    told = [f"{name}, line {line}: {text}" for line, text in mistakes[:MOST_TOLD]]
    if (rest := len(mistakes) - MOST_TOLD) > 0:
        told.append(f"… and {counted(rest, 'more mistake')} there; correct these first.")
    return "\n".join(told)


def unpadded(cells: Sequence[str]) -> Sequence[str]:
    """Return the cells without the empty ones that spreadsheets write behind a row."""
    used = [number for number, cell in enumerate(cells, 1) if cell.strip()]
    return cells[: max(used, default=0)]


def columns_of(header: Sequence[str], needed: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the names of a table's columns, of its first row, in small letters. Raises RowFault."""
    names = [cell.strip().lower() for cell in unpadded(header)]
    lacking = [name for name in needed if name not in names]
    wrong = [name for name in names if name not in known or names.count(name) > 1]
    if not names:
        what = "is empty"
    elif lacking:
        what = f"lacks the column {lacking[0]}"
    elif wrong:
        what = f"has the {'unknown column' if wrong[0] not in known else 'column twice'}: {wrong[0][:60]!r}"
    else:
        return names
    raise RowFault(1, f"The table {what}; its columns are {', '.join(known)}.")


def formula_safe(text: str) -> str:
    """Return the text with an apostrophe before it where a spreadsheet would run it as a formula.

    >>> formula_safe("=1+1"), formula_safe("-3.5"), formula_safe("cup"), formula_undone("'=1+1")
    ("'=1+1", '-3.5', 'cup', '=1+1')
    """
    return f"'{text}" if text.startswith(_SIGNS) and not _NUMBER.fullmatch(text) else text


def formula_undone(text: str) -> str:
    """Return what :func:`formula_safe` was given."""
    return text[1:] if text.startswith("'") and formula_safe(text[1:]) == text else text
