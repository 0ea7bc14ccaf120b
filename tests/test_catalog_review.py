"""``review`` of a run of the filter: the page, its pictures, decisions, and a folder from a stranger."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lib_photoshoot.catalog import growing
from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.inputs import is_run
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.journal import json_line
from lib_photoshoot.pages.hands import Hand
from tests.conftest import ROOT
from tests.pages import read_page
from tests.shoot.test_review import HOSTILE, Served, apply
from tests.test_catalog import paint
from tests.test_catalog_page import go, journal_of, out, page_of, photos

__all__ = ["out", "photos"]


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    one = Served(out, ReviewedRun(out))
    yield one
    one.close()


def reject(photos: Path, name: str = "one.png") -> dict[str, Any]:
    return {"file": os.path.abspath(photos / name), "decision": "rejected"}


def test_the_page_and_the_files_that_it_names_are_served(served: Served) -> None:
    status, headers, body = served.get("report.html")
    page = read_page(body.decode())
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert page.head["decide"] == "decide" and len(page.items) == 3 and not page.thumbnails
    views = [view for item in page.items for view in (item, *item.get("views", ()))]
    names = {view[kind] for view in views for kind in ("file", "thumbnail")} - {""}
    assert len(names) == 8
    for name in [*names, "report.json", "report.csv", "coco.json"]:
        status, headers, body = served.get(name)
        assert (
            status == 200
            and body == (served.out / name).read_bytes()
            and headers["X-Content-Type-Options"] == "nosniff"
        )


def test_a_picture_is_sent_again_only_when_it_is_another(served: Served, photos: Path) -> None:
    name = "thumbnails/before/one.jpg"
    _, headers, first = served.get(name)
    assert headers["Cache-Control"] == "private, no-cache"
    status, _, body = served.get(name, **{"If-None-Match": headers["Etag"]})
    assert (status, body) == (304, b"") and first
    paint(photos / "one.png", (1, 1, 70, 50))
    go(photos, served.out)
    status, _, body = served.get(name, **{"If-None-Match": headers["Etag"]})
    assert status == 200 and body == (served.out / name).read_bytes() != first


def test_a_decision_is_in_the_ledger_at_once_and_in_the_page_at_the_end(served: Served, photos: Path) -> None:
    found = read_page(served.get("report.html")[2].decode()).items[1]
    assert found["reference"] == {"file": reject(photos)["file"]}
    status, answer = served.post({"decisions": [reject(photos)]})
    assert status == 200 and answer["shots"] == [{"id": found["id"], "by_hand": "rejected", "reason": "", "note": ""}]
    assert read_hands(served.out) == {reject(photos)["file"]: Hand("rejected")}
    assert read_page(served.get("report.html")[2].decode()).items[1]["by_hand"] == "rejected"
    assert page_of(served.out).items[1]["by_hand"] is None
    served.server.finish()
    assert page_of(served.out).items[1]["by_hand"] == "rejected" and page_of(served.out).thumbnails
    assert served.post({"decisions": [reject(photos)]})[0] == 409


@pytest.mark.parametrize("name", [*HOSTILE, "thumbnails/before/broken.jpg", "../photos/one.png"])
def test_nothing_else_is_served(served: Served, name: str) -> None:
    (served.out.parent / "outside.jpg").write_bytes(b"secret")
    status, headers, body = served.get(name)
    assert status == 404 and b"secret" not in body and headers["Content-Type"].startswith("text/plain")


def test_a_link_out_of_the_folder_is_not_followed(served: Served) -> None:
    (served.out.parent / "outside.png").write_bytes(b"secret")
    (served.out / "overlays/one.png").unlink()
    (served.out / "overlays/one.png").symlink_to(served.out.parent / "outside.png")
    assert served.get("overlays/one.png")[0] == 404


def test_one_unknown_picture_and_nothing_is_decided(served: Served, photos: Path) -> None:
    for values, status, words in (
        ([reject(photos), {"file": "/elsewhere.png", "decision": "accepted"}], 409, "has no picture"),
        ([{"product": "lamp", "number": 0, "decision": "accepted"}], 400, "needs exactly"),
    ):
        answered, answer = served.post({"decisions": values})
        assert answered == status and words in answer["error"] and not read_hands(served.out)


def test_a_decision_does_not_read_the_run_anew_and_others_news_are_seen(
    out: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed, read = ReviewedRun(out), []
    real = growing._record
    monkeypatch.setattr(growing, "_record", lambda line: read.append(line) or real(line))
    for name in ("one.png", "none.png", "one.png"):
        reviewed.decide(reviewed.chosen([reject(photos, name)]))
    assert not read
    paint(photos / "new.png", (5, 5, 30, 30))
    go(photos, out)
    reviewed.decide(reviewed.chosen([reject(photos, "new.png")]))
    assert len(read) == 1 and len(read_page(b"".join(reviewed.page()).decode()).items) == 4


def test_a_decision_is_kept_at_once_while_a_run_goes_on(served: Served, photos: Path) -> None:
    with journal_of(served.out):
        status, _ = served.post({"decisions": [reject(photos)]})
        assert status == 200 and read_hands(served.out) == {reject(photos)["file"]: Hand("rejected")}
        served.server.finish()  # the run writes its reports at its own end
    assert "by_hand" not in (served.out / "report.json").read_text()
    go(photos, served.out)
    assert "by_hand" in (served.out / "report.json").read_text()


def changes(served: Served, address: str) -> Any:
    status, headers, body = served.get(address)
    assert status == 200 and headers["Content-Type"] == "application/json" and headers["Cache-Control"] == "no-store"
    return json.loads(body)


def test_only_what_is_new_is_told(served: Served, photos: Path) -> None:
    page = read_page(served.get("report.html")[2].decode())
    nothing = changes(served, page.head["changes"])
    assert nothing == {"changes": page.head["changes"], "items": [], "gone": []}
    served.post({"decisions": [reject(photos)]})
    told = changes(served, nothing["changes"])
    assert [(item["name"], item["by_hand"]) for item in told["items"]] == [("one", "rejected")] and "page" not in told
    paint(photos / "new.png", (5, 5, 30, 30))
    paint(photos / "none.png", (5, 5, 30, 30))
    (photos / "broken.jpg").unlink()
    go(photos, served.out)
    told = changes(served, told["changes"])
    assert {item["name"] for item in told["items"]} == {"new", "none"} and "Found in 3 of 3" in told["page"]["lead"]
    assert told["gone"] == [item["id"] for item in page.items if item["decision"] == "unreadable"]
    again = read_page(served.get("report.html")[2].decode())
    assert {item["id"]: item for item in told["items"]}.items() <= {item["id"]: item for item in again.items}.items()
    for stamp in ("", "x.1", "x" * 5000, f"{told['changes'].partition('=')[2].partition('.')[0]}.%C2%B2"):
        assert len(changes(served, f"changes?since={stamp}")["items"]) == 3  # of another life of the server


def test_very_many_changes_come_one_part_after_the_other(
    served: Served, monkeypatch: pytest.MonkeyPatch, photos: Path
) -> None:
    monkeypatch.setattr(growing, "_MOST_AT_ONCE", 2)
    first = changes(served, "changes?since=")
    second = changes(served, first["changes"])
    assert [len(one["items"]) for one in (first, second, changes(served, second["changes"]))] == [2, 1, 0]


def test_a_run_that_begins_anew_is_read_anew(served: Served, photos: Path) -> None:
    since = read_page(served.get("report.html")[2].decode()).head["changes"]
    shutil.rmtree(served.out)
    (photos / "none.png").unlink()
    go(photos, served.out)
    assert {item["name"] for item in changes(served, since)["items"]} == {"one", str(photos / "broken.jpg")}


def test_two_processes_that_decide_at_once_keep_both(out: Path, photos: Path) -> None:
    first, second = ReviewedRun(out), ReviewedRun(out)
    names = ("one.png", "none.png")

    def decide(reviewed: ReviewedRun, name: str) -> None:
        for decision in ("rejected", "accepted") * 10:
            reviewed.decide(reviewed.chosen([{**reject(photos, name), "decision": decision}]))

    threads = [threading.Thread(target=decide, args=one) for one in zip((first, second), names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert read_hands(out) == {reject(photos, name)["file"]: Hand("accepted") for name in names}
    assert len((out / "decisions.jsonl").read_bytes().splitlines()) == 1 + 40


def test_an_unfinished_run_has_a_page(out: Path) -> None:
    (out / "report.json").unlink()
    items = read_page(b"".join(ReviewedRun(out).page()).decode()).items
    assert sorted(item["name"] for item in items) == ["none", "one"]


@pytest.mark.parametrize(
    "change",
    [
        {"stem": "../../outside"}, {"outputs": ["../outside.png"]}, {"file": 7},
        {"entry": {}}, {"entry": {"regions": [{"mask": "../m.png", "box": [0, 0, 1, 1]}]}},
        {"entry": {"width": 1, "height": 1, "decision": "perhaps", "regions": [], "rejected": [], "seconds": {}}},
        {"score": "0.9"}, {"score": float("nan")}, {"score": [1]}, {"box": [10**400] * 4}, {"box": [0, 0, 1]},
        {"product": 5}, {"mask": "../../m.png"}, {"mask": {}}, {"seconds": {"detect": 10**400}},
        {"seconds": {"detect": -1}}, {"seconds": [1]}, {"reason": "evil", "decision": "skip"},
    ],
)  # fmt: skip
def test_a_strangers_line_is_passed_over(out: Path, change: dict[str, Any]) -> None:
    before = [item["id"] for item in read_page(b"".join(ReviewedRun(out).page()).decode()).items]
    lines = (out / LEDGER_NAME).read_bytes().splitlines(keepends=True)
    (line,) = (line for line in lines[1:] if b"/one.png" in line)
    for spoiled, count in ((json.loads(line), 1), (json.loads(line), 0)):
        spoiled["file"] = "/else.png"
        if not count:
            entry, region = spoiled["entry"], spoiled["entry"]["regions"][0]
            for name, value in change.items():
                (region if name in region else entry if name in entry and name != "file" else spoiled)[name] = value
        (out / LEDGER_NAME).write_bytes(b"".join([*lines, json_line(spoiled)]))
        after = [item["id"] for item in read_page(b"".join(ReviewedRun(out).page()).decode()).items]
        assert len(after) == len(before) + count and set(before) <= set(after)


def test_a_line_that_another_program_has_spaced_out_counts_too(out: Path) -> None:
    before = read_page(b"".join(ReviewedRun(out).page()).decode()).items
    first, *lines = (out / LEDGER_NAME).read_bytes().splitlines()
    spaced = [first, *(json.dumps(json.loads(line)).encode() for line in lines), b""]
    (out / LEDGER_NAME).write_bytes(b"\n".join(spaced))
    assert read_page(b"".join(ReviewedRun(out).page()).decode()).items == before


def test_what_is_no_run_is_none(out: Path, tmp_path: Path) -> None:
    assert is_run(out) and not is_run(tmp_path) and not is_run(tmp_path / "nowhere")
    (out / LEDGER_NAME).write_bytes(b'{"program":"another"}\n')
    assert not is_run(out)
    with pytest.raises(CatalogError, match="holds no run"):
        ReviewedRun(out)
    (out / LEDGER_NAME).unlink()
    with pytest.raises(CatalogError, match="cannot be read"):
        ReviewedRun(out)


def test_saved_decisions_are_applied(out: Path, photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "decisions.json"
    file.write_text(json.dumps([reject(photos), {**reject(photos, "none.png"), "decision": "accepted"}]))
    result = apply(out, file)
    assert result.exit_code == 0 and "1 accepted, 1 rejected, 0 withdrawn." in result.output
    assert [item["by_hand"] for item in page_of(out).items] == ["accepted", "rejected", None]
    go(photos, out)
    assert [item["by_hand"] for item in page_of(out).items] == ["accepted", "rejected", None]


def test_what_was_answered_is_on_the_disk_when_the_review_is_killed(out: Path, photos: Path) -> None:
    command = [sys.executable, "-m", "lib_photoshoot", "review", str(out), "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE)
    answered = []
    try:
        assert process.stderr is not None
        address = urlsplit(process.stderr.readline().decode().split()[-1])
        for number in range(10_000):
            body = {"decisions": [{**reject(photos), "note": str(number)}]}
            connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
            connection.request("POST", address.path.replace("report.html", "decide"), json.dumps(body),
                               {"Content-Type": "application/json"})  # fmt: skip
            assert connection.getresponse().status == 200
            answered.append(number)
            if number == 3:
                threading.Timer(0.1, process.kill).start()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        process.kill()
        process.communicate()
    (hand,) = read_hands(out).values()
    assert answered and int(hand.note) - answered[-1] in (0, 1)  # the last one may be there without its answer
    reviewed = ReviewedRun(out)
    reviewed.decide(reviewed.chosen([{**reject(photos), "decision": None}]))
    assert not read_hands(out)
