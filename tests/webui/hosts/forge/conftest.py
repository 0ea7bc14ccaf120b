"""A stand-in host with the ControlNet and the memory that Forge and its descendants bring along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.hosts.a1111.conftest import WIDE, _place, control_file, models, own_root
from tests.webui.standin.host import CANNY, StandIn, standing_in

__all__ = ["WIDE", "models", "own_root"]
INPAINT = "control_v11p_sd15_inpaint"
"""As Forge Neo lists models, without a hash."""


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[StandIn]:
    """The host, started with our extension; what it reports is the test's."""
    with standing_in(_place(tmp_path / "host")) as host:
        host.start("forge_controlnet", "photoshoot")
        host.become_forge()
        _add_models(host)
        yield host


def _add_models(host: StandIn) -> None:
    from lib_controlnet import global_state

    for name, width in ((CANNY, 768), (INPAINT, 768), (WIDE, 2048)):
        global_state.found[name] = control_file(host.folder, name, width)
    global_state.update_controlnet_filenames()
