"""A product taught by photos: in the panel and the tab, in jobs, by the HTTP API, and what may be named by whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_photoshoot.kept_examples import kept_examples
from lib_photoshoot.products import Product, parse_products
from tests.test_kept_examples import photo
from tests.webui.generate.test_job import BrightModels
from tests.webui.hosts.a1111.conftest import ON, bag, encoded, generate
from tests.webui.hosts.a1111.test_panel import KEY, build
from tests.webui.hosts.a1111.test_routes import PREFIX, client
from tests.webui.standin.host import StandIn
from tests.webui.standin.page import Page, uploaded

TAB = "photoshoot_txt2img"


@pytest.fixture
def page(host: StandIn) -> Page:
    return Page(host.page)


@pytest.fixture
def asked(models: BrightModels, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[bytes]]]:
    """What the filter was asked for by examples: each product with the bytes of its pictures, as it was asked."""
    seen: list[tuple[str, list[bytes]]] = []
    detect = models.detector.detect

    def recording(image: Any, products: Sequence[Product]) -> Any:
        seen.extend((product.name, contents(product.examples)) for product in products if product.examples)
        return detect(image, products)

    monkeypatch.setattr(models.detector, "detect", recording)
    return seen


def contents(examples: Sequence[str]) -> list[bytes]:
    paths = [path for text in map(Path, examples) for path in (sorted(text.iterdir()) if text.is_dir() else [text])]
    return [path.read_bytes() for path in paths]


def files_of(folder: Path, *values: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for value in values:
        (folder / f"{value}.png").write_bytes(photo(value))
    return [folder / f"{value}.png" for value in values]


def teach(page: Page, tab: str, name: str, files: Sequence[Path]) -> str:
    page.set(f"{tab}_teach_name", name)
    page.set(f"{tab}_teach_files", [uploaded(file) for file in files])
    page.fire(f"{tab}_teach_button")
    return page.value(f"{tab}_teach_status")


@pytest.mark.parametrize("tab", [TAB, "photoshoot_img2img", "photoshoot_tab"])
def test_dropped_photos_are_kept_shown_and_looked_for(page: Page, tab: str, own_root: Path, tmp_path: Path) -> None:
    page.set(f"{tab}_products", "cup [threshold=0.3]")
    told = teach(page, tab, "My Ring", files_of(tmp_path / "dropped", 1, 2, 3))
    assert "Taught as &#x27;my ring&#x27;" in told and told.count("<img ") == 3 and "photoshoot-wrong" not in told
    assert contents([str(own_root / "examples" / "my ring")]) == [photo(1), photo(2), photo(3)]
    assert page.value(f"{tab}_products") == "cup [threshold=0.3], my ring = @my ring"
    assert page.value(f"{tab}_taught") == "my ring" and page.value(f"{tab}_teach_name") == ""
    assert not page.value(f"{tab}_teach_files")


def test_too_few_photos_are_taken_and_said(page: Page, tmp_path: Path) -> None:
    told = teach(page, TAB, "ring", files_of(tmp_path / "dropped", 1))
    assert "Taught as" in told and "is known by one example only" in told and kept_examples().names() == ["ring"]


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [("", 1, "has no name"), ("ring", 0, "there is no picture"), ("ring", 21, "21 pictures")],
)
def test_what_cannot_be_taught_is_told_and_kept_in_the_page(
    page: Page, tmp_path: Path, name: str, count: int, words: str
) -> None:
    page.set(f"{TAB}_products", "cup")
    told = teach(page, TAB, name, files_of(tmp_path / "dropped", *range(count)))
    assert words in told and "photoshoot-wrong" in told and kept_examples().names() == []
    assert page.value(f"{TAB}_products") == "cup" and page.value(f"{TAB}_teach_name") == name


def test_photos_that_teach_nothing_are_refused_by_their_names(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    assert "notes.png" in teach(page, TAB, "ring", [tmp_path / "notes.png"])
    Image.new("RGB", (9, 9)).save(tmp_path / "tiny.png")
    told = teach(page, TAB, "ring", [tmp_path / "tiny.png"])
    assert "None of the examples of &#x27;ring&#x27; can be used: The example 01.png is only 9 x 9 pixels" in told
    assert kept_examples().names() == []


def test_the_list_of_products_names_a_taught_one_once(page: Page, tmp_path: Path) -> None:
    files = files_of(tmp_path / "dropped", 1, 2, 3)
    for before, after in (
        ("", "ring = @ring"),
        ("cup,", "cup, ring = @ring"),
        ("ring, cup", "cup, ring = @ring"),
        ("my = @ring", "my = @ring"),
        ("cup [", "cup ["),
    ):
        page.set(f"{TAB}_products", before)
        teach(page, TAB, "ring", files)
        assert page.value(f"{TAB}_products") == after
    page.set(f"{TAB}_products", "cup")
    page.fire(f"{TAB}_taught_use")
    assert page.value(f"{TAB}_products") == "cup, ring = @ring"


def test_taught_products_are_listed_shown_and_forgotten(page: Page, own_root: Path) -> None:
    for name in ("ring", "cup"):
        kept_examples().keep(name, [("a.png", photo()), ("b.png", photo(2))])
    page.fire(f"{TAB}_taught", "focus")
    assert page.choices(f"{TAB}_taught") == ["cup", "ring"]
    page.set(f"{TAB}_taught", "ring")
    page.fire(f"{TAB}_taught", "select")
    assert page.value(f"{TAB}_teach_status").count("<img ") == 2
    page.fire(f"{TAB}_taught_remove", script=lambda name: [""])
    assert kept_examples().names() == ["cup", "ring"], "the user thought better of it"
    page.fire(f"{TAB}_taught_remove", script=lambda name: [name])
    assert kept_examples().names() == ["cup"] and "Forgot" in page.value(f"{TAB}_teach_status")
    assert page.choices(f"{TAB}_taught") == ["cup"] and not page.value(f"{TAB}_taught")
    page.set(f"{TAB}_taught", "ring")
    page.fire(f"{TAB}_taught_remove", script=lambda name: [name])
    assert "No product was taught as" in page.value(f"{TAB}_teach_status")
    page.fire(f"{TAB}_taught", "select")
    assert "photoshoot-wrong" in page.value(f"{TAB}_teach_status")
    page.set(f"{TAB}_taught", None)
    page.fire(f"{TAB}_taught_use")
    assert "Choose a taught product first" in page.value(f"{TAB}_teach_status")


def test_a_job_looks_by_the_taught_photos_and_its_infotext_keeps_the_name(
    host: StandIn, asked: list[tuple[str, list[bytes]]]
) -> None:
    kept_examples().keep("ring", [("a.png", photo(1)), ("b.png", photo(2))])
    host.checkpoint.pictures = {5: bag()}
    answer = generate(host, {**ON, "products": "bag = @ring", "on_match": "mask and cut-out only"})
    assert asked == [("bag", [photo(1), photo(2)])]
    text = answer.texts[answer.first]
    assert "bag = @ring" in text and "found bag" in text and str(kept_examples().folder) not in text
    from modules import infotext_utils

    pasted = infotext_utils.parse_generation_parameters(text)
    fields = build().infotext_fields
    assert [read(pasted) for component, read in fields if component.label == "Products"] == ["bag = @ring"]
    assert KEY in pasted


@pytest.mark.parametrize(
    ("products", "words"),
    [
        ("ring = @ring", "No product was taught as"),
        ("ring = @/etc", "lies outside the folders that may be used"),
        ("ring = @photos/ring", "not a full path"),
        ("ring = @/etc/../etc", "give the full path itself"),
    ],
)
def test_a_job_whose_examples_may_not_be_named_says_so_before_it_paints(
    host: StandIn, products: str, words: str
) -> None:
    from modules import shared

    answer = generate(host, {**ON, "products": products})
    assert answer.images == [] and words in str(answer.texts)
    assert shared.state.sampling_step == 0


def test_folders_that_the_user_may_read_are_examples_too(
    host: StandIn, asked: list[tuple[str, list[bytes]]], tmp_path: Path
) -> None:
    files_of(host.outputs / "rings", 4, 5)
    host.checkpoint.pictures = {5: bag()}
    settings = {**ON, "products": f"bag = @{host.outputs / 'rings'}", "on_match": "mask and cut-out only"}
    generate(host, settings)
    assert asked == [("bag", [photo(4), photo(5)])]


def test_the_tabs_run_looks_by_taught_photos(
    host: StandIn, page: Page, asked: list[tuple[str, list[bytes]]], tmp_path: Path
) -> None:
    kept_examples().keep("ring", [("a.png", photo(1))])
    bag().save(tmp_path / "scene.png")
    page.set("photoshoot_tab_files", [uploaded(tmp_path / "scene.png")])
    page.set("photoshoot_tab_products", "bag = @ring")
    page.fire("photoshoot_tab_start")
    # Once more after the retouch: whether it is still there.
    assert asked == [("bag", [photo(1)])] * 2 and "1 / 1" in page.value("photoshoot_tab_progress")
    page.set("photoshoot_tab_products", "bag = @/etc")
    page.fire("photoshoot_tab_start")
    assert "lies outside the folders" in page.value("photoshoot_tab_progress") and len(asked) == 2


def request(**more: Any) -> dict[str, Any]:
    return {"image": encoded(bag()), **more}


def test_the_api_keeps_lists_and_forgets(host: StandIn) -> None:
    visitor = client(host)
    assert visitor.get(f"{PREFIX}/examples").json() == {"examples": []}
    taught = {"name": "ring", "pictures": 2, "products": "ring = @ring"}
    pictures = [encoded(Image.open(path)) for path in files_of(host.folder / "sent", 1, 2)]
    answer = visitor.post(f"{PREFIX}/examples", json={"name": "Ring", "pictures": pictures})
    assert answer.status_code == 200 and answer.json().pop("notes")[0].startswith("'ring' is known by 2 examples only")
    assert visitor.get(f"{PREFIX}/examples").json() == {"examples": [taught]}
    assert visitor.delete(f"{PREFIX}/examples/ring").json() == {"examples": []}
    assert visitor.delete(f"{PREFIX}/examples/ring").status_code == 404
    assert visitor.delete(f"{PREFIX}/examples/..%2F..").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "ring"}, 422),
        ({"name": "ring", "pictures": []}, 422),
        ({"name": "ring", "pictures": ["no base64!"]}, 422),
        ({"name": "ring", "pictures": ["bm8gcGljdHVyZQ=="]}, 422),
        ({"name": "../ring", "pictures": [encoded(bag())]}, 422),
        ({"name": "ring", "pictures": [encoded(bag())] * 21}, 422),
        ({"name": "ring", "pictures": [encoded(bag())], "folder": "/etc"}, 422),
    ],
)
def test_what_the_api_cannot_keep_is_told(host: StandIn, body: dict[str, Any], status: int) -> None:
    answer = client(host).post(f"{PREFIX}/examples", json=body)
    assert answer.status_code == status and list(answer.json()) == ["error"] and kept_examples().names() == []


def test_a_request_brings_its_examples_which_are_gone_afterwards(
    host: StandIn, asked: list[tuple[str, list[bytes]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import base64
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept_examples().keep("ring", [("a.png", photo(9))])
    sent = [base64.b64encode(photo(value)).decode() for value in (1, 2)]
    for operation in ("detect", "filter", "enhance"):
        settings = {"products": "cup, bag [threshold=0.3]", "enhancement": "retouch"}
        body = request(examples={"Bag": [*sent, "@ring"]}, settings=settings)
        answer = client(host).post(f"{PREFIX}/{operation}", json=body)
        assert answer.status_code == 200, answer.json()
        assert asked and all(one == ("bag", [photo(1), photo(2), photo(9)]) for one in asked)
        asked.clear()
    assert client(host).post(f"{PREFIX}/detect", json=request(examples={"bag": sent})).json()["decision"] == "match"
    assert not list(tmp_path.glob("photoshoot-*"))


@pytest.mark.parametrize(
    ("examples", "status", "words"),
    [
        ([], 422, "must be an object with a list"),
        ({"bag": []}, 422, "must be an object with a list"),
        ({"bag": "@ring"}, 422, "must be an object with a list"),
        ({"bag": ["@ring"]}, 422, "No product was taught as 'ring'"),
        ({"bag": ["@/etc"]}, 422, "No product was taught as"),
        ({"bag": [3]}, 422, "base64"),
        ({"bag": ["bm8gcGljdHVyZQ=="]}, 422, "Example 1 of 'bag'"),
        ({"b@g": [encoded(bag())]}, 422, "'@'"),
        ({"bag": [encoded(bag())] * 21}, 422, "at most 20"),
    ],
)
def test_examples_of_a_request_that_are_wrong_are_told(host: StandIn, examples: Any, status: int, words: str) -> None:
    answer = client(host).post(f"{PREFIX}/detect", json=request(examples=examples))
    assert answer.status_code == status and words in answer.json()["error"]


def test_a_request_names_no_folder_outside_the_allowed_ones(host: StandIn) -> None:
    for products, status in (("bag = @/etc", 403), (f"bag = @{host.outputs}/none", 404)):
        answer = client(host).post(f"{PREFIX}/detect", json=request(settings={"products": products}))
        assert answer.status_code == status, answer.json()


def test_the_documented_request_has_examples(host: StandIn) -> None:
    schema = client(host).get("/openapi.json").json()["paths"][f"{PREFIX}/detect"]["post"]["requestBody"]
    examples = schema["content"]["application/json"]["schema"]["properties"]["examples"]
    assert examples["additionalProperties"]["maxItems"] == 20
    assert parse_products("ring = @ring")[0].examples == ("ring",)
