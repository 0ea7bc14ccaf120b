"""Infotexts, written and read, and pictures of the page."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

from PIL import Image

from modules import images, shared, ui_tempdir


def quote(text: Any) -> Any:
    """As it stands in an infotext."""
    plain = not any(mark in str(text) for mark in ",\n:")
    return text if plain else json.dumps(text, ensure_ascii=False)


def unquote(text: str) -> str:
    """What :func:`quote` was given."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_generation_parameters(x: str, skip_fields: list[str] | None = None) -> dict[str, Any]:
    """The fields of an infotext's last line, and the prompts before it."""
    *lines, last = x.strip().split("\n")
    fields = re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', last)
    prompt, _, negative = "\n".join(lines).partition("\nNegative prompt: ")
    return {"Prompt": prompt, "Negative prompt": negative} | {name: unquote(value) for name, value in fields}


def image_from_url_text(filedata: Any) -> Image.Image | None:
    """A picture of the page: a file that the page may have, or the picture itself in base64."""
    if isinstance(filedata, list):
        filedata = filedata[0] if filedata else None
    if filedata is None:
        return None
    if isinstance(filedata, tuple):  # gradio 4's galleries: a picture and its caption
        return filedata[0]
    if isinstance(filedata, dict):
        assert ui_tempdir.check_tmp_file(shared.demo, filedata["name"]), "outside of allowed directories"
        return images.read(filedata["name"].rsplit("?", 1)[0])
    return images.read(io.BytesIO(base64.b64decode(filedata.removeprefix("data:image/png;base64,"))))
