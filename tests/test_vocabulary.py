"""The table of product words: every class is what it says, and words are found whole or not at all."""

from __future__ import annotations

from importlib import resources

import pytest

from lib_photoshoot.detection.embedded.taught import taught_words
from lib_photoshoot.detection.embedded.vocabulary import (
    IMAGENET_CLASSES,
    Entry,
    Vocabulary,
    load_vocabulary,
)
from lib_photoshoot.detection.english import lookup_key, singular_forms
from lib_photoshoot.errors import ProductsError, UnknownProductError
from lib_photoshoot.products import Product, parse_products

VOCABULARY = load_vocabulary()


def imagenet_labels() -> list[str]:
    """timm's first name of each of the 1000 classes, read from its data files (no torch needed)."""
    folder = resources.files("timm").joinpath("data/_info")
    synsets = folder.joinpath("imagenet_synsets.txt").read_text(encoding="utf-8").split()
    lines = folder.joinpath("imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(line.split("\t", 1) for line in lines)
    return [lemmas[synset].split(",")[0] for synset in synsets]


def test_every_label_is_timms_label_of_its_index_or_the_taught_word() -> None:
    assert len(imagenet_labels()) == IMAGENET_CLASSES
    labels = [*imagenet_labels(), *taught_words()]
    wrong = [
        (entry.name, index, label)
        for entry in VOCABULARY.entries
        for index, label in (*entry.classes.items(), *entry.rivals.items())
        if not 0 <= index < len(labels) or labels[index] != label
    ]
    assert wrong == []


def test_table_is_large_and_every_entry_has_classes() -> None:
    assert len(VOCABULARY.entries) >= 150
    assert [entry.name for entry in VOCABULARY.entries if not entry.classes] == []


def test_words_are_unique_and_usable_as_products() -> None:
    words = VOCABULARY.words()
    assert len({lookup_key(word) for word in words}) == len(words)
    for word in words:
        assert parse_products(word) == (Product(word),)


def test_every_word_finds_its_own_entry_also_in_the_plural() -> None:
    for entry in VOCABULARY.entries:
        for word in entry.words:
            assert VOCABULARY.find(word) is entry
            if not word.endswith("s"):
                plural = word + ("es" if word.endswith(("x", "ch", "sh")) else "s")
                assert VOCABULARY.find(plural) is entry, plural


def test_two_entries_may_not_share_a_word() -> None:
    with pytest.raises(ValueError, match="belongs to"):
        Vocabulary((Entry("hand bag", (), {748: "purse"}), Entry("purse", ("hand-bag",), {748: "purse"})))


@pytest.mark.parametrize(
    ("product", "labels"),
    [
        ("handbag", "purse|mailbag|backpack"),
        ("shoe", "running shoe|Loafer|clog|sandal|cowboy boot|shoe shop"),
        (
            "car",
            "sports car|minivan|convertible|beach wagon|racer|limousine|cab|jeep|pickup|grille|car wheel|Model T"
            "|minibus",
        ),
        (
            "watch",
            "analog clock|digital watch|stopwatch|wall clock|magnetic compass|barometer|digital clock",
        ),
        (
            "bottle",
            "beer bottle|wine bottle|pop bottle|water bottle|pill bottle|whiskey jug|lotion|perfume",
        ),
        ("sunglasses", "sunglasses|sunglass"),
        ("chair", "folding chair|rocking chair|barber chair|throne|chair"),
    ],
)
def test_measured_products_keep_their_classes(product: str, labels: str) -> None:
    found = VOCABULARY.classes_for(Product(product))
    names = [*imagenet_labels(), *taught_words()]
    assert {names[index] for index in found} == set(labels.split("|"))
    assert list(found) == sorted(set(found))


@pytest.mark.parametrize(
    ("products", "rivals", "none"),
    [
        ("watch", "wall clock|analog clock|magnetic compass|barometer", "digital watch|stopwatch|wallet"),
        ("watch = wall clock", "magnetic compass|barometer", "wall clock|analog clock"),
        ("handbag", "backpack|wallet|plastic bag", "purse"),
        ("handbag = backpack", "wallet|plastic bag", "backpack"),
        ("car", "car wheel|grille|trailer truck", "sports car|minivan|jeep"),
        ("Uhr", "", "wall clock"),
    ],
)
def test_rivals_are_look_alikes_that_were_not_asked_for(products: str, rivals: str, none: str) -> None:
    (product,) = parse_products(products)
    labels = imagenet_labels()
    found = {labels[index] for index in VOCABULARY.rivals_for(product)}
    assert found >= set(filter(None, rivals.split("|"))) and not found & set(none.split("|"))


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        ("Hand Bags", "handbag"),
        ("hand-bag", "handbag"),
        ("T SHIRTS", "t-shirt"),
        ("wrist watches", "watch"),
        ("computer mice", "computer mouse"),
        ("jewelry", "necklace"),
        ("jewellery", "necklace"),
        ("pajamas", "pyjamas"),
        ("car tires", "car wheel"),
        ("scarves", None),
        ("strawberries", "strawberry"),
        ("brushes", None),
        ("buses", "bus"),
        ("sunglass", "sunglasses"),
    ],
)
def test_lookup_ignores_case_hyphens_and_number(typed: str, entry: str | None) -> None:
    found = VOCABULARY.find(typed)
    assert (found.name if found else None) == entry


@pytest.mark.parametrize(
    "word", ["cardboard", "watch strap", "car seat", "glasses", "head", "earring", "carpets shop", "", "s", "''"]
)
def test_no_word_is_found_inside_another(word: str) -> None:
    assert not VOCABULARY.knows(word)


def test_bag_and_handbag_are_separate() -> None:
    assert VOCABULARY.find("bag") is not VOCABULARY.find("handbag")


def test_one_known_word_makes_a_product_known_and_words_are_joined() -> None:
    assert VOCABULARY.classes_for(Product("satchelette", ("purse",))) == VOCABULARY.classes_for(Product("handbag"))
    both = set(VOCABULARY.classes_for(Product("cup", ("teapot",))))
    assert both == set(VOCABULARY.classes_for(Product("cup"))) | set(VOCABULARY.classes_for(Product("teapot")))


def test_unknown_product_says_what_to_do() -> None:
    with pytest.raises(UnknownProductError) as caught:
        VOCABULARY.classes_for(Product("qqqq", ("zzzz",)))
    message = str(caught.value)
    assert isinstance(caught.value, ProductsError)
    assert message.startswith("qqqq: not looked for, since the embedded detector does not know the word; teach it with")
    assert "models get groundingdino" in message and "--detector groundingdino" in message


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("dress", ("dress",)),
        ("bus", ("bus", "bu")),
        ("tvs", ("tvs", "tv")),
        ("knives", ("knives", "knive", "knif", "knife")),
        ("wine glasses", ("wine glasses", "wine glasse", "wine glass")),
        ("t-shirts", ("t shirts", "t shirt")),
    ],
)
def test_singular_forms(word: str, forms: tuple[str, ...]) -> None:
    assert singular_forms(word) == forms


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("Purses", "handbag"),
        ("armchair", "chair"),
        ("Tasse", "cup"),
        ("red shoe", "shoe"),
        ("T-Bone Zzyx", "tbonezzyx"),
    ],
)
def test_words_of_one_meaning_have_one_key(word: str, key: str) -> None:
    assert VOCABULARY.key(word) == key


def test_table_is_read_once() -> None:
    assert load_vocabulary() is VOCABULARY
