"""The file under all ledgers: one writer at a time, and nothing lost but a torn last line."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lib_photoshoot.journal as journal_module
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, is_begun, json_line, read_header, read_lines
from tests.conftest import ROOT

HEADER = b'{"program":"a test"}\n'
LINES = [json_line({"number": number, "text": "é\n"}) for number in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three lines."""
    path = tmp_path / "journal.jsonl"
    with Journal(path, HEADER) as journal:
        assert [journal.append(line) for line in LINES] == places()
    return path


def places() -> list[int]:
    return [len(HEADER) + sum(map(len, LINES[:number])) for number in range(len(LINES))]


def test_what_was_appended_is_read_back_whole_and_by_its_place(path: Path) -> None:
    assert path.read_bytes() == HEADER + b"".join(LINES) and path.read_bytes().isascii()
    expected = list(zip(places(), LINES, strict=True))
    assert list(read_lines(path)) == list(read_lines(path, HEADER)) == expected
    with Journal(path, HEADER) as journal:
        assert list(journal.lines()) == expected
        place = journal.append(b"{}\n")
        assert [journal.line_at(each) for each in (place, *places())] == [b"{}\n", *LINES]


def test_every_torn_end_is_cut_off_and_never_read(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        lines = whole[:size].splitlines(keepends=True)[1:]
        kept = [line for line in lines if line.endswith(b"\n")]
        assert [line for _, line in read_lines(path, HEADER)] == kept
        assert is_begun(path, HEADER) == (size >= len(HEADER))
        with Journal(path, HEADER) as journal:
            list(journal.lines())
            # Longer than what was cut off, and shorter.
            for new in (json_line("x" * 99), b"1\n"):
                assert journal.line_at(journal.append(new)) == new
        assert path.read_bytes() == HEADER + b"".join(kept) + json_line("x" * 99) + b"1\n"


def test_the_end_of_a_long_torn_line_is_found(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * 200_000)
    with Journal(path, HEADER):
        assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["my notes\n", '{"program":"another"}\n', "no line"])
def test_another_file_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes"
    path.write_text(text)
    for use in (is_begun, Journal, lambda *given: list(read_lines(*given))):
        with pytest.raises(ForeignError) as caught:
            use(path, HEADER)
        assert caught.value.first == text.encode()
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("data", "found"),
    [(HEADER + b"torn", {"program": "a test"}), (b"", {}), (b"[1]\n", {}), (b"notes\n", {}), (b"[" * 100_000, {})],
)
def test_a_header_tells_whose_file_it_is(tmp_path: Path, data: bytes, found: dict[str, str]) -> None:
    (tmp_path / "file").write_bytes(data)
    assert read_header(tmp_path / "file") == found


def test_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="its link is a link"):
        Journal(tmp_path / "link", HEADER)


def test_a_full_disk_leaves_no_part_of_a_line_and_it_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(path, HEADER) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space"):
                journal.append(LINES[0])
        assert path.read_bytes() == before
        journal.append(LINES[1])
    assert path.read_bytes() == before + LINES[1]


HOLDER = """
import sys, time
from pathlib import Path
from lib_photoshoot.journal import Journal
with Journal(Path(sys.argv[1]), sys.argv[2].encode()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_it_is_one_process_s_until_that_ends_or_is_killed(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), HEADER.decode()], stdout=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError):
            Journal(path, HEADER)
        assert [json.loads(line)["number"] for _, line in read_lines(path)] == [0, 1, 2], "others may read"
        child.send_signal(signal.SIGKILL)
    Journal(path, HEADER).close()
    assert [child.name for child in path.parent.iterdir()] == [path.name], "no file beside it"


def test_a_line_that_is_too_long_is_passed_over_and_never_whole_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LONGEST_LINE", 64)
    long = b"[" + b"1" * 200_000 + b"]\n"
    with open(path, "ab") as file:
        file.write(long + LINES[0] + b"x" * 64 + b"\n" + LINES[1] + b"y" * 200)
    end = places()[-1] + len(LINES[-1])
    after = [(end + len(long), LINES[0]), (end + len(long) + len(LINES[0]) + 65, LINES[1])]
    expected = [*zip(places(), LINES, strict=True), *after]
    assert list(read_lines(path)) == list(read_lines(path, HEADER)) == expected
    with Journal(path, HEADER) as journal:
        assert list(journal.lines()) == expected and journal.line_at(after[1][0]) == LINES[1]


def test_a_number_that_no_computer_holds_spoils_its_line_alone() -> None:
    for text in ("1e999", "-1e999", "1" + "0" * 400):
        with pytest.raises(SPOILED):
            int(json.loads(text)) if "e" in text else float(json.loads(text))
