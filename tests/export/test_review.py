"""An export folder on the picture page: what it tells, decisions, and what ``export`` makes of them."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_photoshoot.catalog.decisions import DECISIONS_NAME
from lib_photoshoot.cli import review as command
from lib_photoshoot.errors import CatalogError, ExportError, MissingPictureError, PhotoshootError
from lib_photoshoot.export.profile import PROFILES
from lib_photoshoot.export.review import records
from lib_photoshoot.export.review.records import EXPORTED_NAME
from lib_photoshoot.export.review.reviewed import ReviewedExports
from lib_photoshoot.export.shop import handing_over
from lib_photoshoot.training.review.reviewed import ReviewedPhotos
from tests.export.conftest import cutout, save_cutout
from tests.export.shop.test_shop_cli import rows
from tests.export.test_export_cli import invoke
from tests.pages import Page, read_page
from tests.shoot.test_review import HOSTILE, Served


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an export of three: one fine, one too small, one with a doubtful outline."""
    from lib_photoshoot.export import cutouts

    monkeypatch.setattr(cutouts, "recorded_doubts", lambda path, *more: ("ragged",) if path.stem == "doubtful" else ())
    for name, width, height in (("fine", 150, 140), ("small", 40, 20), ("doubtful", 150, 140)):
        save_cutout(tmp_path / "in" / f"{name}.png", cutout(width, height))
    rules = (PROFILES / "ebay.toml").read_text("utf-8").replace("= 1600", "= 160").replace("= 500", "= 100")
    (tmp_path / "ebay.toml").write_text(rules, "utf-8")
    export(tmp_path)
    return tmp_path / "out"


def export(folder: Path, *more: object) -> Any:
    profile = ("--profile", folder / "ebay.toml", "--enlarge", 1, "--names", "{stem}")
    return invoke("export", folder / "in", *profile, "--out", folder / "out", *more)


@pytest.fixture
def reviewed(made: Path) -> Iterator[ReviewedExports]:
    one = ReviewedExports(made)
    yield one
    one.end()


def page_of(reviewed: ReviewedExports) -> Page:
    return read_page(b"".join(reviewed.page()).decode())


def items(reviewed: ReviewedExports) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in page_of(reviewed).items}


def send(reviewed: ReviewedExports, file: str, decision: str | None, **more: str) -> dict[str, Any]:
    return reviewed.decide(reviewed.chosen([{"file": file, "decision": decision, **more}]))


def names(made: Path) -> set[str]:
    return {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}


def test_what_the_page_tells(made: Path, reviewed: ReviewedExports) -> None:
    before = names(made)
    page, shown = page_of(reviewed), items(reviewed)
    assert list(shown) == ["to-check/doubtful", "fine", "small"]
    assert page.head["lead"] == "3 pictures for eBay, first photo: 1 fine, 1 missing rules, 1 with an outline to check"
    assert [(item["marks"], item["check"], item["decision"]) for item in shown.values()] == [
        ([], True, "rejected"),
        (["fine"], False, "accepted"),
        (["misses"], False, "accepted"),
    ]
    assert "Misses fill: the product fills" in shown["small"]["why"]
    size = (made / "fine.jpg").stat().st_size
    assert shown["fine"]["more"][:2] == ["eBay, first photo", f"{size:,} bytes"] and shown["fine"]["size"] == [160, 160]
    assert shown["to-check/doubtful"]["reference"] == {"file": "to-check/doubtful.jpg"}
    thumbnail = reviewed.picture(shown["fine"]["thumbnail"])
    assert thumbnail is not None and made not in thumbnail.parents
    assert reviewed.picture(shown["fine"]["file"]) == made / "fine.jpg"
    assert reviewed.picture(EXPORTED_NAME) is None and names(made) == before


def test_decisions_are_obeyed_by_what_is_handed_on(
    tmp_path: Path, reviewed: ReviewedExports, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fpdf", reason="the package fpdf2 is not installed")
    send(reviewed, "fine.jpg", "rejected", reason="colour", note="too red")
    assert items(reviewed)["fine"]["note"] == "too red"
    send(reviewed, "to-check/doubtful.jpg", "accepted")
    sheet: dict[str, tuple[str, ...]] = {}
    drawn = handing_over.write_contact_sheets
    take = lambda path, pictures, *more: [sheet.update((one.sku, one.checks) for one in pictures)]  # noqa: E731
    monkeypatch.setattr(handing_over, "write_contact_sheets", lambda *given: take(*given) and drawn(*given))
    skus = tmp_path / "skus.csv"
    skus.write_text("sku,file\nF,fine\nS,small\nD,doubtful\n")
    more = ("--zip", "--table", skus, "--shop", "plain,woocommerce", "--contact-sheet")
    result = export(tmp_path, *more)
    said = "1 export (fine.jpg first) rejected by hand: left out; the file"
    assert result.stderr.count(said) == 1 and "look at what is said of them" not in result.stderr
    with zipfile.ZipFile(made / "ebay.zip") as archive:
        assert archive.namelist() == ["small.jpg", "to-check/doubtful.jpg"]
    assert {row["SKU"] for row in rows(made / "ebay-woocommerce.csv")} == {"S", "D"}
    plain = {row["sku"]: row for row in rows(made / "ebay.csv")}
    assert (plain["F"]["ready"], plain["F"]["checks"]) == ("no", "rejected by hand: Colour: too red")
    assert plain["D"]["ready"] == "yes" and (made / "fine.jpg").is_file()
    assert sheet["F"] == ("rejected by hand: Colour: too red",) and sheet["D"] == ()
    assert (made / "ebay-contact-sheet.pdf").is_file()
    for path in made.glob("ebay*"):
        path.unlink()
    result = export(tmp_path, *more, "--ignore-decisions")
    with zipfile.ZipFile(made / "ebay.zip") as archive:
        assert archive.namelist() == ["fine.jpg", "small.jpg"]
    assert said not in result.stderr


def test_a_decision_is_about_the_content(tmp_path: Path, reviewed: ReviewedExports, made: Path) -> None:
    send(reviewed, "fine.jpg", "rejected")
    (made / "fine.jpg").unlink()
    save_cutout(tmp_path / "in" / "fine.png", cutout(150, 150))
    export(tmp_path, "--zip")
    assert items(reviewed)["fine"]["by_hand"] is None
    with zipfile.ZipFile(made / "ebay.zip") as archive:
        assert "fine.jpg" in archive.namelist()
    stale = reviewed.changes("")
    Image.new("RGB", (50, 50)).save(made / "fine.jpg")
    with pytest.raises(ExportError, match="changed meanwhile"):
        send(reviewed, "fine.jpg", "accepted")
    news = reviewed.changes(stale["changes"].partition("=")[2])["items"]
    assert [item["name"] for item in news] == ["fine"] and "changed since it was exported" in news[0]["why"]
    assert news[0]["check"] and news[0]["marks"] == []
    send(reviewed, "fine.jpg", "rejected")  # what the person has seen by now
    (made / "small.jpg").unlink()
    assert items(reviewed)["small.jpg"]["decision"] == "unreadable"
    with pytest.raises(MissingPictureError):
        send(reviewed, "small.jpg", "rejected")


def test_it_follows_an_export_that_goes_on_and_another_page(
    tmp_path: Path, reviewed: ReviewedExports, made: Path
) -> None:
    seen = reviewed.changes("")["changes"].partition("=")[2]
    other = ReviewedExports(made)
    save_cutout(tmp_path / "in" / "new.png", cutout(150, 140))
    export(tmp_path)
    send(other, "new.jpg", "accepted")
    other.end()
    news = reviewed.changes(seen)
    assert [(item["name"], item["by_hand"]) for item in news["items"]] == [("new", "accepted")]
    assert news["page"]["lead"].startswith("4 pictures for eBay, first photo: 2 fine")
    lines = (made / EXPORTED_NAME).read_bytes()
    export(tmp_path)
    assert (made / EXPORTED_NAME).read_bytes() == lines  # the same is said once
    with pytest.raises(ExportError, match="has ended"):
        send(other, "new.jpg", "rejected")


def test_review_opens_what_export_left_and_nothing_else(tmp_path: Path, made: Path) -> None:
    reviewed, after = command._reviewed(made, None)
    assert isinstance(reviewed, ReviewedExports) and "obeys" in after
    reviewed.end()
    (made / EXPORTED_NAME).rename(tmp_path / "kept")
    photos, _ = command._reviewed(made, None)
    assert isinstance(photos, ReviewedPhotos)
    photos.end()
    (made / EXPORTED_NAME).write_text("mine\n")
    with pytest.raises(ExportError, match="no record of exports"):
        command._reviewed(made, None)
    refused = export(tmp_path)
    assert refused.exit_code == 2 and "no record of exports of this program; move it away" in refused.stderr


def test_the_server(made: Path, reviewed: ReviewedExports) -> None:
    served = Served(made, reviewed)
    try:
        status, _, page = served.get("report.html")
        item = read_page(page.decode()).items[1]
        assert status == 200 and served.get(item["file"])[2] == (made / "fine.jpg").read_bytes()
        assert served.get(item["thumbnail"])[2].startswith(b"\xff\xd8")
        status, answer = served.post({"decisions": [{**item["reference"], "decision": "rejected", "reason": "double"}]})
        assert status == 200 and answer["shots"][0]["reason"] == "double"
        for name in (DECISIONS_NAME, EXPORTED_NAME, "../in/fine.png", "ebay.zip"):
            assert served.get(name)[0] == 404
    finally:
        served.close()


def test_a_folder_from_a_stranger(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.jpg"
    Image.new("RGB", (9, 9)).save(secret)
    first = json.loads((made / EXPORTED_NAME).read_bytes().splitlines()[1])["picture"]
    (made / "link.jpg").symlink_to("fine.jpg")
    os.utime(secret, ns=(first["modified"], first["modified"]))
    (made / "away").symlink_to(tmp_path)
    strange = [
        first | {"file": name} for name in ("../secret.jpg", os.fspath(secret), "link.jpg", "away/secret.jpg", "a.html")
    ]
    strange += [
        first | {"file": "away/secret.jpg", "bytes": secret.stat().st_size},  # as if it were known
        first | {"file": "fine.jpg", "width": "9"},
        first | {"missed": "x"},
        first | {"doubts": ["x"]},
        first | {"title": "x" * 5000},
    ]
    strange += [first | {"file": f"{number}.jpg", "title": text} for number, text in enumerate(HOSTILE)]
    with open(made / EXPORTED_NAME, "ab") as file:
        file.write(b"".join(json.dumps({"picture": one}).encode() + b"\n" for one in strange))
        file.write(b'{"picture": []}\nno json\n')
    reviewed = ReviewedExports(made)
    shown = {"/".join(item["link"]): item for item in page_of(reviewed).items}
    assert not {"../secret.jpg", os.fspath(secret), "a.html"} & set(shown)
    for name in ("link.jpg", "away/secret.jpg"):
        assert reviewed.picture(name) is None and reviewed.picture(f".thumbnails/{name}.jpg") is None
        with pytest.raises(PhotoshootError):
            send(reviewed, name, "rejected")
    assert shown["link.jpg"]["decision"] == "unreadable" and shown["link.jpg"]["file"] == ""
    assert reviewed.picture("fine.jpg") is not None and shown["fine.jpg"]["size"] == [160, 160]
    monkeypatch.setattr(records, "LARGEST_FILE", 100)
    assert reviewed.picture("fine.jpg") is None
    reviewed.end()
    shutil.copy(made / EXPORTED_NAME, tmp_path / "elsewhere")
    (made / EXPORTED_NAME).unlink()
    (made / EXPORTED_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises((ExportError, CatalogError)):
        ReviewedExports(made)


def test_what_no_browser_shows_is_drawn(made: Path) -> None:
    Image.new("RGBA", (60, 40), (200, 0, 0, 0)).save(made / "print.tif")
    first = json.loads((made / EXPORTED_NAME).read_bytes().splitlines()[1])["picture"]
    with open(made / EXPORTED_NAME, "ab") as file:
        file.write(json.dumps({"picture": first | {"file": "print.tif"}}).encode() + b"\n")
    reviewed = ReviewedExports(made)
    drawn = reviewed.picture(items(reviewed)["print"]["file"])
    assert drawn is not None and made not in drawn.parents
    with Image.open(drawn) as image:
        assert image.format == "JPEG" and image.size == (60, 40)
    reviewed.end()
    assert not drawn.exists()
