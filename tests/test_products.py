"""The product list: what is understood, what is refused, and that writing and reading agree."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.errors import ProductsError
from lib_photoshoot.products import Product, Way, check_products, format_products, parse_products


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("handbag", [Product("handbag")]),
        ("handbag, shoe,", [Product("handbag"), Product("shoe")]),
        ("  Hand   Bag ,\tSHOE ", [Product("hand bag"), Product("shoe")]),
        ("handbag\r\nshoe,\n\n watch\n", [Product("handbag"), Product("shoe"), Product("watch")]),
        ("watch = WristWatch | watch  dial", [Product("watch", ("wristwatch", "watch dial"))]),
        ("watch = watch | dial | dial", [Product("watch", ("dial",))]),
        ("t-shirt, men's jacket, salt & pepper, w/o lid", None),
        ("men\u2019s jacket", [Product("men's jacket")]),
        ("カメラ, сумка, σακίδιο, हाथ", [Product("カメラ"), Product("сумка"), Product("σακίδιο"), Product("हाथ")]),
        ("shoe [threshold=0.3]", [Product("shoe", threshold=0.3)]),
        ("shoe []", [Product("shoe")]),
        ("shoe = boot [Threshold = 0 ; denoise=1;], bag", [Product("shoe", ("boot",), 0.0, None, 1.0), Product("bag")]),
        ('shoe [prompt="a, [red]; shoe = \\"x\\" \\(b\\)"]', [Product("shoe", prompt='a, [red]; shoe = "x" \\(b\\)')]),
        ("shoe [prompt=a red, shiny shoe]", [Product("shoe", prompt="a red, shiny shoe")]),
        (
            'shoe [prompt="a\n  Red shoe"\n; denoise=.5], bag',
            [Product("shoe", (), None, "a Red shoe", 0.5), Product("bag")],
        ),
    ],
)
def test_understood(text: str, expected: list[Product] | None) -> None:
    products = parse_products(text)
    if expected is None:
        assert [product.name for product in products] == [part.strip() for part in text.split(",")]
    else:
        assert list(products) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        (",", "no name"),
        ("shoe,,bag", "no name"),
        (", shoe", "no name"),
        ("= boot", "no name"),
        ("shoe =", "alias of 'shoe'"),
        ("shoe = a || b", "alias of 'shoe'"),
        ("[threshold=0.3]", "no name"),
        ("shoe = a = b", "more than one '='"),
        ("shoe, Shoe", "named twice"),
        ("shoe = boot, sandal = boot", "'boot' belongs to the products 'shoe' and 'sandal'"),
        ("shoe = boot, boot", "'boot' belongs"),
        (", ".join(f"p{n}" for n in range(201)), "201 products; name at most 200"),
        ("x" * 61, "61 characters"),
        ("shoe = " + "x" * 61, "61 characters"),
        ("shoe. bag", "U+002E"),
        ("cup #7a5c3e", "stands in brackets: cup [colour=#7a5c3e]"),
        ("shoe?", "U+003F"),
        ("shoe!", "U+0021"),
        ("a:b", "U+003A"),
        ('"shoe"', "U+0022"),
        ("a;b", "U+003B"),
        ("a|b", "followed by '|'"),
        ("a\x00b", "U+0000"),
        ('a [prompt="\x1b"]', "U+001B"),
        ("a\ud800", "U+D800"),
        ("- -", "no letter"),
        ("shoe [size=3]", "unknown setting 'size'"),
        ("shoe [threshold]", "no value"),
        ("shoe [threshold=]", "number from 0 to 1"),
        ("shoe [threshold=1.1]", "number from 0 to 1"),
        ("shoe [denoise=-0.1]", "number from 0 to 1"),
        ("shoe [denoise=nan]", "number from 0 to 1"),
        ("shoe [denoise=1_0]", "number from 0 to 1"),
        ("shoe [denoise=0,5]", "number from 0 to 1"),
        ("shoe [denoise=0.1; denoise=0.2]", "twice"),
        ('shoe [prompt=" "]', "empty"),
        ('shoe [prompt=a "red" shoe]', "partly in quotes"),
        ("shoe [threshold=0.3", "missing ']'"),
        ("shoe [threshold=0.3, bag [denoise=1]", "missing ']'"),
        ('shoe [prompt="a], bag', "missing '\"'"),
        ("shoe ] bag", "closes nothing"),
        ("shoe [denoise=1] bag", "follows the settings"),
        ("shoe [denoise=1] [denoise=1]", "two blocks"),
    ],
)
def test_refused_with_one_sentence(text: str, part: str) -> None:
    with pytest.raises(ProductsError) as caught:
        parse_products(text)
    message = str(caught.value)
    assert part in message
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    ("text", "echoed"),
    [
        ("Hand  Bag, hand bag, HAND BAG", "'hand bag' is named twice"),
        ("Shoe = Boot, Sandal = BOOT", "The word 'BOOT' belongs to the products 'Shoe' and 'Sandal'"),
        ("Shoe [threshold=2]", "The threshold of 'Shoe'"),
        ("Shoe = ", "an alias of 'Shoe'"),
        ("Shoe!", "'Shoe!' has"),
        ("SHOE [prompt=' ']".replace("'", '"'), "The prompt of 'SHOE'"),
        ("Ünï =- -", "'- -' has no letter"),
    ],
)
def test_words_are_echoed_as_they_were_typed(text: str, echoed: str) -> None:
    with pytest.raises(ProductsError) as caught:
        parse_products(text)
    assert echoed in str(caught.value)


def test_how_a_word_was_typed_makes_no_other_product() -> None:
    (typed,) = parse_products("Hand  Bag = PURSE")
    assert typed == Product("hand bag", ("purse",)) and hash(typed) == hash(Product("hand bag", ("purse",)))
    assert [typed.as_typed(word) for word in typed.words] == ["Hand Bag", "PURSE"]
    assert check_products([typed])[0].typed == typed.typed
    assert format_products([typed]) == "hand bag = purse"


def test_limits_are_inclusive() -> None:
    assert len(parse_products(", ".join(f"p{n}" for n in range(50)))) == 50
    assert parse_products("x" * 60)[0].name == "x" * 60


def test_words_are_the_name_first() -> None:
    assert Product("watch", ("dial",)).words == ("watch", "dial")


def test_check_products_cleans_and_checks_what_did_not_come_from_text() -> None:
    assert check_products([Product(" Hand  Bag", prompt=" a  b ")]) == (Product("hand bag", prompt="a b"),)
    with pytest.raises(ProductsError, match="number from 0 to 1"):
        check_products([Product("shoe", threshold=float("nan"))])
    with pytest.raises(ProductsError, match=r"U\+003D"):
        check_products([Product("a=b")])


# The final letter makes every word usable; the test adds a number that keeps the words of two products apart.
WORD_TEXT = st.text(st.sampled_from("abcXYZ09éßİΣǅñж猫ﬁ -'&/’"), max_size=12).map("{}x".format)
FRACTION = st.none() | st.floats(0, 1)
PROMPT = st.none() | st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
PRODUCT = st.builds(Product, WORD_TEXT, st.lists(WORD_TEXT, max_size=3).map(tuple), FRACTION, PROMPT, FRACTION)


@given(st.lists(PRODUCT, min_size=1, max_size=5))
def test_round_trip(products: list[Product]) -> None:
    numbered = [
        replace(product, name=f"{product.name} {n}", aliases=tuple(f"{alias} {n}" for alias in product.aliases))
        for n, product in enumerate(products)
    ]
    cleaned = check_products(numbered)
    assert parse_products(format_products(cleaned)) == cleaned
    assert check_products(cleaned) == cleaned


GRAMMAR = st.text(st.sampled_from('ab,\n\r=|[];"\\. \t') | st.characters(), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        ["shoe", "bag", " ", ",", "\n", "=", "|", "[", "]", ";", '"', "\\", "prompt=", "threshold=0.3", "denoise=", "x"]
    ),
    max_size=25,
).map("".join)


@given(st.text() | GRAMMAR | PIECES)
def test_any_text_gives_products_or_a_products_error(text: str) -> None:
    try:
        products = parse_products(text)
    except ProductsError as error:
        assert str(error).isprintable()
        return
    assert parse_products(format_products(products)) == products
    assert len({word for product in products for word in product.words}) == sum(len(p.words) for p in products)


@pytest.mark.parametrize(
    ("text", "words", "examples"),
    [
        ("ring = @photos/ring", ("ring",), ("photos/ring",)),
        ("ring = @a.jpg | @b.jpg | band", ("ring", "band"), ("a.jpg", "b.jpg")),
        ('ring = @"my, ring|s = [2]"', ("ring",), ("my, ring|s = [2]",)),
        (r'ring = @"C:\new, \"old\" rings" | band', ("ring", "band"), (r'C:\new, "old" rings',)),
        (r"ring = @C:\photos\rings", ("ring",), (r"C:\photos\rings",)),
        ("ring = @ r | @r", ("ring",), ("r",)),
    ],
)
def test_examples_stand_behind_an_at_sign(text: str, words: tuple[str, ...], examples: tuple[str, ...]) -> None:
    (ring,) = parse_products(text)
    assert (ring.words, ring.examples, ring.way) == (words, examples, Way.EXAMPLES)
    assert parse_products(format_products([ring])) == (ring,)


def test_examples_end_where_the_item_does() -> None:
    ring, cup = parse_products('ring = @"a, b" [threshold=0.3], cup')
    assert (ring.examples, ring.threshold, cup.examples) == (("a, b",), 0.3, ())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("@photos/ring", "belong to no product"),
        ("ring = @", "without a path"),
        ("ring = @r, band = @r", "The examples 'r' belong to the products 'ring' and 'band'"),
        ("ring = band = @r", "more than one '='"),
    ],
)
def test_examples_that_cannot_be_used_are_refused(text: str, part: str) -> None:
    with pytest.raises(ProductsError, match=re.escape(part)):
        parse_products(text)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("product", Way.MAIN_OBJECT),
        ("*", Way.MAIN_OBJECT),
        ("ring = *", Way.MAIN_OBJECT),
        ("ring = Product", Way.MAIN_OBJECT),
        ("product = cup", Way.WORDS),
        ("product = @cups", Way.EXAMPLES),
        ("beauty product", Way.WORDS),
    ],
)
def test_the_main_object_is_asked_for_in_so_many_words(text: str, way: Way) -> None:
    assert parse_products(text)[0].way is way
