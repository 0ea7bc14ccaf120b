"""The HTTP API of a running WebUI, and the filter through ``alwayson_scripts`` with the client ``webuiapi``."""

from __future__ import annotations

import base64
import json
import shutil
import threading
import urllib.error
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.shoot.run.verdict import verdict_in
from tests.e2e.conftest import OURS, SIDE, WebUi, decoded

PREFIX = "/photoshoot/v1/"
JOB = {"prompt": "a handbag", "seed": 7, "steps": 2, "width": 128, "height": 128}
# Random weights paint noise over a product, so the re-check would undo every enhancement.
# What small random weights paint is far beyond any limit of colour.
ON = {"products": "handbag", "recheck": False, "colour_limit": 0}


def base64_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def refused(webui: WebUi, path: str, body: Any = None) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        webui.call(PREFIX + path, body)
    answer = json.loads(error.value.read())
    assert list(answer) == ["error"]
    return error.value.code, answer["error"]


def differing(path: Path, text: str) -> np.ndarray:
    return (np.asarray(Image.open(path).convert("RGB")) != decoded(text)).any(axis=2)


def test_detect_by_content_and_by_path(webui: WebUi, bag: Path, moon: Path, allowed: Path) -> None:
    request = {"image": base64_of(bag), "settings": {"products": "handbag"}, "masks": True}
    by_content = webui.call(PREFIX + "detect", request)
    assert by_content["decision"] == "match" and decoded(by_content["regions"][0]["mask"]).any()
    path = Path(shutil.copy(moon, allowed / "moon.png"))
    by_path = webui.call(PREFIX + "detect", {"path": str(path), "settings": {"products": "handbag"}})
    assert (by_path["decision"], by_path["reason"], by_path["file"]) == ("skip", "nothing_found", str(path))


def test_filter_with_retouch_and_through_the_host(webui: WebUi, bag: Path) -> None:
    image = base64_of(bag)
    for more in ({"enhancement": "retouch"}, {"enhancement": "inpaint"}, {"cn_model": "control_v11p_sd15_canny"}):
        answer = webui.call(PREFIX + "filter", {"image": image, "settings": ON | more, "job": JOB})
        assert answer["decision"] == "match" and answer["changed_outside"] == 0 and not answer["note"]
        changed = differing(bag, answer["image"])
        x0, y0, x1, y1 = (round(value) for value in answer["regions"][0]["box"])
        changed[max(0, y0 - 20) : y1 + 20, max(0, x0 - 20) : x1 + 20] = False
        assert not changed.any()


def test_enhance_takes_the_regions_of_detect(webui: WebUi, bag: Path) -> None:
    image = base64_of(bag)
    found = webui.call(PREFIX + "detect", {"image": image, "settings": ON, "masks": True})
    request = {"image": image, "settings": ON, "job": JOB, "regions": found["regions"]}
    answers = [webui.call(PREFIX + "enhance", request) for _ in range(2)]
    assert answers[0]["image"] == answers[1]["image"] and differing(bag, answers[0]["image"]).any()
    assert webui.call("/sdapi/v1/progress?skip_current_image=true")["state"]["job_count"] == 0


def test_a_request_beside_a_generation_changes_neither(webui: WebUi, bag: Path) -> None:
    request = {"image": base64_of(bag), "settings": ON, "job": JOB}
    alone = webui.generate([], None, steps=6), webui.call(PREFIX + "filter", request)
    beside: list[Any] = []
    thread = threading.Thread(target=lambda: beside.append(webui.generate([], None, steps=6)))
    thread.start()
    filtered = webui.call(PREFIX + "filter", request)
    thread.join()
    assert filtered["image"] == alone[1]["image"]
    assert np.array_equal(beside[0].images[0], alone[0].images[0])


def test_errors_have_their_status_and_one_sentence(webui: WebUi, bag: Path, allowed: Path) -> None:
    path, settings = str(allowed / "no.png"), {"products": "handbag"}
    (allowed / "link.png").symlink_to("/etc/hostname")
    cases = [
        ("detect", {"path": path, "settings": settings}, 404, "no.png"),
        ("detect", {"path": "/etc/hostname", "settings": settings}, 403, "outside"),
        ("detect", {"path": str(allowed / "link.png"), "settings": settings}, 403, "outside"),
        ("detect", {"path": path, "settings": {"productz": "handbag"}}, 422, "'productz'"),
        ("detect", {"path": path, "settings": settings, "pathh": path}, 422, "'pathh'"),
        ("filter", {"image": base64_of(bag), "settings": settings, "job": {"sampler": "x"}}, 422, "'x'"),
        ("models/nope", None, 404, "'nope'"),
    ]
    for route, body, status, word in cases:
        found, sentence = refused(webui, route, body)
        assert found == status and word in sentence, sentence


def test_our_folders_cannot_be_widened_through_the_hosts_api(webui: WebUi) -> None:
    webui.call("/sdapi/v1/options", {"photoshoot_api_folders": "/"})
    assert refused(webui, "detect", {"path": "/etc/hostname", "settings": {"products": "handbag"}})[0] == 403


def test_schema_and_models(webui: WebUi) -> None:
    schema = webui.call(PREFIX + "schema")
    assert schema["properties"]["denoise"]["maximum"] == 1 and schema["additionalProperties"] is False
    assert {"embedded", "groundingdino"} <= {group["name"] for group in webui.call(PREFIX + "models")["groups"]}
    assert webui.call(PREFIX + "models/embedded")["state"] == "present"


def test_the_client_webuiapi(webui: WebUi) -> None:
    webuiapi = pytest.importorskip("webuiapi", reason="the PyPI client webuiapi is not installed")
    address = urlsplit(webui.url)
    client = webuiapi.WebUIApi(host=address.hostname, port=address.port)
    # Its session would ask a proxy for the way to this machine.
    client.session.trust_env = False
    job = {"prompt": "a bag", "seed": 5, "steps": 2, "width": SIDE, "height": SIDE, "sampler_name": "Euler"}
    found = client.txt2img(**job, alwayson_scripts={OURS: {"args": [{"products": "handbag"}]}})
    verdict = verdict_in(found.info["infotexts"][0])
    assert len(found.images) == 1 and verdict is not None and verdict.says.startswith("skipped")
    wrong = client.txt2img(**job, alwayson_scripts={OURS: {"args": [{"prodcuts": "handbag"}]}})
    assert not wrong.images and "There is no setting called 'prodcuts'" in json.dumps(wrong.info)
