"""Product words of other languages: every meaning is told, none is guessed."""

from __future__ import annotations

import pytest

from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.translations import described, fold, load_translations, meanings
from lib_photoshoot.errors import UnknownProductError
from lib_photoshoot.products import Product, parse_products

VOCABULARY = load_vocabulary()
ROWS = [
    (english, language, word)
    for english, row in load_translations().items()
    for language, words in row.items()
    for word in words
]


def refusal(products: str) -> str:
    with pytest.raises(UnknownProductError) as caught:
        VOCABULARY.check(parse_products(products))
    return str(caught.value)


def test_every_english_word_is_known_and_in_many_languages() -> None:
    assert [english for english in load_translations() if not VOCABULARY.knows(english)] == []
    common = [row for row in load_translations().values() if len(row) >= 10]
    assert len(common) >= 150 and len({language for _, language, _ in ROWS}) == 15


def test_no_word_of_another_language_is_a_known_english_one() -> None:
    assert [row for row in ROWS if VOCABULARY.knows(row[2])] == []
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
        ("Handschuh", set()),
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


def test_the_sentence_says_what_to_write() -> None:
    assert refusal("Tasse") == (
        "The embedded detector reads English, and 'Tasse' is German and French for cup: write cup "
        "(Tasse = cup keeps your word)."
    )
    assert described("Uhr") == (
        "'Uhr' is German for watch or clock: write watch or clock (Uhr = watch or Uhr = clock keeps your word)"
    )
    assert described("cup") is None


def test_what_the_sentence_advises_works() -> None:
    assert VOCABULARY.classes_for(*parse_products("tasse = cup")) == VOCABULARY.classes_for(Product("cup"))


@pytest.mark.parametrize(
    ("products", "said"),
    [
        ("Cup, Tasse", "'Tasse' is German and French for cup, which 'Cup' in your list stands for already: remove it."),
        ("mug = Teacups, Tasse", "which 'Teacups' in your list stands for already: remove it."),
        ("Tasse, taza", "'taza' is Spanish for cup, which 'Tasse' in your list stands for already: remove it."),
        ("bag, Bolsa", "Portuguese for handbag and Spanish for bag: write handbag (Bolsa = handbag keeps your word)."),
        ("cup, Cuup", "does not know 'Cuup': remove it (the nearest that it knows, cup, is in your list already)"),
        ("sneaker, sneekers", "does not know 'sneekers': use a word it knows (nearest: speaker)"),
    ],
)
def test_no_word_is_advised_that_the_list_names_already(products: str, said: str) -> None:
    assert said in refusal(products)


def test_each_advice_works_when_it_is_taken() -> None:
    for typed in ("Tasse, taza, shoe", "bag, Bolsa", "Cup, Tasse", "Uhr, watch"):
        kept = [item.strip() for item in typed.split(",")]
        for part in refusal(typed).split(", and ", 1)[1].split("; "):
            word = part.split("'")[1]
            advised = part.partition("write ")[2].split(" (")[0].split(" or ")[0].rstrip(".")
            kept[kept.index(word) : kept.index(word) + 1] = [advised] if advised else []
        assert VOCABULARY.check(parse_products(", ".join(kept))) == ()


@pytest.mark.parametrize(
    ("products", "said"),
    [
        (
            "Cup = Xyzzy",
            "does not know 'Xyzzy' and looks for 'Cup' by 'Cup' alone: remove 'Xyzzy' or ask GroundingDINO.",
        ),
        (
            "cup = Tasse",
            "'Tasse' is German and French for cup, which 'cup' in your list stands for already: remove it.",
        ),
        ("cup = Schuhe", "'Schuhe' is German for shoe: write shoe."),
        ("Satchelette = purse | hanbag | sneekers", "'Satchelette' by 'purse' alone: remove 'hanbag' and 'sneekers', "),
    ],
)
def test_aliases_that_find_nothing_are_told(products: str, said: str) -> None:
    (sentence,) = VOCABULARY.check(parse_products(products))
    assert said in sentence and sentence.endswith(".")


def test_a_word_of_ones_own_is_kept_without_a_word() -> None:
    assert (
        VOCABULARY.check(parse_products("Tasse = cup, A-815 = handbag | purse, watch = wristwatch | watch dial")) == ()
    )


def test_a_false_friend_is_never_guessed() -> None:
    message = refusal("bolsa")
    assert "write handbag or bag (" in message and "boa" not in message


def test_words_of_other_languages_stand_beside_unknown_ones() -> None:
    message = refusal("blorp, Tasse, mug, zzyx = Schuhe")
    assert message.startswith("The embedded detector reads English, and 'Tasse' is German and French for cup: ")
    assert (
        "; 'Schuhe' is German for shoe: write shoe (Schuhe = shoe keeps your word); it does not know 'blorp'" in message
    )
    assert message.count("GroundingDINO") == 1 and "zzyx" not in message
