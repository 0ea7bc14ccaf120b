"""Shoots of the page, without HTTP and without a WebUI: lists, runs, decisions by hand, and their mistakes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.build import ModelChoice, model_choice
from lib_photoshoot.errors import PhotoshootError, ShootError
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.results import Decision, FilterResult, ProductRegion
from lib_photoshoot.settings import FilterSettings, OnMatch
from lib_photoshoot.shoot.review import folder
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder
from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.run.webui import WebUi
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.folders import AllowedFolders, allowed_folders
from lib_photoshoot.webui.http.picture_pages import address_of
from lib_photoshoot.webui.shoot.rows import RowsError
from lib_photoshoot.webui.shoot.service import ShootService
from tests.shoot.fake_webui import FakeWebUi

ROWS = [
    {"name": "red bag", "class": "handbag", "count": "2", "scenes": "on a beach | in a street"},
    {"name": "", "count": " "},
    {"name": "watch", "count": "1", "first_seed": "100", "lora": "ppzocketv2-10"},
]
"""Seeds that are multiples of three show no product: the bag's third try is rejected."""


class SmallHost:
    """See ``ShootHost``."""

    def __init__(self, folder: Path, own: str) -> None:
        self._folder, self._own = folder, own
        self.lacks: str | None = None
        self.refuses = "It is not listed."
        self.asked: list[FilterSettings] = []
        self.looked: list[str] = []
        self.staged: list[tuple[FilterSettings, Path]] = []
        self.released = 0
        self.free = threading.Event()
        self.free.set()

    def folder(self) -> Path:
        return self._folder

    def choices(self) -> dict[str, list[str]]:
        return {"lora": ["ppzocketv2-10"], "checkpoint": [], "preset": [], "sampler": [], "scheduler": []}

    def problem(self, settings: FilterSettings) -> str | None:
        self.asked.append(settings)
        return self.lacks

    def folders(self) -> AllowedFolders:
        return allowed_folders([str(self._folder.parent / "photos")], self._folder)

    def stage(self, settings: FilterSettings, photo: Path) -> Image.Image:
        self.staged.append((settings, photo))
        return Image.open(photo).resize((800, 400))

    def webui(self) -> WebUi:
        return HttpWebUi(self._own)

    def refusal(self, url: str) -> str | None:
        return self.refuses if self.refuses and "refused" in url else None

    def choose(self, settings: FilterSettings) -> ModelChoice:
        return model_choice(settings, "cpu")

    def load(self, choice: ModelChoice) -> Any:
        return self

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> FilterResult:
        """Finds the product in the whole picture."""
        self.looked.append(products[0].name)
        assert self.free.wait(20)
        height, width = image.shape[:2]
        region = ProductRegion(products[0].name, (0, 0, width, height), 0.9, np.ones((height, width), bool), 0.95)
        return FilterResult(width, height, Decision.MATCH, None, (region,), (), image, 0, {})

    def release_models(self) -> None:
        self.released += 1


@pytest.fixture
def fake() -> Iterator[FakeWebUi]:
    with FakeWebUi() as running:
        yield running


@pytest.fixture
def host(tmp_path: Path, fake: FakeWebUi) -> SmallHost:
    return SmallHost(tmp_path / "shoots", fake.url)


@pytest.fixture
def service(host: SmallHost) -> ShootService:
    return ShootService(host, report_after=0.05)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[ShootService, FakeWebUi, threading.Event]]:
    """A service whose WebUI makes one picture, and the others once the event is set."""
    free = threading.Event()

    def slow(number: int, _: Any) -> None:
        if number > 1:
            assert free.wait(20)

    with FakeWebUi(misbehave=slow) as fake:
        yield ShootService(SmallHost(tmp_path / "shoots", fake.url)), fake, free


Held = tuple[ShootService, FakeWebUi, threading.Event]


def start(service: ShootService, name: str = "spring", **more: Any) -> dict[str, Any]:
    body = {"action": "start", "own": True, "webuis": [], "auth": "", "tries": None} | more
    return service.act(name, body)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(service: ShootService, name: str = "spring") -> dict[str, Any]:
    wait(lambda: service.detail(name)["state"] not in ("running", "stopping"))
    return service.detail(name)


def counts(detail: dict[str, Any]) -> list[tuple[int, int, int]]:
    return [(each["wanted"], each["accepted"], each["rejected"]) for each in detail["products"]]


def test_a_list_is_checked_kept_and_read_again(service: ShootService) -> None:
    overview = service.overview()
    assert {field["name"]: field for field in overview["fields"]}["count"] == {
        "name": "count", "kind": "whole", "default": "", "lowest": 1, "highest": 10_000, "step": 1,
        "about": "Accepted pictures wanted.", "required": True,
    }  # fmt: skip
    assert "amazon-main" in overview["choices"]["exports"] and overview["shoots"] == []
    checked = service.check({"rows": ROWS})
    assert checked["problems"] == [] and checked["wanted"] == 3
    assert "handbag" in checked["prompts"][0] and checked["prompts"][0].endswith("on a beach")
    assert checked["prompts"][1] == "" and "<lora:ppzocketv2-10:1>" in checked["prompts"][2]
    assert service.save({"name": " spring ", "rows": ROWS})["state"] == "draft"
    assert service.rows("spring")["rows"] == [ROWS[0], ROWS[2]]
    (listed,) = service.overview()["shoots"]
    assert (listed["name"], listed["products"], listed["wanted"], listed["tries"]) == ("spring", 2, 3, 0)
    text = service.csv("spring")
    assert text.splitlines()[0] == "name,class,scenes,count,first_seed,lora"
    assert service.read({"text": text, "kind": "csv"})["rows"] == [ROWS[0], ROWS[2]]


def test_each_mistake_is_told_with_its_cell(service: ShootService) -> None:
    rows = [{"name": "bag", "count": "x"}, {"count": "1"}, {"name": "Bag", "count": "1", "exports": "amazn"}]
    rows += [{"name": "shoe", "count": "1", "seeds": "1|2", "first_seed": "3"}]
    rows += [{"name": "red bag", "class": "bag", "count": "1"}] * 2
    problems = service.check({"rows": rows})["problems"]
    assert [(each["row"], each["field"]) for each in problems] == [
        (0, "count"), (1, "name"), (2, ""), (3, "first_seed"), (5, "name"),
    ]  # fmt: skip
    assert "stands in row 5 already" in problems[-1]["text"]
    (problem,) = service.check({"rows": rows[-2:]})["problems"]
    assert problem["row"] == 1 and "stands in row 1 already" in problem["text"]
    with pytest.raises(RowsError) as error:
        service.save({"name": "spring", "rows": rows})
    assert error.value.problems == problems and str(error.value).startswith("Row 1: the count is 'x'")
    assert service.overview()["shoots"] == []
    for body in ({"name": "", "rows": ROWS}, {"name": "a", "rows": [{}]}, {"name": "a", "rows": [{"colour": "red"}]}):
        with pytest.raises(RequestError):
            service.save(body)
    with pytest.raises(RequestError, match="Line 2: "):
        service.read({"text": "name,count\nbag,1,2\n", "kind": "csv"})


def test_a_shoot_runs_and_is_seen_live(service: ShootService, host: SmallHost, fake: FakeWebUi) -> None:
    service.save({"name": "spring", "rows": ROWS})
    assert start(service)["state"] in ("running", "done")
    detail = ended(service)
    assert (detail["state"], counts(detail)) == ("done", [(2, 2, 0), (1, 1, 0)])
    assert detail["message"] == "3 of 3 pictures accepted after 3 tries."
    assert [shot["id"] for shot in detail["shots"]] == [0, 1, 2]
    assert service.detail("spring", after=detail["revision"] - 1)["shots"] == detail["shots"][-1:]
    for shot in detail["shots"]:
        assert service.file("spring", shot["file"]).is_file() and service.file("spring", shot["thumbnail"]).is_file()
    own = service.own(host.folder() / "spring")
    assert own is not None and service.own(host.folder()) is None and service.own(host.folder() / "autumn") is None
    page = b"".join(own.page()).decode()
    assert "red bag" in page and (host.folder() / "spring" / "report.html").is_file()
    # A new process of the host sees the same, without what was said about the run.
    again = ShootService(host).detail("spring")
    assert again | {"message": detail["message"], "seconds": detail["seconds"]} == detail


def test_stopping_finishes_the_picture_at_hand_and_starting_goes_on(held: Held) -> None:
    service, fake, free = held
    service.save({"name": "spring", "rows": ROWS})
    service.save({"name": "autumn", "rows": ROWS})
    start(service)
    wait(lambda: service.detail("spring")["revision"] == 1)
    with pytest.raises(RequestError, match="spring is under way") as error:
        start(service, "autumn")
    assert error.value.status == 409
    with pytest.raises(RequestError, match="stop it before you change its list"):
        service.save({"name": "spring", "rows": ROWS})
    assert service.overview()["running"] == "spring"
    assert service.act("spring", {"action": "stop"})["state"] == "stopping"
    free.set()
    detail = ended(service)
    assert (detail["state"], detail["revision"]) == ("stopped", 2)
    start(service)
    assert counts(ended(service)) == [(2, 2, 0), (1, 1, 0)]
    assert len(fake.requests) == 3


def test_a_decision_by_hand_counts_moves_and_brings_further_tries(service: ShootService, host: SmallHost) -> None:
    service.save({"name": "spring", "rows": ROWS})
    start(service)
    ended(service)
    picture = host.folder() / "spring" / "red bag" / "1.png"
    kept = picture.read_bytes()
    body = {"decisions": [{"product": "red bag", "number": 0, "decision": "rejected"}]}
    answer = service.decide("spring", body)
    (shot,) = answer["shots"]
    assert (shot["decision"], shot["filter"], shot["by_hand"]) == ("rejected", "accepted", "rejected")
    assert shot["file"] == "red bag/rejected/1.png" and not picture.exists()
    assert (host.folder() / "spring" / shot["file"]).read_bytes() == kept
    assert service.detail("spring")["state"] == "stopped"
    wait(lambda: b'by_hand":"rejected' in (host.folder() / "spring" / "report.html").read_bytes())
    start(service)
    detail = ended(service)
    # The third try is rejected by the filter, the fourth is taken.
    assert counts(detail) == [(2, 2, 2), (1, 1, 0)]
    body["decisions"][0]["decision"] = None
    assert service.decide("spring", body)["products"][0]["accepted"] == 3
    assert picture.read_bytes() == kept
    with pytest.raises(ShootError, match="no picture 9 of 'red bag'"):
        service.decide("spring", {"decisions": [{"product": "red bag", "number": 9, "decision": "rejected"}]})


def test_a_decision_while_it_runs(held: Held, tmp_path: Path) -> None:
    service, _, free = held
    service.save({"name": "spring", "rows": ROWS})
    start(service)
    wait(lambda: service.detail("spring")["revision"] == 1)
    rejected = [{"product": "red bag", "number": 0, "decision": "rejected"}]
    assert service.decide("spring", {"decisions": rejected})["shots"][0]["by_hand"] == "rejected"
    page = service.own(tmp_path / "shoots" / "spring")
    assert page is not None
    for by_hand in (None, "rejected"):
        (shot,) = page.decide(page.chosen([rejected[0] | {"decision": by_hand}]))["shots"]
        assert shot["by_hand"] == by_hand and page.picture(shot["file"]), "on the page, too"
    free.set()
    detail = ended(service)
    assert counts(detail) == [(2, 2, 2), (1, 1, 0)]
    seen = ShootFolder(tmp_path / "shoots" / "spring").view()
    assert seen["shots"] == detail["shots"] and seen["revision"] == 8


def test_pictures_keep_the_row_that_they_were_made_with(service: ShootService) -> None:
    service.save({"name": "spring", "rows": ROWS})
    start(service)
    ended(service)
    for changed, word in (
        ([ROWS[0] | {"scenes": "at home"}, ROWS[2]], "made with other values"),
        (ROWS[:1], "'watch' has pictures"),
    ):
        with pytest.raises(RowsError, match=word):
            service.save({"name": "spring", "rows": changed})
    detail = service.save({"name": "spring", "rows": [ROWS[0] | {"count": "5"}, ROWS[2]]})
    assert (detail["state"], counts(detail)) == ("stopped", [(5, 2, 0), (1, 1, 0)])


def test_what_cannot_start_says_so_and_changes_nothing(service: ShootService, host: SmallHost) -> None:
    service.save({"name": "spring", "rows": ROWS})
    for values, word in (
        ({"own": False}, "No WebUI is chosen"),
        ({"own": False, "webuis": ["ftp://x"]}, "no address"),
        ({"own": False, "webuis": ["http://127.0.0.1:9"]}, "There is no WebUI"),
        ({"webuis": [host.webui().address]}, "named twice"),
        ({"tries": 0}, "from 1 to"),
    ):
        with pytest.raises((RequestError, ShootError), match=word):
            start(service, **values)
    host.lacks = "The weights are missing."
    with pytest.raises(RequestError, match="The weights are missing"):
        start(service)
    assert service.detail("spring")["state"] == "draft" and service.overview()["running"] is None
    with pytest.raises(RequestError, match="not under way"):
        service.act("spring", {"action": "stop"})


def test_names_and_files_never_lead_outside(service: ShootService, host: SmallHost, tmp_path: Path) -> None:
    service.save({"name": "spring", "rows": ROWS})
    (tmp_path / "secret.png").write_bytes(b"x")
    (host.folder() / "spring" / "link.png").symlink_to(tmp_path / "secret.png")
    for file in ("../../secret.png", "link.png", "list.yaml", "/etc/passwd", "red bag/1.png"):
        with pytest.raises(RequestError) as error:
            service.file("spring", file)
        assert error.value.status == 404
    for name in ("..", "spring/..", "", "autumn"):
        with pytest.raises(RequestError) as error:
            service.detail(name)
        assert error.value.status == 404


def test_a_webui_that_fails_is_told_about(tmp_path: Path) -> None:
    def broken(number: int, _: Any) -> Any:
        return 500 if number == 1 else None

    with FakeWebUi(misbehave=broken) as fake:
        service = ShootService(SmallHost(tmp_path / "shoots", fake.url))
        service.save({"name": "spring", "rows": ROWS[:1]})
        start(service)
        detail = ended(service)
    assert detail["state"] == "done" and "HTTP 500" in detail["notes"][0]


def test_accepted_pictures_are_finished_in_the_background(service: ShootService, host: SmallHost) -> None:
    service.save({"name": "spring", "rows": [ROWS[0] | {"exports": "etsy"}, ROWS[2]]})
    begin = {"action": "start"}
    service.finish("spring", begin)
    wait(lambda: not service.finish_state("spring")["busy"])
    assert "No picture in" in service.finish_state("spring")["error"]
    start(service)
    ended(service)
    host.free.clear()
    assert service.finish("spring", begin)["busy"]
    wait(lambda: bool(host.looked))
    with pytest.raises(RequestError, match="finishing of spring is under way") as error:
        service.finish("spring", begin)
    assert error.value.status == 409
    host.free.set()
    wait(lambda: not service.finish_state("spring")["busy"])
    state = service.finish_state("spring")
    bag, watch = state["products"]
    assert (bag["name"], bag["accepted"], [channel["profile"] for channel in bag["channels"]]) == (
        "red bag",
        2,
        ["etsy"],
    )
    assert not watch["channels"] and watch["best"][0]["file"] == "watch/100.png" and host.released == 2
    for file in bag["channels"][0]["files"]:
        assert service.file("spring", file).is_file()
    assert state["error"] == "" and state["done"] == state["of"] and Path(state["folder"]).is_dir()
    # Again does nothing, and what is rejected meanwhile is withdrawn.
    host.looked.clear()
    sold = bag["channels"][0]["files"][0]
    number = int(Path(sold).stem.split("-")[1]) - 1
    service.decide("spring", {"decisions": [{"product": "red bag", "number": number, "decision": "rejected"}]})
    service.finish("spring", begin)
    wait(lambda: not service.finish_state("spring")["busy"])
    assert not host.looked and "is no longer accepted" in service.finish_state("spring")["products"][0]["withdrawn"][0]


def test_what_goes_to_a_shop_is_handed_over_with_the_pictures(service: ShootService) -> None:
    service.save({"name": "spring", "rows": [ROWS[0] | {"exports": "etsy"}]})
    start(service)
    ended(service)
    wanted = {"names": "{sku}_{n}", "table": "\ufeffsku,file\nB-1,red bag\n", "shops": ["plain"], "archive": True}
    service.finish("spring", {"action": "start", **wanted, "url_base": "", "contact_sheet": False})
    wait(lambda: not service.finish_state("spring")["busy"])
    state = service.finish_state("spring")
    (bag,), (etsy,) = state["products"], state["handed"]
    assert not state["error"] and not etsy["problems"] and len(etsy["said"]) == 2
    assert [Path(file).name for file in bag["channels"][0]["files"]] == ["B-1_1.jpg", "B-1_2.jpg"]
    assert all(service.file("spring", file).is_file() for file in bag["channels"][0]["files"])
    folder = Path(state["folder"]) / "exports" / "etsy"
    assert etsy["page"] == address_of(folder) and {"etsy.csv", "etsy.zip"} <= {path.name for path in folder.iterdir()}
    for wrong, text in (
        ({"names": 3}, "names"),
        ({"table": ["sku"]}, "The table is a text"),
        ({"shops": "plain"}, "shops a list"),
        ({"shops": ["amazon"]}, "no shop table"),
        ({"colour": "red"}, "no field 'colour'"),
        ({"table": "a,b\n1,2\n"}, "the table"),
    ):
        with pytest.raises(PhotoshootError, match=text):
            service.finish("spring", {"action": "start", **wrong})
        assert not service.finish_state("spring")["busy"]


def test_finishing_can_be_stopped(service: ShootService, host: SmallHost) -> None:
    service.save({"name": "spring", "rows": ROWS})
    start(service)
    ended(service)
    host.free.clear()
    service.finish("spring", {"action": "start"})
    wait(lambda: bool(host.looked))
    service.finish("spring", {"action": "stop"})
    host.free.set()
    wait(lambda: not service.finish_state("spring")["busy"])
    assert service.finish_state("spring")["error"] == "The finishing was stopped." and len(host.looked) == 1


def test_what_the_page_asks_again_and_again_costs_little(
    service: ShootService, host: SmallHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.save({"name": "spring", "rows": ROWS})
    start(service)
    ended(service)
    first = service.overview()
    # To know a ControlNet model, the host would load its checkpoint.
    assert host.asked[-1].on_match == OnMatch.CUT_OUT.value
    reads: list[Path] = []
    for name, real in (("read_state", folder.read_state), ("read_rows", folder.read_rows)):
        monkeypatch.setattr(folder, name, lambda path, real=real: reads.append(path) or real(path))
    assert service.overview() == first and service.detail("spring")["state"] == "done" and reads == []
    ledger = host.folder() / "spring"
    # Another program decides: what changed is read, and nothing else.
    ShootFolder(ledger).decide([ChosenShot("watch", 0, Hand("rejected"))])
    assert service.overview()["shoots"][0]["accepted"] == 2 and reads == [ledger]
