"""Paths that the HTTP API and the tab follow, and those that they refuse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.webui.http.folders import (
    AllowedFolders,
    FolderError,
    MissingPathError,
    allowed_folders,
    split_folders,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """``in`` is allowed; ``in-not`` beside it is not, though its name begins the same."""
    for name in ("in", "in/deeper", "in-not"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"x")
    return tmp_path


def test_what_lies_inside_is_found(tree: Path) -> None:
    folders = allowed_folders([str(tree / "in")], tree)
    assert folders.file(str(tree / "in" / "deeper" / "a.png")) == Path(os.path.realpath(tree / "in/deeper/a.png"))
    assert folders.folder(str(tree / "in")) == Path(os.path.realpath(tree / "in"))
    assert folders.resolve(str(tree / "in" / "new" / "folder")).name == "folder"


@pytest.mark.parametrize(
    "path",
    ["in-not/a.png", "in/../in-not/a.png", "in/deeper/../a.png", "in-not/missing.png", "", "in\\..\\in-not\\a.png"],
)
def test_what_lies_outside_or_goes_up_is_refused(tree: Path, path: str) -> None:
    with pytest.raises(FolderError) as error:
        allowed_folders([str(tree / "in")], tree).file(f"{tree}/{path}")
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "path",
    ["", "  ", None, 5, "a.png", "~/a.png", "//server/share/a.png", "\\\\server\\share\\a.png", "/\\server\\a.png",
     "file:///etc/passwd", "/etc/pass\0wd", "/pictures/a\nb", "/pictures/\ud800", "\\\\?\\C:\\a.png"],
)  # fmt: skip
def test_texts_that_are_never_followed(path: object, tmp_path: Path) -> None:
    # Even with the whole disk allowed.
    with pytest.raises(FolderError):
        allowed_folders(["/"], tmp_path).resolve(path)


def test_links_are_followed_before_they_are_judged(tree: Path) -> None:
    (tree / "in" / "away.png").symlink_to(tree / "in-not" / "a.png")
    (tree / "in" / "away").symlink_to(tree / "in-not")
    (tree / "door").symlink_to(tree / "in")
    folders = allowed_folders([str(tree / "in")], tree)
    for path in ("in/away.png", "in/away/a.png", "in/away/new.png"):
        with pytest.raises(FolderError, match="outside"):
            folders.resolve(str(tree / path))
    assert folders.file(str(tree / "door" / "a.png")).is_file()
    assert not folders.holds(tree / "in" / "away.png") and folders.holds(tree / "door" / "a.png")


def test_an_allowed_folder_may_be_a_link_itself(tree: Path) -> None:
    (tree / "door").symlink_to(tree / "in")
    assert allowed_folders([str(tree / "door")], tree).file(str(tree / "in" / "a.png")).is_file()


def test_outside_nothing_is_told_about_what_exists(tree: Path) -> None:
    folders = allowed_folders([str(tree / "in")], tree)
    sentences = set()
    for name in ("a.png", "b.png"):
        with pytest.raises(FolderError) as error:
            folders.file(str(tree / "in-not" / name))
        sentences.add(str(error.value).replace(name, "?"))
    assert len(sentences) == 1


def test_missing_is_another_error_than_forbidden(tree: Path) -> None:
    folders = allowed_folders([str(tree / "in")], tree)
    with pytest.raises(MissingPathError, match="no file"):
        folders.file(str(tree / "in" / "b.png"))
    with pytest.raises(MissingPathError, match="no folder"):
        folders.folder(str(tree / "in" / "a.png"))


def test_no_folders_allow_nothing(tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        allowed_folders(["", "  "], tmp_path).resolve(str(tmp_path))


def test_relative_folders_lie_below_the_base(tree: Path) -> None:
    assert allowed_folders(["in"], tree).file(str(tree / "in" / "a.png")).is_file()


def test_the_option_is_split_at_commas_and_lines() -> None:
    assert split_folders(' /a b/c , "/d"\n\n/e,') == ["/a b/c", "/d", "/e"]


@given(st.text(max_size=40))
def test_no_text_leads_outside(text: str) -> None:
    root = Path("/nowhere/photoshoot")
    try:
        path = allowed_folders([str(root)], root).resolve(f"{root}/{text}")
    except FolderError:
        return
    assert path == root or root in path.parents


def test_a_name_longer_than_any_system_has_is_a_missing_file(tmp_path: Path) -> None:
    allowed = AllowedFolders((tmp_path.resolve(),))
    for name in ("a" * 5000, "b/" * 3000):
        for look in (allowed.file, allowed.folder):
            with pytest.raises(MissingPathError):
                look(f"{tmp_path.resolve()}/{name}")
