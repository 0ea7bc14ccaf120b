"""Shared pieces: the real models once a session, and where optional material lies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib_photoshoot.errors import WeightsError

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@contextmanager
def hearing_interrupts() -> Iterator[None]:
    """Processes started meanwhile hear Ctrl-C: one in the background may be deaf to it, and its children would be."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# Set where `photoshoot.py test` starts the tests; each test's own commands are what its hints name.
os.environ.pop("PHOTOSHOOT_COMMAND", None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real pictures beside the project."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real pictures beside the project is absent")
    return folder


@pytest.fixture(scope="session")
def product_filter():
    """The embedded filter with the real weights."""
    from lib_photoshoot.build import build_filter

    try:
        return build_filter()
    except WeightsError as error:
        pytest.skip(f"embedded weights absent: {error}")


@pytest.fixture(scope="session")
def adobe_rgb() -> bytes:
    """A profile that can stand for Adobe RGB (1998)."""
    from lib_photoshoot.colour.icc import make_profile

    return make_profile((0.64, 0.33, 0.21, 0.71, 0.15, 0.06), (0.3127, 0.3290), (563 / 256,), "Adobe RGB")
