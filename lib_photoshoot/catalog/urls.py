"""URLs as inputs (``s3://``, ``https://``, ``gs://``, …), read through fsspec where that is installed.

Accounts come from where fsspec and its file systems look for them (environment, configuration files), or stand in the
URL itself; what is written down and shown never holds them. ``file://`` is another way to write a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

from lib_photoshoot.catalog.inputs import (
    InputFile,
    Stamp,
    TellInput,
    expand_path,
    is_picture_name,
    output_names,
    skipped_folder,
    tell_empty,
)
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, decode_picture

# Two letters at least: C:/x is a path.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+)://")
_HTTP = ("http", "https")
# Here the part before the @ names a place (a container, a repository), and no account.
_PLACES = ("abfs", "abfss", "adl", "az", "wasb", "wasbs", "git", "github")
# Parameters that signing adds, other ones each time: they say nothing about which picture it is.
_SIGNING = re.compile(
    r"x-(amz|goog|oss|cos|obs|ms)-.*|(aws|oss)accesskeyid|googleaccessid|key-pair-id|policy|expires?|hdn(ts|ea)|"
    r".*(signature|token|secret|passw(or)?d|pwd|credentials?)|sig|sign|hmac|jwt|auth(orization)?",
    re.IGNORECASE,
)
_AZURE = re.compile("s[vsrpteir]|srt|spr|sip|sig|sk(oid|tid|t|e|s|v)|sdd|saoid|suoid|scid")
# Parameters that may name the picture, or open the door to it: they stand as a digest, which does the first only.
_DOUBTFUL = re.compile(r".*(key|user|session|code|login).*", re.IGNORECASE)
_LONG = 24
LARGEST_FILE = 512 << 20
"""Bytes of one picture behind a URL."""
_LARGEST_PAGE = 32 << 20
_MOST_FOLDERS = 10_000
_MOST_FILES = 1_000_000
_DEEPEST = 64
_PIECE = 1 << 20
_LINK = re.compile(r"""<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
# By what file systems say when an object was changed, or which version it is.
_VERSION_TAGS = (
    *("ETag", "etag", "generation", "VersionId", "version_id", "Content-MD5", "content_md5", "md5Hash", "Digest"),
    *("Last-Modified", "LastModified", "last_modified", "updated", "mtime", "modified", "modify", "created"),
)


@dataclass(frozen=True, slots=True)
class UrlFile:
    """One picture to process that lies behind a URL.

    ``root`` is the URL that was given, ``path`` the picture's own in its file system; both may hold secrets. ``name``
    is its URL without them, and ``stem`` its output name. ``listed`` is its version where a listing told it.
    """

    root: str = field(repr=False)
    path: str = field(repr=False)
    name: str
    stem: str
    listed: Stamp | None = None

    @property
    def relative(self) -> PurePath:
        """The output name as a path."""
        return PurePath(self.stem)

    @property
    def key(self) -> str:
        """What identifies it in the ledger."""
        return self.name

    def stamp(self) -> Stamp:
        """Its version now; raises ``OSError``."""
        if self.listed is not None:
            return self.listed
        system, _ = _file_system(self.root)
        try:
            return _stamp(system.info(self.path))
        except OSError:
            raise
        except Exception as error:
            raise OSError(type(error).__name__) from error

    def load(self) -> tuple[Stamp, Picture]:
        """Version and decoded picture. Raises ``ImageError``, and ``CatalogError`` when a package is missing here."""
        name = shown(self.name)
        system, _ = _file_system(self.root)
        try:
            try:
                # Before reading: an object that changes meanwhile is done again on resume.
                stamp = self.stamp()
            except OSError:
                # Some servers tell nothing about a file, but hand it out; else reading says what is wrong.
                stamp = Stamp(-1, 0)
            data = _body(system, self.path, LARGEST_FILE)
        except _TooLargeError as error:
            raise ImageError(
                f"{name} is larger than {LARGEST_FILE >> 20} MB and was not read to its end; scale the picture down."
            ) from error
        except FileNotFoundError as error:
            raise ImageError(f"{name} does not exist (any more); check the URL and run again.") from error
        except Exception as error:
            raise ImageError(f"{name} cannot be read ({_reason(error)}); check the access and run again.") from error
        if not data:
            raise ImageError(f"{name} is empty (0 bytes); copy or export the picture again.")
        return stamp, decode_picture(data, name)


PictureSource = InputFile | UrlFile


def collect_sources(
    inputs: Iterable[str | os.PathLike[str]], out: Path | None = None, tell: TellInput = lambda _: None
) -> tuple[PictureSource, ...]:
    """Return what :func:`lib_photoshoot.catalog.inputs.collect_inputs` does, for URLs too.

    A URL of a folder is searched recursively for picture suffixes, without hidden names; on a web server a folder is
    what ends with a slash, and its page lists it. Raises ``CatalogError`` also when a package is missing, a folder
    cannot be listed, or two URLs differ in nothing but their secrets.
    """
    named = [os.fspath(item) for item in inputs]
    skipped = skipped_folder(out)
    found: dict[str, PictureSource] = {}
    empty = []
    for item in named:
        source = None
        for source in _expand(item, skipped):
            other = found.setdefault(source.key, source)
            if isinstance(source, UrlFile) and isinstance(other, UrlFile) and source.path != other.path:
                raise CatalogError(
                    f"Two inputs are {shown(source.name)} and differ only in their signatures or accounts; name one."
                )
        if source is None:
            empty.append(_without_secrets(item))
    shown_inputs = [_without_secrets(item) for item in named]
    stems = output_names((source.stem for source in found.values()), shown_inputs, skipped)
    tell_empty(empty, tell)
    return tuple(replace(source, stem=stem) for source, stem in zip(found.values(), stems, strict=True))


def _expand(item: str, skipped: str | None) -> Iterator[PictureSource]:
    scheme = _URL.match(item)
    # A path that exists is no URL, whatever it looks like.
    if scheme is None or os.path.lexists(item):
        yield from expand_path(item, skipped)
    elif scheme[1].lower() in ("file", "local"):
        yield from expand_path(_local_path(item), skipped)
    else:
        yield from _expand_url(item, scheme[1].lower())


def _local_path(url: str) -> str:
    from urllib.request import url2pathname

    rest = url.split("://", 1)[1].removeprefix("localhost")
    # As fsspec writes such URLs; browsers and pathlib quote.
    literal = rest[1:] if re.match(r"/[A-Za-z]:", rest) else rest
    return literal if os.path.lexists(literal) else url2pathname(rest)


def _expand_url(url: str, scheme: str) -> Iterator[UrlFile]:
    try:
        web = scheme in _HTTP
        if web and not urlsplit(url).path:
            url += "/"
        name = shown(_without_secrets(url))
    except ValueError as error:
        raise CatalogError(f"An input that begins with {scheme}:// is no URL; check how it is written.") from error
    if "::" in url:
        raise CatalogError(f"{name} joins file systems by ::, which is not supported; name the files where they lie.")
    url = url.split("#", 1)[0] if web else url
    system, path = _file_system(url)
    last = unquote(urlsplit(url).path) if web else path
    if is_picture_name(last) or (web and not url.endswith("/")):
        yield UrlFile(url, path, _without_secrets(url), _safe(last.rsplit("/", 1)[-1]))
        return
    try:
        if not web and system.info(path)["type"] != "directory":
            yield UrlFile(url, path, _without_secrets(url), _safe(last.rsplit("/", 1)[-1]))
            return
        system.invalidate_cache()
        listing = _listing(_linked(system, path, set()) if web else system.find(path, detail=True).items())
    except (_EndlessError, _TooLargeError) as error:
        raise CatalogError(
            f"{name} lists without end (over {_MOST_FILES:,} files or {_MOST_FOLDERS:,} folders, or {_DEEPEST} deep); "
            "name the folders in it that hold your pictures."
        ) from error
    except FileNotFoundError as error:
        raise CatalogError(f"{name} does not exist; check the URL.") from error
    except Exception as error:
        raise CatalogError(f"{name} cannot be listed ({_reason(error)}); check the URL and the access.") from error
    base = url if url.endswith("/") else f"{url}/"
    start = path.rstrip("/") + "/"
    files = []
    for found, info in listing.items():
        rest = found.removeprefix(start)
        parts = [part for part in (unquote(rest) if web else rest).split("/") if part]
        if parts and is_picture_name(parts[-1]) and not any(part.startswith(".") for part in parts):
            stamp = _stamp(info)
            told = stamp if stamp.size >= 0 and stamp.version else None
            files.append(UrlFile(url, found, _without_secrets(base + rest), _safe(*parts), told))
    yield from sorted(files, key=_place)


def _listing(entries: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    listing = {}
    for name, info in entries:
        listing[name] = info
        if len(listing) > _MOST_FILES:
            raise _EndlessError
    return listing


def _place(file: UrlFile) -> tuple[tuple[int, str], ...]:
    """Sorts as a folder of this machine is searched: its files, then each of its subfolders."""
    *folders, name = file.stem.split("/")
    return (*((1, folder) for folder in folders), (0, name), (0, file.path))


class _TooLargeError(Exception):
    """A body has more bytes than it may have."""


class _EndlessError(Exception):
    """A web server lists more folders than a catalogue has."""


def _body(system: Any, path: str, most: int) -> bytes:
    """All bytes of a file, read in pieces: neither what a server says of its length nor its patience is believed."""
    # A web server's file in one request, without asking for its size before, whatever it says about ranges.
    options = {"block_size": 0, "size": 1} if "http" in system.protocol else {}
    pieces, size = [], 0
    with system.open(path, "rb", **options) as file:
        while piece := file.read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise _TooLargeError
    return b"".join(pieces)


def _links(system: Any, folder: str) -> Iterator[str]:
    """Yield the addresses that a web server's page of a folder links, each once."""
    page = _body(system, folder, _LARGEST_PAGE).decode("utf-8", "replace")
    found = (unescape(next(filter(None, match.groups()), "")) for match in _LINK.finditer(page))
    yield from dict.fromkeys(urljoin(folder, link) for link in found)


def _linked(system: Any, folder: str, visited: set[str], depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a web server's pages list below ``folder``; links that lead elsewhere are not followed."""
    visited.add(folder)
    if depth > _DEEPEST or len(visited) > _MOST_FOLDERS:
        raise _EndlessError
    for url in _links(system, folder):
        below = unquote(url[len(folder) :]).split("/")
        if not url.startswith(folder) or "?" in url or "#" in url or any(part.startswith(".") for part in below):
            continue
        if not url.endswith("/"):
            yield url, {}
        elif url not in visited:
            yield from _linked(system, url, visited, depth + 1)


def _safe(*parts: str) -> str:
    """Return an object's name as a relative path: whatever stands in it, it leads nowhere else."""
    kept = [re.sub(r'[\x00-\x1f\\:*?"<>|]', "_", part) for part in parts if part not in ("", ".", "..")]
    return "/".join(kept) or "picture"


def _stamp(info: dict[str, Any]) -> Stamp:
    size = info.get("size")
    version = " ".join(str(info[tag]) for tag in _VERSION_TAGS if info.get(tag) not in (None, ""))
    return Stamp(-1 if size is None else int(size), 0, version or None)


def _without_secrets(url: str) -> str:
    """Return a URL as it may be written down: no account, no signature; what may be secret stands as a digest."""
    scheme = _URL.match(url)
    if scheme is None:
        return url
    place, slash, rest = url[scheme.end() :].partition("/")
    if scheme[1].lower() not in _PLACES:
        place = place.rpartition("@")[2]
    clean = scheme[0] + place + slash + rest
    if scheme[1].lower() not in _HTTP:
        return clean
    parts = urlsplit(clean)
    query = parse_qsl(parts.query, keep_blank_values=True)
    signing = [_SIGNING, *([_AZURE] if any(name == "sig" for name, _ in query) else [])]
    kept = [item for item in query if not any(pattern.fullmatch(item[0]) for pattern in signing)]
    shown_query = urlencode([(name, _digested(name, value)) for name, value in kept])
    return urlunsplit(parts._replace(query=shown_query, fragment=""))


def _digested(name: str, value: str) -> str:
    if len(value) < _LONG and not _DOUBTFUL.fullmatch(name):
        return value
    return f"digest-{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _reason(error: Exception) -> str:
    """Return what went wrong, never in the library's own words: they may hold the URL with its secrets."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return f"the server answered {status}"
    if isinstance(error, PermissionError):
        return "no permission"
    return error.strerror if isinstance(error, OSError) and error.errno and error.strerror else type(error).__name__


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it. Raises ``CatalogError`` for what is missing to reach it."""
    name = shown(_without_secrets(url))
    pip = f"{shown(sys.executable)} -m pip install"
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise CatalogError(
            f'The package fsspec, which reads {name}, is not installed; run: {pip} "fsspec>=2023.5"'
        ) from error
    try:
        return url_to_fs(url)
    except ImportError as error:
        # fsspec's own sentence names the package.
        raise CatalogError(f"{name} needs a package ({' '.join(str(error).split())}); add it with: {pip}") from error
    except Exception as error:
        raise CatalogError(f"{name} cannot be reached ({_reason(error)}); check the URL and the access.") from error
