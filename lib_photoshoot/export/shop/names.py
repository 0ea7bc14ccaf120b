"""Names of exported files by a pattern, such as ``{sku}_{product}_{n}``; all are known before a file is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import FORMATS
from lib_photoshoot.file_names import FORBIDDEN, LONGEST, no_device, portable, same_name, shortened

FIELDS: Mapping[str, str] = {
    "sku": "the table's SKU",
    "product": "the product's word",
    "stem": "the cut-out's own name",
    "channel": "the profile's name",
    "n": "1, 2, … where names would be the same otherwise; {n:02} is 01, 02, …",
}
"""What may stand in braces, and what it means."""
_SUFFIXES = re.compile(r"\.(jpe?g|png|webp|tiff?)$", re.IGNORECASE)
_ALIASES = {".jpeg": ".jpg", ".tiff": ".tif"}
_DIGITS = re.compile(r"0[1-9]|")
_ROOM = 12
"""Bytes kept free for the suffix, and for a number that somebody puts behind a name."""


@dataclass(frozen=True)
class NamePattern:
    """A checked pattern: texts with the field that follows each ("" behind the last), and how ``n`` is written."""

    text: str
    parts: tuple[tuple[str, str], ...]
    digits: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it uses."""
        return tuple(field for _, field in self.parts if field)

    def names(self, pictures: Sequence[Mapping[str, str]]) -> list[str]:
        """Return a name without suffix for each picture, which has a value for each field but ``n``.

        Raises ExportError where two would get one name, or a value has nothing that a name may hold.
        """
        counts: Counter[str] = Counter()
        names = []
        for values in pictures:
            fields = {field: self._value(field, values) for field in self.fields if field != "n"}
            alike = same_name("\0".join(fields.values()))
            counts[alike] += 1
            names.append(self._filled({**fields, "n": format(counts[alike], self.digits)}))
        self._check_unique(names, pictures)
        return names

    def _value(self, field: str, values: Mapping[str, str]) -> str:
        value = portable(values[field])
        if value:
            return value
        what = f"is {values[field]!r}, which no file name can hold" if values[field] else "is not known"
        raise ExportError(
            f"The name pattern {self.text!r} uses {{{field}}}, which {what} for {values['stem']}; leave the field out, "
            "or correct the value."
        )

    def _filled(self, values: Mapping[str, str]) -> str:
        name = "".join(text + values.get(field, "") for text, field in self.parts)
        return shortened(no_device(name.rstrip(". ")), LONGEST - _ROOM)

    def _check_unique(self, names: Iterable[str], pictures: Iterable[Mapping[str, str]]) -> None:
        first: dict[str, Mapping[str, str]] = {}
        for name, values in zip(names, pictures, strict=True):
            other = first.setdefault(same_name(name), values)
            if other is not values:
                more = "{stem}" if "n" in self.fields else "{n} or {stem}"
                raise ExportError(
                    f"The name pattern {self.text!r} gives {other['stem']} and {values['stem']} one name, {name}; add "
                    f"{more} to it."
                )


def parse_pattern(text: str, format_: str) -> NamePattern:
    """Read a pattern for files of one of Pillow's formats, whose suffix it may have. Raises ExportError."""
    suffix = _SUFFIXES.search(text)
    written = suffix.group().lower() if suffix else ""
    if suffix and _ALIASES.get(written, written) != FORMATS[format_]:
        raise ExportError(
            f"The name pattern {text!r} ends with {suffix.group()}, and the profile's files are {format_}; leave the "
            "suffix out."
        )
    body = text[: suffix.start()] if suffix else text
    try:
        parsed = list(Formatter().parse(body))
    except ValueError as error:
        raise ExportError(f"The name pattern {text!r} has an open brace; write a field as {{sku}}.") from error
    digits = ""
    for _, field, spec, conversion in parsed:
        if field is None:
            continue
        if field not in FIELDS or conversion or (spec and field != "n") or not _DIGITS.fullmatch(spec or ""):
            wrong = field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            raise ExportError(
                f"The name pattern {text!r} has the unknown field {{{wrong}}}; known are "
                f"{', '.join(f'{{{name}}}' for name in FIELDS)}, and {{n:02}}."
            )
        digits = spec or digits
    pattern = NamePattern(text, tuple((literal, field or "") for literal, field, _, _ in parsed), digits)
    _check_text(pattern)
    return pattern


def _check_text(pattern: NamePattern) -> None:
    written = "".join(text for text, _ in pattern.parts)
    wrong = next((sign for sign in written if sign in FORBIDDEN or not sign.isprintable()), None)
    if wrong is not None:
        raise ExportError(
            f"The name pattern {pattern.text!r} has {wrong!r}, which a file's name cannot hold; it names files, not "
            "folders, which --out does."
        )
    if not pattern.fields or written.startswith((".", " ")):
        raise ExportError(
            f"The name pattern {pattern.text!r} {'begins with a dot or blank' if pattern.fields else 'has no field'}; "
            "write it like {sku}_{n}."
        )
