"""Which examples of a product may be named: nothing outside the allowed folders is read, whatever the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.kept_examples import KeptExamples, KeptExamplesError
from lib_photoshoot.product_text import format_example
from lib_photoshoot.products import parse_products
from lib_photoshoot.webui.http.examples import with_allowed_examples
from lib_photoshoot.webui.http.folders import AllowedFolders, FolderError, MissingPathError
from tests.test_kept_examples import photo

Allow = Callable[[str], tuple[str, ...]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("open/ring", "secret"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").write_bytes(photo())
    KeptExamples(tmp_path / "kept").keep("my ring", [("a.png", photo())])
    return tmp_path.resolve()


@pytest.fixture
def allow(place: Path) -> Allow:
    """The examples that ``ring = @text`` comes to."""

    def allowed(text: str) -> tuple[str, ...]:
        products = parse_products(f"cup, ring = {format_example(text)}")
        folders = AllowedFolders((place / "open",))
        cup, ring = with_allowed_examples(products, lambda: folders, KeptExamples(place / "kept"))
        assert cup == products[0] and ring.name == "ring"
        return ring.examples

    return allowed


def test_folders_and_pictures_inside_the_allowed_ones_may_be_named(place: Path, allow: Allow) -> None:
    for text in (str(place / "open" / "ring"), str(place / "open" / "ring" / "a.png")):
        assert allow(text) == (text,)


def test_a_taught_name_is_its_folder(place: Path, allow: Allow) -> None:
    assert allow("my ring") == allow("My  Ring") == (str(place / "kept" / "my ring"),)
    with pytest.raises(KeptExamplesError, match="No product was taught as 'earring'"):
        allow("earring")


@pytest.mark.parametrize(
    "text", ["{}/secret", "{}/secret/a.png", "{}/none", "{}/open/../secret", "/etc/passwd", "//host/share", "~/x"]
)
def test_all_else_is_refused_in_the_same_words_there_or_not(place: Path, allow: Allow, text: str) -> None:
    with pytest.raises(FolderError) as told:
        allow(text.format(place))
    assert "secret/a.png" in text or "no folder" not in str(told.value)


@pytest.mark.parametrize("text", ["photos/ring", "./ring", "..", "../ring", ".", "kept/my ring"])
def test_relative_paths_are_no_way_in(allow: Allow, text: str) -> None:
    with pytest.raises(PhotoshootError):
        allow(text)


def test_links_that_lead_out_are_refused(place: Path, allow: Allow) -> None:
    (place / "open" / "link").symlink_to(place / "secret")
    with pytest.raises(FolderError, match="lies outside"):
        allow(str(place / "open" / "link"))
    (place / "open" / "ring" / "b.png").symlink_to(place / "secret" / "a.png")
    with pytest.raises(FolderError, match=r"b\.png in .* is a link that leads out"):
        allow(str(place / "open" / "ring"))


def test_what_is_not_there_is_said(place: Path, allow: Allow) -> None:
    with pytest.raises(MissingPathError, match="no folder or picture"):
        allow(str(place / "open" / "earring"))


def test_the_folders_are_asked_for_only_where_a_path_is_named(place: Path) -> None:
    def never() -> AllowedFolders:
        raise AssertionError("asked")

    products = parse_products("cup, ring = @my ring")
    assert with_allowed_examples(products, never, KeptExamples(place / "kept"))[1].examples
