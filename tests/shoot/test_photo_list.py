"""Shot lists with photos: what rows may say, what WebUIs are asked, nothing lost or twice, every bad photo told."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import ShootError
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.run.webui import Fault, WebUiError
from lib_photoshoot.shoot.shot_list.photos import digest_of
from lib_photoshoot.shoot.shot_list.product import ListedProduct, with_photos
from lib_photoshoot.shoot.shot_list.reading import read_shot_list
from tests.shoot.conftest import events, outcome, tries
from tests.shoot.fake_webui import FakeWebUi
from tests.shoot.photos import COLOURS, SQUARE, photo, place_in_scene, scene_answer

Shoot = Callable[..., Any]
SCENES = ["on wood", "on marble", "in a garden", "on a gift table"]


def products_of(folder: Path, *rows: str, header: str = "name,class,photo,scenes,count,filter") -> Any:
    (folder / "list.csv").write_text("\n".join((header, *rows)) + "\n")
    return tuple(with_photos(product) for product in read_shot_list(folder / "list.csv"))


@pytest.fixture
def products(tmp_path: Path) -> tuple[ListedProduct, ...]:
    """Three photos in four scenes each."""
    rows = []
    for word, colour in COLOURS.items():
        path = photo(tmp_path / "photos" / f"{word}.png", colour)
        rows.append(f'my {word},{word},{path},{" | ".join(SCENES)},4,"{{""shadow"": 0.5}}"')
    return products_of(tmp_path, *rows)


def test_a_row_says_what_is_staged(tmp_path: Path, products: tuple[ListedProduct, ...]) -> None:
    cup = products[0]
    assert [one.path for one in cup.photos] == [tmp_path / "photos" / "cup.png"] and not cup.fault
    assert (cup.settings.repaint, cup.settings.canvas, cup.settings.shadow) == ("scene", "512x512", 0.5)
    own = '"{""canvas"": ""4:5"", ""repaint"": ""both"", ""scene_prompt"": ""[PRODUCT] at dusk""}"'
    (both,) = products_of(tmp_path, f"cup,,{tmp_path / 'photos'},,1,{own}")
    assert (both.settings.repaint, both.settings.canvas) == ("both", "4:5")
    assert [one.name for one in both.photos] == ["cup.png", "shoe.png", "watch.png"]
    for text, words in (
        ('"{""repaint"": ""product""}"', "gets new scenes"),
        ('"{""on_match"": ""mask and cut-out only""}"', "gets new scenes"),
        ('"{""canvas"": ""wide""}"', "canvas 'wide'"),
    ):
        with pytest.raises(ShootError, match=words):
            products_of(tmp_path, f"cup,,{tmp_path / 'photos'},,1,{text}")
    with pytest.raises(ShootError, match="leave the checkpoint empty"):
        products_of(tmp_path, f"cup,1,{tmp_path / 'photos'},sd15", header="name,count,photo,checkpoint")


def test_photos_and_scenes_take_turns(tmp_path: Path) -> None:
    photo(tmp_path / "b" / "2.png"), photo(tmp_path / "b" / "1.jpg"), photo(tmp_path / "c.png")
    (tmp_path / "b" / "._1.jpg").write_bytes(b"x")
    (cup,) = products_of(tmp_path, f"cup,,{tmp_path / 'b'} | {tmp_path / 'c.png'},on wood | on sand,6,")
    shots = [cup.shot(number) for number in range(7)]
    assert [(shot.photo.name, shot.scene) for shot in shots if shot.photo] == [
        ("1.jpg", "on wood"), ("1.jpg", "on sand"), ("2.png", "on wood"), ("2.png", "on sand"), ("c.png", "on wood"),
        ("c.png", "on sand"), ("1.jpg", "on wood"),
    ]  # fmt: skip
    assert [shot.seed for shot in shots] == list(range(1, 8))


def test_a_row_without_a_photo_is_what_it_was(tmp_path: Path) -> None:
    (plain,) = products_of(tmp_path, "cup,,,,1,")  # as in the ledgers of earlier releases
    assert plain.recipe == "dd2c64bda01d5f14" and plain.shot(0).photo is None


def test_what_a_webui_is_asked_and_what_is_kept(shoot: Shoot, tmp_path: Path, products: Any) -> None:
    with FakeWebUi() as fake:
        summary = shoot(fake, products=products)
        assert (summary.accepted, summary.wanted, summary.tries, summary.short) == (12, 12, 12, ())
        body = fake.bodies[1]
    assert body["settings"] == {
        "enabled": True, "products": "cup", "repaint": "scene", "scene_prompt": "on marble", "canvas": "512x512",
        "shadow": 0.5,
    }  # fmt: skip
    assert body["job"]["prompt"].endswith(", on marble") and body["job"]["seed"] == 2 and body["identity"] is True
    assert base64.b64decode(body["image"]) == (tmp_path / "photos" / "cup.png").read_bytes()
    entry = tries(tmp_path / "out")[1]
    assert (entry["photo"], entry["scene"], entry["decision"]) == ("cup.png", "on marble", "accepted")
    assert entry["digest"] == digest_of((tmp_path / "photos" / "cup.png").read_bytes())
    assert "0 of 384 product pixels changed" in entry["why"] and "the same product" in entry["why"]
    x0, y0, x1, y1 = SQUARE
    for one in tries(tmp_path / "out"):
        picture = np.asarray(Image.open(tmp_path / "out" / one["file"]))
        before = np.asarray(Image.open(tmp_path / "photos" / one["photo"]))
        assert (picture[place_in_scene()] == before[y0:y1, x0:x1]).all()
    # The folder is read again from anywhere.
    (again, *_) = ShootFolder(tmp_path / "out").products()
    assert again.photo == products[0].photo and again.recipe == products[0].recipe


@pytest.mark.parametrize("end", ["die", "hang up"])
def test_three_photos_in_four_scenes_on_two_webuis_one_ended_half_way(
    shoot: Shoot, tmp_path: Path, products: Any, end: str
) -> None:
    with FakeWebUi() as one:
        shoot(one, out="one", products=products)
    with FakeWebUi(seconds=0.02) as good, FakeWebUi(seconds=0.01) as bad:
        bad.misbehave = lambda number, _: None if number < 4 else bad.die() if end == "die" else "hang up"
        summary = shoot(bad, good, products=products)
        asked = good.counts
        assert len(bad.requests) >= 4 and max(asked.values()) == 1
    assert (summary.accepted, summary.tries) == (12, 12)
    assert outcome(tmp_path / "out") == outcome(tmp_path / "one")
    claims = [(e["claim"]["product"], e["claim"]["seed"]) for e in events(tmp_path / "out") if "claim" in e]
    assert len(claims) == len(set(claims)) == 12
    made = {(entry["photo"], entry["scene"]) for entry in tries(tmp_path / "out")}
    assert made == {(f"{word}.png", scene) for word in COLOURS for scene in SCENES}


def test_what_grew_or_is_another_product_is_tried_again(shoot: Shoot, tmp_path: Path, products: Any) -> None:
    other = [{"product": "cup", "same": False, "says": "another product 0.10: look 0.20; its colours fit"}]
    unsure = [{"product": "cup", "same": None, "says": "identity not checked: it is too small, really"}]

    def misbehave(number: int, body: dict[str, Any]) -> Any:
        changed = {**scene_answer(body)["scene"], "changed_product_pixels": 3}
        wrong = {1: {"grown": True}, 2: {"identity": other}, 3: {"scene": changed}, 4: {"identity": unsure}}
        return scene_answer(body, **wrong[number]) if number in wrong else None

    with FakeWebUi(misbehave=misbehave) as fake:
        summary = shoot(fake, products=products[:1])
        assert (summary.accepted, summary.tries) == (4, 7) and max(fake.counts.values()) == 1
    grew, another, touched, fourth, *_ = tries(tmp_path / "out")
    assert [one["decision"] for one in (grew, another, touched, fourth)] == ["rejected"] * 3 + ["accepted"]
    assert "more of the product was painted" in grew["why"] and "another product 0.10" in another["why"]
    assert "3 of 384 product pixels changed" in touched["why"] and "identity not checked" in fourth["why"]
    kept = (tmp_path / "out" / grew["file"]).read_bytes()
    assert kept == (tmp_path / "photos" / "cup.png").read_bytes(), "no scene was delivered, so the photo stands for it"


@pytest.mark.parametrize(("relight", "accepted"), [("edges and shadow", False), ("product too", True)])
def test_a_product_in_new_light_is_another_only_where_that_was_asked_for(
    shoot: Shoot, tmp_path: Path, relight: str, accepted: bool
) -> None:
    own = json.dumps({"relight": relight}).replace('"', '""')
    (cup,) = products_of(tmp_path, f'cup,,{photo(tmp_path / "cup.png")},on wood,1,"{own}"')

    def lit(number: int, body: dict[str, Any]) -> Any:
        assert body["settings"]["relight"] == relight
        scene = {"changed_product_pixels": 300, "light": "iclight, fbc", "relit_product": True}
        return scene_answer(body, scene=scene_answer(body)["scene"] | scene) if number == 1 else None

    with FakeWebUi(misbehave=lit) as fake:
        shoot(fake, products=[cup])
    first, *_ = tries(tmp_path / "out")
    assert (first["decision"] == "accepted") is accepted and "300 of 384 product pixels changed" in first["why"]
    assert "new light by iclight and fbc on the products too: that is an edit" in first["why"]


def test_a_photo_that_no_page_shows_stands_as_png_for_its_scene(shoot: Shoot, tmp_path: Path) -> None:
    path = photo(tmp_path / "cup.tif")
    (cup,) = products_of(tmp_path, f"cup,,{path},,1,")
    with FakeWebUi(misbehave=lambda n, body: scene_answer(body, grown=True) if n == 1 else None) as fake:
        assert shoot(fake, products=[cup]).accepted == 1
    with Image.open(tmp_path / "out" / tries(tmp_path / "out")[0]["file"]) as kept, Image.open(path) as before:
        assert kept.format == "PNG" and (np.asarray(kept) == np.asarray(before)).all()


def test_bad_photos_are_one_sentence_each_and_the_other_rows_go_on(shoot: Shoot, tmp_path: Path) -> None:
    good = photo(tmp_path / "good.png")
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "nothing.png")
    photo(tmp_path / "empty.png", None), (tmp_path / "folder").mkdir()
    (tmp_path / "torn.png").write_bytes(good.read_bytes()[:90])
    rows = {
        "a": (tmp_path / "no.png", "there is no photo"),
        "b": (tmp_path / "nothing.png", "is all transparent"),
        "c": (tmp_path / "empty.png", "nothing in the picture resembles the products"),
        "d": (tmp_path / "folder", "holds no photo"),
        "e": (tmp_path / "torn.png", "torn.png"),
    }
    lines = [f"{name},cup,{path},on wood,2," for name, (path, _) in rows.items()]
    listed = products_of(tmp_path, *lines, f"f,cup,{good},on wood,2,", f"g,cup,{tmp_path},on wood,2,")
    said: list[str] = []
    with FakeWebUi() as fake:
        summary = shoot(fake, products=listed, tell=lambda state: said.append(state.note))
        assert summary.accepted == 4, "f, and g with the good photo of its folder"
    assert len(summary.short) == len(rows)
    for sentence, (line, (name, (_, words))) in zip(summary.short, enumerate(rows.items(), 2), strict=True):
        assert sentence.startswith(f"{name}: 0 of 2 pictures, set aside: ") and words in sentence
        assert f"list.csv, line {line}: " in sentence and "\n" not in sentence
    assert sum("list.csv, line 8: the photo empty.png" in note for note in said) == 1
    assert {entry["photo"] for entry in tries(tmp_path / "out") if entry["product"] == "g"} == {"good.png"}


def test_a_refused_photo_is_told_with_its_line(shoot: Shoot, tmp_path: Path, products: Any) -> None:
    with FakeWebUi(misbehave=lambda *_: 422) as fake:
        summary = shoot(fake, products=products[:1])
    (sentence,) = summary.short
    assert "list.csv, line 2, cup.png: " in sentence and "HTTP 422" in sentence


CHANGES = {
    "content": "the photo cup.png of picture 1 has another content now",
    "other": "the photo cup.png of picture 1 is mug.png now",
    "gone": "there is no photo",
}


@pytest.mark.parametrize("change", [*CHANGES, "name"])
def test_a_changed_photo_is_noticed_on_resume(shoot: Shoot, tmp_path: Path, products: Any, change: str) -> None:
    with FakeWebUi(misbehave=lambda number, _: "hang up" if number > 2 else None) as fake, pytest.raises(ShootError):
        shoot(fake, products=products)
    cup, mug = tmp_path / "photos" / "cup.png", tmp_path / "photos" / "mug.png"
    if change == "content":
        photo(cup, (0, 0, 0))
    else:
        cup.unlink()
    if change in ("other", "name"):  # the same content under another name is the same photo
        photo(mug, COLOURS["cup"] if change == "name" else (0, 0, 0))
        (tmp_path / "list.csv").write_text((tmp_path / "list.csv").read_text().replace(str(cup), str(mug)))
    with FakeWebUi() as fake:
        summary = shoot(fake, products=read_shot_list(tmp_path / "list.csv"), resume=True)
        cups = [body for body in fake.bodies if body["settings"]["products"] == "cup"]
    if change == "name":
        assert summary.accepted == 12 and len(cups) == 2
        return
    (sentence,) = summary.short
    assert sentence.startswith("my cup: 2 of 4 pictures, set aside: ") and "list.csv, line 2: " in sentence
    assert CHANGES[change] in sentence and summary.accepted == 10 and not cups


def test_an_answer_that_is_none_is_told(tmp_path: Path, products: Any) -> None:
    wrong: list[tuple[Any, Fault]] = [
        ({"seed": 7}, Fault.BROKEN),
        ({"decision": "perhaps"}, Fault.BROKEN),
        ({"image": "!"}, Fault.BROKEN),
        ({"image": None, "note": "The sampler failed."}, Fault.BROKEN),
        ({"scene": {}}, Fault.BROKEN),
    ]
    for more, fault in wrong:
        with FakeWebUi(misbehave=lambda _, body, m=more: scene_answer(body, **m)) as fake:
            with pytest.raises(WebUiError) as error:
                HttpWebUi(fake.url).shoot(products[0].shot(0))
            assert error.value.fault is fault and "\n" not in str(error.value)


def test_a_link_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    secret = photo(tmp_path / "elsewhere.png")
    (tmp_path / "folder").mkdir()
    os.symlink(secret, tmp_path / "folder" / "a.png")
    (listed,) = products_of(tmp_path, f"cup,,{tmp_path / 'folder'},,1,")
    assert "link that leads out" in listed.fault and not listed.photos
