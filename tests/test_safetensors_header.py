"""Headers of safetensors files from anywhere: read with a limit, and one error for whatever is wrong."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.safetensors_header import LONGEST_HEADER, HeaderError, HeaderFault, Tensor, read_header
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.training.results.lora_file import read_lora
from lib_photoshoot.webui.hosts.control_files import file_family
from lib_photoshoot.webui.train.checkpoints import Checkpoints
from lib_photoshoot.webui.train.host import HostCheckpoint

KEY = "down_blocks.attn2.to_k.weight"


def entry(**changes: object) -> bytes:
    return json.dumps({KEY: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changes}}).encode()


BAD = {
    "brackets": b"[" * 200_000,
    "brackets within": b'{"a": ' + b"[" * 200_000,
    "objects within": b'{"a": ' * 100_000,
    "shape null": entry(shape=None),
    "shape of texts": entry(shape=["x"]),
    "endless shape": entry(shape=[float("inf")]),
    "no offsets": json.dumps({KEY: {"dtype": "F32", "shape": [1]}}).encode(),
    "offsets null": entry(data_offsets=None),
    "backwards": entry(data_offsets=[4, 0]),
    "a number of a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "metadata that is a list": b'{"__metadata__": [1]}',
    "not utf-8": b'{"\xff": 1}',
}


def write(path: Path, header: bytes, data: bytes = b"1234") -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)
    return path


def test_what_a_header_says(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "a.safetensors", entry()))
    assert header.tensors == {KEY: Tensor("F32", (1,), 0, 4)} and header.declared == header.size


@pytest.mark.parametrize("name", BAD)
def test_every_reader_says_what_is_wrong_in_one_sentence_and_at_once(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.safetensors", BAD[name])
    begun = time.process_time()
    with pytest.raises(HeaderError):
        read_header(path)
    for read in (read_lora, check_checkpoint):
        with pytest.raises(TrainingError, match="safetensors"):
            read(path)
    assert file_family(str(path), 0) is None
    assert Checkpoints().listed([HostCheckpoint("a", path)])[0]["fits"] is False
    assert time.process_time() - begun < 1


def test_a_header_over_the_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", LONGEST_HEADER + 1) + b"{")
        file.truncate(8 + LONGEST_HEADER + 1)
    with pytest.raises(HeaderError) as raised:
        read_header(path)
    assert raised.value.fault is HeaderFault.OTHER_KIND
