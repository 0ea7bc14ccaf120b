"""What is checked before anything is generated, and what is said about answers that cannot be used."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.errors import ShootError
from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.run.webui import Fault, WebUiError
from lib_photoshoot.shoot.shot_list.product import ListedProduct
from lib_photoshoot.shoot.shot_list.reading import read_shot_list
from lib_photoshoot.verdict import Done, Verdict
from tests.shoot.fake_webui import FakeWebUi, answer_of, found

Products = tuple[ListedProduct, ...]


def refused(webui: HttpWebUi, products: Products) -> str:
    with pytest.raises(ShootError) as error:
        webui.check(products)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_webui_with_everything_passes(products: Products) -> None:
    with FakeWebUi(auth="me:a:b") as fake:
        HttpWebUi(fake.url, "me:a:b").check(products)
        HttpWebUi(fake.url.replace("http://", "http://me:a%3Ab@") + "/", "other:one").check(products)
        assert "/sdapi/v1/loras" in fake.paths and not fake.requests


def test_each_thing_that_is_lacking_has_its_sentence(products: Products, tmp_path: Path) -> None:
    with FakeWebUi(extension=False) as fake:
        assert "no extension Product Photoshoot" in refused(HttpWebUi(fake.url), products)
    with FakeWebUi(webui=False) as fake:
        assert "no WebUI with its API" in refused(HttpWebUi(fake.url), products)
    with FakeWebUi(auth="me:secret") as fake:
        sentence = refused(HttpWebUi(fake.url, "me:wrong"), products)
        assert "--auth" in sentence and "401" in sentence and "wrong" not in sentence
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert "no WebUI with its API" in refused(HttpWebUi(f"http://127.0.0.1:{probe.getsockname()[1]}"), products)
    (tmp_path / "list.csv").write_text("name,count,checkpoint,lora\nbag,1,tiny.safetensors,ppzocketv2\nshoe,1,big,no\n")
    known, lacking = read_shot_list(tmp_path / "list.csv")
    with FakeWebUi() as fake:
        HttpWebUi(fake.url).check((known,))
        assert "no checkpoint 'big'" in refused(HttpWebUi(fake.url), (known, lacking))


def test_a_webui_without_our_routes_is_one_sentence_and_nothing_is_painted(products: Products) -> None:
    """SD.Next lists samplers, models and LoRAs as AUTOMATIC1111 does, and knows neither our script nor our routes."""
    with FakeWebUi(extension=False) as fake:
        assert refused(HttpWebUi(fake.url), products) == (
            f"The WebUI at {fake.url} has no extension Product Photoshoot; install it there and restart, or, where it "
            "takes no such extension (SD.Next), make the pictures there and filter their folder."
        )
        assert fake.paths == ["/sdapi/v1/samplers", "/photoshoot/v1/schema"] and not fake.bodies


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://x:port", "http://[x", "http://x/?a=1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ShootError, match="is no address"):
        HttpWebUi(url)


def test_what_is_no_webui_is_one_sentence_with_its_address_once() -> None:
    with FakeWebUi(webui=False) as fake:
        nobody = "http://127.0.0.1:9"
        for url, why in ((fake.url, "HTTP 404 (Not Found)"), (nobody, "")):
            with pytest.raises(ShootError) as error:
                HttpWebUi(url).check_filter()
            what = f"it answers {why}" if why else "it does not answer: Connection refused"
            assert str(error.value) == (
                f"There is no WebUI with its API at {url} ({what}); check the address, and start it with --api."
            )


def test_addresses_are_shown_without_the_password() -> None:
    assert HttpWebUi("me:pw@127.0.0.1:7860/sub/").address == "http://127.0.0.1:7860/sub"
    assert HttpWebUi("https://[::1]:7860").address == "https://[::1]:7860"
    with pytest.raises(ShootError, match="no colon"):
        HttpWebUi("http://x", "nobody")


def without(answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**answer, **more}


def truncated(answer: dict[str, Any]) -> str:
    return base64.b64encode(base64.b64decode(answer["images"][0])[:-40]).decode()


ANSWERS: list[tuple[Callable[[dict[str, Any]], Any], Fault, str]] = [
    (lambda a: 500, Fault.BROKEN, "HTTP 500 (trouble 500)"),
    (lambda a: 429, Fault.BROKEN, "HTTP 429"),
    (lambda a: 422, Fault.REFUSED, "HTTP 422"),
    (lambda a: 401, Fault.LOGIN, "--auth"),
    (lambda a: "<html>", Fault.BROKEN, "no JSON"),
    (lambda a: [], Fault.BROKEN, "no usable picture"),
    (lambda a: without(a, images=[]), Fault.BROKEN, "no usable picture"),
    (lambda a: without(a, images=["!"]), Fault.BROKEN, "no usable picture"),
    (lambda a: without(a, images=[truncated(a)]), Fault.BROKEN, "no usable picture"),
    (lambda a: without(a, info="x"), Fault.BROKEN, "no usable picture"),
    (lambda a: without(a, info=json.dumps({"seed": 0, "infotexts": ["x"]})), Fault.BROKEN, "instead of 1"),
    (lambda a: without(a, info=json.dumps({"seed": 1, "infotexts": ["x"]})), Fault.BROKEN, "without the filter's"),
    (lambda a: "hang up", Fault.SILENT, "does not answer"),
]


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_an_answer_that_cannot_be_used(products: Products, number: int) -> None:
    change, fault, word = ANSWERS[number]
    with FakeWebUi(misbehave=lambda _, body: change(answer_of(body))) as fake, pytest.raises(WebUiError) as error:
        HttpWebUi(fake.url).shoot(products[0].shot(0))
    assert error.value.fault is fault and word in str(error.value) and "\n" not in str(error.value)


def test_a_filter_that_could_not_look(products: Products) -> None:
    for result, fault in (
        (Verdict(Done.REFUSED, "The word is not known."), Fault.REFUSED),
        (Verdict(Done.STOPPED, "not looked at: stopped"), Fault.BROKEN),
        (found("bag", Done.FAILED, "Out of memory"), Fault.BROKEN),
    ):
        with FakeWebUi(misbehave=lambda _, body, r=result: answer_of(body, r)) as fake:
            with pytest.raises(WebUiError, match=result.says) as error:
                HttpWebUi(fake.url).shoot(products[0].shot(0))
            assert error.value.fault is fault


@pytest.mark.parametrize("result", ["found bag 0.80; enhanced with ControlNet", "{", "[]", '{"says": "x"}', "7"])
def test_a_filter_of_another_version_is_told(products: Products, result: str) -> None:
    with FakeWebUi(misbehave=lambda _, body: answer_of(body, result)) as fake:
        with pytest.raises(WebUiError, match="install the same version") as error:
            HttpWebUi(fake.url).shoot(products[0].shot(0))
        assert error.value.fault is Fault.REFUSED


def test_a_filter_that_knew_before_painting_that_it_could_not(products: Products) -> None:
    told = Verdict(Done.REFUSED, "mobile_sam.pt is not there.")
    with FakeWebUi(misbehave=lambda _, body: without(answer_of(body, told), images=[])) as fake:
        with pytest.raises(WebUiError, match="mobile_sam") as error:
            HttpWebUi(fake.url).shoot(products[0].shot(0))
        assert error.value.fault is Fault.REFUSED


def test_a_webui_that_hangs_is_left_after_the_timeout(products: Products) -> None:
    forever = threading.Event()
    with FakeWebUi(misbehave=lambda *_: forever.wait(20)) as fake:
        with pytest.raises(WebUiError, match=r"within 0\.3 s") as error:
            HttpWebUi(fake.url, timeout=0.3).shoot(products[0].shot(0))
        forever.set()
    assert error.value.fault is Fault.SILENT
