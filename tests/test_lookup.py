"""How typed words are looked for: what shops sell, in the words and spellings that people use."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lib_photoshoot.detection.embedded.check import check
from lib_photoshoot.detection.embedded.lookup import Answer, load_kinds
from lib_photoshoot.detection.embedded.vocabulary import IMAGENET_CLASSES, Entry, Vocabulary, load_vocabulary
from lib_photoshoot.detection.english import lookup_key
from lib_photoshoot.detection.small.labels import COCO, OBJECTS365
from lib_photoshoot.detection.spelling import edits, is_misspelt
from lib_photoshoot.products import Way, parse_products

VOCABULARY = load_vocabulary()
with Path(__file__).with_name("shop_words.tsv").open(encoding="utf-8", newline="") as file:
    SHOP_WORDS = [tuple(row) for row in csv.reader(file, delimiter="\t")][1:]


def kind_of(answer: Answer[Entry]) -> str:
    if answer.is_own:
        return "own"
    return ("wider" if answer.wider else "meant") if answer.things else "by example"


def looked_for(typed: str) -> set[str]:
    (product,) = parse_products(typed)
    return {entry.name for entry in VOCABULARY.entries_for(product)}


def said(typed: str) -> str:
    checked = check(VOCABULARY, parse_products(typed))
    return " ".join(checked.sentences)


@pytest.mark.parametrize(("word", "kind", "names"), SHOP_WORDS)
def test_every_word_of_a_shop_has_its_answer(word: str, kind: str, names: str) -> None:
    (product,) = parse_products(word)
    if product.way is not Way.WORDS:
        assert kind == "main object"
        return
    answer = VOCABULARY.look_up(product.name)
    found = {entry.name for entry in answer.things}
    # What is taught later is known then.
    taught = found and all(min(entry.classes) >= IMAGENET_CLASSES for entry in answer.things)
    assert (taught and kind == "by example") or (kind_of(answer), found) == (
        kind,
        set(filter(None, names.split(" | "))),
    )
    checked = check(VOCABULARY, [product])
    assert bool(checked.products) is (answer.things != ()) and bool(checked.left_out) is (answer.things == ())
    if kind_of(answer) != "own":
        assert product.as_typed(product.name) in " ".join(checked.sentences)


def test_most_words_of_a_shop_are_looked_for_by_their_own_or_a_wider_class() -> None:
    named = [row for row in SHOP_WORDS if row[1] != "main object"]
    assert sum(row[1] != "by example" for row in named) >= 0.6 * len(named)


def test_two_hundred_words_at_once_are_one_list_and_none_ends_it() -> None:
    words = [row[0] for row in SHOP_WORDS if row[1] != "main object"][:200]
    products = parse_products(", ".join(words))
    checked = check(VOCABULARY, products)
    assert len(products) == 200
    assert [p for p in products if p in checked.products or p in checked.left_out] == list(products)
    assert checked.refusal.count("GroundingDINO") == 1
    assert all(product.as_typed(product.name) in checked.refusal for product in checked.left_out)


def test_wider_kinds_are_words_of_the_table_and_stand_in_for_no_known_word() -> None:
    kinds = load_kinds()
    # Those that are to be taught are known by example until then.
    assert [kind for kind in kinds.wider.values() if not VOCABULARY.knows(kind) and not kinds.is_other(kind)] == []
    assert [word for word in kinds.wider if any(lookup_key(own) == word for own in VOCABULARY.words())] == []
    assert not kinds.by_example & set(kinds.wider)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("armchair", "armchair: looked for as chair (a wider kind)."),
        ("Armchairs", "Armchairs: looked for as chair (a wider kind)."),
        ("cofee mug", "cofee mug: looked for as coffee mug."),
        ("armchiar", "armchiar: looked for as chair (taken for armchair; a wider kind)."),
        ("Nike shoe", "Nike shoe: looked for as shoe (the embedded detector ignores 'Nike')."),
        ("women's shoes", "women's shoes: looked for as shoes (the embedded detector ignores 'women's')."),
        ("Handtasche", "Handtasche: looked for as handbag (German for handbag)."),
        ("Sessel", "Sessel: looked for as chair (German for armchair; a wider kind)."),
        (
            "rote Tasse",
            "rote Tasse: looked for as cup (German and French for cup; the embedded detector ignores 'rote').",
        ),
        ("bed", "bed: of these the embedded detector knows four-posters only."),
        (
            "Uhr",
            "Uhr: looked for as watch or clock (German for watch or clock; write the one that you mean to look for it "
            "alone).",
        ),
        ("watch = wristwatch | watch dial", ""),
        ("A-815 = handbag", ""),
        ("Tasse = cup", ""),
        ("sun glasses", ""),
        ("T-Shirts", ""),
    ],
)
def test_what_is_looked_for_otherwise_is_said(typed: str, sentence: str) -> None:
    assert said(typed) == sentence


def test_what_is_not_looked_for_is_said_in_one_sentence_with_what_to_do() -> None:
    checked = check(VOCABULARY, parse_products("Zzyx, mug, Ohrringe, kettel"))
    assert [product.name for product in checked.products] == ["mug"] and checked.notes == ()
    assert checked.refusal.startswith(
        "Zzyx, Ohrringe and kettel (Ohrringe is German for earring; kettel may be kettle): not looked for, since "
        "the embedded detector does not know these words; teach each with 3 photos (Zzyx = @folder), or get "
        "GroundingDINO"
    )
    assert "--detector groundingdino" in checked.refusal and checked.refusal.endswith(".")


@pytest.mark.parametrize("row", [row for row in SHOP_WORDS if row[1] == "by example"], ids=lambda row: row[0])
def test_a_word_that_is_right_is_not_taken_for_itself(row: tuple[str, ...]) -> None:
    assert VOCABULARY.look_up(row[0]).respelt == ()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("luggage", "luggage: known to the small detector alone, so look at what is found."),
        (
            "rote Koffer",
            "rote Koffer: looked for as suitcase (German for suitcase; the embedded detector ignores 'rote'; known to "
            "the small detector alone, so look at what is found).",
        ),
        ("bed", ""),  # any of them, not four-posters alone
        ("cup", ""),
    ],
)
def test_words_that_a_small_detector_alone_knows_are_looked_for_where_it_is_there(typed: str, sentence: str) -> None:
    checked = check(load_vocabulary(COCO), parse_products(typed))
    assert " ".join(checked.sentences) == sentence and checked.left_out == ()
    assert not load_vocabulary().knows("luggage") and load_vocabulary(OBJECTS365).knows("luggage")


def test_a_small_detector_adds_words_and_changes_the_answer_to_no_other() -> None:
    for labels in (COCO, OBJECTS365):
        more = load_vocabulary(labels)
        for word, kind, _ in SHOP_WORDS:
            before, after = VOCABULARY.look_up(word), more.look_up(word)
            names = {entry.name for entry in after.things}
            assert names == {entry.name for entry in before.things} or (kind == "by example" and names)
            assert bool(names) or after == before
    gained = {row[0] for row in SHOP_WORDS if load_vocabulary(COCO).look_up(row[0]) != VOCABULARY.look_up(row[0])}
    assert gained >= {"toothbrush", "surfboard", "luggage"}
    assert {entry.name for entry in load_vocabulary(COCO).entries_for(parse_products("Karotten")[0])} == {"carrot"}


@pytest.mark.parametrize("typed", ["curtain ring", "water glasses", "seat belt", "tuning fork", "rice cakes"])
def test_compounds_are_no_kind_of_what_a_small_detector_knows(typed: str) -> None:
    (product,) = parse_products(typed)
    assert load_vocabulary(OBJECTS365).entries_for(product) == ()


@pytest.mark.parametrize(
    ("products", "sentence"),
    [
        ("Cup = Xyzzy", "Cup: looked for without Xyzzy, which the embedded detector does not know; remove it, or ask"),
        ("Satchelette = purse | qqqq | zzzz", "Satchelette: looked for without qqqq and zzzz, which"),
        ("cup = Schuhe", "Schuhe: looked for as shoe (German for shoe)."),
    ],
)
def test_aliases_are_told_too(products: str, sentence: str) -> None:
    assert sentence in said(products)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("red shoe", {"shoe"}),
        ("big red leather handbags", {"handbag"}),
        ("lether handbag", {"handbag"}),
        ("handbag with chain", {"handbag"}),
        ("watches for men", {"watch"}),
        ("pair of shoes", {"shoe"}),
        ("cup of coffee", {"cup"}),
        ("red t-shirt", {"t-shirt"}),
        ("coffee table", {"table"}),
        ("wooden armchair", {"chair"}),
        ("plant pot", {"flowerpot"}),
        ("hair dryer", {"hair dryer"}),
        ("wine glass", {"goblet"}),
        ("office chairs", {"chair"}),
        ("gift boxes", {"box"}),
        ("dog bowl", {"bowl"}),
        ("baby bottles", {"bottle"}),
        ("olive oil", {"bottle"}),
        ("champagne flute", {"goblet"}),
    ],
)
def test_the_word_that_names_the_thing_is_found(typed: str, names: set[str]) -> None:
    assert looked_for(typed) == names


@pytest.mark.parametrize(
    "typed",
    [
        "dog collar",
        "dog bed",
        "dog's bed",
        "cat beds",
        "boxing glove",
        "boxing gloves",
        "car seat",
        "phone case",
        "phone cases",
        "pot plant",
        "game console",
        "ear phones",
        "ear rings",
        "toy car",
        "toy cars",
        "doll house bed",
        "hot water bottle",
        "tea bag",
        "bean bag",
        "cable tie",
        "hard hat",
        "license plate",
        "chocolate egg",
        "exercise bike",
        "steering wheel",
        "bike wheel",
        "baby monitor",
        "rice cooker",
        "cross trainer",
        "wood router",
        "hand fan",
        "key ring",
        "finger nail",
        "face mask holder",
        "oven mitt",
        "golf tee",
        "note book",
        "bag of chips",
        "picture of a shoe",
        "cup and saucer",
        "box of matches",
        "not a shoe",
        "shoe rack",
        "watch strap",
        "bottle opener",
        "guitar case",
        "table tennis",
        "chairlift",
        "carpets shop",
        "cardboard",
        "pressure washer",
        "baby mobile",
        "dish towel rail",
        "suitcase",
        "glasses",
        "notebook",
        "flower bed",
        "model car",
    ],
)
def test_the_last_word_is_not_always_the_kind(typed: str) -> None:
    assert looked_for(typed) == set()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sneeker", "sneaker"),
        ("sneekers", "sneaker"),
        ("hanbag", "handbag"),
        ("handbagg", "handbag"),
        ("hand bagg", "handbag"),
        ("wach", "watch"),
        ("wacth", "watch"),
        ("shue", "shoe"),
        ("shooes", "shoe"),
        ("bottel", "bottle"),
        ("bagg", "bag"),
        ("mugg", "mug"),
        ("umbrela", "umbrella"),
        ("sunglases", "sunglasses"),
        ("jewelery", "necklace"),
        ("wrisstwach", "watch"),
        ("water botle", "water bottle"),
        ("waterbotle", "water bottle"),
        ("keybord", "keyboard"),
        ("ice-creem", "ice cream"),
        ("cofee mug", "mug"),
        ("cofee mugs", "mug"),
        ("hamburgar", "hamburger"),
    ],
)
def test_misspelt_words_are_answered_with_what_is_meant(typed: str, meant: str) -> None:
    assert looked_for(typed) == {meant}
    assert f"{typed}: looked for as " in said(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "charger",
        "Handtasch",
        "soap",
        "bracelet",
        "ring",
        "brush",
        "cat",
        "bolt",
        "chain",
        "shop",
        "stone",
        "tower",
        "belt",
        "heel bar",
        "rod",
        "cart",
        "drone",
        "socket",
        "coal",
        "stool",
        "mat",
        "lamb",
        "bool",
        "pin",
        "cap lock",
        "glove",
        "gloves",
        "braclet",
        "qqqq",
    ],
)
def test_words_that_are_right_or_only_share_letters_are_taken_for_nothing_else(typed: str) -> None:
    assert looked_for(typed) == set()


def test_what_a_misspelt_word_means_is_not_guessed_where_it_is_not_sure() -> None:
    both = Vocabulary((Entry("boot", (), {514: "cowboy boot"}), Entry("boat", (), {914: "yawl"})))
    assert not both.look_up("boet").things
    refusal = check(both, parse_products("Boet")).refusal
    assert refusal.startswith("Boet (Boet may be boat or boot, write the one that you mean): not looked for, since")


@pytest.mark.parametrize(
    ("one", "other", "count"), [("", "ab", 2), ("coffee", "cofee", 1), ("wacth", "watch", 1), ("cup", "mug", 2)]
)
def test_edits_count_letters_and_swaps(one: str, other: str, count: int) -> None:
    assert edits(one, other) == edits(other, one) == count


def test_short_words_and_first_letters_are_no_misspellings() -> None:
    assert not is_misspelt("cat", "car") and not is_misspelt("heels", "wheel") and is_misspelt("bagg", "bag")
    assert not is_misspelt("chain", "chair") and not is_misspelt("lamb", "lamp") and is_misspelt("shue", "shoe")
    assert is_misspelt("hcair", "chair") and not is_misspelt("coat", "boat")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        # width, kana, accents, ß, simplified and traditional
        ("ｃｕｐ", {"cup"}),
        ("ﾊﾞｯｸﾞ", {"bag"}),
        ("バッグ", {"bag"}),
        ("くつ", {"shoe"}),
        ("クツ", {"shoe"}),
        ("靴", {"shoe"}),
        ("赤い靴", {"shoe"}),
        ("時計", {"watch", "clock"}),
        ("とけい", {"watch", "clock"}),
        ("コンピュータ", {"computer"}),
        ("コンピューター", {"computer"}),
        ("手机", {"phone"}),
        ("手機", {"phone"}),
        ("雨伞", {"umbrella"}),
        ("雨傘", {"umbrella"}),
        ("運動鞋", {"sneaker"}),
        ("红色的鞋", {"shoe"}),
        ("紙箱", {"box"}),
        ("Fußball", {"soccer ball"}),
        ("FUSSBALL", {"soccer ball"}),
        ("Schüssel", {"bowl"}),
        ("Schuessel", {"bowl"}),
        ("schussel", {"bowl"}),
        ("Damenschuhe", {"shoe"}),
        ("Holzstühle", {"chair"}),
        ("Handschuhe", set()),
        ("sac à main", {"handbag"}),
        ("sac a main", {"handbag"}),
        ("sacs à main", {"handbag"}),
        ("sac de couchage", {"sleeping bag"}),
        ("zapatos rojos", {"shoe"}),
        ("scarpe rosse", {"shoe"}),
        ("chaussures rouges", {"shoe"}),
        ("sillón", {"chair"}),
        ("sillon", {"chair"}),
        ("Стол", {"table"}),
        ("가방", {"bag"}),
    ],
)
def test_words_are_found_in_every_script_and_spelling(typed: str, names: set[str]) -> None:
    assert looked_for(typed) == names


@pytest.mark.parametrize("typed", ["حقيبة", "שעון", "नमस्ते", "กระเป๋า", "τσάντα", "ⵣⵣⵣ", "\u0301a", "ჩანთა"])
def test_scripts_of_which_nothing_is_known_are_refused_and_nothing_else_happens(typed: str) -> None:
    assert looked_for(typed) == set() and "not looked for" in said(typed)
