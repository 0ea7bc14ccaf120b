"""The salience networks' files: how each is fed, and what is said when one cannot be run."""

from __future__ import annotations

import builtins
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.segmentation.salience import NETWORKS, OnnxSalience


class Session:
    """Answers with the mean of the channels that it is fed, and remembers them."""

    def get_inputs(self):
        return [SimpleNamespace(name="in")]

    def get_outputs(self):
        return [SimpleNamespace(name="out"), SimpleNamespace(name="side")]

    def run(self, names, feed):
        (self.fed,) = feed.values()
        assert names == ["out"], "the other outputs are its training's"
        return [self.fed.mean(1, keepdims=True)]


def network(name: str) -> tuple[OnnxSalience, Session]:
    salience, session = OnnxSalience(None, name, NETWORKS[name]), Session()
    salience._session = session
    return salience, session


@pytest.mark.parametrize(
    ("name", "side", "black", "white"),
    [
        ("u2netp", 320, -0.485 / 0.229, (1 - 0.485) / 0.229),
        ("isnet", 1024, -0.5, (255 - 128) / 256),
        ("isnet-fp16", 1024, -0.5, (255 - 128) / 256),
        ("birefnet-tiny", 1024, -0.485 / 0.229, (1 - 0.485) / 0.229),
    ],
)
def test_each_is_fed_as_its_authors_do(name, side, black, white):
    salience, session = network(name)
    picture = np.zeros((50, 80, 3), np.uint8)
    picture[:, 40:] = 255
    seen = salience.map(picture)
    assert session.fed.shape == (1, 3, side, side) and session.fed.dtype == np.float32
    assert session.fed[0, 0, 0, 0] == pytest.approx(black, abs=1e-4)
    assert session.fed[0, 0, 0, -1] == pytest.approx(white, abs=1e-4)
    assert seen.shape == (50, 80) and seen.dtype == np.float32
    assert seen.min() >= 0 and seen.max() <= 1 and seen[25, 70] > seen[25, 10]


def test_a_black_picture_is_no_division_by_zero():
    for name in NETWORKS:
        seen = network(name)[0].map(np.zeros((20, 20, 3), np.uint8))
        assert np.isfinite(seen).all()


def test_a_file_that_is_no_network_and_a_missing_runtime_are_one_sentence_each(tmp_path, monkeypatch):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network")
    broken = OnnxSalience(path, "u2netp", NETWORKS["u2netp"])
    with pytest.raises(WeightsError, match=r"broken\.onnx cannot be read by ONNX Runtime"):
        broken.map(np.zeros((20, 20, 3), np.uint8))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WeightsError, match="ONNX Runtime, which runs the small networks, is not installed"):
        broken.map(np.zeros((20, 20, 3), np.uint8))
