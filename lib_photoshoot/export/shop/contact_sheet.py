"""Contact sheets as PDF: pages of small pictures with what is to be known of each, and room to sign them off.

By fpdf2, which is pure Python and embeds of each font what is used. The same pictures give the same bytes.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.new_files import write_new
from lib_photoshoot.export.shop.fonts import choose_fonts
from lib_photoshoot.export.shop.tables import ShopPicture
from lib_photoshoot.files import shown
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from fpdf import FPDF

COLUMNS, ROWS = 3, 3
PAGES = 100
"""Of one file; further pages are another's: nobody signs more in one go, and a file stays small enough to be sent."""
_MARGIN, _GAP, _HEAD, _FOOT, _CAPTION = 12.0, 6.0, 13.0, 16.0, 31.0
"""Millimetres; the caption's are of a cell, and are below its picture."""
_SMALL_SIDE = 480
"""Pixels of the longest side of a small picture: 200 an inch."""
_BLACK, _GREY, _PALE, _RED = (0, 0, 0), (95, 95, 95), (205, 205, 205), (160, 20, 20)
_TICK = 3.4


SHEET_ENDING = "-contact-sheet"
_SHEET = re.compile(re.escape(SHEET_ENDING) + r"(-\d+)?\.pdf$")


@dataclass(frozen=True)
class WrittenSheet:
    """A file of contact sheets, and whether it lay there already."""

    path: Path
    pages: int
    was_there: bool


def is_contact_sheet(path: Path) -> bool:
    """Whether a file is called as contact sheets are, which lie among the pictures and are none."""
    return _SHEET.search(path.name) is not None


def check_pdf() -> None:
    """Raise ExportError where the package that writes PDF is not installed."""
    try:
        import fpdf  # noqa: F401
    except ImportError as error:
        raise ExportError(
            "Contact sheets need the package fpdf2, which is not installed; run: "
            f'{sys.executable} -m pip install "fpdf2>=2.8.6,<3"'
        ) from error


def write_contact_sheets(
    path: Path,
    pictures: Sequence[ShopPicture],
    title: str,
    paper: str = "a4",
    fonts: Sequence[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
    folders: Sequence[Path] | None = None,
) -> list[WrittenSheet]:
    """Write the sheets of all ``pictures``, in files of at most ``PAGES`` pages; the second is ``NAME-2.pdf``.

    ``paper`` is a4 or letter; ``fonts`` go before those found in the system's ``folders``. Characters that no font has
    are written as their numbers, and ``tell`` hears of it. Raises ExportError without fpdf2, for a font that is none,
    for a picture that cannot be read, and as :func:`write_new` does.
    """
    check_pdf()
    texts = {sign for picture in pictures for text in _texts(picture) for sign in text} | set(title)
    chosen = choose_fonts(texts | set(_FIXED), fonts, folders)
    # Every reader of PDF has letters of its own, Western ones alone.
    lacking = chosen.lacking if chosen.files else frozenset(sign for sign in texts if ord(sign) > 255)
    if lacking:
        signs = "".join(sorted(lacking))[:20]
        tell(
            f"No font here has the characters {signs}: the contact sheet has their numbers instead. Install a font "
            "that has them, such as one of the Noto family, or name one with --font FILE."
        )
    per_file = PAGES * COLUMNS * ROWS
    parts = [pictures[start : start + per_file] for start in range(0, len(pictures), per_file)]
    written = []
    for number, part in enumerate(parts, 1):
        name = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        heading = f"{title} ({number} of {len(parts)})" if len(parts) > 1 else title
        data = _Sheets(paper, chosen.files, lacking).drawn(part, heading)
        written.append(WrittenSheet(name, -(-len(part) // (COLUMNS * ROWS)), not write_new(name, data)))
    return written


_FIXED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz×·…\\/.,:;()-_ "


def _texts(picture: ShopPicture) -> tuple[str, ...]:
    return (shown(picture.file), picture.sku, picture.title, picture.product, *picture.checks)


class _Sheets:
    """One file in the making."""

    def __init__(self, paper: str, fonts: Sequence[Path], lacking: frozenset[str]) -> None:
        from fpdf import FPDF

        self.pdf: FPDF = FPDF(orientation="portrait", unit="mm", format=paper)
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self.family = "helvetica"
        self._lacking = lacking
        for number, path in enumerate(fonts):
            self.pdf.add_font(f"font{number}", fname=path)
        if fonts:
            self.family = "font0"
            self.pdf.set_fallback_fonts([f"font{number}" for number in range(1, len(fonts))])
            # Arabic and Indic letters are joined where the package that knows how is installed.
            with suppress(Exception):
                self.pdf.set_text_shaping(True)
        self.width = (self.pdf.w - 2 * _MARGIN - (COLUMNS - 1) * _GAP) / COLUMNS
        self.height = (self.pdf.h - 2 * _MARGIN - _HEAD - _FOOT) / ROWS

    def drawn(self, pictures: Sequence[ShopPicture], title: str) -> bytes:
        """Return the file's bytes."""
        self.pdf.set_title(title)
        self.pdf.set_producer("product-photoshoot")
        self.pdf.set_creation_date(_latest(pictures))
        pages = list(_chunks(pictures, COLUMNS * ROWS))
        for number, page in enumerate(pages, 1):
            self.pdf.add_page()
            self._frame(title, counted(len(pictures), "picture"), f"page {number} of {len(pages)}")
            for place, picture in enumerate(page):
                left = _MARGIN + place % COLUMNS * (self.width + _GAP)
                self._cell(left, _MARGIN + _HEAD + place // COLUMNS * self.height, picture)
        return bytes(self.pdf.output())

    def _frame(self, title: str, count: str, page: str) -> None:
        """Head and foot of a page."""
        across = self.pdf.w - 2 * _MARGIN
        self._text(_MARGIN, _MARGIN, across - 60, title, 13)
        self._text(_MARGIN + across - 60, _MARGIN + 1, 60, f"{count}, {page}", 8, _GREY, "R")
        self._line(_MARGIN, _MARGIN + 8, _MARGIN + across, _PALE)
        base = self.pdf.h - _MARGIN - 2
        for left, width, label in ((0.0, 0.4, "Name"), (0.42, 0.3, "Signature"), (0.74, 0.26, "Date")):
            self._line(_MARGIN + left * across, base - 3, _MARGIN + (left + width) * across, _BLACK)
            self._text(_MARGIN + left * across, base - 2.4, width * across, label, 7, _GREY)

    def _cell(self, left: float, top: float, picture: ShopPicture) -> None:
        """One picture with its caption and its boxes."""
        room = self.height - _CAPTION - 3
        self.pdf.set_draw_color(*_PALE)
        self.pdf.set_line_width(0.2)
        self.pdf.rect(left, top, self.width, room)
        data, width, height = _small(picture.path)
        scale = min((self.width - 2) / width, (room - 2) / height)
        across, down = width * scale, height * scale
        self.pdf.image(io.BytesIO(data), left + (self.width - across) / 2, top + (room - down) / 2, across, down)
        line, end = top + room + 1.2, top + self.height - 6.5
        for text, size, colour, most in _caption(picture):
            for piece in self._wrapped(text, size, self.width, min(most, int((end - line) / (size * 0.42)))):
                self._text(left, line, self.width, piece, size, colour)
                line += size * 0.42
        self._boxes(left, top + self.height - 6)

    def _boxes(self, left: float, top: float) -> None:
        for place, label in ((0.0, "yes"), (14.0, "no")):
            self.pdf.set_draw_color(*_BLACK)
            self.pdf.set_line_width(0.25)
            self.pdf.rect(left + place, top, _TICK, _TICK)
            self._text(left + place + _TICK + 1.2, top, 10, label, 8)
        self._line(left + 27, top + _TICK, left + self.width, _PALE)

    def _text(
        self, left: float, top: float, width: float, text: str, size: float, colour: Any = _BLACK, align: str = "L"
    ) -> None:
        self.pdf.set_font(self.family, size=size)
        self.pdf.set_text_color(*colour)
        self.pdf.set_xy(left, top)
        fitting = next(iter(self._wrapped(text, size, width, 1)), "")
        self.pdf.cell(width, size * 0.42, fitting, align=align)

    def _line(self, left: float, top: float, right: float, colour: Any) -> None:
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(0.2)
        self.pdf.line(left, top, right, top)

    def _wrapped(self, text: str, size: float, width: float, most: int) -> Iterator[str]:
        """Yield the text in at most so many lines, broken where it must be; the last one ends with … if more follows.

        By characters, since file names have no blanks, and many scripts have none.
        """
        self.pdf.set_font(self.family, size=size)
        rest = self._drawable(text)
        for number in range(1, most + 1):
            if not rest:
                return
            if self.pdf.get_string_width(rest) <= width:
                yield rest
                return
            more = "..." if self.family == "helvetica" else "…"
            ending = more if number == most else ""
            count = self._fitting(rest, width - self.pdf.get_string_width(ending))
            blank = rest.rfind(" ", count // 2, count + 1)
            cut = blank if blank > 0 and not ending else count
            yield rest[:cut].rstrip() + ending
            rest = rest[cut:].lstrip()

    def _fitting(self, text: str, width: float) -> int:
        """How many of the text's first characters fit, at least one."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.pdf.get_string_width(text[:middle]) <= width else (low, middle - 1)
        return low

    def _drawable(self, text: str) -> str:
        """Return the text with the numbers of the characters that cannot be drawn."""
        return "".join(c.encode("unicode_escape").decode() if c in self._lacking else c for c in shown(text))


def _caption(picture: ShopPicture) -> Iterator[tuple[str, float, Any, int]]:
    """Yield the lines below a picture: text, size, colour, and how many lines it may take."""
    yield picture.file.as_posix(), 8, _BLACK, 2
    named = [f"SKU {picture.sku}"] if picture.sku else []
    words = dict.fromkeys(word for word in (picture.title, picture.product) if word)
    if named or words:
        yield " · ".join((*named, *words)), 8, _BLACK, 2
    yield f"{picture.width} × {picture.height} · {picture.bytes / 1000:,.0f} kB · {picture.source}", 7, _GREY, 1
    if picture.checks:
        yield "; ".join(picture.checks), 7, _RED, 4
    else:
        yield "keeps all measured rules", 7, _GREY, 1


def _small(path: Path) -> tuple[bytes, int, int]:
    """Return a small copy as JPEG, with its width and height; what is transparent is grey. Raises ExportError."""
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (_SMALL_SIDE, _SMALL_SIDE))
            opened.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.LANCZOS)
            image: Image.Image = opened
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                above = image.convert("RGBA")
                image = Image.new("RGBA", above.size, (225, 225, 225, 255))
                image.alpha_composite(above)
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, "JPEG", quality=85)
            return buffer.getvalue(), image.width, image.height
    except OSError as error:
        raise ExportError(f"{shown(path)} cannot be put on a contact sheet ({error}); export it again.") from error


def _latest(pictures: Sequence[ShopPicture]) -> datetime:
    """When the newest of the pictures was written: a sheet of the same pictures is the same file."""
    return datetime.fromtimestamp(max(int(picture.path.stat().st_mtime) for picture in pictures), timezone.utc)


def _chunks(pictures: Sequence[ShopPicture], size: int) -> Iterator[Sequence[ShopPicture]]:
    for start in range(0, len(pictures), size):
        yield pictures[start : start + size]
