"""The catalogues of texts: none is left out, none idle, and all languages say the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.webui.texts import LANGUAGE, LOCALIZATIONS, SCRIPTS, asked, catalogue, drawn, keys

NAMES = sorted(path.stem for path in LOCALIZATIONS.glob("*.json"))
IN_LETTERS_OF_THEIR_OWN = {"ja_JP": r"[぀-ヿ一-鿿]", "zh_CN": r"[一-鿿]"}


def places(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", text))


def test_these_languages_are_shipped() -> None:
    assert {"de_DE", "ja_JP", "zh_CN"} <= set(NAMES)
    tags = [catalogue(name)[LANGUAGE] for name in NAMES]
    assert [tag.split("-")[0] for tag in tags] == [name.split("_")[0] for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_translated_and_nothing_else(name: str) -> None:
    assert not sorted(keys() - set(catalogue(name))), f"texts that localizations/{name}.json lacks"
    assert not sorted(set(catalogue(name)) - keys()), f"keys of localizations/{name}.json that nothing shows"


@pytest.mark.parametrize("name", NAMES)
def test_a_translation_has_the_places_for_values_of_its_text(name: str) -> None:
    assert not [(text, told) for text, told in catalogue(name).items() if places(text) != places(told)]


@pytest.mark.parametrize("name", NAMES)
def test_a_translation_says_something_and_ends_like_its_text(name: str) -> None:
    found = catalogue(name)
    assert not [text for text, told in found.items() if not told.strip() or told != told.strip()]
    sentences = {text: told for text, told in found.items() if re.search(r"\w\.$", text)}
    assert not [(text, told) for text, told in sentences.items() if told[-1] not in ".。"]


@pytest.mark.parametrize("name", sorted(IN_LETTERS_OF_THEIR_OWN))
def test_no_sentence_is_left_in_english(name: str) -> None:
    sentences = {text: told for text, told in catalogue(name).items() if len(re.findall(r"[a-z]{2,}", text)) > 4}
    assert len(sentences) > 200
    assert not [told for told in sentences.values() if not re.search(IN_LETTERS_OF_THEIR_OWN[name], told)]


@pytest.mark.parametrize("name", NAMES)
def test_texts_that_stand_beside_each_other_stay_different(name: str) -> None:
    """What two buttons or choices of one row say must not become the same."""
    for group in (
        ("Accept", "Reject"), ("Undo", "Redo"), ("Pause", "Go on", "Stop and save", "Cancel…"),
        ("keep untouched", "leave out", "move to folder"), ("photos", "always", "never"),
        ("Steps", "Epochs"),
        ("faithful", "lively", "off"),
    ):  # fmt: skip
        assert len({catalogue(name)[text] for text in group}) == len(group), group


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_pages_show_no_text_past_the_catalogue(path: Path) -> None:
    assert not asked(path.read_text(encoding="utf-8"))[1]


def test_what_is_asked_for_and_what_is_not_is_found_in_a_script() -> None:
    source = """
        // "A comment" is none.
        say(t("One " +
            "text.", {n: 1}), plural(list.length, "{n} row", "{n} rows", {file}), "Left out.", `Row ${number}`, 'a b');
        make("div", {class: "photoshoot-page-row photoshoot-page-end"}, `${t("Inside {n}", {n})}\\n${other}`);
    """
    texts, left_out = asked(source)
    assert texts == {"One text.", "{n} row", "{n} rows", "Inside {n}"}
    assert left_out == ["Left out.", "Row ", "a b"]


def test_what_python_shows_is_found_in_its_source() -> None:
    source = '''
"""A docstring is none."""
gr.Button(f"Get weights ({size})", elem_id="photoshoot_get")
note(f"Saved as {name!r}, "
     f"after {seconds:.1f} s.")
_LOG.warning("Not shown here")
raise PhotoshootError("An answer of the server")
html = f'<p class="a b">closest: <b title="Found in {name}">{name}</b>after</p>'
'''
    assert list(drawn(source)) == [
        "Get weights ({0})", "Saved as {0}, after {1} s.", "closest:", "Found in {0}", "after",
    ]  # fmt: skip
