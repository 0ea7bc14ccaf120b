"""The page without a browser: what is in its components, and its events run by gradio itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Page:
    """One user's page. A component is named by its element id; scripts of the page are given as functions."""

    def __init__(self, demo: Any) -> None:
        self._demo = demo
        self._session: dict[int, Any] = {
            number: block.value for number, block in demo.blocks.items() if getattr(block, "stateful", False)
        }
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

    def set(self, name: str, value: Any) -> None:
        """What a user does to a component; events follow with :meth:`fire`."""
        self._shown[self.of(name)._id]["value"] = value

    def fire(self, name: str, event: str = "click", script: Callable[..., list[Any]] | None = None) -> list[list[Any]]:
        """Run an event of a component, and those that follow it; returns all that it yielded, one list a time.

        ``script`` stands for the event's JavaScript: from the values of the inputs to what is sent.
        """
        block = self.of(name)
        yielded = []
        for number, event_data in enumerate(self._demo.dependencies):
            if block._id in event_data["targets"] and event_data["trigger"] == event:
                yielded += self._run(number, script)
        return yielded

    def _run(self, number: int, script: Callable[..., list[Any]] | None = None) -> list[list[Any]]:
        event = self._demo.dependencies[number]
        yielded: list[list[Any]] = []
        if event["backend_fn"]:
            inputs = [self._value(self._demo.blocks[place]) for place in event["inputs"]]
            assert event["js"] is None or script is not None, f"the event has a script: {event['js']}"
            yielded = asyncio.run(self._answers(number, script(*inputs) if script else inputs))
        for later, follower in enumerate(self._demo.dependencies):
            if follower["trigger_after"] == number:
                yielded += self._run(later)
        return yielded

    async def _answers(self, number: int, inputs: list[Any]) -> list[list[Any]]:
        iterators: dict[int, Any] = {}
        yielded = []
        while True:
            answer = await self._demo.process_api(number, inputs, self._session, iterators=iterators)
            if iterators and not answer["is_generating"]:
                return yielded
            yielded.append(answer["data"])
            for place, data in zip(self._demo.dependencies[number]["outputs"], answer["data"], strict=True):
                self._take(place, data)
            if not answer["is_generating"]:
                return yielded
            iterators[number] = answer["iterator"]

    def _take(self, place: int, data: Any) -> None:
        if isinstance(data, dict) and data.get("__type__") == "update":
            self._shown[place] |= {name: value for name, value in data.items() if name != "__type__"}
        elif place not in self._session:
            self._shown[place]["value"] = data

    def _value(self, block: Any) -> Any:
        return self._shown[block._id].get("value", getattr(block, "value", None))
