"""Values that are declared once, each with its type, its range and what it is shown as.

A frozen dataclass declares them by :func:`setting` and :func:`number` and calls :func:`check_fields`; widgets,
dictionaries, JSON Schema and sentences for wrong values are made from their :class:`Meta`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, fields
from types import MappingProxyType
from typing import Any, NamedTuple

Values = Mapping[str, Any]
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


class Meta(NamedTuple):
    """How a value is shown and what it may be.

    ``kind`` is bool, int, float or str; with ``many`` it is a tuple of such, which its owner checks. ``lowest`` and
    ``highest`` are those of a number, both included. ``step`` is a widget's; with ``exact`` the number is a multiple
    of it, and a whole one is no 2.0. ``choices`` are the allowed values of a closed list, ``aliases`` other texts that
    are taken for one. ``group`` is the part of a page it stands in, ``axis`` says whether it is an X/Y/Z axis. With
    ``optional`` None is a value too.
    """

    kind: type
    default: Any
    label: str = ""
    group: str = ""
    help: str = ""
    lowest: float = 0
    highest: float = 0
    step: float = 1
    exact: bool = False
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = MappingProxyType({})
    axis: bool = False
    lines: int = 1
    optional: bool = False
    many: bool = False

    @property
    def ranged(self) -> bool:
        """Whether it is a number within a range."""
        return self.kind in (int, float) and not self.choices


def setting(default: Any, label: str = "", group: str = "", help: str = "", **more: Any) -> Any:
    """Return a field of a dataclass; ``more`` are others of :class:`Meta`. Its kind is the default's, unless it is
    said.
    """
    meta = Meta(more.pop("kind", type(default)), default, label, group, help, **more)
    return field(default=default, metadata={"meta": meta})


def number(
    default: float, label: str, group: str, lowest: float, highest: float, step: float, help: str = "", **more: Any
) -> Any:
    """Return a number within a range; see :func:`setting`."""
    return setting(default, label, group, help, lowest=lowest, highest=highest, step=step, **more)


def declared_in(owner: type) -> Mapping[str, Meta]:
    """Return the declared values of a dataclass, by name."""
    return MappingProxyType({item.name: item.metadata["meta"] for item in fields(owner) if "meta" in item.metadata})


def check_fields(owner: Any, called: Callable[[str, Meta], str], error: type[Exception]) -> None:
    """Bring the declared values of a frozen dataclass into their own types; for its ``__post_init__``.

    Raises ``error`` with one sentence, in which a value is ``called`` so.
    """
    for name, meta in declared_in(type(owner)).items():
        object.__setattr__(owner, name, checked(meta, called(name, meta), getattr(owner, name), error))


def checked(meta: Meta, called: str, value: Any, error: type[Exception], written: str | None = None) -> Any:
    """Return the value in its own type. Raises as :func:`check_fields`; ``written`` is the text that it was read
    from.

    >>> threshold = Meta(float, 0.2, lowest=0, highest=1)
    >>> checked(threshold, "The threshold", 1, ValueError)
    1.0
    >>> checked(threshold, "The threshold", 2, ValueError)
    Traceback (most recent call last):
    ValueError: The threshold is 2; give a number from 0 to 1.
    """
    if meta.many or (meta.optional and value is None):
        return value
    if isinstance(value, str):
        value = meta.aliases.get(value, value)
    demand = _demand(meta, value)
    if demand:
        raise error(f"{called} is {value if written is None else written!r}; {demand}.")
    return meta.kind(value) if meta.kind in (int, float) else value


def _demand(meta: Meta, value: Any) -> str:
    """Return what is to be given instead of a wrong value; nothing for a right one."""
    if meta.kind is bool:
        return "" if isinstance(value, bool) else "it is either true or false"
    if meta.kind is str and not isinstance(value, str):
        return "give a text"
    if meta.ranged:
        return _number_demand(meta, value)
    text = value if isinstance(value, str) else str(value)
    return f"choose one of: {', '.join(meta.choices)}" if meta.choices and text not in meta.choices else ""


def _number_demand(meta: Meta, value: Any) -> str:
    # Written so that NaN is refused too; a bool is an int in Python, and no number here.
    kinds = (int,) if meta.exact and meta.kind is int else (int, float)
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    in_range = is_number and meta.lowest <= value <= meta.highest
    step = meta.step if meta.exact else 1
    if in_range and (meta.kind is float or value % step == 0):
        return ""
    what = "a whole number" if meta.kind is int and (meta.exact or in_range) else "a number"
    multiple = f", a multiple of {step:g}," if step > 1 else ""
    return f"give {what}{multiple} from {meta.lowest:.10g} to {meta.highest:.10g}"


def check_names(values: Collection[Any], known: Collection[str], wrong: str, error: type[Exception]) -> None:
    """Raise ``error`` for a name that is none of the ``known``; ``wrong`` begins the sentence, with {} for the name."""
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        raise error(f"{wrong.format(repr(unknown[0]))}; known are: {', '.join(known) or 'none'}.")


def migrated(
    values: Values, migrations: Sequence[Callable[[dict[str, Any]], dict[str, Any]]], what: str, error: type[Exception]
) -> dict[str, Any]:
    """Return a stored dictionary as this program writes it, without its ``version``; one that has none is as new.

    The first of ``migrations`` makes version 2 of version 1, and so on. Raises ``error`` for a version that is newer
    than this program's.
    """
    values, newest = dict(values), len(migrations) + 1
    version = values.pop("version", newest)
    if isinstance(version, bool) or not isinstance(version, int) or version > newest:
        raise error(f"{what} version {version!r}, this extension knows up to {newest}; update the extension.")
    for migrate in migrations[max(version, 1) - 1 :]:
        values = migrate(values)
    return values


def json_schema(metas: Mapping[str, Meta]) -> dict[str, Any]:
    """JSON Schema of an object with these values."""
    properties = {name: _property(meta) for name, meta in metas.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(meta: Meta) -> dict[str, Any]:
    limits = {"minimum": meta.lowest, "maximum": meta.highest} if meta.ranged else {}
    said = {"title": meta.label, "description": meta.help, "enum": list(meta.choices)}
    given = {key: value for key, value in said.items() if value}
    return {"type": _JSON_TYPES[meta.kind], **given, **limits, "default": meta.default}
