"""The patchers that Forge's backend hangs on the checkpoint, left as they were by a pass inside a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATCHERS = ("forge_objects", "forge_objects_after_applying_lora", "current_lora_hash")
"""What a job's scripts and LoRAs have patched. A pass puts copies of its own there, and leaves these as they are; the
hash tells which LoRAs the second belongs to."""


@contextmanager
def network_kept(checkpoint: Any) -> Iterator[None]:
    """Give a checkpoint the patchers back that it has now; does nothing to one of a host without such a backend."""
    before = {name: value for name in _PATCHERS if (value := getattr(checkpoint, name, None)) is not None}
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(checkpoint, name, value)
