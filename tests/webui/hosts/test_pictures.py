"""Cut-outs that are saved beside a generated image say what the image says; no host."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.webui.hosts.a1111 import extras, pictures

INFOTEXT = "a bag\nSteps: 20, Seed: 7"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The two modules of the host that an infotext needs."""
    opts = SimpleNamespace(enable_pnginfo=True)
    modules, shared, processing = (ModuleType(name) for name in ("modules", "modules.shared", "modules.processing"))
    shared.opts = opts
    processing.create_infotext = lambda p, prompts, seeds, subseeds, index, all_negative_prompts: f"{prompts[index]}"
    modules.shared, modules.processing = shared, processing
    for module in (modules, shared, processing):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return opts


def processing_of(prompt: str = INFOTEXT) -> SimpleNamespace:
    return SimpleNamespace(
        prompts=["", prompt], seeds=[6, 7], subseeds=[0, 0], negative_prompts=["", ""], batch_index=1
    )


def test_a_cut_out_has_its_images_infotext(tmp_path: Path, host: SimpleNamespace) -> None:
    image = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    extras._save(image, tmp_path, "7-1-bag-cutout", pictures.infotext_of(processing_of()))
    with Image.open(tmp_path / "7-1-bag-cutout.png") as written:
        assert written.text["parameters"] == INFOTEXT


def test_no_text_where_the_host_writes_none_or_cannot_make_it(host: SimpleNamespace) -> None:
    assert pictures.infotext_of(SimpleNamespace(**{**vars(processing_of()), "prompts": []})) == ""
    host.enable_pnginfo = False
    assert pictures.infotext_of(processing_of()) == ""
