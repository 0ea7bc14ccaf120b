"""What the docs and the comments point at is there, and what stands in two places is the same in both."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lib_photoshoot
from tests.conftest import ROOT

FOLDERS = (
    *(
        ".ci",
        "benchmarks",
        "docs",
        "javascript",
        "lib_photoshoot",
        "localizations",
        "requirements",
        "samples",
        "scripts",
    ),
    "tests",
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README_LINES = 120
# Files of other programs, and names that stand for any.
FOREIGN = re.compile(r"^(library|finetune)/|^make_captions\.py$|\b([A-Z]{4,}|fr_FR)\.(json|toml)$")
_FILE = re.compile(r"(?<![\w./*{-])[\w.-]+(?:/[\w.-]+)*\.(?:css|j2|js|md|mjs|py|toml)(?![\w/*}-])")
_PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*")


@cache
def files() -> frozenset[str]:
    """The program's files, as paths below its folder."""
    inside = (path for name in FOLDERS for path in (ROOT / name).rglob("*"))
    every = [*inside, *ROOT.glob("*.*")]
    return frozenset(
        path.relative_to(ROOT).as_posix() for path in every if path.is_file() and "__pycache__" not in path.parts
    )


@cache
def is_there(name: str) -> bool:
    """Whether a file's path, whole or from some folder on, is one of ours."""
    name = name.removeprefix("../")
    return name in files() or any(path.endswith(f"/{name}") for path in files())


def gone(text: str) -> list[str]:
    """The names of files in a text that none of ours has."""
    return [name for name in _FILE.findall(text) if not is_there(name) and not FOREIGN.search(name)]


def anchors(page: Path) -> set[str]:
    """The places of a page that a link may name, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def remarks(path: Path) -> Iterator[str]:
    """A source file's comments and docstrings."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        yield from re.findall(r"^\s*//[^\n]*|/\*.*?\*/", text, re.MULTILINE | re.DOTALL)
        return
    yield from (
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def test_the_readme_is_short_and_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= README_LINES
    for command in ("python3 photoshoot.py demo", "python3 photoshoot.py test"):
        assert f"\n```\n{command}\n```\n" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        name, _, place = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert "://" in link or (target.is_file() and (not place or place in anchors(target))), link


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_pages_name_files_that_are_there(page: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", page.read_text("utf-8"))
    wrong = [name for text in quoted for name in gone(text)]
    paths = [path for text in quoted for path in _PATH.findall(text) if not FOREIGN.search(path)]
    assert not wrong and not [path for path in paths if not (ROOT / path).exists()]


def test_what_a_row_of_the_architecture_calls_there_is_there() -> None:
    """``openings.py`` there: in a folder of the same row, or of the nearest one above that has a folder."""
    folders: set[str] = set()
    for row in re.findall(r"^\|[^|]+\|(.+)\|$", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.MULTILINE):
        named = re.findall(r"`([\w./-]+)`", row)
        whole = [name for name in named if name.startswith(tuple(f"{folder}/" for folder in FOLDERS))]
        if whole:
            folders = {name.rstrip("/") if name.endswith("/") else str(Path(name).parent) for name in whole}
        for name in set(named) - set(whole):
            if name.endswith((".py", ".json", ".toml")) and not (ROOT / name).exists() and name != "status.json":
                assert any((ROOT / folder / name).exists() for folder in folders), f"{name} in {folders}"


def test_comments_name_files_that_are_there() -> None:
    sources = [path for path in sorted(files()) if path.endswith((".py", ".mjs", ".js", ".css"))]
    # Most files name none that is gone, anywhere; only the others are taken apart.
    suspects = [path for path in sources if gone((ROOT / path).read_text("utf-8"))]
    wrong = [f"{path}: {name}" for path in suspects for text in remarks(ROOT / path) for name in gone(text)]
    assert not wrong


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = lib_photoshoot.__version__
    assert f'\nversion = "{version}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heads[0] == version


def test_the_entry_for_the_index_of_extensions_is_whole() -> None:
    entry = json.loads((ROOT / "docs" / "extension-index.json").read_text("utf-8"))
    assert set(entry) == {"name", "url", "description", "tags"}
    assert re.fullmatch(r"https://\S+\.git", entry["url"])
    known = {"script", "tab", "dropdown", "training", "models", "UI related", "prompting", "editing", "manipulations"}
    assert entry["tags"] and set(entry["tags"]) <= known


def commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command of the command line with its words."""
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*name, word))
    if not hasattr(command, "commands"):
        yield name, command


def test_every_command_and_every_option_stands_in_the_docs() -> None:
    import typer

    from lib_photoshoot.cli.main import app

    text = " ".join(" ".join(page.read_text("utf-8").split()) for page in PAGES if page.name != "CHANGELOG.md")
    found = dict(commands(typer.main.get_command(app)))
    assert len(found) > 25
    # Of a group each command with the group's name, as one types it, or in a list behind it.
    lacking = [" ".join(name) for name in found if not re.search(rf"\b{' '.join(name)}\b|`{name[-1]}`", text)]
    for name, command in found.items():
        options = [word for part in command.params for word in (*part.opts, *part.secondary_opts)]
        lacking += [
            f"{' '.join(name)} {word}"
            for word in options
            if word.startswith("--") and word != "--help" and not re.search(rf"(?<![\w-]){word}(?![\w-])", text)
        ]
    assert lacking == []


def test_the_exit_codes_are_told_on_their_page() -> None:
    import photoshoot
    from lib_photoshoot.cli import exits

    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    codes = {exits.DONE, exits.SOME_UNREADABLE, exits.BAD_INPUT, exits.WEIGHTS_MISSING, exits.INTERRUPTED}
    assert told == codes | {photoshoot.NOT_SET_UP}
