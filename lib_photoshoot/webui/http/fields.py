"""The fields of a request, each read with its type; every error is one sentence with an HTTP status."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lib_photoshoot.declared import Meta, check_names, checked
from lib_photoshoot.webui.http.errors import RequestError

_LARGEST = 2**53


class Fields:
    """One request's fields. Raises RequestError for a body that is no object, or holds a field that is not known."""

    def __init__(self, body: Any, known: Sequence[str]) -> None:
        if not isinstance(body, Mapping):
            raise RequestError(f"The request must be an object with {', '.join(known) or 'no fields'}.")
        check_names(body, known, "There is no field called {} here", RequestError)
        self._body = body

    def given(self, name: str) -> bool:
        """Whether the request says anything about it; null says nothing."""
        return self._body.get(name) is not None

    def raw(self, name: str, default: Any = None) -> Any:
        """Return the value as it came, for a reader that checks it itself."""
        return self._body.get(name, default)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; needed unless there is a default."""
        return self._checked(name, str, default)

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of some words."""
        return self._checked(name, str, default, choices=tuple(choices))

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false."""
        return self._checked(name, bool, default)

    def number(self, name: str, lowest: float, highest: float, default: float) -> float:
        """Return a number within a range."""
        return self._checked(name, float, default, lowest=lowest, highest=highest)

    def whole(self, name: str, lowest: int, highest: int, default: int | None = None) -> int:
        """Return a whole number within a range."""
        return self._checked(name, int, default, lowest=lowest, highest=highest)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, None where none is given."""
        if not self.given(name):
            return None
        value = self._body[name]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise RequestError(f"{name!r} is {short(value)}; give a list of texts.")
        return tuple(value)

    def wholes(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers, empty where none is given."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(is_number(item) and item == int(item) for item in value):
            raise RequestError(f"{name!r} is {short(value)}; give a list of whole numbers.")
        return tuple(int(item) for item in value)

    def values(self, name: str) -> Mapping[str, Any]:
        """Return an object, empty where none is given."""
        value = self._value(name, {})
        if not isinstance(value, Mapping):
            raise RequestError(f"{name!r} is {short(value)}; give an object.")
        return value

    def _checked(self, name: str, kind: type, default: Any, **more: Any) -> Any:
        return checked(Meta(kind, default, **more), repr(name), self._value(name, default), RequestError)

    def _value(self, name: str, default: Any) -> Any:
        value = self._body.get(name)
        if value is None:
            value = default
        if value is None:
            raise RequestError(f"The request has no {name!r}; give it.")
        return value


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that a float holds exactly."""
    # A bool is an int in Python and no number here; JSON as Python reads it may hold NaN, infinity and endless digits.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def short(value: Any) -> str:
    """Return the value for a sentence."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
