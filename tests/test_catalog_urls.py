"""URLs as inputs: a web server and fsspec's memory give what the same pictures give as paths."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from typer.testing import CliRunner

from lib_photoshoot.catalog import urls
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ray_worker import Job, Worker
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.catalog.urls import UrlFile, _without_secrets, collect_sources
from lib_photoshoot.errors import CatalogError, ImageError
from tests.test_catalog import PRODUCTS, BrightSquares, files_of, paint

REPORTS = ("ledger.jsonl", "report.json", "report.csv", "report.html", "coco.json")


@pytest.fixture
def needs_fsspec() -> None:
    pytest.importorskip("fsspec", reason="the package fsspec is not installed (the optional extra `urls`)")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; asks for the server's ``account``, and answers ``broken`` names with an error."""

    def send_head(self):
        account = base64.b64encode(self.server.account.encode()).decode()
        if self.server.account and self.headers.get("Authorization") != f"Basic {account}":
            self.send_error(401)
            return None
        for name, code in self.server.broken.items():
            if name in self.path:
                self.send_error(code)
                return None
        return super().send_head()

    def log_message(self, *_) -> None:
        self.server.asked.append(self.path)


class Server(ThreadingHTTPServer):
    account, block_on_close = "", False

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.asked: list[str] = []
        self.broken: dict[str, int] = {}
        self.url = f"http://127.0.0.1:{self.server_port}/"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    paint(folder / "two.png", (5, 5, 25, 25), (40, 20, 70, 50))
    paint(folder / "none.png")
    paint(folder / "sub" / "one.bmp", (10, 10, 30, 40))
    paint(folder / "a sub" / "čaj #1 100%.png", (10, 10, 30, 40))
    paint(folder / "a sub" / "two.jpg", (10, 10, 30, 40))
    paint(folder / "a sub" / "two.png", (10, 10, 30, 40))
    paint(folder / ".hidden.png")
    paint(folder / ".git" / "a.png")
    (folder / "notes.txt").touch()
    (folder / "broken.jpg").write_text("no picture")
    (folder / "empty.png").touch()
    return folder


@pytest.fixture
def server(needs_fsspec: None, photos: Path) -> Iterator[Server]:
    pytest.importorskip("aiohttp", reason="the package aiohttp, with which fsspec reads the web, is not installed")
    with Server(photos) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


@pytest.fixture
def memory(needs_fsspec: None):
    import fsspec

    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


def run(inputs: list, out: Path, **options):
    filter_ = BrightSquares()
    summary = run_catalog(filter_, collect_sources(inputs, out), PRODUCTS, out, **options)
    return summary, filter_.calls


def assert_same_but_for_the_names(out: Path, url: str, whole: Path, folder: Path) -> None:
    """All outputs byte for byte; reports with each name below the URL as it is below the folder."""
    assert files_of(out) == files_of(whole)
    assert [n for n in files_of(whole) - set(REPORTS) if (out / n).read_bytes() != (whole / n).read_bytes()] == []

    def plain(value):
        if isinstance(value, str):
            return (
                value.replace(f"{folder}/", "").replace(url, "") if url not in value else unquote(value).split(url)[1]
            )
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in ("size", "mtime_ns", "version")}
        return [plain(item) for item in value] if isinstance(value, list) else value

    for name in ("report.json", "coco.json"):
        found, expected = (json.loads((place / name).read_text()) for place in (out, whole))
        # A bad file's sentence names the URL in place of the path.
        bad, expected_bad = (list(map(plain, report.pop("unreadable", []))) for report in (found, expected))
        assert plain(found) == plain(expected)
        assert [item["file"] for item in bad] == [item["file"] for item in expected_bad]
    found, expected = ((place / "ledger.jsonl").read_text().splitlines() for place in (out, whole))
    assert found[0] == expected[0]
    assert [plain(json.loads(line)) for line in found[1:]] == [plain(json.loads(line)) for line in expected[1:]]


# Sameness


def test_a_folder_of_a_web_server_gives_what_its_path_gives(server: Server, photos: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    expected, _ = run([photos], whole)
    summary, _ = run([server.url], out)
    assert (summary.matched, summary.skipped, len(summary.unreadable)) == (5, 1, 2)
    assert [item["error"] for item in summary.unreadable] == [
        item["error"].replace(f"{photos}/", server.url) for item in expected.unreadable
    ]
    assert_same_but_for_the_names(out, server.url, whole, photos)
    assert not any("hidden" in path or "a.png" in path or "notes" in path for path in server.asked)


def test_links_of_a_page_are_followed_only_downwards(server: Server, photos: Path) -> None:
    paint(photos / "other" / "x.png")
    links = [
        "two.jpg",
        "/other/x.png",
        "../other/",
        "/",
        "deep/",
        "?C=N;O=D",
        "/a%20sub/two.png",
        "https://else.where/",
    ]
    (photos / "a sub" / "index.html").write_text("".join(f'<a href="{link}">x</a>' for link in links))
    paint(photos / "a sub" / "deep" / "y.png")
    (photos / "a sub" / "deep" / "index.html").write_text('<a href="y.png">x</a><a href="/a%20sub/">up</a>')
    names = [unquote(source.name).removeprefix(server.url) for source in collect_sources([f"{server.url}a%20sub/"])]
    assert names == ["a sub/two.jpg", "a sub/two.png", "a sub/deep/y.png"]
    assert server.asked and all(path.startswith("/a%20sub/") for path in server.asked)


def test_other_file_systems_too(memory, photos: Path, tmp_path: Path) -> None:
    for path in sorted(photos.rglob("*")):
        if path.is_file():
            memory.pipe_file(f"/shop/{path.relative_to(photos).as_posix()}", path.read_bytes())
    whole, out = tmp_path / "whole", tmp_path / "out"
    run([photos], whole)
    run(["memory://shop"], out)
    assert_same_but_for_the_names(out, "memory://shop/", whole, photos)
    # One picture, taken whatever its suffix, and a path beside it.
    memory.pipe_file("/shop/picture", (photos / "two.png").read_bytes())
    summary, _ = run(["memory://shop/picture", photos / "none.png"], tmp_path / "two")
    assert (summary.matched, summary.skipped) == (1, 1)


@pytest.mark.parametrize("quoted", [True, False])
def test_file_urls_are_paths(photos: Path, tmp_path: Path, quoted: bool) -> None:
    paths = [str(photos), str(photos / "a sub" / "čaj #1 100%.png")]
    run(paths, tmp_path / "whole")
    run([f"file://{quote(path) if quoted else path}" for path in paths], tmp_path / "out")
    for name in files_of(tmp_path / "whole"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_worker_reads_urls_itself_and_reports_what_it_cannot_read(
    server: Server, photos: Path, tmp_path: Path
) -> None:
    worker = Worker(BrightSquares, PRODUCTS, 1, str(tmp_path))
    good, bad = (
        UrlFile(server.url, server.url + name, server.url + name, name[:3]) for name in ("two.png", "broken.jpg")
    )
    finished = worker.examine(good)
    assert finished.record.file == server.url + "two.png" and finished.record.version is not None
    assert isinstance(worker.examine(bad), ImageError)
    local = collect_inputs([photos / "two.png"])[0]
    assert finished.record.outputs[0] == "thumbnails/before/two.jpg"
    same = worker.examine(Job(local, local.key, local.stamp()))
    assert same.files == finished.files


# Resume


def test_resume_takes_what_is_unchanged(server: Server, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run([server.url], out)
    again, calls = run([server.url], out, resume=True)
    assert (again.resumed, calls) == (6, 0)
    paint(photos / "none.png", (1, 1, 20, 20))
    os.utime(photos / "none.png", (1e9, 1e9))
    again, calls = run([server.url], out, resume=True)
    assert (again.resumed, again.matched, calls) == (5, 6, 1)


def test_resume_notices_an_object_changed_without_another_size(memory, photos: Path, tmp_path: Path) -> None:
    data = (photos / "two.png").read_bytes()
    memory.pipe_file("/shop/a.png", data)
    run(["memory://shop"], tmp_path / "out")
    assert run(["memory://shop"], tmp_path / "out", resume=True)[1] == 0
    memory.pipe_file("/shop/a.png", data)
    assert run(["memory://shop"], tmp_path / "out", resume=True)[1] == 1


def test_what_vanishes_or_is_refused_is_listed_and_the_run_goes_on(
    server: Server, photos: Path, tmp_path: Path
) -> None:
    server.broken = {"none.png": 403, "one.bmp": 500}
    sources = collect_sources([server.url])
    (photos / "two.png").unlink()
    summary = run_catalog(BrightSquares(), sources, PRODUCTS, tmp_path / "out")
    said = {Path(item["file"]).name: item["error"] for item in summary.unreadable}
    assert summary.matched == 3 and sorted(said) == ["broken.jpg", "empty.png", "none.png", "one.bmp", "two.png"]
    assert said["two.png"] == f"{server.url}two.png does not exist (any more); check the URL and run again."
    assert "none.png cannot be read (the server answered 403); check" in said["none.png"]
    assert "one.bmp cannot be read (the server answered 500); check" in said["one.bmp"]
    server.broken = {}
    assert run([server.url], tmp_path / "out", resume=True)[0].resumed == 3


def test_a_server_that_tells_nothing_of_a_file_but_hands_it_out(needs_fsspec, memory, photos, tmp_path, monkeypatch):
    memory.pipe_file("/shop/a.png", (photos / "two.png").read_bytes())
    monkeypatch.setattr(type(memory), "info", lambda *_, **__: {"type": "file", "size": None})
    inputs = ["memory://shop/a.png"]
    assert run(inputs, tmp_path / "out")[0].matched == 1
    record = json.loads((tmp_path / "out" / "ledger.jsonl").read_text().splitlines()[1])
    assert (record["size"], record["mtime_ns"]) == (-1, 0) and "version" not in record
    assert run(inputs, tmp_path / "out", resume=True)[1] == 0


# Secrets


def test_no_secret_is_written_and_another_signature_is_the_same_picture(server: Server, tmp_path: Path) -> None:
    server.account = "shop:open-sesame"
    place = server.url.replace("http://", "http://shop:open-sesame@")
    out = tmp_path / "out"

    def inputs(signature: str) -> list[str]:
        signed = f"X-Amz-Credential=AKIA7/{signature}&X-Amz-Signature={signature}&id=7"
        return [
            f"{place}a%20sub/",
            f"{place}two.png?{signed}",
            f"{place}gone.png?{signed}",
            f"{place}broken.jpg?{signed}",
        ]

    summary, _ = run(inputs("0123secret"), out)
    assert (summary.matched, len(summary.unreadable)) == (4, 2)
    assert f"{server.url}two.png?id=7" in (out / "report.csv").read_text()
    summary, calls = run(inputs("4567secret"), out, resume=True)
    assert (summary.resumed, calls) == (4, 0)
    shown = f"{collect_sources(inputs('0123secret'))} {summary}"
    for text in [shown, *((out / name).read_bytes().decode("latin-1") for name in files_of(out))]:
        assert not [secret for secret in ("sesame", "123secret", "567secret", "AKIA7") if secret in text]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host:8/a.jpg", "https://host:8/a.jpg"),
        ("https://token@host/a@2x.jpg", "https://host/a@2x.jpg"),
        ("ftp://me:p@w@host/a.jpg", "ftp://host/a.jpg"),
        ("s3://bucket/a@b?c.jpg", "s3://bucket/a@b?c.jpg"),
        ("abfs://box@account.net/a.jpg", "abfs://box@account.net/a.jpg"),
        ("https://h/a?id=5&Expires=1&Signature=x&Key-Pair-Id=K&w=9", "https://h/a?id=5&w=9"),
        ("https://h/a?sv=2020&sr=b&sp=r&se=2030&sig=abc&w=9", "https://h/a?w=9"),
        ("https://h/a?sv=2020&sr=b", "https://h/a?sv=2020&sr=b"),
        ("https://h/a?access_token=abc#part", "https://h/a"),
        ("https://h/a?design=oak&assign=1", "https://h/a?design=oak&assign=1"),
        ("https://h/a?key=summer", "https://h/a?key=digest-" + "e83664255c69"),
    ],
)
def test_what_of_a_url_is_written_down(url: str, shown: str) -> None:
    assert _without_secrets(url) == shown


def test_a_long_value_stands_as_a_digest() -> None:
    one, other = (_without_secrets(f"https://h/a?photo={letter * 40}") for letter in "ab")
    assert "aaaa" not in one and one != other and one == _without_secrets(f"https://h/a?photo={'a' * 40}")


def test_two_pictures_that_only_their_secrets_tell_apart_are_refused(server: Server) -> None:
    url = f"{server.url}two.png"
    assert len(collect_sources([f"{url}?token=a", f"{url}?token=a#x", f"{url}?id=1", f"{url}?id=2"])) == 3
    with pytest.raises(CatalogError, match=r"^Two inputs are http://[^ ?]*two.png and differ only in their signatures"):
        collect_sources([f"{url}?token=a", f"{url}?token=b"])


# Names


def test_names_of_objects_lead_nowhere_else(memory, photos: Path, tmp_path: Path) -> None:
    data = (photos / "two.png").read_bytes()
    for name in ("..", ".a", "b"):
        memory.store[f"/shop/{name}/../../x.png"] = memory.store.get("/shop/x.png") or _stored(memory, data)
    memory.store["/shop//etc/y.png"] = _stored(memory, data)
    memory.store["/shop/c\\..\\z.png"] = _stored(memory, data)
    out = tmp_path / "deep" / "out"
    for source in collect_sources(["memory://shop"]):
        assert (
            not source.relative.is_absolute() and ".." not in source.relative.parts and "\\" not in str(source.relative)
        )
    run(["memory://shop"], out)
    assert files_of(tmp_path / "deep") == {f"out/{name}" for name in files_of(out)}


def _stored(memory, data: bytes):
    memory.pipe_file("/shop/x.png", data)
    return memory.store["/shop/x.png"]


def test_drive_letters_and_existing_names_are_paths(tmp_path: Path, monkeypatch) -> None:
    for name in ("C:/x.png", "C:\\x.png", "C://x.png"):
        with pytest.raises(CatalogError, match=r"does not exist; check the path\.$"):
            collect_sources([name])
    monkeypatch.chdir(tmp_path)
    paint(tmp_path / "memory:" / "a.png")
    assert [source.name for source in collect_sources(["memory://a.png"])] == ["memory://a.png".replace("//", "/")]


def test_only_the_command_line_takes_urls(photos: Path) -> None:
    # The WebUI's page must not make its server fetch what a visitor names.
    with pytest.raises(CatalogError, match="does not exist"):
        collect_inputs([f"file://{photos}"])


# Errors


def test_missing_packages_are_named(monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fsspec", None)
        patch.setitem(sys.modules, "fsspec.core", None)
        with pytest.raises(
            CatalogError, match=r"^The package fsspec, which reads s3://b/a.png, is not .* install \"fsspec"
        ):
            collect_sources(["s3://b/a.png"])
    fsspec = pytest.importorskip("fsspec", reason="the package fsspec is not installed (the optional extra `urls`)")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(fsspec.registry.target if hasattr(fsspec.registry, "target") else {}, "s3", raising=False)
    with pytest.raises(
        CatalogError, match=r"^s3://b/a.png needs a package \(Install s3fs .*\); add it with: .* install$"
    ):
        collect_sources(["s3://b/a.png"])


def test_unusable_urls(memory, server: Server) -> None:
    for url, said in (
        ("nonsense://x/", r"^nonsense://x/ cannot be reached \(ValueError\); check the URL"),
        ("memory://gone", r"^memory://gone does not exist; check the URL\.$"),
        (f"{server.url}gone/", "gone/ does not exist; check the URL"),
        (
            "http://me:secret@127.0.0.1:1/",
            r"^http://127.0.0.1:1/ cannot be listed \(.*\); check the URL and the access\.$",
        ),
        ("zip://a.png::memory://b.zip", "joins file systems by ::"),
        ("http://[x/a.png", "^An input that begins with http:// is no URL"),
        ("memory://", "There is no picture"),
    ):
        with pytest.raises(CatalogError, match=said) as caught:
            collect_sources([url])
        assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_the_commands_take_urls(server: Server, tmp_path: Path, monkeypatch) -> None:
    from lib_photoshoot import build
    from lib_photoshoot.cli.main import app

    monkeypatch.setattr(build, "build_filter", lambda *_: BrightSquares())
    detected = CliRunner().invoke(app, ["detect", f"{server.url}two.png", "-p", "lamp"])
    entry = json.loads(detected.stdout.splitlines()[0])
    assert detected.exit_code == 0 and (entry["file"], entry["decision"]) == (f"{server.url}two.png", "match")
    filtered = CliRunner().invoke(app, ["filter", server.url, "-p", "lamp", "-o", str(tmp_path / "out")])
    assert filtered.exit_code == 1 and "5 matched, 1 skipped, 2 unreadable" in filtered.output


class Endless(SimpleHTTPRequestHandler):
    """Folders without end, and a picture whose body never ends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path.endswith("/"):
            self.wfile.write(b'<a href="deeper/">deeper</a><a href="a.png">a</a>')
            return
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            return

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def endless(needs_fsspec: None) -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="the package aiohttp, with which fsspec reads the web, is not installed")
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as serving:
        serving.daemon_threads, serving.block_on_close = True, False
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


def test_a_listing_without_end_is_one_sentence(endless: str) -> None:
    with pytest.raises(CatalogError, match="lists without end"):
        collect_sources([endless])


def test_a_body_without_end_is_one_sentence(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "LARGEST_FILE", 3 << 20)
    (source,) = collect_sources([f"{endless}a.png"])
    with pytest.raises(ImageError, match="larger than 3 MB and was not read to its end"):
        source.load()


def test_more_objects_than_a_catalogue_has_are_one_sentence(memory, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        memory.pipe(f"/bucket/{number}.png", b"x")
    monkeypatch.setattr(urls, "_MOST_FILES", 4)
    with pytest.raises(CatalogError, match="lists without end"):
        collect_sources(["memory://bucket"])
