"""All texts of the panel, the tab, the section in Settings and the pages: the keys of ``localizations/*.json``.

``python -m tests.webui.texts NAME`` prints what ``localizations/NAME.json`` lacks, as JSON for whoever translates it.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from lib_photoshoot.catalog.report import REASON_TEXT
from lib_photoshoot.settings import FIELDS as SETTINGS
from lib_photoshoot.shoot.shot_list.fields import FIELDS as COLUMNS
from lib_photoshoot.training.recipe import FIELDS as RECIPE
from lib_photoshoot.training.recipe import PRESETS
from lib_photoshoot.webui.hosts.options import OPTIONS
from lib_photoshoot.webui.http.page_files import PAGES
from lib_photoshoot.webui.train.captioning import LABELS
from tests.conftest import ROOT

LOCALIZATIONS = ROOT / "localizations"
LANGUAGE = "photoshoot.language"
"""A catalogue's own tag (BCP 47), by which numbers are written."""
WEBUI = ROOT / "lib_photoshoot" / "webui"
PYTHON = [
    *(path for path in sorted((WEBUI / "interface").glob("*.py")) if path.stem not in ("__init__", "script")),
    WEBUI / "folder" / "progress.py",
]
"""What draws the panel and the tab. What these raise or log are sentences of the server, which stay English."""
SCRIPTS = [*sorted(PAGES.rglob("*.mjs")), ROOT / "javascript" / "photoshoot.js"]

NAMES = {
    *("ControlNet", "GroundingDINO", "LoRA", "BLIP large", "Photoshoot", "txt2img", "auto", "cpu", "inpaint", "Send"),
}
"""Names, values and what nobody sees: never translated."""
EXAMPLES = {
    "my ring", "handbag, shoe, watch = wristwatch | watch dial", "a handbag of red leather",
    "[PRODUCT] on a table of light oak, window light",
}  # fmt: skip
"""Products and prompts: the models understand English."""
_CODE = re.compile(
    r"photoshoot[-_]|^#|^minmax|^(Content-Type|Enter|Escape|Arrow\w+|Files|Inpaint upload|use strict|"
    r"Finished\.)$"
)

_PRESSED = re.compile(r"\[[^\]]*\]\.includes\(key\)")  # names of keys

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_CHAIN = rf"{_STRING}(?:\s*\+\s*{_STRING})*"
_ASKED = re.compile(rf'\b(?:t|translated)\(\s*({_CHAIN})|\bplural\([^"]*?,\s*({_CHAIN}),\s*({_CHAIN})')
_LITERAL = re.compile(rf"^\s*//.*$|({_CHAIN}|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)", re.MULTILINE)
_TEXT = re.compile(r"(?:^|[^\w-])[A-Z][a-z]|[a-z,;:] [a-z]|^[a-z]+: \{|^unreadable$")


@cache
def keys() -> frozenset[str]:
    """Every key that a catalogue needs."""
    found = {LANGUAGE, *declared(), *(text for path in PYTHON for text in drawn(path.read_text(encoding="utf-8")))}
    for path in SCRIPTS:
        found.update(asked(path.read_text(encoding="utf-8"))[0])
    return frozenset(found - NAMES - EXAMPLES)


def declared() -> Iterator[str]:
    """Texts of settings, recipe, columns of a shot list, options and reasons, as they come into the page."""
    for meta in (*SETTINGS.values(), *RECIPE.values()):
        yield from filter(None, (meta.label, meta.help))
    for name in ("on_no_match", "on_match", "enhancement", "colour_hold", "order", "retouch", "cn_mode", "relight"):
        yield from SETTINGS[name].choices
    yield from {meta.group.capitalize() for meta in RECIPE.values()} - {"Result"}  # which has no heading
    yield from (*PRESETS, *LABELS.values(), *REASON_TEXT.values())
    yield from (meta.help for meta in COLUMNS.values())
    for option in OPTIONS.values():
        yield from (option.label, f"({option.help})", *option.choices)  # the host adds the brackets


def drawn(source: str) -> Iterator[str]:
    """Texts that Python code shows, with {0}, {1} in place of an f-string's values."""
    yield from _shown(ast.parse(source))


def _shown(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield from _texts_in(
            "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _texts_in(node.value)
    for child in ast.iter_child_nodes(node):
        inside_text = isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
        if not (inside_text or _is_unseen(child)):
            yield from _shown(child)


def _is_unseen(node: ast.AST) -> bool:
    """A docstring, an annotation, or what is raised for the server's answer or logged."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Raise):
        return not ast.unparse(node).startswith("raise gr.Error")
    return isinstance(node, ast.Call) and bool(re.match(r"_LOG\.|report$", ast.unparse(node.func)))


def _texts_in(value: str) -> Iterator[str]:
    pieces = _pieces(value) if "<" in value else [value]
    for piece in (piece.strip() for piece in pieces):
        bare = piece.replace("{}", "")
        if not _CODE.search(piece) and (_TEXT.search(piece) or ("<" in value and re.search(r"[a-z]{2}", bare))):
            numbers = iter(range(10))
            yield re.sub(r"\{\}", lambda _: f"{{{next(numbers)}}}", piece)  # noqa: B023


def _pieces(html: str) -> list[str]:
    """What stands between tags, and in the attributes that are read out or shown."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in ("alt", "aria-label", "title"))

        def handle_data(self, data: str) -> None:
            found.append(data)

    reader = Reader()
    reader.feed(html)
    reader.close()
    return found


def asked(source: str) -> tuple[set[str], list[str]]:
    """Texts for which a script asks the catalogue, and literals that look like texts for which it does not."""
    spans = [match.span(group) for match in _ASKED.finditer(source) for group in (1, 2, 3) if match[group]]
    rest = source
    for start, end in spans:
        rest = rest[:start] + "_" * (end - start) + rest[end:]
    literals = (found[1][1:-1] for found in _LITERAL.finditer(_PRESSED.sub("", rest)) if found[1])
    texts = (re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "", literal) for literal in literals)
    return {_value(source[start:end]) for start, end in spans}, [
        text for text in texts if _TEXT.search(text) and not _CODE.search(text) and text not in EXAMPLES
    ]


def _value(chain: str) -> str:
    return "".join(json.loads(part) for part in re.findall(_STRING, chain))


def catalogue(name: str) -> dict[str, str]:
    """What ``localizations/NAME.json`` holds."""
    path = LOCALIZATIONS / f"{name}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def main(name: str) -> None:
    there = catalogue(name)
    print(json.dumps({key: "" for key in sorted(keys()) if key not in there}, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]).stem)
