"""The page without a browser: what is in its components, and its events run by gradio itself, 3 or 4."""

from __future__ import annotations

import asyncio
import base64
import io
import secrets
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image


@cache
def gradio_4() -> bool:
    """Whether gradio is the fourth, or a later one."""
    import gradio

    return int(gradio.__version__.split(".")[0]) >= 4


@dataclass(frozen=True)
class Event:
    """One of the page's events: what it is bound to, its function, its script, and the numbers of its components."""

    number: int
    targets: tuple[tuple[int | None, str], ...]
    function: Callable[..., Any] | None
    script: str | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    after: int | None


def events_of(demo: Any) -> list[Event]:
    """All events of a page."""
    if not gradio_4():
        return [
            Event(
                number, tuple((target, one["trigger"]) for target in one["targets"]), demo.fns[number].fn, one["js"],
                tuple(one["inputs"]), tuple(one["outputs"]), one["trigger_after"],
            )
            for number, one in enumerate(demo.dependencies)
        ]  # fmt: skip
    return [
        Event(
            number, tuple(one.targets), one.fn, one.js, *(tuple(block._id for block in at) for at in _ends(one)),
            one.trigger_after,
        )
        for number, one in demo.fns.items()
    ]  # fmt: skip


def _ends(function: Any) -> tuple[Any, Any]:
    return function.inputs, function.outputs


def uploaded(file: Path) -> dict[str, Any]:
    """What the page sends of a file that was dropped there: gradio 4 has copied it, and takes no others."""
    return _sent(_copied(file) if gradio_4() else file)


def in_gallery(file: Path) -> list[dict[str, Any]]:
    """What the page sends of a gallery with one picture; the page must have been let have the file."""
    return [{"image": _sent(file), "caption": None} if gradio_4() else _sent(file)]


def _copied(file: Path) -> Path:
    from gradio.utils import get_upload_folder

    place = Path(get_upload_folder(), secrets.token_hex(8), file.name)
    place.parent.mkdir(parents=True)
    return Path(shutil.copy(file, place))


def _sent(file: Path) -> dict[str, Any]:
    size = {"orig_name": file.name, "size": file.stat().st_size}
    if gradio_4():
        return {"path": str(file), "meta": {"_type": "gradio.FileData"}, **size}
    return {"name": str(file), "data": None, "is_file": True, **size}


def picture_shown(value: Any) -> Image.Image:
    """The picture of a component from its value as the page has it."""
    if isinstance(value, dict):
        return Image.open(value["path"])
    return Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2])))


class Page:
    """One user's page. A component is named by its element id; scripts of the page are given as functions."""

    def __init__(self, demo: Any) -> None:
        self._demo = demo
        self._events = events_of(demo)
        self._stateful = {number for number, block in demo.blocks.items() if getattr(block, "stateful", False)}
        self._session = _session(demo, self._stateful)
        self._shown: dict[int, dict[str, Any]] = defaultdict(dict)

    def of(self, name: str) -> Any:
        """A component."""
        (found,) = [block for block in self._demo.blocks.values() if block.elem_id == name]
        return found

    def value(self, name: str) -> Any:
        """What is in a component."""
        return self._value(self.of(name))

    def shown(self, name: str, what: str) -> Any:
        """A property of a component as it is now, such as ``visible`` or ``choices``."""
        block = self.of(name)
        return self._shown[block._id].get(what, getattr(block, what, None))

    def choices(self, name: str) -> list[str]:
        """The choices of a component as it is now; gradio 4 has a label for each."""
        return [one[1] if isinstance(one, (tuple, list)) else one for one in self.shown(name, "choices")]

    def set(self, name: str, value: Any) -> None:
        """What a user does to a component; events follow with :meth:`fire`."""
        self._shown[self.of(name)._id]["value"] = value

    def function(self, name: str, event: str = "click") -> Any:
        """The function behind the one event of that kind that a component has."""
        (found,) = [one.function for one in self._bound(name, event)]
        return found

    def fire(self, name: str, event: str = "click", script: Callable[..., list[Any]] | None = None) -> list[list[Any]]:
        """Run an event of a component, and those that follow it; returns all that it yielded, one list a time.

        ``script`` stands for the event's JavaScript: from the values of the inputs to what is sent.
        """
        return [step for one in self._bound(name, event) for step in self._run(one, script)]

    def _bound(self, name: str, event: str) -> list[Event]:
        return [one for one in self._events if (self.of(name)._id, event) in one.targets]

    def _run(self, event: Event, script: Callable[..., list[Any]] | None = None) -> list[list[Any]]:
        yielded: list[list[Any]] = []
        if event.function is not None:
            inputs = [self._value(self._demo.blocks[place]) for place in event.inputs]
            assert event.script is None or script is not None, f"the event has a script: {event.script}"
            yielded = asyncio.run(self._answers(event, script(*inputs) if script else inputs))
        for follower in self._events:
            if follower.after == event.number:
                yielded += self._run(follower)
        return yielded

    async def _answers(self, event: Event, inputs: list[Any]) -> list[list[Any]]:
        iterator: Any = None
        yielded = []
        while True:
            answer = await _processed(self._demo, event.number, inputs, self._session, iterator)
            if iterator is not None and not answer["is_generating"]:
                return yielded
            yielded.append(answer["data"])
            for place, data in zip(event.outputs, answer["data"], strict=True):
                self._take(place, data)
            if not answer["is_generating"]:
                return yielded
            iterator = answer["iterator"]

    def _take(self, place: int, data: Any) -> None:
        if isinstance(data, dict) and data.get("__type__") == "update":
            self._shown[place] |= {name: value for name, value in data.items() if name != "__type__"}
        elif place not in self._stateful:
            self._shown[place]["value"] = data

    def _value(self, block: Any) -> Any:
        return self._shown[block._id].get("value", getattr(block, "value", None))


def _session(demo: Any, stateful: set[int]) -> Any:
    """What gradio keeps for one page."""
    if not gradio_4():
        return {number: demo.blocks[number].value for number in stateful}
    from gradio.state_holder import SessionState

    return SessionState(demo)


async def _processed(demo: Any, number: int, inputs: list[Any], session: Any, iterator: Any) -> dict[str, Any]:
    """Gradio's answer to an event, or the next of one that has begun."""
    if not gradio_4():
        iterators = {} if iterator is None else {number: iterator}
        return await demo.process_api(number, inputs, session, iterators=iterators)
    # Called as from our own code: files need not be uploaded first.
    return await demo.process_api(number, inputs, session, iterator=iterator)
