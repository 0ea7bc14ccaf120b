"""Ray itself: joined, or started on this machine, and this machine's scratch folder for its workers."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.paths import scratch_of

STORE_BYTES = 512 << 20
"""Object store of a private cluster; what does not fit is spilled to the disk."""


@contextmanager
def scratch_folder(out: Path) -> Iterator[str]:
    """Yield a folder of this machine for what the workers encode; it is gone afterwards."""
    folder = scratch_of(out)
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        # Another user's, who filtered into a folder of the same name.
        folder = mkdtemp(prefix="photoshoot-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster(address: str | None, workers: int | None) -> Iterator[None]:
    """Join the cluster at ``address``, or start one on this machine that ends with this process.

    When this process is killed, its workers end within seconds; two idle agents of Ray follow a minute later.
    """
    ray = import_ray()
    # A private cluster has no business outside this machine.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"address": address}
    if address is None:
        cores = max(os.cpu_count() or 1, workers or 0)
        options = {
            "address": "local",
            "num_cpus": cores,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        if address is not None and address != "auto":
            _knock(address)
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        where = "on this machine" if address is None else f"at {address}"
        raise CatalogError(
            f"There is no Ray cluster {where} that can be used ({brief(error)}); check --address, or leave it out."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Try the address. Raises ``OSError`` or ``ValueError`` at once where Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def brief(error: Exception) -> str:
    """Return the first line of what Ray says."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


def import_ray() -> Any:
    """Return the package. Raises CatalogError where it is not installed."""
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        install = f'{shown(sys.executable)} -m pip install "ray>=2.9,<3"'
        raise CatalogError(f"The package ray, which --engine ray needs, is not installed; run: {install}") from error
    return ray
