"""Which files the page may show."""

from __future__ import annotations

import os
from typing import Any

from gradio import processing_utils

from modules import shared


def register_tmp_file(gradio: Any, filename: str) -> None:
    """Let the page have a file; ``gradio`` is the page."""
    gradio.temp_file_sets[0] = gradio.temp_file_sets[0] | {os.path.abspath(filename)}


def check_tmp_file(gradio: Any, filename: str) -> bool:
    """Whether the page may have a file."""
    return any(filename in files for files in gradio.temp_file_sets)


_MOVE, _SAVE = "async_move_files_to_cache", "save_pil_to_cache"
_originals = {name: getattr(processing_utils, name, None) for name in (_MOVE, _SAVE)}


def install() -> None:
    """Keep gradio 4 from copying the files that the page may have, as their paths say where they lie, and from losing
    of a picture what its own format does.
    """

    async def move(data: Any, block: Any, postprocess: bool = False, **more: Any) -> Any:
        from gradio_client.utils import async_traverse, is_file_obj

        async def moved(file: dict[str, Any]) -> Any:
            path = file["path"].rsplit("?", 1)[0]
            if check_tmp_file(shared.demo, path):
                return {**file, "path": path, "url": f"/file={path}"}
            return await _originals[_MOVE](file, block, postprocess, **more)

        if hasattr(data, "model_dump"):
            data = data.model_dump()
        return await async_traverse(data, moved, is_file_obj)

    def save(picture: Any, cache_dir: str, **_: Any) -> str:
        return _originals[_SAVE](picture, cache_dir, format="png")

    setattr(processing_utils, _MOVE, move)
    setattr(processing_utils, _SAVE, save)


def remove() -> None:
    """Leave gradio as it was."""
    for name, original in _originals.items():
        if original is not None:
            setattr(processing_utils, name, original)
