"""Rows out of YAML, which may come from anybody: plain values only, no aliases, and no tag that makes objects.

The parser gives the file's nodes, whose number is bounded by its size; values are made of them here, so that nothing
is built that the file's few bytes only stand for.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lib_photoshoot.shoot.shot_list.rows import Row, RowError, raise_all, wrong_names

_DEEPEST = 20
_LONGEST_NUMBER = 400
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = ("str", "timestamp", "value", "merge")
"""What YAML would make dates and more of is text here, unless it is tagged so."""
YAML_BREAKS = "\x85\u2028\u2029"
"""At these YAML 1.1 breaks lines, as nothing else does."""
_SEPARATORS = YAML_BREAKS + "\x0b\x0c\x1c\x1d\x1e"
"""In a cell they are text; the others YAML does not allow at all."""
_SHAPE = "write a list of products, or 'defaults' and 'products'."


def yaml_rows(text: str) -> Iterator[Row]:
    """Yield the raw rows of a list in YAML. Raises RowError for a text that is no list at all."""
    import yaml

    stand_ins = _stand_ins(text)
    # The parser in C, where PyYAML has it, is ten times faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text.translate(stand_ins))
    try:
        with uncollected():
            # No name holds the nodes, which are many more than the rows, while the rows are used.
            marks = {value: key for key, value in stand_ins.items()}
            rows = list(_Reader(loader, marks).rows(loader.get_single_node()))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "it is damaged"
        raise RowError(mark.line + 1 if mark else 1, f"the file is not YAML ({what}).") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = " ".join(str(error).split()) or "it is nested too deeply"
        raise RowError(1, f"the file is not YAML ({what}).") from error
    finally:
        with suppress(AttributeError):
            loader.dispose()
    yield from rows


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's search for garbage, which would look through all parts of a long list again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _stand_ins(text: str) -> dict[int, int]:
    """For each unusual separator in the text a character of private use that is not in it."""
    found = [mark for mark in _SEPARATORS if mark in text]
    free = (code for code in range(0xE000, 0xF8FF) if not found or chr(code) not in text)
    return {ord(mark): code for mark, code in zip(found, free, strict=False)}


class _Reader:
    """Makes rows of one file's nodes; ``marks`` gives stand-ins their separators back."""

    def __init__(self, loader: Any, marks: dict[int, int]) -> None:
        self._loader, self._marks = loader, marks
        self._seen: set[int] = set()

    def rows(self, root: Any) -> Iterator[Row]:
        """Yield the rows below the document's node, None for an empty one."""
        defaults, items = self._parts(root)
        shared = self._row(defaults) if defaults is not None else Row({}, 1)
        for item in items:
            try:
                row = self._row(item)
            except RowError as error:
                yield Row({}, error.line, fault=error)
                continue
            yield Row({**shared.values, **row.values}, row.line, {**shared.lines, **row.lines})

    def _parts(self, root: Any) -> tuple[Any, list[Any]]:
        """Return the node of the values for all products or None, and those of the products."""
        if root is None:
            return None, []
        if root.id == "sequence":
            return None, root.value
        if root.id != "mapping":
            raise RowError(root.start_mark.line + 1, f"there is no list; {_SHAPE}")
        parts = {}
        for key, value in root.value:
            if key.value not in ("defaults", "products"):
                raise RowError(key.start_mark.line + 1, f"there is no part called {key.value!r}; {_SHAPE}")
            parts[key.value] = value
        items = parts.get("products")
        if items is None or items.id != "sequence":
            raise RowError(root.start_mark.line + 1, f"there is no list 'products'; {_SHAPE}")
        return parts.get("defaults"), items.value

    def _row(self, node: Any) -> Row:
        line = node.start_mark.line + 1
        if node.id != "mapping":
            raise RowError(line, "there is no product with fields; write name: and count: and so on.")
        lines = [(str(key.value), key.start_mark.line + 1) for key, _ in node.value]
        raise_all(wrong_names(lines))
        return Row(self._value(node), line, dict(lines))

    def _value(self, node: Any, depth: int = 0) -> Any:
        # Two places that are one node: an alias, with which a few bytes stand for billions of values.
        if id(node) in self._seen:
            raise _wrong(node, "an alias (*name) stands for it elsewhere; write the value out in each place.")
        self._seen.add(id(node))
        if node.id == "scalar":
            return self._scalar(node)
        if depth > _DEEPEST:
            raise _wrong(node, "it is nested too deeply; a list needs no more than a few levels.")
        if node.tag == f"{_TAG}seq" and node.id == "sequence":
            return [self._value(item, depth + 1) for item in node.value]
        if node.tag == f"{_TAG}map" and node.id == "mapping":
            return {self._key(key): self._value(value, depth + 1) for key, value in node.value}
        raise _odd_tag(node)

    def _key(self, node: Any) -> str:
        if node.id != "scalar":
            raise _wrong(node, "the name of a value is a list or has values itself; write a plain name.")
        return self._text(node)

    def _text(self, node: Any) -> str:
        return node.value.translate(self._marks)

    def _scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return self._text(node)
        # An explicit tag is one that the text alone would not have.
        if kind in _TEXT_TAGS and self._loader.resolve(type(node), node.value, (True, False)) == node.tag:
            return self._text(node)
        if kind not in ("null", "bool", "int", "float"):
            raise _odd_tag(node)
        if kind == "int" and ":" in node.value:  # 12:30 is no number but in YAML 1.1
            return self._text(node)
        try:
            if len(node.value) > _LONGEST_NUMBER:
                raise ValueError(len(node.value))
            return self._loader.construct_object(node)
        except (ValueError, LookupError) as error:
            raise _wrong(node, f"{node.value[:40]!r} cannot be read as !!{kind}; write a plain value.") from error


def _odd_tag(node: Any) -> RowError:
    tag = node.tag.replace(_TAG, "!!")
    return _wrong(node, f"values tagged {tag[:60]} are not read; write a plain text, number, list or name with value.")


def _wrong(node: Any, text: str) -> RowError:
    mark = node.start_mark
    return RowError(mark.line + 1, f"column {mark.column + 1}: {text}")
