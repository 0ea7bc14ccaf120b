"""The text rules of captions, and the sheet in which they are edited."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.captions.sheet import (
    CaptionSheet,
    add_tag,
    decode,
    first_line,
    joined,
    one_line,
    remove_tag,
    search_replace,
    tags,
    text_name,
    with_tag,
)

TAG = "ppzocketv2"
texts = st.text(st.sampled_from("ab ,\n\r\té\u2028x'"), max_size=30)


@pytest.fixture
def sheet() -> CaptionSheet:
    return CaptionSheet({"1.jpg": "a cup", "2.jpg": "a red cup, wood", "3.png": ""})


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a cup of coffee is being dropped into the air\n", f"{TAG}, a cup of coffee is being dropped into the air"),
        (f"{TAG}, a cup", f"{TAG}, a cup"),
        (f"a cup, {TAG} ,,  red,", f"{TAG}, a cup, red"),
        (f"{TAG},{TAG},a cup", f"{TAG}, a cup"),
        (f"{TAG} bag, a cup", f"{TAG}, {TAG} bag, a cup"),
        ("", TAG),
        ("two\r\nlines", f"{TAG}, two lines"),
    ],
)
def test_the_activation_tag_comes_first_and_once(caption: str, expected: str) -> None:
    assert with_tag(caption, TAG) == expected


@hypothesis.settings(deadline=None)
@given(texts)
def test_with_tag_gives_a_form_that_it_keeps(caption: str) -> None:
    once = with_tag(caption, TAG)
    assert with_tag(once, TAG) == once
    assert tags(once)[0] == TAG and tags(once).count(TAG) == 1
    assert tags(once)[1:] == [tag for tag in tags(caption) if tag != TAG]
    assert once.splitlines() == [once]


def test_every_caption_of_the_original_is_in_this_form(shared_data: Path) -> None:
    files = sorted((shared_data / "product_photos").glob("*.txt"))
    assert len(files) == 43
    for file in files:
        text, encoding = decode(file.read_bytes())
        assert (with_tag(text, TAG), encoding) == (text, "utf-8")


def test_tags_are_added_where_asked_and_never_twice() -> None:
    assert add_tag("a, b, c", "d") == "a, b, c, d"
    assert add_tag("a, b, c", "d", 1) == "a, d, b, c"
    assert add_tag("a, b, c", "a") == "b, c, a"
    assert add_tag("a", "d", 9) == "a, d"


@pytest.mark.parametrize("tag", ["", "  ", "a, b", ",\n"])
def test_what_is_not_one_tag_is_refused(tag: str) -> None:
    with pytest.raises(TrainingError, match="is not one tag") as raised:
        with_tag("a cup", tag)
    assert "\n" not in str(raised.value)


def test_only_whole_tags_are_removed() -> None:
    assert remove_tag("red, a red cup, red", " red ") == "a red cup"


def test_replacing_tidies_what_it_touches_and_nothing_else() -> None:
    assert search_replace("a  red cup, red", "red", "") == "a   cup"
    assert search_replace("a ,, cup", "Cup", "mug") == "a ,, cup"
    assert search_replace("purse. red", ".", ",") == "purse, red"
    with pytest.raises(TrainingError, match="search for in the captions is empty"):
        search_replace("a", "", "b")


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("café".encode(), "café", "utf-8"),
        (b"\xef\xbb\xbfcup", "cup", "utf-8-sig"),
        ("café “bar”".encode("cp1252"), "café “bar”", "cp1252"),
        (b"\x81caf\xe9", "\ufffdcafé", "cp1252"),
        ("café".encode("utf-16"), "café", "utf-16"),
        ("café".encode("utf-16-le"), "café", "utf-16"),
        ("café".encode("utf-16-be"), "café", "utf-16"),
        (b"c\0u\0p", "cu\ufffd", "utf-16"),
        (b"", "", "utf-8"),
    ],
)
def test_the_encoding_is_guessed(data: bytes, text: str, encoding: str) -> None:
    assert decode(data) == (text, encoding)


@hypothesis.settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_read(data: bytes) -> None:
    text, _ = decode(data)
    first_line(text)


@pytest.mark.parametrize(
    ("text", "line"), [("a \r\nb", "a"), ("a\rb", "a"), (" a\x0cb\n", "a\x0cb"), ("\nb", ""), ("", "")]
)
def test_the_first_line_is_what_the_trainer_reads(text: str, line: str, tmp_path: Path) -> None:
    assert first_line(text) == line
    file = tmp_path / "a.txt"
    file.write_bytes(text.encode())
    with open(file, encoding="utf-8") as stream:  # as sd-scripts does
        read = stream.readlines()
    assert first_line(text) == (read[0].strip() if read else "")


def test_a_caption_file_is_named_as_its_image() -> None:
    assert [text_name(name) for name in ("01.jpg", "a.b.PNG", "ü x.webp")] == ["01.txt", "a.b.txt", "ü x.txt"]


def test_edits_are_undone_and_done_again_in_order(sheet: CaptionSheet) -> None:
    states = [sheet.captions]
    for change in (
        lambda: sheet.with_tag(TAG),
        lambda: sheet.replace("cup", "mug"),
        lambda: sheet.set("3.png", "a\nvase"),
        lambda: sheet.remove_tag("wood", ["2.jpg"]),
        lambda: sheet.add_tag("studio", 1, ["1.jpg", "3.png"]),
        lambda: sheet.update({"1.jpg": "x", "2.jpg": "y"}),
    ):
        assert change() > 0
        states.append(sheet.captions)
    assert states[-2] == {
        "1.jpg": f"{TAG}, studio, a mug",
        "2.jpg": f"{TAG}, a red mug",
        "3.png": "a vase, studio",
    }
    for state in reversed(states[:-1]):
        assert sheet.undo()
        assert sheet.captions == state
    assert not sheet.undo() and not sheet.can_undo
    for state in states[1:]:
        assert sheet.redo()
        assert sheet.captions == state
    assert not sheet.redo() and not sheet.can_redo


def test_an_edit_after_undoing_drops_what_was_undone(sheet: CaptionSheet) -> None:
    sheet.set("1.jpg", "one")
    sheet.set("1.jpg", "two")
    sheet.undo()
    sheet.set("2.jpg", "other")
    assert not sheet.can_redo
    assert (sheet["1.jpg"], sheet["2.jpg"]) == ("one", "other")
    sheet.undo()
    assert (sheet["1.jpg"], sheet["2.jpg"]) == ("one", "a red cup, wood")


def test_what_changes_nothing_is_no_step(sheet: CaptionSheet) -> None:
    sheet.set("1.jpg", "mine")
    sheet.undo()
    assert sheet.replace("absent", "x") == 0
    assert sheet.set("2.jpg", " a red cup, wood\n") == 0
    assert sheet.can_redo and not sheet.can_undo


def test_the_count_of_changed_captions_is_told(sheet: CaptionSheet) -> None:
    assert sheet.replace("cup", "mug") == 2
    assert sheet.with_tag(TAG, ["3.png"]) == 1
    assert len(sheet) == 3 and sheet.names == ("1.jpg", "2.jpg", "3.png")


@pytest.mark.parametrize("edit", ["set", "update", "replace", "read"])
def test_an_unknown_image_is_one_sentence(sheet: CaptionSheet, edit: str) -> None:
    before = sheet.captions
    calls = {
        "set": lambda: sheet.set("9.jpg", "x"),
        "update": lambda: sheet.update({"1.jpg": "x", "9.jpg": "x"}),
        "replace": lambda: sheet.replace("cup", "mug", ["1.jpg", "9.jpg"]),
        "read": lambda: sheet["9.jpg"],
    }
    with pytest.raises(TrainingError, match=r"no image '9\.jpg'"):
        calls[edit]()
    assert sheet.captions == before


@hypothesis.settings(deadline=None)
@given(st.dictionaries(st.text("abcü.", min_size=3), st.text(max_size=20), max_size=4))
def test_a_saved_sheet_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, captions: dict[str, str]) -> None:
    sheet = CaptionSheet(captions)
    path = tmp_path_factory.mktemp("sheet") / "captions.json"
    sheet.save(path)
    loaded = CaptionSheet.load(path)
    assert loaded.captions == sheet.captions == {name: one_line(text) for name, text in captions.items()}
    assert loaded.names == sheet.names
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"captions": 3}',
        b'{"captions": {"a.jpg": 3}}',
        b"\xff\xfe\0",
        b'{"other": {}}',
        b"[" * 99999,
    ],
)
def test_a_file_that_is_no_sheet_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "captions.json"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="is no caption sheet"):
        CaptionSheet.load(path)


def test_a_missing_sheet_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        CaptionSheet.load(tmp_path / "absent.json")


@pytest.mark.parametrize("name", ["../a.jpg", "sub/a.jpg", "..", ".", "", "a\0.jpg"])
def test_no_sheet_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"captions": {name: "x"}}))
    with pytest.raises(TrainingError, match="name image files without their folder"):
        CaptionSheet.load(path)


def test_texts_are_written_as_the_trainer_reads_them(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("old")
    CaptionSheet({"1.jpg": "ppzocketv2, a café\nand tea", "2.b.png": "half \ud83d"}).write_texts(tmp_path)
    assert (tmp_path / "1.txt").read_bytes() == "ppzocketv2, a café and tea".encode()
    assert (tmp_path / "2.b.txt").read_bytes() == b"half ?"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["1.txt", "2.b.txt"]


def test_two_images_cannot_share_a_caption_file(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'a\.jpg' and 'a\.png' would share the caption file 'a\.txt'"):
        CaptionSheet({"a.jpg": "x", "a.png": "y"}).write_texts(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, sheet: CaptionSheet) -> None:
    (tmp_path / "file").touch()
    for write in (
        lambda: sheet.write_texts(tmp_path / "file"),
        lambda: sheet.save(tmp_path / "file" / "captions.json"),
        lambda: sheet.write_beside(tmp_path / "file"),
    ):
        with pytest.raises(TrainingError, match=r"cannot be (written|read) "):
            write()


def test_the_users_own_texts_are_left_alone(tmp_path: Path, sheet: CaptionSheet) -> None:
    (tmp_path / "1.txt").write_text("mine")
    (tmp_path / "2.txt").write_text("a red cup, wood")
    before = (tmp_path / "2.txt").stat().st_mtime_ns
    assert sheet.write_beside(tmp_path) == ("1.txt",)
    assert (tmp_path / "1.txt").read_text() == "mine"
    assert (tmp_path / "2.txt").stat().st_mtime_ns == before
    assert (tmp_path / "3.txt").read_text() == ""


def test_an_overwritten_text_is_kept_every_time(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("mine")
    for text in ("one", "two", "two"):
        assert CaptionSheet({"1.jpg": text}).write_beside(tmp_path, overwrite=True) == ()
    assert {item.name: item.read_text() for item in tmp_path.iterdir()} == {
        "1.txt": "two",
        "1.txt.bak": "mine",
        "1.txt.bak2": "one",
    }


@pytest.mark.parametrize("stem", ["b" * 251, "\u00e4" * 125, "\u888b" * 83], ids=["one", "two", "three"])
def test_a_text_whose_name_leaves_no_room_is_kept_under_a_shorter_one(tmp_path: Path, stem: str) -> None:
    (tmp_path / f"{stem}.txt").write_text("mine")
    for text in ("one", "two"):
        assert CaptionSheet({f"{stem}.jpg": text}).write_beside(tmp_path, overwrite=True) == ()
    assert sorted(item.read_text() for item in tmp_path.iterdir()) == ["mine", "one", "two"]
    assert (tmp_path / f"{stem}.txt").read_text() == "two"


def test_joining_is_the_reverse_of_splitting() -> None:
    assert tags(joined(["a", "b c"])) == ["a", "b c"]
