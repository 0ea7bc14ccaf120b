"""``review``: decisions over HTTP and from a file, and everything that must not get through."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import ShootError
from lib_photoshoot.pages.application import LARGEST_BODY, Reviewed
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.pages.html import content_security_policy
from lib_photoshoot.pages.server import PageServer, usual_port
from lib_photoshoot.shoot.review import decisions as review
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.run.ledger import HEADER, Acceptance, ShootLedger, read_state
from tests.conftest import ROOT, hearing_interrupts
from tests.shoot.test_report import make_shoot, read_page

_LIMIT_S = 60
BAG = {"product": "red bag", "number": 0, "decision": "rejected"}
"""Try 0 of the bag is ``red bag/1.jpg``, accepted by the filter."""


class Served:
    """A review in a thread, and requests to it."""

    def __init__(self, out: Path, reviewed: Reviewed | None = None) -> None:
        self.out = out
        self.server = PageServer(reviewed or ReviewedShoot(ShootFolder(out)))
        self.port, self.token = self.server.port, self.server.token
        self.host = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def request(
        self, method: str, path: str, headers: Mapping[str, str] = {}, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, name: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.request("GET", f"/{self.token}/{name}", headers)

    def post(self, values: Any, headers: Mapping[str, str] = {}, path: str | None = None) -> tuple[int, Any]:
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        sent = {"Content-Type": "application/json", **headers}
        status, _, answer = self.request("POST", path or f"/{self.token}/decide", sent, body)
        return status, json.loads(answer)

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join(10)
        self.server.__exit__(None, None, None)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return make_shoot(tmp_path / "out")


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    one = Served(out)
    yield one
    one.close()


def hands(out: Path) -> list[dict[str, Any]]:
    lines = (out / "ledger.jsonl").read_text().splitlines()[1:]
    return [event["hand"] for event in map(json.loads, lines) if "hand" in event]


def untouched(out: Path) -> bool:
    return not hands(out) and (out / "red bag/1.jpg").is_file()


def test_the_page_and_its_pictures_are_served(served: Served) -> None:
    status, headers, body = served.get("report.html")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == content_security_policy()
    page = read_page(body.decode())
    assert page.shoot["decide"] == "decide" and len(page.shots) == 6 and not page.thumbnails
    for shot in page.shots:
        for kind in ("file", "thumbnail"):
            status, headers, body = served.get(shot[kind].replace(" ", "%20"))
            assert status == 200 and body == (served.out / shot[kind]).read_bytes()
            assert headers["Content-Type"] == "image/jpeg" and headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"


def test_a_decision_is_written_and_moves_the_picture(served: Served) -> None:
    out = served.out
    data = (out / "red bag/1.jpg").read_bytes()
    status, answer = served.post({"decisions": [BAG]})
    assert status == 200 and hands(out) == [BAG]
    (shot,) = answer["shots"]
    assert (shot["decision"], shot["by_hand"], shot["filter"]) == ("rejected", "rejected", "accepted")
    assert shot["file"] == "red bag/rejected/1.jpg" and (out / shot["file"]).read_bytes() == data
    assert answer["products"][0] == {"name": "red bag", "wanted": 2, "accepted": 1, "rejected": 2}
    assert served.get("red%20bag/rejected/1.jpg")[2] == data and served.get("red%20bag/1.jpg")[0] == 404
    status, answer = served.post({"decisions": [{**BAG, "decision": None}]})
    assert status == 200 and answer["shots"][0]["by_hand"] is None and (out / "red bag/1.jpg").read_bytes() == data
    status, answer = served.post({"decisions": [{**BAG, "decision": None}]})  # said again: nothing changes
    assert status == 200 and answer["shots"] == [] and len(hands(out)) == 2


def test_why_and_a_note_are_in_the_ledger_and_an_older_line_has_none(served: Served) -> None:
    why = {**BAG, "reason": "wrong_product", "note": "a purse"}
    status, answer = served.post({"decisions": [why]})
    assert status == 200 and hands(served.out) == [why]
    assert [answer["shots"][0][name] for name in ("by_hand", "reason", "note")] == [*list(why.values())[2:]]
    entry = read_state(served.out).find("red bag", 0)
    assert entry is not None and entry.hand == Hand("rejected", "wrong_product", "a purse")
    assert read_page(served.get("report.html")[2].decode()).shots[0]["note"] == "a purse"
    assert served.post({"decisions": [why, why]})[0] == 200 and len(hands(served.out)) == 1
    assert served.post({"decisions": [BAG]})[0] == 200
    entry = read_state(served.out).find("red bag", 0)
    assert entry is not None and entry.hand == Hand("rejected")
    for bad in ({"reason": "mood"}, {"decision": "accepted", "reason": "colour"}, {"note": "x" * 501}):
        assert served.post({"decisions": [{**BAG, **bad}]})[0] == 400


def test_what_is_new_is_told(served: Served) -> None:
    page = read_page(served.get("report.html")[2].decode())

    def told(address: str) -> Any:
        status, _, body = served.get(address)
        assert status == 200
        return json.loads(body)

    nothing = told(page.shoot["changes"])
    assert nothing == {"changes": page.shoot["changes"], "items": [], "gone": []}
    served.post({"decisions": [BAG]})
    news = told(nothing["changes"])
    assert [(item["id"], item["by_hand"], item["file"]) for item in news["items"]] == [
        (0, "rejected", "red bag/rejected/1.jpg")
    ]
    assert news["page"]["products"][0] == {"name": "red bag", "wanted": 2, "accepted": 1, "rejected": 2}
    served.server.reviewed.end()  # the ledger is given back
    make_shoot(served.out, count=8)
    assert len(told(news["changes"])["items"]) == 2 and len(told("changes?since=x.1")["items"]) == 8


def test_the_report_is_written_once_at_the_end(served: Served) -> None:
    report = served.out / "report.html"
    served.post({"decisions": [BAG]})
    assert not report.exists()
    served.server.finish()
    assert read_page(report.read_text()).shots[0]["by_hand"] == "rejected"
    status, answer = served.post({"decisions": [{**BAG, "decision": None}]})
    assert status == 409 and "has ended" in answer["error"] and len(hands(served.out)) == 1


def test_a_report_stays_as_it_is_where_nothing_was_decided(served: Served) -> None:
    served.server.finish()
    assert not (served.out / "report.html").exists()


HOSTILE = (
    "../outside.jpg", "..%2foutside.jpg", "%2e%2e/outside.jpg", "red%20bag/../../outside.jpg", "/etc/passwd",
    "%2fetc%2fpasswd", "ledger.jsonl", "list.yaml", "red%20bag", "red%20bag/", "", "thumbnails/", "red%20bag/stray.jpg",
    "red%20bag/1.jpg%00", "red%20bag//1.jpg", "./red%20bag/1.jpg", "decide", "%ff",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_but_the_shoots_pictures_is_served(served: Served, name: str) -> None:
    (served.out.parent / "outside.jpg").write_bytes(b"secret")
    (served.out / "red bag/stray.jpg").write_bytes(b"secret")
    status, headers, body = served.get(name)
    assert status == 404 and b"secret" not in body and headers["Content-Type"].startswith("text/plain")


def test_a_link_out_of_the_folder_is_not_followed(served: Served) -> None:
    secret = served.out.parent / "outside.jpg"
    secret.write_bytes(b"secret")
    picture = served.out / "red bag/1.jpg"
    picture.unlink()
    picture.symlink_to(secret)
    assert served.get("red%20bag/1.jpg")[0] == 404


@pytest.mark.parametrize(
    "values",
    [
        {"file": "../outside.jpg"},
        {"file": "red bag/../../outside.jpg"},
        {"file": "/etc/passwd"},
        {"file": "red bag"},
        {"file": "..\\outside.jpg"},
        {"file": "C:/outside.jpg"},
    ],
)
def test_a_ledger_that_leads_out_of_the_folder_is_refused(out: Path, values: dict[str, Any]) -> None:
    ledger = out / "ledger.jsonl"
    (out.parent / "outside.jpg").write_bytes(b"secret")
    first = json.loads(ledger.read_text().splitlines()[1])
    line = json.dumps({"try": {**first["try"], "number": 99, **values}}).encode() + b"\n"
    ledger.write_bytes(ledger.read_bytes() + line)
    with pytest.raises(ShootError, match="which is no picture of a shoot"):
        ReviewedShoot(ShootFolder(out))
    assert (out.parent / "outside.jpg").is_file()


@pytest.mark.parametrize("values", [{"file": 7}, {"seed": "../../../outside"}])
def test_a_line_that_is_no_try_is_passed_over(out: Path, values: dict[str, Any]) -> None:
    ledger = out / "ledger.jsonl"
    first = json.loads(ledger.read_text().splitlines()[1])
    before = ShootFolder(out).view()
    line = json.dumps({"try": {**first["try"], "number": 99, **values}}).encode() + b"\n"
    ledger.write_bytes(ledger.read_bytes() + line)
    assert ShootFolder(out).view() == before


def test_a_ledger_that_changes_to_one_is_refused_too(served: Served) -> None:
    ledger = served.out / "ledger.jsonl"
    (served.out.parent / "outside.jpg").write_bytes(b"secret")
    first = json.loads(ledger.read_text().splitlines()[1])
    line = json.dumps({"try": {**first["try"], "number": 99, "file": "../outside.jpg"}}).encode() + b"\n"
    ledger.write_bytes(ledger.read_bytes() + line)
    status, answer = served.post({"decisions": [{"product": "red bag", "number": 99, "decision": "rejected"}]})
    assert status == 409 and "no picture of a shoot" in answer["error"]
    assert served.get("report.html")[0] == 409 and served.get("..%2foutside.jpg")[0] in (404, 409)
    assert (served.out.parent / "outside.jpg").is_file()


def test_pictures_made_meanwhile_are_served(served: Served) -> None:
    make_shoot(served.out, count=8)
    assert served.get("red%20bag/7.jpg")[0] == 200


def test_without_the_token_there_is_nothing(served: Served) -> None:
    for path in ("/", "/report.html", "/wrong/report.html", "//report.html", f"/{served.token[:-1]}/report.html"):
        assert served.request("GET", path)[0] == 404
    assert served.post({"decisions": [BAG]}, path="/wrong/decide")[0] == 404
    assert served.post({"decisions": [BAG]}, path=f"/{served.token}/report.html")[0] == 404
    assert untouched(served.out)


def test_a_foreign_name_for_this_machine_is_refused(served: Served) -> None:
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1", "127.0.0.1:1", ""):
        assert served.get("report.html", Host=host)[0] == 403
        assert served.post({"decisions": [BAG]}, {"Host": host})[0] == 403
    assert served.get("report.html", Host=f"localhost:{served.port}")[0] == 200
    assert untouched(served.out)


def test_decisions_come_from_the_page_itself(served: Served) -> None:
    for origin in ("http://evil.example", "null", "", f"https://{served.host}", f"http://localhost:{served.port}"):
        status, answer = served.post({"decisions": [BAG]}, {"Origin": origin})
        assert status == 403 and "Another site" in answer["error"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/json-seq"):
        assert served.post({"decisions": [BAG]}, {"Content-Type": kind})[0] == 415
    assert untouched(served.out)
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert served.post({"decisions": [BAG]}, {"Origin": f"http://{served.host}", **kind})[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"{}", b"\xff", b'"decisions"', b"[" * 100_000, b'{"decisions": {}}', b'{"decisions": [1]}',
        json.dumps({"decisions": [{**BAG, "decision": "perhaps"}]}).encode(),
        json.dumps({"decisions": [{**BAG, "number": True}]}).encode(),
        json.dumps({"decisions": [{**BAG, "more": 1}]}).encode(),
    ],
)  # fmt: skip
def test_what_are_no_decisions_is_said(served: Served, body: bytes) -> None:
    status, answer = served.post(body)
    assert status == 400 and answer["error"].endswith(".") and untouched(served.out)


def test_the_size_of_a_request_is_limited(served: Served) -> None:
    refusals: list[tuple[str | None, tuple[int, ...]]] = [
        (str(LARGEST_BODY + 1), (413,)),
        ("9" * 19, (413,)),
        (None, (411,)),
    ]
    # What is no length, or none that a newer h11 takes, never comes as far as our own code.
    refusals += [("9" * 30, (400, 413)), ("-1", (400,)), ("x", (400,))]
    for length, statuses in refusals:
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
            lines = [f"POST /{served.token}/decide HTTP/1.1", f"Host: {served.host}", "Content-Type: application/json"]
            lines += [] if length is None else [f"Content-Length: {length}"]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            assert int(connection.makefile("rb").readline().split()[1]) in statuses


def test_one_unknown_picture_and_nothing_is_decided(served: Served) -> None:
    status, answer = served.post({"decisions": [BAG, {**BAG, "number": 77}]})
    assert (
        status == 409 and "no picture 77 of 'red bag'; load the page again" in answer["error"] and untouched(served.out)
    )


def test_while_a_shoot_runs_a_decision_waits_for_it_on_the_disk(served: Served) -> None:
    with ShootLedger(served.out, None, resume=True) as ledger:
        status, answer = served.post({"decisions": [{**BAG, "reason": "colour"}]})
        assert status == 200 and (answer["shots"][0]["by_hand"], answer["shots"][0]["file"]) == (
            "rejected",
            "red bag/1.jpg",
        )
        assert untouched(served.out) and answer["products"][0]["accepted"] == 1
        assert read_state(served.out).tries[0].hand == Hand("rejected", "colour")
        shots = read_page(served.get("report.html")[2].decode()).shots
        assert shots[0]["by_hand"] == "rejected" and served.get(shots[0]["file"].replace(" ", "%20"))[0] == 200
        assert served.post({"decisions": [{**BAG, "number": 77}]})[0] == 409
        ((before, after),) = ledger.take_waiting()
        assert before.accepted and not after.accepted and ledger.take_waiting() == []
    assert hands(served.out) == [{**BAG, "reason": "colour", "waited": (served.out / "decisions.jsonl").stat().st_size}]
    assert (served.out / "red bag/rejected/1.jpg").is_file() and not read_state(served.out).waiting
    assert served.post({"decisions": [{**BAG, "decision": None}]})[0] == 200  # stands above what waited before
    assert read_state(served.out).tries[0].hand is None and (served.out / "red bag/1.jpg").is_file()


def test_who_opens_the_ledger_next_carries_out_what_waits(served: Served) -> None:
    since = read_page(served.get("report.html")[2].decode()).shoot["changes"]
    with ShootLedger(served.out, None, resume=True):
        served.post({"decisions": [BAG]})
        told = json.loads(served.get(since)[2])
        assert told["items"][0]["by_hand"] == "rejected" and told["changes"] != since
    ShootLedger(served.out, None, resume=True).close()
    assert (served.out / "red bag/rejected/1.jpg").is_file() and len(hands(served.out)) == 1
    assert json.loads(served.get(told["changes"])[2])["items"][0]["file"] == "red bag/rejected/1.jpg"


@pytest.mark.parametrize("line", [b"their own\n", None])
def test_a_strangers_file_of_waiting_decisions_is_not_touched(served: Served, line: bytes | None) -> None:
    file, outside = served.out / "decisions.jsonl", served.out.parent / "outside"
    outside.write_bytes(b"")
    with ShootLedger(served.out, None, resume=True):
        if line is None:
            file.symlink_to(outside)
        else:
            file.write_bytes(line)
        assert served.post({"decisions": [BAG]})[0] == 409
    assert outside.read_bytes() == b"" and file.read_bytes() == (line or b"")


def test_a_shoot_can_go_on_soon_after_a_decision(served: Served) -> None:
    assert served.post({"decisions": [BAG]})[0] == 200
    with pytest.raises(ShootError, match="Another shoot is writing"):
        ShootLedger(served.out, None, resume=True)
    for _ in range(200):
        with suppress(ShootError), ShootLedger(served.out, None, resume=True) as ledger:
            ledger.decide("shoe", 0, Hand("rejected"))  # elsewhere: what the review says next has it too
            break
        time.sleep(0.05)
    status, answer = served.post({"decisions": [{**BAG, "decision": None}]})
    assert status == 200 and answer["products"][1]["rejected"] == 2
    assert served.get("shoe/rejected/2.jpg")[0] == 200


def test_many_at_once_are_all_kept(served: Served) -> None:
    numbers = [("red bag", 0), ("shoe", 0), ("red bag", 1), ("shoe", 1), ("red bag", 2), ("shoe", 2)]
    answers: list[int] = []

    def send(product: str, number: int) -> None:
        decision = {"product": product, "number": number, "decision": "rejected"}
        answers.append(served.post({"decisions": [decision]})[0])

    threads = [threading.Thread(target=send, args=one) for one in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LIMIT_S)
    assert answers == [200] * 6 and len(hands(served.out)) == 6


def apply(out: Path, file: Path) -> Any:
    return CliRunner().invoke(app, ["review", str(out), "--apply", str(file)])


def test_saved_decisions_are_applied(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "decisions.json"
    more = [{"product": "red bag", "number": 1, "decision": "accepted"}]
    file.write_text(json.dumps([BAG, *more, {"product": "shoe", "number": 0, "decision": None}]))
    result = apply(out, file)
    assert result.exit_code == 0 and "1 accepted, 1 rejected, 1 withdrawn." in result.output
    state = read_state(out)
    assert [(entry.number, entry.by_hand) for entry in state.tries if entry.by_hand] == [
        (0, "rejected"),
        (1, "accepted"),
    ]
    assert (out / "red bag/rejected/1.jpg").is_file() and (out / "red bag/3.jpg").is_file()
    shots = {(shot["product"], shot["number"]): shot for shot in read_page((out / "report.html").read_text()).shots}
    assert shots["red bag", 0]["by_hand"] == "rejected" and shots["shoe", 0]["by_hand"] is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "cannot be read"), (b"", "is not JSON"), (b"\xff\xfe", "is not JSON"), (b"[" * 100_000, "is not JSON"),
        (b"{}", "are no list"), (b"[1]", "needs exactly"),
        (json.dumps([BAG, {**BAG, "number": 50}]).encode(), "no picture 50 of 'red bag'; name the folder whose report"),
        (json.dumps([BAG, {**BAG, "decision": "maybe"}]).encode(), "'maybe' is none"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_applied(out: Path, tmp_path: Path, data: bytes | None, words: str) -> None:
    file = tmp_path / "decisions.json"
    if data is not None:
        file.write_bytes(data)
    result = apply(out, file)
    assert result.exit_code == 2 and words in result.output and "Traceback" not in result.output
    assert result.output.count("\n") == 1 and untouched(out) and not (out / "report.html").exists()


def test_applying_to_a_running_shoot_and_to_none(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "decisions.json"
    file.write_text(json.dumps([BAG]))
    with ShootLedger(out, None, resume=True):
        result = apply(out, file)
        assert result.exit_code == 0 and "1 rejected" in result.output and untouched(out)
    for folder, what in (
        (tmp_path, "holds no shoot, no run of filter, no export and no photos"),
        (tmp_path / "nowhere", "is no folder"),
    ):
        result = apply(folder, file)
        assert result.exit_code == 2 and f"{folder} {what}; name the output folder" in result.output


def test_a_report_that_cannot_be_written_is_said(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(review, "write_report", full)
    (tmp_path / "decisions.json").write_text(json.dumps([BAG]))
    result = apply(out, tmp_path / "decisions.json")
    assert result.exit_code == 2 and "though the decisions are kept" in result.output and hands(out) == [BAG]


def test_a_port_that_is_taken_and_folders_without_a_shoot(out: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["review", str(out), "--no-browser", "--port", str(port)])
        assert result.exit_code == 2 and f"Port {port} is taken" in result.output
    result = CliRunner().invoke(app, ["review", str(tmp_path / "nowhere"), "--no-browser"])
    assert result.exit_code == 2 and "is no folder" in result.output
    (out / "ledger.jsonl").write_text("something else\n")
    result = CliRunner().invoke(app, ["review", str(out), "--no-browser"])
    assert result.exit_code == 2 and "is not the ledger of a shoot" in result.output


def test_the_command_serves_until_it_is_interrupted(out: Path) -> None:
    command = [sys.executable, "-m", "lib_photoshoot", "review", str(out), "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with hearing_interrupts():
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        address = line.removeprefix("Review at http://").strip()
        host, _, path = address.partition("/")
        assert host.startswith("127.0.0.1:") and path.endswith("/report.html")
        connection = http.client.HTTPConnection(host, timeout=_LIMIT_S)
        body = json.dumps({"decisions": [BAG]})
        connection.request(
            "POST", f"/{path.replace('report.html', 'decide')}", body, {"Content-Type": "application/json"}
        )
        assert connection.getresponse().status == 200
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=_LIMIT_S)[0].decode()
    finally:
        process.kill()
    assert process.returncode == 0 and "1 decision by hand." in output and "Traceback" not in output
    assert read_page((out / "report.html").read_text()).shots[0]["decision"] == Acceptance.REJECTED


def test_a_shoot_without_pictures_is_reviewed_too(tmp_path: Path) -> None:
    make_shoot(tmp_path / "out", count=0)
    assert (tmp_path / "out/ledger.jsonl").read_bytes() == HEADER
    (tmp_path / "out/ledger.jsonl").unlink()
    one = Served(tmp_path / "out")
    try:
        assert read_page(one.get("report.html")[2].decode()).shots == []
        assert one.post({"decisions": [BAG]})[0] == 409 and not (tmp_path / "out/ledger.jsonl").exists()
    finally:
        one.close()


def test_a_folder_is_served_at_its_usual_port_where_that_is_free(out: Path) -> None:
    usual = usual_port(out)
    assert usual == usual_port(out / "." / ".." / out.name)
    # Two folders may share one by chance, and what lies below a test's own folder is called anew each time.
    assert len({usual_port(out / str(number)) for number in range(20)}) > 15
    reviewed = ReviewedShoot(ShootFolder(out))
    with PageServer(reviewed, 0, usual) as first, PageServer(reviewed, 0, usual) as second:
        assert first.port == usual != second.port
    with PageServer(reviewed, 0, usual) as again:
        assert again.port == usual
