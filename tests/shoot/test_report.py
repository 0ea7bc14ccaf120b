"""The page of a shoot as text: what is in it, in which order, and that nothing of a user's words is markup."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.pages.html import PER_BLOCK, content_security_policy
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.review.report import report_chunks, write_report
from lib_photoshoot.shoot.run.ledger import Acceptance, ShootLedger, Try
from lib_photoshoot.shoot.run.pictures import placed, thumbnail_name
from lib_photoshoot.shoot.shot_list.product import folder_of
from lib_photoshoot.shoot.shot_list.reading import write_shot_list
from tests.pages import items_of

EVIL = '</script><img src=x onerror="window.evil=1"> & "#1"'


@dataclass(frozen=True)
class Page:
    """What a written page holds."""

    text: str
    shoot: dict[str, Any]
    shots: list[dict[str, Any]]
    thumbnails: list[bytes]

    @property
    def products(self) -> list[dict[str, Any]]:
        return self.shoot["products"]


def read_page(text: str) -> Page:
    """The page's data, as its script reads them."""
    scripts = dict(re.findall(r'<script type="[^"]+" id="([^"]+)">(.*?)</script>', text, re.DOTALL))
    blocks = [scripts[f"thumbnails-{number}"] for number in range(len(scripts) - 1)]
    lines = [base64.b64decode(line) for block in blocks for line in block.split("\n")]
    shots = [item | item["reference"] | {"seed": int(item["detail"])} for item in items_of(text)]
    return Page(text, json.loads(scripts["page"]), shots, lines)


def jpeg(color: Any, size: tuple[int, int] = (96, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def make_shoot(out: Path, names: Sequence[str] = ("red bag", "shoe"), count: int = 6, wanted: int = 2) -> Path:
    """A finished shoot of ``count`` tries: the products in turns, seeds from 1, every third one rejected."""
    out.mkdir(exist_ok=True)
    write_shot_list(out, [{"name": name, "count": wanted} for name in names])
    with ShootLedger(out, None, resume=True) as ledger:
        for index in range(count):
            name, seed = names[index % len(names)], index + 1
            accepted = seed % 3 != 0
            file = placed(f"{folder_of(name)}/{seed}.jpg", accepted)
            for path in (file, thumbnail_name(folder_of(name), seed)):
                (out / path).parent.mkdir(parents=True, exist_ok=True)
                (out / path).write_bytes(jpeg((index * 37 % 256, 90, 140)))
            decision = Acceptance.ACCEPTED if accepted else Acceptance.REJECTED
            score = round(0.9 - seed * 0.37 % 0.8, 2)
            ledger.finish(
                Try(
                    product=name, number=index // len(names), seed=seed, scene="on a table", webui="http://127.0.0.1:1",
                    seconds=1.5, scores=((name, score),), decision=decision, why=f"found {name}", file=file,
                )
            )  # fmt: skip
    return out


def pieces(out: Path, **more: Any) -> str:
    return b"".join(report_chunks(out, ShootFolder(out).view(), **more)).decode()


def test_pictures_come_in_the_lists_order_with_their_thumbnails(tmp_path: Path) -> None:
    out = make_shoot(tmp_path / "out", count=2 * PER_BLOCK + 5)
    page = read_page(pieces(out))
    names = [shot["product"] for shot in page.shots]
    assert names == sorted(names) and len(page.shots) == len(page.thumbnails) == 2 * PER_BLOCK + 5
    expected = [(out / shot["thumbnail"]).read_bytes() for shot in page.shots]
    assert page.thumbnails == expected and page.text.count('id="thumbnails-') == 3
    assert page.shoot["decide"] == "" and page.shoot["per_block"] == PER_BLOCK


def test_a_served_page_is_small_and_names_its_thumbnails(tmp_path: Path) -> None:
    out = make_shoot(tmp_path / "out")
    page = read_page(pieces(out, decide="decide", embed=False))
    assert page.thumbnails == [] and page.shoot["per_block"] == 0 and page.shoot["decide"] == "decide"
    assert all((out / shot["thumbnail"]).is_file() for shot in page.shots)


def test_a_deleted_thumbnail_leaves_the_others_in_their_places(tmp_path: Path) -> None:
    out = make_shoot(tmp_path / "out")
    (out / "thumbnails/red bag/3.jpg").unlink()
    page = read_page(pieces(out))
    assert [bool(data) for data in page.thumbnails] == [shot["seed"] != 3 for shot in page.shots]


def test_words_of_users_are_no_markup(tmp_path: Path) -> None:
    out = make_shoot(tmp_path / "out", names=(EVIL, "shoe"))
    text = pieces(out)
    assert "<img src=x" not in text and "</script><img" not in text
    assert read_page(text).shots[0]["product"] == EVIL


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = pieces(make_shoot(tmp_path / "out"))
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text) and "@import" not in text
    # What the page itself holds may be pointed to.
    assert not re.findall(r'url\((?!"?data:|#)', text)


def test_the_policy_allows_the_pages_own_script_and_style_only(tmp_path: Path) -> None:
    text, policy = pieces(make_shoot(tmp_path / "out")), content_security_policy()
    for kind in ("script", "style"):
        (inner,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        assert f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.findall(r"<[^>]+ (?:style|on[a-z]+)=", text)  # the policy would block them


def test_the_key_tells_shoots_apart_and_outlives_decisions(tmp_path: Path) -> None:
    first, second = make_shoot(tmp_path / "one"), make_shoot(tmp_path / "two", names=("watch",))
    key = read_page(pieces(first)).shoot["key"]
    assert key != read_page(pieces(second)).shoot["key"]
    with ShootLedger(first, None, resume=True) as ledger:
        ledger.decide("red bag", 0, Hand(Acceptance.REJECTED))
    assert read_page(pieces(first)).shoot["key"] == key


def test_the_pieces_are_small_and_the_file_is_written_whole(tmp_path: Path) -> None:
    out = make_shoot(tmp_path / "out", count=3 * PER_BLOCK)
    chunks: Iterable[bytes] = report_chunks(out, ShootFolder(out).view())
    assert iter(chunks) is chunks
    sizes = [len(chunk) for chunk in chunks]
    # At most what is gathered before a piece is written, and one block of thumbnails.
    assert len(sizes) > 1 and max(sizes) < (1 << 16) + PER_BLOCK * 2048
    write_report(out, ShootFolder(out).view())
    assert (out / "report.html").stat().st_size == sum(sizes)
    assert not list(out.glob("*.part"))


def test_a_shoot_that_has_not_begun_has_a_page(tmp_path: Path) -> None:
    write_shot_list(tmp_path, [{"name": "shoe", "count": 3}])
    assert read_page(pieces(tmp_path)).shots == []
