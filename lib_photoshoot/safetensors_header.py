"""The header of a safetensors file: what is in it, without a weight being read; the one reader of such headers.

A safetensors file is 8 bytes of header length (little-endian), the header as JSON with every tensor's byte range, and
the tensors without gaps. The header therefore says how long the file must be, and a half-written one is recognised
without reading a single weight. Anybody's file may lie in a folder of models, so nothing in it is trusted.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

LONGEST_HEADER = 16 << 20
"""Bytes. Those of the largest checkpoints have under 1 MB, and of LoRAs with all their captions a few."""
_PREFIX = 8


class HeaderFault(Enum):
    """What is wrong with a file."""

    NO_FILE = "not a file"
    EMPTY = "empty"
    OTHER_KIND = "not a safetensors file"
    CUT_IN_HEADER = "ends within its header"
    DAMAGED = "damaged header"


class HeaderError(Exception):
    """A file has no usable header; ``start`` has its first bytes, ``least`` the bytes that it must at least have."""

    def __init__(self, fault: HeaderFault, start: bytes = b"", least: int = 0) -> None:
        super().__init__(fault.value)
        self.fault, self.start, self.least = fault, start, least


@dataclass(frozen=True)
class Tensor:
    """One tensor: ``begin`` and ``end`` are bytes from where the tensors begin."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says about itself; ``data`` is where the tensors begin, ``size`` the whole file's, in bytes."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    data: int
    size: int

    @property
    def declared(self) -> int:
        """Bytes that the file must have."""
        return self.data + max((tensor.end for tensor in self.tensors.values()), default=0)


def read_header(path: str | os.PathLike[str]) -> Header:
    """Return the header of a file of any length. Raises HeaderError for whatever is wrong with it, and OSError as it
    comes.

    Takes well under a second, and some hundred MB at most, whatever the file holds.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise HeaderError(HeaderFault.NO_FILE)  # opening a named pipe would wait for ever
    if status.st_size == 0:
        raise HeaderError(HeaderFault.EMPTY)
    with open(Path(path), "rb") as file:
        start = file.read(_PREFIX + 1)
        length = int.from_bytes(start[:_PREFIX], "little")
        # The brace comes first by the format's rules, so other kinds of files are told from half-written ones.
        if len(start) < _PREFIX or not 2 <= length <= LONGEST_HEADER or start[_PREFIX:] not in (b"{", b""):
            raise HeaderError(HeaderFault.OTHER_KIND, start)
        if status.st_size < _PREFIX + length:
            raise HeaderError(HeaderFault.CUT_IN_HEADER, start, _PREFIX + length)
        file.seek(_PREFIX)
        text = file.read(length)
    try:
        tensors, metadata = _parse(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise HeaderError(HeaderFault.DAMAGED, start) from error
    return Header(tensors, metadata, _PREFIX + length, status.st_size)


def _parse(header: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata; a header of any other form ends in one of Python's own errors."""
    metadata = {key: value for key, value in header.pop("__metadata__", {}).items() if isinstance(value, str)}
    tensors = {}
    for key, entry in header.items():
        begin, end = map(int, entry["data_offsets"])
        tensors[key] = Tensor(str(entry["dtype"]), tuple(map(int, entry["shape"])), begin, end)
    at = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != at or tensor.end < at:
            raise ValueError("tensors overlap or leave a gap")
        at = tensor.end
    return tensors, metadata
