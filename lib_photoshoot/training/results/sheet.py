"""Compare epochs at a glance: pictures of one prompt and seed, epoch by epoch, as a PNG and as an HTML page."""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.images import read_picture, write_image
from lib_photoshoot.pages.data import Item, page, shows
from lib_photoshoot.pages.html import PER_BLOCK, html_chunks, key_of

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

PAGE_SUFFIX = ".html"

_LARGEST_CELL, _SMALLEST_CELL = 320, 96  # pixels
_PIXELS = 24_000_000  # of all cells together: more is slow to open in viewers
_WIDTH = 2000  # pixels, about
_THUMBNAIL = 768  # pixels, in the page, where they are seen large too
_GAP = 14
_BACKGROUND, _INK, _SOFT, _EMPTY = "#f6f5f2", "#1d1c1a", "#6d6a64", "#e4e1da"


@dataclass(frozen=True)
class _Cell:
    """One picture's place; ``thumbnail`` is a JPEG as base64, empty without a picture."""

    epoch: int
    title: str
    loss: str
    thumbnail: str


def samples(out: Path, name: str) -> dict[int, list[Path | None]]:
    """Return the pictures that sd-scripts painted during a run, by epoch; epoch 0 is before the training.

    ``out`` is the run's output folder, ``name`` its output_name. Each list has one place per prompt, None where a
    picture is missing; of pictures painted twice, as after a resume, the newest counts.
    """
    pattern = re.compile(rf"{re.escape(name)}_e(\d{{6,}})_(\d{{2,}})_(\d{{14}})(?:_-?\d+)?\.png")
    newest: dict[tuple[int, int], tuple[str, Path]] = {}
    try:
        paths = sorted((out / "sample").iterdir())
    except OSError:  # no samples were asked for
        return {}
    for path in paths:
        match = pattern.fullmatch(path.name)
        if match and stays_inside(out, path):
            place = int(match[1]), int(match[2])
            newest[place] = max(newest.get(place, ("", path)), (match[3], path))
    prompts = 1 + max((prompt for _, prompt in newest), default=-1)
    return {
        epoch: [newest[epoch, prompt][1] if (epoch, prompt) in newest else None for prompt in range(prompts)]
        for epoch in sorted({epoch for epoch, _ in newest})
    }


def comparison_sheet(
    samples: Mapping[int, Path | Sequence[Path | None]],
    losses: Mapping[int, float],
    target: Path,
    title: str = "Epochs compared",
    prompts: Sequence[str] = (),
) -> Path:
    """Write the sheet as ``target`` (a ``.png``) and the page with the same pictures beside it, as ``.html``.

    ``samples`` has one picture an epoch, or one per prompt, None where there is none; ``losses`` the average loss by
    epoch; ``prompts`` the texts over the page's rows. A picture that cannot be read leaves its place empty. Returns
    ``target``; raises TrainingError without any readable picture, and when a file cannot be written.
    """
    pictures = {epoch: [of] if isinstance(of, Path) else list(of) for epoch, of in sorted(samples.items())}
    rows = max(map(len, pictures.values()), default=0)
    sheet, cells = _draw(pictures, rows, losses)
    if not any(cell.thumbnail for row in cells for cell in row):
        raise TrainingError(
            "There is no sample picture to compare; train with sample prompts, or paint one picture an epoch."
        )
    pieces = _page(title, [prompts[row] if row < len(prompts) else "" for row in range(rows)], cells)
    try:
        write_image(sheet, target)
        write_atomic(target.with_suffix(PAGE_SUFFIX), pieces)
    except OSError as error:
        raise TrainingError(
            f"The sheet {shown(target)} cannot be written ({error.strerror or error}); check the folder and its space."
        ) from error
    return target


def _draw(
    pictures: Mapping[int, Sequence[Path | None]], rows: int, losses: Mapping[int, float]
) -> tuple[Image.Image, list[list[_Cell]]]:
    """Return the sheet, and its cells by row; each picture is decoded once and none is kept."""
    from PIL import Image, ImageDraw

    side, columns = _grid(len(pictures), rows)
    text = max(11, side // 16)
    height = side + text * 3 + _GAP
    bands = math.ceil(len(pictures) / max(1, columns))
    sheet = Image.new("RGB", (_GAP + columns * (side + _GAP), _GAP + bands * rows * height), _BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), _font(text)
    cells: list[list[_Cell]] = [[] for _ in range(rows)]
    for index, (epoch, paths) in enumerate(pictures.items()):
        band, column = divmod(index, columns)
        for row in range(rows):
            image = _read(paths[row]) if row < len(paths) else None
            cell = _cell(epoch, losses.get(epoch), image)
            cells[row].append(cell)
            corner = _GAP + column * (side + _GAP), _GAP + (band * rows + row) * height
            second = ", ".join(filter(None, [cell.loss, f"prompt {row + 1}" if rows > 1 else ""]))
            _paint(sheet, draw, corner, side, image)
            _write(draw, (corner[0], corner[1] + side + text // 3), font, text, (cell.title, second))
    return sheet, cells


def _grid(epochs: int, rows: int) -> tuple[int, int]:
    """Side of a cell in pixels, and epochs side by side: as even as can be over the lines they need."""
    cells = max(1, epochs * rows)
    side = min(_LARGEST_CELL, max(_SMALLEST_CELL, math.isqrt(_PIXELS // cells)))
    lines = math.ceil(epochs / (_WIDTH // side))
    return side, math.ceil(epochs / max(1, lines))


def _read(path: Path | None) -> Image.Image | None:
    from PIL import Image

    if path is None:
        return None
    try:
        image = Image.fromarray(read_picture(path).srgb)
    except ImageError:
        return None
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return image


def _cell(epoch: int, loss: float | None, image: Image.Image | None) -> _Cell:
    title = f"Epoch {epoch}" if epoch else "Before training"
    return _Cell(epoch, title, "" if loss is None else f"loss {loss:.4f}", _jpeg(image) if image else "")


def _paint(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], side: int, image: Image.Image | None
) -> None:
    left, top = corner
    draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_EMPTY)
    if image is None:
        return
    scale = side / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    sheet.paste(image.resize(size), (left + (side - size[0]) // 2, top + (side - size[1]) // 2))


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    height: int,
    lines: Sequence[str],
) -> None:
    for number, (line, colour) in enumerate(zip(lines, (_INK, _SOFT), strict=True)):
        draw.text((at[0], at[1] + number * round(height * 1.3)), line, fill=colour, font=font)


def _font(height: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(height)
    except TypeError:  # before Pillow 10.1, as in the WebUI, the built-in font has one small size
        pass
    for name in ("DejaVuSans.ttf", "arial.ttf", "Arial.ttf"):
        try:
            return ImageFont.truetype(name, height)
        except OSError:
            continue
    return ImageFont.load_default()


def _jpeg(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _page(title: str, prompts: Sequence[str], cells: Sequence[Sequence[_Cell]]) -> Iterator[bytes]:
    several = len(prompts) > 1
    named = [prompt or f"Prompt {row}" * several for row, prompt in enumerate(prompts, 1)]
    flat = [(prompt, row, cell) for row, (prompt, line) in enumerate(zip(named, cells, strict=True)) for cell in line]
    head = page(
        title,
        heading=title,
        lead="The same prompt and seed with the LoRA as it was after each epoch; the loss is the epoch's average.",
        key=key_of([title, named]),
        per_block=PER_BLOCK,
        shows=shows(("all", "accepted", "rejected")),
        products=[{"name": prompt} for prompt in dict.fromkeys(named)] if several else [],
        noun="prompt",
        columns=max(map(len, cells)),
    )
    items = (_item(number, prompt, row, cell, several) for number, (prompt, row, cell) in enumerate(flat))
    return html_chunks(head, items, (cell.thumbnail for _, _, cell in flat))


def _item(number: int, prompt: str, row: int, cell: _Cell, several: bool) -> Item:
    return {
        "id": number,
        "name": cell.title,
        "detail": cell.loss,
        "label": ", ".join(filter(None, [cell.title, prompt])),
        "link": [str(cell.epoch), str(row + 1)],
        "reference": {"epoch": cell.epoch, "prompt": row + 1} if cell.thumbnail else None,
        "products": [prompt] if several else [],
        "decision": None,
        "filter": None,
        "by_hand": None,
        "why": prompt if cell.thumbnail else f"No picture: {prompt}".removesuffix(": "),
        "scores": [],
        "file": "",
        "thumbnail": f"{cell.epoch}_{row + 1}.jpg" if cell.thumbnail else "",
    }
