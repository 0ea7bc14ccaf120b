"""Product words of other languages: every meaning is told, none is guessed."""

from __future__ import annotations

import pytest

from lib_photoshoot.detection.embedded.lookup import load_kinds
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.translations import fold, load_translations, meanings, phrase_meanings, told_languages
from lib_photoshoot.products import parse_products

VOCABULARY = load_vocabulary()
ROWS = [
    (english, language, word)
    for english, row in load_translations().items()
    for language, words in row.items()
    for word in words
]


def test_every_english_word_is_one_of_ours_and_in_many_languages() -> None:
    kinds = load_kinds()
    ours = [
        word for word in load_translations() if VOCABULARY.knows(word) or kinds.wider_for(word) or kinds.is_other(word)
    ]
    assert [word for word in load_translations() if word not in ours] == []
    common = [row for row in load_translations().values() if len(row) >= 10]
    assert len(common) >= 150 and len({language for _, language, _ in ROWS}) == 15


def test_no_word_of_another_language_is_a_known_english_one() -> None:
    kinds = load_kinds()
    english = [row for row in ROWS if VOCABULARY.knows(row[2]) or kinds.wider_for(row[2]) or kinds.is_other(row[2])]
    assert english == []
    # Without its accents it may be: of the same thing only (téléphone).
    same = [(english, word) for english, _, word in ROWS if VOCABULARY.knows(fold(word))]
    assert ("telephone", "téléphone") in same
    assert [row for row in same if VOCABULARY.find(fold(row[1])) is not VOCABULARY.find(row[0])] == []


def test_every_word_can_be_typed_as_a_product_and_is_told_with_its_language() -> None:
    for english, language, word in ROWS:
        (product,) = parse_products(word)
        plain = [] if fold(word) in ("mascara", "tripe", "are", "canape") else [fold(word)]
        for typed in (product.name, word.upper(), *plain):
            assert language in meanings(typed).get(english, ()), (typed, english)


def test_words_stand_once_in_a_language_and_meaning() -> None:
    assert len({(english, language, word.lower()) for english, language, word in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("Tasse", {"cup"}),
        ("SCHÜSSEL", {"bowl"}),
        ("Schuessel", {"bowl"}),
        ("Fussball", {"soccer ball"}),
        ("Hüte", {"hat"}),
        ("Schuhe", {"shoe"}),
        ("bolsa", {"bag", "handbag"}),
        ("bolsos", {"handbag"}),
        ("sofá", {"sofa"}),
        ("chaussures", {"shoe"}),
        ("sacs à main", {"handbag"}),
        ("sac a main", {"handbag"}),
        ("borse", {"handbag"}),
        ("cartões", set()),
        ("schoenen", {"shoe"}),
        ("filizanka", {"cup"}),
        ("torebki", {"handbag"}),
        ("сумки", {"bag"}),
        ("ﾊﾞｯｸﾞ", {"bag"}),
        ("ハック", set()),
        ("手機", {"phone"}),
        ("가방", {"bag"}),
        ("vaso", {"vase", "flowerpot", "drinking glass"}),
        ("taça", {"bowl"}),
        ("taca", {"bowl", "tray"}),
        ("Handschuh", {"glove"}),
        ("slipper", set()),
        ("paprika", set()),
        ("mascara", set()),
        ("máscara", {"mask"}),
        ("", set()),
        ("'", set()),
    ],
)
def test_what_words_mean(typed: str, english: set[str]) -> None:
    assert set(meanings(typed)) == english


def test_all_meanings_are_told_with_their_languages() -> None:
    assert told_languages(meanings("Tasse")) == "German and French for cup"
    assert told_languages(meanings("Uhr")) == "German for watch or clock"
    assert told_languages(meanings("bolsa")) == "Portuguese for handbag and Spanish for bag"


@pytest.mark.parametrize(
    ("phrase", "parts"),
    [
        ("rote Tasse", ("tasse", "rote")),
        ("zapatos rojos", ("zapatos", "rojos")),
        ("赤い靴", ("靴", "赤い")),
        ("红色的鞋", ("鞋", "红色的")),
        ("Damenschuhe", ("schuhe", "damen")),
        ("Lederhandtasche", ("handtasche", "leder")),
        ("Glasflasche", ("flasche", "glas")),
        ("Turnhandschuh", None),
        ("Tasse mit Henkel", None),
        ("sac de farine", None),
        ("red shoe", None),
        ("Tasse", None),
    ],
)
def test_which_word_of_a_foreign_phrase_names_the_thing(phrase: str, parts: tuple[str, str] | None) -> None:
    assert phrase_meanings(phrase) == parts


def test_the_150_most_common_products_have_names_in_six_languages() -> None:
    six = {"German", "French", "Spanish", "Italian", "Japanese", "Chinese"}
    # A word that is missing in a language is the English one there, as Laptop and Sofa are in German.
    assert sum(six <= set(row) for row in load_translations().values()) >= 150
