"""Whole shoots on fake WebUIs: the same pictures whatever fails, nothing twice, nothing lost."""

from __future__ import annotations

import base64
import errno
import io
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_photoshoot.errors import ShootError
from lib_photoshoot.shoot.run import runner
from lib_photoshoot.shoot.run.desk import Desk
from lib_photoshoot.shoot.run.ledger import ShootLedger, Try
from lib_photoshoot.shoot.shot_list.product import ListedProduct
from lib_photoshoot.shoot.shot_list.reading import read_shot_list
from lib_photoshoot.verdict import Done, Verdict
from tests.shoot.conftest import events, outcome, seeds, tries
from tests.shoot.fake_webui import FakeWebUi, answer_of, infotext_of, png_of, result_of
from tests.shoot.test_report import read_page

Shoot = Callable[..., Any]
EXPECTED = {
    "red bag": [1, 2, 3, 4, 5],
    "shoe": [100, 101, 102, 103],
    "watch": [4294967294, 4294967295, 0, 1, 2, 3, 4, 5],
}
"""Until each has its count; multiples of three are rejected."""


def expected() -> list[tuple[str, int]]:
    return [(product, seed) for product, numbers in EXPECTED.items() for seed in numbers]


def test_one_webui_takes_the_shots_in_the_lists_order(
    shoot: Shoot, tmp_path: Path, products: tuple[ListedProduct, ...]
) -> None:
    with FakeWebUi() as fake:
        summary = shoot(fake)
        assert seeds(tmp_path / "out") == expected()
        assert (summary.accepted, summary.wanted, summary.tries, summary.resumed) == (12, 12, 17, 0)
        assert not summary.short and not summary.lost and set(fake.counts.values()) == {1}
    first = tries(tmp_path / "out")[0]
    assert first | {"seconds": 0} == {
        "product": "red bag", "number": 0, "seed": 1, "scene": "on a beach", "webui": fake.url, "seconds": 0,
        "scores": [["handbag", 0.83]], "decision": "accepted", "file": "red bag/1.png", "exports": [],
        "why": "found handbag 0.83; enhanced with ControlNet canny / control: v11p, sd15",
    }  # fmt: skip
    assert first["seconds"] > 0 and tries(tmp_path / "out")[1]["scene"] == "in a street"
    rejected = tries(tmp_path / "out")[2]
    assert (rejected["decision"], rejected["file"]) == ("rejected", "red bag/rejected/3.png")
    listed = {product.name: product for product in products}
    for entry in tries(tmp_path / "out"):
        body = listed[entry["product"]].shot(entry["number"]).request()
        assert body in fake.bodies
        sent = png_of(body, infotext_of(body, result_of(body)))
        assert (tmp_path / "out" / entry["file"]).read_bytes() == sent  # bytes untouched


def test_a_claim_stands_before_its_try(shoot: Shoot, tmp_path: Path) -> None:
    seen: list[int] = []
    claims = lambda: [e["claim"]["seed"] for e in events(tmp_path / "out") if "claim" in e]  # noqa: E731
    with FakeWebUi(misbehave=lambda _, body: seen.append(claims()[-1] == body["seed"])) as fake:
        shoot(fake)
    assert len(seen) == 17 and all(seen)


@pytest.mark.parametrize("number", [2, 3])
def test_more_webuis_take_exactly_the_same_shots(shoot: Shoot, tmp_path: Path, number: int) -> None:
    with FakeWebUi() as one:
        shoot(one, out="one")
    with ExitStack() as stack:
        fakes = [stack.enter_context(FakeWebUi(seconds=0.01 + 0.02 * index)) for index in range(number)]
        shoot(*fakes)
    assert outcome(tmp_path / "out") == outcome(tmp_path / "one")
    assert all(fake.requests for fake in fakes)
    assert sum((fake.counts for fake in fakes), type(one.counts)()) == one.counts


FAILURES: dict[str, Callable[[FakeWebUi, int], Any]] = {
    "dies": lambda fake, n: fake.die() if n == 4 else None,
    "answers 500": lambda fake, n: 500 if n >= 4 else None,
    "answers 401": lambda fake, n: 401 if n >= 4 else None,
    "answers nonsense": lambda fake, n: "<html>" if n >= 4 else None,
    "hangs up": lambda fake, n: "hang up" if n >= 4 else None,
    "hangs": lambda fake, n: fake.dead.wait(3) if n >= 4 else None,
    "recovers": lambda fake, n: 500 if n in (2, 3, 6) else None,
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_webui_that_fails_loses_its_work_to_the_others(shoot: Shoot, tmp_path: Path, failure: str) -> None:
    with FakeWebUi() as one:
        shoot(one, out="one")
    with FakeWebUi(seconds=0.02) as good, FakeWebUi(seconds=0.01) as bad:
        bad.misbehave = lambda number, body: FAILURES[failure](bad, number)
        notes: list[str] = []
        summary = shoot(bad, good, tell=lambda state: notes.append(state.note), timeout=0.4)
    assert outcome(tmp_path / "out") == outcome(tmp_path / "one")
    assert any(bad.url in note for note in notes) and max(good.counts.values()) == 1
    if failure == "answers 401":
        assert summary.lost and "given up" in summary.lost[0]
    if failure == "recovers":
        assert not summary.lost


def test_all_given_up_ends_the_run_and_resume_goes_on(shoot: Shoot, tmp_path: Path) -> None:
    with FakeWebUi() as one:
        shoot(one, out="one")
    with FakeWebUi() as first, FakeWebUi() as second:
        for fake in (first, second):
            fake.misbehave = lambda number, body: "hang up" if number > 3 else None
        with pytest.raises(ShootError, match=r"Every WebUI was given up.*--resume") as error:
            shoot(first, second)
        assert first.url in str(error.value) and second.url in str(error.value)
        # The first failure of each, and as many more as there is patience for.
        assert len(first.requests) == 3 + runner.PATIENCE
        before = seeds(tmp_path / "out")
        assert len(before) == 6 and (tmp_path / "out" / "report.html").is_file()
    with FakeWebUi() as third:
        summary = shoot(third, resume=True)
        assert outcome(tmp_path / "out") == outcome(tmp_path / "one") and summary.resumed == 6
        assert len(third.requests) == 11 and max(third.counts.values()) == 1


def test_a_product_that_no_webui_can_make_is_set_aside(shoot: Shoot, tmp_path: Path) -> None:
    for instead, requests in (
        (lambda body: answer_of(body, Verdict(Done.REFUSED, "The word is not known.")), 1),
        (lambda body: 500, 3),
    ):
        out = f"out{requests}"

        def misbehave(_: int, body: dict[str, Any], instead: Any = instead) -> Any:
            return instead(body) if '"shoe"' in body["prompt"] else None

        with FakeWebUi(misbehave=misbehave) as fake:
            summary = shoot(fake, out=out)
            refusals = [seed for prompt, seed in fake.requests if '"shoe"' in prompt]
        assert refusals == [100] * requests
        (short,) = summary.short
        assert short.startswith("shoe: 0 of 3 pictures, set aside: ") and summary.accepted == 9
        with FakeWebUi() as fake:
            assert shoot(fake, out=out, resume=True).accepted == 12
        assert [seed for product, seed in seeds(tmp_path / out) if product == "shoe"] == EXPECTED["shoe"]


def test_what_one_webui_refuses_another_makes(shoot: Shoot, tmp_path: Path) -> None:
    with FakeWebUi(misbehave=lambda *_: 422) as never, FakeWebUi(seconds=0.02) as good:
        summary = shoot(never, good)
        assert summary.accepted == 12 and sorted(seeds(tmp_path / "out")) == sorted(expected())
        assert max(never.counts.values()) == 1


def test_the_limit_of_tries_and_a_list_of_seeds(shoot: Shoot, tmp_path: Path) -> None:
    with FakeWebUi() as fake:
        summary = shoot(fake, tries=4)
        assert summary.short == (
            "red bag: 3 of 4 pictures after 4 tries; raise --tries and add --resume to go on.",
            "watch: 2 of 5 pictures after 4 tries; raise --tries and add --resume to go on.",
        )
        shoot(fake, tries=9, resume=True)
        assert sorted(seeds(tmp_path / "out")) == sorted(expected()) and max(fake.counts.values()) == 1
        (tmp_path / "list.csv").write_text("name,count,seeds\nbag,2,9|5|6\n")
        summary = shoot(fake, out="seeds", products=read_shot_list(tmp_path / "list.csv"))
        assert summary.short == ("bag: 1 of 2 pictures after all 3 seeds of its list; give it more.",)


def test_a_finished_shoot_and_a_longer_list(shoot: Shoot, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name,count\nbag,2\n")
    with FakeWebUi() as fake:
        shoot(fake, products=read_shot_list(tmp_path / "list.csv"))
        shoot(fake, products=read_shot_list(tmp_path / "list.csv"), resume=True)
        assert len(fake.requests) == 2
        (tmp_path / "list.csv").write_text("name,count\nshoe,1\nbag,3\n")
        shoot(fake, products=read_shot_list(tmp_path / "list.csv"), resume=True)
        assert seeds(tmp_path / "out") == [("bag", 1), ("bag", 2), ("shoe", 1), ("bag", 3), ("bag", 4)]


def test_folders_that_cannot_be_used(shoot: Shoot, tmp_path: Path, products: tuple[ListedProduct, ...]) -> None:
    with FakeWebUi() as fake:
        shoot(fake)
        made = len(fake.requests)
        (tmp_path / "other.csv").write_text("name,count\nred bag,4\n")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "mine.txt").write_text("x")
        (tmp_path / "foreign").mkdir()
        (tmp_path / "foreign" / "ledger.jsonl").write_text('{"program":"product-photoshoot","version":1}\n')
        (tmp_path / "file").write_text("x")
        for word, more in (
            ("add --resume", {}),
            ("had other values", {"resume": True, "products": read_shot_list(tmp_path / "other.csv")}),
            ("'shoe' is not in this", {"resume": True, "products": (products[0], products[2])}),
            ("not empty", {"out": "full"}),
            ("not the ledger of a shoot", {"out": "foreign", "resume": True}),
            ("cannot be used", {"out": "file"}),
        ):
            with pytest.raises(ShootError, match=word):
                shoot(fake, **more)
        with ShootLedger(tmp_path / "out", products, True), pytest.raises(ShootError, match="Another shoot"):
            shoot(fake, resume=True)
        with pytest.raises(ShootError, match="twice"):
            shoot(fake, fake, out="new")
        assert len(fake.requests) == made


@pytest.mark.parametrize("where", ["claim", "try", "picture"])
def test_a_full_disk_is_one_sentence_and_resumes(
    shoot: Shoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    count = 0

    def full(real: Any) -> Any:
        def write(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == 7:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments)

        return write

    with monkeypatch.context() as patched:
        if where == "picture":
            patched.setattr(runner, "store", full(runner.store))
        else:
            name = {"claim": "claim", "try": "finish"}[where]
            patched.setattr(ShootLedger, name, full(getattr(ShootLedger, name)))
        with FakeWebUi() as fake, pytest.raises(ShootError, match=r"The disk of .* is full; make room .*--resume"):
            shoot(fake)
    assert len(seeds(tmp_path / "out")) == 6
    with FakeWebUi() as fake:
        shoot(fake, resume=True)
    assert seeds(tmp_path / "out") == expected()


def test_a_line_that_does_not_fit_leaves_no_part(
    tmp_path: Path, products: tuple[ListedProduct, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ShootLedger(tmp_path / "out", products, False) as ledger:
        ledger.claim(products[0].shot(0))
        size = ledger.path.stat().st_size

        def torn(descriptor: int) -> None:
            assert ledger.path.stat().st_size > size
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, "fsync", torn)
        with pytest.raises(OSError, match="full"):
            ledger.claim(products[0].shot(1))
        assert ledger.path.stat().st_size == size


def test_every_torn_end_of_a_ledger_is_resumed(
    shoot: Shoot, tmp_path: Path, products: tuple[ListedProduct, ...]
) -> None:
    with FakeWebUi() as fake:
        shoot(fake)
    path = tmp_path / "out" / "ledger.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        with ShootLedger(tmp_path / "out", products, True) as ledger:
            done = sum(
                line.startswith(b'{"try') for line in whole[:size].splitlines(keepends=True) if line[-1:] == b"\n"
            )
            assert len(ledger.tries) == done
        assert path.read_bytes() in (whole[: whole.rfind(b"\n", 0, size) + 1], lines[0])
    # A line in the middle that the file system spoiled: its shot is made again, with its seed, and no other.
    spoiled = next(index for index, line in enumerate(lines) if line.startswith(b'{"try'))
    path.write_bytes(b"".join([*lines[:spoiled], b"{}\n\0\n", *lines[spoiled + 1 :]]))
    with FakeWebUi() as fake:
        shoot(fake, resume=True)
        assert [seed for _, seed in fake.requests] == [1]
    path.write_bytes(path.read_bytes().replace(b"\0\n", b""))
    assert sorted(seeds(tmp_path / "out")) == sorted(expected())


def test_interrupting_the_caller_keeps_what_is_finished(
    shoot: Shoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:
                stop.wait(10)
                raise KeyboardInterrupt
            return super().wait(timeout)

    real = Desk.__init__

    def init(self: Desk, *arguments: Any) -> None:
        real(self, *arguments)
        self.ended = Interrupted()

    with FakeWebUi(misbehave=lambda number, body: stop.set() if number == 5 else None) as fake:
        with monkeypatch.context() as patched:
            patched.setattr(Desk, "__init__", init)
            with pytest.raises(KeyboardInterrupt):
                shoot(fake)
        assert len(seeds(tmp_path / "out")) in (4, 5)
        shoot(fake, resume=True)
    assert sorted(seeds(tmp_path / "out")) == sorted(expected())


def test_what_comes_after_the_end_is_dropped(tmp_path: Path, products: tuple[ListedProduct, ...]) -> None:
    with ShootLedger(tmp_path / "out", products, False) as ledger:
        desk = Desk(products, ledger, None, ["a"])
        shot = desk.take("a")
        assert shot is not None
        entry = Try(shot.product.name, 0, shot.seed, "", "a", 1, (), "accepted", "", "x.png")
        desk.stop()
        desk.finish(shot, entry)
        assert not ledger.tries and desk.take("a") is None and not tries(tmp_path / "out")


def test_a_mistake_of_ours_ends_the_run(shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "store", lambda *_: 1 / 0)
    with FakeWebUi() as fake, pytest.raises(ZeroDivisionError):
        shoot(fake)


def test_other_formats_and_the_report(shoot: Shoot, tmp_path: Path) -> None:
    def as_jpeg(_: int, body: dict[str, Any]) -> Any:
        answer = answer_of(body)
        buffer = io.BytesIO()
        Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))).save(buffer, "JPEG")
        return answer | {"images": [base64.b64encode(buffer.getvalue()).decode()]}

    text = "name,class,count,scenes,exports\nb & c #1,bag,3,<i>x</i>,amazon-main|ebay\n"
    (tmp_path / "list.csv").write_text(text)
    with FakeWebUi(misbehave=as_jpeg) as fake:
        shoot(fake, products=read_shot_list(tmp_path / "list.csv"))
    out = tmp_path / "out"
    entries = tries(out)
    assert [entry["file"] for entry in entries[1:3]] == ["b & c -1/2.jpg", "b & c -1/rejected/3.jpg"]
    assert entries[0]["exports"] == ["amazon-main", "ebay"]
    report = read_page((out / "report.html").read_text())
    assert report.products == [{"name": "b & c #1", "wanted": 3, "accepted": 3, "rejected": 1}]
    assert [shot["file"] for shot in report.shots] == [entry["file"] for entry in entries]
    assert {shot["more"][0] for shot in report.shots} == {"<i>x</i>"} and "<i>x" not in report.text
    assert report.thumbnails == [(out / f"thumbnails/b & c -1/{seed}.jpg").read_bytes() for seed in (1, 2, 3, 4)]
    assert "http://" not in report.text.replace(fake.url, "")
