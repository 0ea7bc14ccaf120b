"""The scripts of the editor of outlines, in node, as far as they need no browser."""

from __future__ import annotations

from pathlib import Path

from tests.webui.pages.test_modules import node


def test_the_editors_parts() -> None:
    node("--test", str(Path(__file__).parent / "fix_page.test.mjs"))
