"""What a written picture page holds, as its script reads it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """A page's text, its head, its items, and the thumbnails of each item's views."""

    text: str
    head: dict[str, Any]
    items: list[dict[str, Any]]
    thumbnails: list[list[bytes]]

    @property
    def words(self) -> str:
        """Everything in the data that people read."""
        return json.dumps([self.head, self.items], ensure_ascii=False)


def items_of(text: str) -> list[dict[str, Any]]:
    """The items in all their elements."""
    return [item for part in re.findall(r'class="items">(.*?)</script>', text, re.DOTALL) for item in json.loads(part)]


def read_page(text: str) -> Page:
    scripts = dict(re.findall(r'<script type="[^"]+" id="([^"]+)">(.*?)</script>', text, re.DOTALL))
    blocks = [scripts[f"thumbnails-{number}"] for number in range(len(scripts) - 1)]
    lines = [[base64.b64decode(one) for one in line.split(" ")] for block in blocks for line in block.split("\n")]
    return Page(text, json.loads(scripts["page"]), items_of(text), lines)
