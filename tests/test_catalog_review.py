"""``review`` of a run of the filter: the page, its pictures, decisions, and a folder from a stranger."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.catalog import review
from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun, is_run
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.journal import Journal, json_line
from tests.pages import read_page
from tests.shoot.test_review import HOSTILE, Served, apply
from tests.test_catalog import paint
from tests.test_catalog_page import go, out, page_of, photos

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


def test_a_decision_is_in_the_ledger_at_once_and_in_the_page_at_the_end(served: Served, photos: Path) -> None:
    found = read_page(served.get("report.html")[2].decode()).items[1]
    assert found["reference"] == {"file": reject(photos)["file"]}
    status, answer = served.post({"decisions": [reject(photos)]})
    assert status == 200 and answer["shots"] == [{"id": found["id"], "by_hand": "rejected"}]
    assert read_hands(served.out / LEDGER_NAME) == {reject(photos)["file"]: "rejected"}
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
        assert answered == status and words in answer["error"] and not read_hands(served.out / LEDGER_NAME)


def test_a_decision_does_not_read_the_run_anew_and_others_news_are_seen(
    out: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed, read = ReviewedRun(out), []
    real = review.current_records
    monkeypatch.setattr(review, "current_records", lambda path: read.append(path) or real(path))
    for name in ("one.png", "none.png", "one.png"):
        reviewed.decide(reviewed.chosen([reject(photos, name)]))
    assert not read
    paint(photos / "new.png", (5, 5, 30, 30))
    go(photos, out)
    reviewed.decide(reviewed.chosen([reject(photos, "new.png")]))
    assert len(read) == 1 and len(read_page(b"".join(reviewed.page()).decode()).items) == 4


def test_while_a_run_goes_on_it_says_so(served: Served, photos: Path) -> None:
    running = Journal(served.out / LEDGER_NAME, (served.out / LEDGER_NAME).read_bytes().splitlines(keepends=True)[0])
    status, answer = served.post({"decisions": [reject(photos)]})
    running.close()
    assert status == 409 and "A run is writing" in answer["error"] and not read_hands(served.out / LEDGER_NAME)
    assert served.post({"decisions": [reject(photos)]})[0] == 200


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
