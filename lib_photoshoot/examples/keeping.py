"""Signatures are made once and kept, under what the examples hold: a changed picture makes another one.

A file is an ``.npz`` of plain arrays, read without pickle and written whole; one that cannot be read is made anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from lib_photoshoot.examples.prints import Print
from lib_photoshoot.examples.signature import Signature
from lib_photoshoot.files import write_atomic

VERSION = 1
"""Of what a signature holds and how it is made: raised with either, so that no older one is read."""
MOST_KEPT = 200
"""Files; the longest unused go first."""


def key_of(digest: str, features: str) -> str:
    """Return the name of a signature's file for examples with this digest and features of this name."""
    return hashlib.sha256(f"{VERSION}\n{features}\n{digest}".encode()).hexdigest()


def kept_signature(folder: Path, key: str) -> Signature | None:
    """Return the signature kept under ``key``; None where there is none, or none that can be read."""
    path = folder / f"{key}.npz"
    try:
        signature = unpacked(path.read_bytes())
        with suppress(OSError):
            os.utime(path)
        return signature
    except (OSError, ValueError):
        return None


def keep_signature(folder: Path, key: str, signature: Signature) -> None:
    """Write a signature, and remove those that nobody asked for longest. A disk that is full only costs time later."""
    with suppress(OSError):
        write_atomic(folder / f"{key}.npz", packed(signature))
        kept = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_KEPT]:
            path.unlink(missing_ok=True)


def packed(signature: Signature) -> bytes:
    """Return a signature as the bytes of an ``.npz``."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **_arrays(signature))
    return buffer.getvalue()


def unpacked(data: bytes) -> Signature:
    """Return the signature of :func:`packed`. Raises ValueError for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            return _read(kept)
    except (OSError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile, zlib.error, cv2.error) as error:
        raise ValueError("the bytes are no signature") from error


def _arrays(signature: Signature) -> dict[str, np.ndarray]:
    arrays = {
        "looks": signature.looks,
        "colours": signature.colours,
        "agreement": signature.agreement,
        "digests": np.array(signature.digests, dtype=np.str_),
        "refused": np.array(signature.refused, dtype=np.str_).reshape(-1, 2),
    }
    if signature.second is not None:
        arrays["second"] = signature.second
    for number, one in enumerate(signature.prints):
        # As a PNG: the pixels are compared again, so none may change.
        arrays[f"small_{number}"] = cv2.imencode(".png", one.small[:, :, ::-1])[1].ravel()
        arrays[f"mask_{number}"] = np.packbits(one.mask)
        arrays[f"points_{number}"] = one.points
        arrays[f"descriptors_{number}"] = one.descriptors
    return arrays


def _read(kept: np.lib.npyio.NpzFile) -> Signature:
    count = len(kept["looks"])
    prints = []
    for number in range(count):
        small = np.ascontiguousarray(cv2.imdecode(kept[f"small_{number}"], cv2.IMREAD_COLOR)[:, :, ::-1])
        mask = np.unpackbits(kept[f"mask_{number}"], count=small.shape[0] * small.shape[1])
        shape = small.shape[:2]
        prints.append(Print(small, mask.reshape(shape) > 0, kept[f"points_{number}"], kept[f"descriptors_{number}"]))
    signature = Signature(
        kept["looks"],
        kept["colours"],
        tuple(prints),
        kept["agreement"],
        tuple(str(digest) for digest in kept["digests"]),
        tuple((str(digest), str(why)) for digest, why in kept["refused"]),
        kept.get("second"),
    )
    seconds = count if signature.second is None else len(signature.second)
    if not len(signature.colours) == len(signature.digests) == seconds == count > 0:
        raise ValueError("the parts of a signature do not belong together")
    return signature
