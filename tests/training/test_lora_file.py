"""LoRA files as sd-scripts writes them, made with safetensors: what the reader says, and every way to be broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save, save_file

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.results.lora_file import has_nan, read_lora

MODULES = (
    "lora_te_text_model_encoder_layers_0_mlp_fc1",
    "lora_unet_down_blocks_0_attentions_0_proj_in",
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
)
TAGS = {"photos": {"ppzocketv2": 4, "a cup of coffee": 1}, "more": {"a purse": 1, "ppzocketv2": 2}}
DATASET = {"photos": {"n_repeats": 6, "img_count": 4}, "more": {"n_repeats": 1, "img_count": 2}}


def lora_tensors(rank: int = 4, value: float = 0.5) -> dict[str, np.ndarray]:
    """Keys and shapes as in sd-scripts' files, in half precision."""
    tensors = {}
    for module in MODULES:
        tensors[f"{module}.alpha"] = np.array(rank / 2, np.float16)
        tensors[f"{module}.lora_down.weight"] = np.full((rank, 16), value, np.float16)
        tensors[f"{module}.lora_up.weight"] = np.full((8, rank), value, np.float16)
    return tensors


def save_lora(path: Path, rank: int = 4, value: float = 0.5, **metadata: object) -> Path:
    """A LoRA with sd-scripts' metadata; ``metadata`` adds to it, or takes out what is None."""
    values = {
        "ss_output_name": "ppzocketv2",
        "ss_base_model_version": "sd_v1",
        "ss_network_dim": rank,
        "ss_network_alpha": rank / 2,
        "ss_seed": 42,
        "ss_training_finished_at": 1795556005.4854014,
        "ss_tag_frequency": json.dumps(TAGS),
        "ss_dataset_dirs": json.dumps(DATASET),
        **metadata,
    }
    texts = {key: str(value) for key, value in values.items() if value is not None}
    save_file(lora_tensors(rank, value), path, texts)
    return path


def raw_file(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def one_tensor(path: Path, dtype: str, data: bytes) -> Path:
    return raw_file(path, {"w": {"dtype": dtype, "shape": [2], "data_offsets": [0, len(data)]}}, data)


def test_what_a_file_says(tmp_path):
    path = save_lora(tmp_path / "a.safetensors", rank=16, ss_epoch=10, ss_steps=1950)
    lora = read_lora(path)
    assert (lora.path, lora.bytes) == (path, path.stat().st_size)
    assert (lora.tensors, lora.modules, lora.rank, lora.alpha) == (9, 3, 16, 8.0)
    assert (lora.epoch, lora.steps, lora.seed, lora.output_name) == (10, 1950, 42, "ppzocketv2")
    assert (lora.base_model_version, lora.finished_at) == ("sd_v1", 1795556005.4854014)
    assert lora.tags[0] == ("ppzocketv2", 6)
    assert lora.activation_tag == "ppzocketv2"
    assert lora.metadata["ss_network_dim"] == "16"


def test_the_rank_is_that_of_most_layers_and_a_layer_needs_both_matrices(tmp_path):
    tensors = lora_tensors(4)
    tensors["lora_unet_conv.lora_down.weight"] = np.zeros((32, 4), np.float32)
    tensors["lora_unet_conv.lora_up.weight"] = np.zeros((4, 32), np.float32)
    tensors["lora_unet_alone.lora_down.weight"] = np.zeros((4, 4), np.float32)
    save_file(tensors, tmp_path / "a.safetensors")
    lora = read_lora(tmp_path / "a.safetensors")
    assert (lora.rank, lora.modules, lora.tensors) == (4, 4, 12)


def test_without_metadata_nothing_is_made_up(tmp_path):
    save_file(lora_tensors(), tmp_path / "a.safetensors")
    lora = read_lora(tmp_path / "a.safetensors")
    assert (lora.rank, lora.modules) == (4, 3)
    assert (lora.alpha, lora.epoch, lora.steps, lora.seed, lora.finished_at) == (None,) * 5
    assert (lora.output_name, lora.tags, lora.activation_tag) == ("", (), "")


@pytest.mark.parametrize("text", ["None", "", "nan", "[]", "1e999"])
def test_a_number_that_is_none_is_left_out(tmp_path, text):
    lora = read_lora(save_lora(tmp_path / "a.safetensors", ss_epoch=text, ss_network_alpha=text))
    assert (lora.epoch, lora.alpha) == (None, None)


@pytest.mark.parametrize("text", ["None", "[]", "{", '{"a": 1}', '{"a": {"b": "c"}}', "[" * 100_000])
def test_damaged_tag_counts_are_no_tags(tmp_path, text):
    lora = read_lora(save_lora(tmp_path / "a.safetensors", ss_tag_frequency=text))
    assert (lora.tags, lora.activation_tag) == ((), "")


def test_no_activation_tag_is_guessed_from_sentences(tmp_path):
    tags = json.dumps({"photos": {f"a sentence {n}": 1 for n in range(6)}})
    lora = read_lora(save_lora(tmp_path / "a.safetensors", ss_tag_frequency=tags))
    assert len(lora.tags) == 6
    assert lora.activation_tag == ""


def test_of_equal_counts_the_first_in_the_captions_is_the_activation_tag(tmp_path):
    tags = json.dumps({"photos": {"ppzocketv2": 6, "studio": 6, "more": 7 - 2}})
    assert read_lora(save_lora(tmp_path / "a.safetensors", ss_tag_frequency=tags)).activation_tag == "ppzocketv2"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is not a file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"PK\x03\x04" * 100), "is not a safetensors file"),
        (lambda path: path.write_bytes(b"<!DOCTYPE html><html>"), "is not a safetensors file"),
        (lambda path: path.write_bytes((200_000_000).to_bytes(8, "little") + b"{}"), "is not a safetensors file"),
        (lambda path: raw_file(path, b"[]"), "is not a safetensors file"),
        (lambda path: raw_file(path, b"{\xff}"), "is not a safetensors file"),
        (lambda path: raw_file(path, {"a": 1}), "is not a safetensors file"),
        (lambda path: raw_file(path, b'{"a":' + b"[" * 100_000), "is not a safetensors file"),
        (lambda path: raw_file(path, {"a": {"dtype": "F16", "shape": [2]}}), "is not a safetensors file"),
        (
            lambda path: raw_file(path, b'{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,Infinity]}}', b"\0\0"),
            "is not a safetensors file",
        ),
        (
            lambda path: raw_file(path, {"a": {"dtype": "F16", "shape": [1], "data_offsets": [2, 4]}}, b"\0" * 4),
            "is not a safetensors file",
        ),
        (lambda path: path.write_bytes(save(lora_tensors()) + b"x"), "is 1 bytes longer"),
        (lambda path: path.write_bytes(save(lora_tensors())[:-1]), "is incomplete"),
        (lambda path: path.write_bytes(save(lora_tensors())[:40]), "is incomplete"),
        (lambda path: save_file({"model.weight": np.zeros(4, np.float16)}, path), "holds no LoRA"),
        (lambda path: raw_file(path, {}), "holds no LoRA"),
    ],
)
def test_every_unusable_file_is_told_in_one_sentence(tmp_path, make, said):
    path = tmp_path / "a\nb.safetensors"
    make(path)
    with pytest.raises(TrainingError) as caught:
        read_lora(path)
    sentence = str(caught.value)
    assert said in sentence
    assert "a\\nb.safetensors" in sentence
    assert sentence.endswith(".") and "\n" not in sentence and "; " in sentence


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(TrainingError, match="is not a file"):
        read_lora(tmp_path / "a.safetensors")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1))
def test_a_file_cut_anywhere_is_noticed(tmp_path, share):
    whole = save_lora(tmp_path / "whole.safetensors").read_bytes()
    part = tmp_path / "part.safetensors"
    part.write_bytes(whole[: int(share * (len(whole) - 1))])
    for read in (read_lora, has_nan):
        with pytest.raises(TrainingError):
            read(part)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_headers_end_in_a_sentence_or_are_files_that_safetensors_reads(tmp_path, data):
    whole = bytearray(save_lora(tmp_path / "whole.safetensors").read_bytes())
    end = 8 + int.from_bytes(whole[:8], "little")
    for at in data.draw(st.lists(st.integers(0, end - 1), min_size=1, max_size=3)):
        whole[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(whole)
    try:
        read_lora(path)
    except TrainingError:
        # Nothing that the format's own library and ours both know as a LoRA may be refused.
        try:
            with safe_open(path, "numpy") as file:
                keys = set(file.keys())
        except (SafetensorError, ValueError):
            return
        assert not any(key[:-16] + "lora_up.weight" in keys for key in keys if key.endswith("lora_down.weight"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_one_value_that_is_no_number_is_found(tmp_path, kind, bad):
    tensors = {key: value.astype(kind) for key, value in lora_tensors().items()}
    save_file(tensors, tmp_path / "good.safetensors")
    assert not has_nan(tmp_path / "good.safetensors")
    tensors[f"{MODULES[1]}.lora_up.weight"][7, 3] = bad
    save_file(tensors, tmp_path / "bad.safetensors")
    assert has_nan(tmp_path / "bad.safetensors")


def test_the_largest_numbers_are_numbers(tmp_path):
    largest = {f"w{n}": np.array([np.finfo(kind).max], kind) for n, kind in enumerate((np.float16, np.float32))}
    save_file(largest, tmp_path / "a.safetensors")
    assert not has_nan(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("high", "bad"),
    [(0x3F80, False), (0x7F7F, False), (0xFF7F, False), (0x7F80, True), (0xFF80, True), (0x7FC0, True)],
)
def test_bfloat16_which_numpy_does_not_know(tmp_path, high, bad):
    data = np.array([0x3F80, high], "<u2").tobytes()
    assert has_nan(one_tensor(tmp_path / "a.safetensors", "BF16", data)) is bad


def test_whole_numbers_are_no_nan(tmp_path):
    assert not has_nan(one_tensor(tmp_path / "a.safetensors", "U8", b"\xff\xff"))
    assert not has_nan(one_tensor(tmp_path / "b.safetensors", "I16", b"\xff\xff\xff\xff"))
