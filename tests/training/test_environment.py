import dataclasses
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.training.trainer import environment as module
from lib_photoshoot.training.trainer import probe
from lib_photoshoot.training.trainer.environment import (
    PINNED_FINGERPRINT,
    PINNED_VERSION,
    TOKENIZER_FILES,
    TOKENIZER_FOLDER,
    Gpu,
    TrainerEnvironment,
    find_environment,
    inspect,
    trainer_variables,
    venv_python,
)

TRAINER = f"""
import toml
class NetworkTrainer:
    {"".join(f"def {name}(self): pass{chr(10)}    " for name in probe.HOOKED)}
"""
TORCH = """
__version__ = "2.6.0"
print("a noisy library")
class version:
    hip = None
class cuda:
    def is_available(): return bool(GPUS)
    def device_count(): return len(GPUS)
    def get_device_properties(index): return GPUS[index]
class Gpu:
    def __init__(self, name, major):
        self.name, self.major, self.total_memory = name, major, 1 << 33
GPUS = []
"""


@pytest.fixture
def trainer(tmp_path):
    """A trainer of empty modules: its Python is this one, finding them through a venv's site-packages."""
    home = tmp_path / "trainer ü"
    scripts = home / "sd-scripts"
    for name in ("networks/lora.py", "library/train_util.py"):
        (scripts / name).parent.mkdir(parents=True, exist_ok=True)
        (scripts / name).write_text("")
    (scripts / "train_network.py").write_text(TRAINER)
    (scripts / "README.md").write_text("- **Version 0.10.1 (2026-02-13):**\n- Version 0.9.0\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "venv"], check=True)
    (site,) = [*(home / "venv").glob("lib/python*/site-packages"), *(home / "venv").glob("Lib/site-packages")]
    for name in ("torchvision", *probe.REQUIRED):
        (site / f"{name}.py").write_text("__version__ = '1.0'\n")
    (site / "torch.py").unlink()
    for folder in ("torch/utils/tensorboard", "xformers/ops", "bitsandbytes"):
        (site / folder).mkdir(parents=True)
        (site / folder / "__init__.py").write_text("")
    (site / "torch" / "__init__.py").write_text(TORCH)
    return TrainerEnvironment(venv_python(home / "venv"), scripts), site


def sentence(call, *arguments):
    with pytest.raises(TrainingError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return text


def test_our_own_trainer_is_found_below_home(tmp_path, monkeypatch):
    monkeypatch.delenv("PHOTOSHOOT_SD_SCRIPTS", raising=False)
    monkeypatch.delenv("PHOTOSHOOT_SD_SCRIPTS_PYTHON", raising=False)
    found = find_environment(tmp_path)
    assert found == TrainerEnvironment(venv_python(tmp_path / "venv"), tmp_path / "sd-scripts", tmp_path / "tokenizers")


def test_a_named_trainer_wins_over_variables_and_those_over_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOSHOOT_SD_SCRIPTS", str(tmp_path / "by variable"))
    monkeypatch.setenv("PHOTOSHOOT_SD_SCRIPTS_PYTHON", str(tmp_path / "python"))
    found = find_environment(tmp_path)
    assert (found.sd_scripts, found.python) == (tmp_path / "by variable", tmp_path / "python")
    found = find_environment(tmp_path, tmp_path / "named", tmp_path / "named python")
    assert (found.sd_scripts, found.python) == (tmp_path / "named", tmp_path / "named python")


def test_half_a_tokenizer_is_not_used(tmp_path):
    folder = tmp_path / "tokenizers" / TOKENIZER_FOLDER
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text("{}")
    assert find_environment(tmp_path).tokenizer is None
    for name in TOKENIZER_FILES:
        (folder / name).write_text("")
    assert find_environment(tmp_path).tokenizer == tmp_path / "tokenizers"


def test_the_trainer_gets_none_of_our_packages():
    variables = trainer_variables(
        {"PYTHONPATH": "/ours", "PYTHONHOME": "/x", "ACCELERATE_MIXED_PRECISION": "fp16", "RANK": "1", "PATH": "/bin"}
    )
    assert not {"PYTHONPATH", "PYTHONHOME", "ACCELERATE_MIXED_PRECISION", "RANK"} & set(variables)
    assert variables["PATH"] == "/bin"
    assert variables["PYTHONNOUSERSITE"] == variables["PYTHONUTF8"] == variables["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_whole_trainer_on_a_cpu(trainer, monkeypatch, tmp_path):
    (tmp_path / "toml.py").write_text("raise SystemExit('not the trainer's own')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = inspect(trainer[0])
    assert found.sd_scripts == "0.10.1"
    assert found.versions["torch"] == "2.6.0" and found.versions["pillow"] == "1.0"
    assert not found.cuda and not found.bf16 and not found.eight_bit and not found.xformers
    assert found.tensorboard and found.hook
    assert found.cpu_count == os.cpu_count()
    assert len(found.notes) == 1 and f"v{PINNED_VERSION}" in found.notes[0]


def test_a_whole_trainer_with_gpus(trainer):
    environment, site = trainer
    with (site / "torch" / "__init__.py").open("a") as file:
        file.write("GPUS = [Gpu('old', 7), Gpu('new', 8)]\n")
    found = inspect(environment)
    assert found.gpus == (Gpu("old", 1 << 33), Gpu("new", 1 << 33, bf16=True))
    assert found.cuda and not found.bf16 and found.eight_bit and found.xformers


def test_what_cannot_be_imported_is_noted_or_missing_in_silence(trainer):
    environment, site = trainer
    with (site / "torch" / "__init__.py").open("a") as file:
        file.write("GPUS = [Gpu('new', 9)]\n")
    (site / "bitsandbytes" / "__init__.py").write_text("raise RuntimeError('CUDA Setup failed')")
    (site / "xformers" / "ops" / "__init__.py").unlink()
    (site / "xformers" / "ops").rmdir()
    found = inspect(environment)
    assert found.bf16 and not found.eight_bit and not found.xformers
    assert [note for note in found.notes if "bitsandbytes" in note and "CUDA Setup failed" in note]
    assert not [note for note in found.notes if "xformers" in note]


def test_another_version_is_no_error(trainer):
    environment, _ = trainer
    (environment.sd_scripts / "train_network.py").write_text("class NetworkTrainer:\n    def sample_images(self): 0\n")
    (environment.sd_scripts / "README.md").write_text("Version 0.9.1")
    found = inspect(environment)
    assert found.sd_scripts == "0.9.1" and not found.hook
    assert "version 0.9.1" in found.notes[0]
    assert "process_batch" in found.notes[1] and "sample_images" not in found.notes[1]


def test_the_pinned_version_is_known_by_its_fingerprint_whatever_its_line_ends(trainer, monkeypatch):
    environment, _ = trainer
    (environment.sd_scripts / "train_network.py").write_bytes(TRAINER.replace("\n", "\r\n").encode())
    import hashlib

    monkeypatch.setattr(module, "PINNED_FINGERPRINT", hashlib.sha256(TRAINER.encode()).hexdigest())
    assert inspect(environment).notes == ()


def test_no_python(trainer, tmp_path):
    environment = dataclasses.replace(trainer[0], python=tmp_path / "none")
    assert "There is no Python at" in sentence(inspect, environment)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no executable bit")
def test_a_python_that_is_none(trainer, tmp_path):
    fake = tmp_path / "python"
    fake.write_text("hello")
    environment = dataclasses.replace(trainer[0], python=fake)
    assert "cannot be started (Permission denied)" in sentence(inspect, environment)
    fake.write_text("#!/bin/sh\necho 'not my business' >&2\nexit 3\n")
    fake.chmod(0o755)
    assert "is no Python that can train (not my business)" in sentence(inspect, environment)
    fake.write_text("#!/bin/sh\nexec sleep 60\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in")
def test_a_python_that_does_not_answer(trainer, tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(module, "_LIMIT_S", 0.5)
    assert "did not answer" in sentence(inspect, dataclasses.replace(trainer[0], python=fake))


def test_no_sd_scripts(trainer, tmp_path):
    missing = dataclasses.replace(trainer[0], sd_scripts=tmp_path / "none")
    assert f"no folder {tmp_path / 'none'}" in sentence(inspect, missing)
    other = dataclasses.replace(trainer[0], sd_scripts=tmp_path)
    assert "is not sd-scripts, as it holds no train_network.py" in sentence(inspect, other)


def test_no_torch(trainer):
    environment, site = trainer
    (site / "torch" / "__init__.py").rename(site / "torch" / "other.py")
    (site / "torch" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\")")
    text = sentence(inspect, environment)
    assert "has no torch" in text and "`python -m lib_photoshoot train install`" in text


def test_a_package_is_missing_or_broken(trainer):
    environment, site = trainer
    (site / "cv2.py").write_text("raise ImportError('libGL.so.1: no such file')")
    assert "cannot import opencv-python (ImportError: libGL.so.1" in sentence(inspect, environment)
    (site / "cv2.py").unlink()
    assert "has no opencv-python" in sentence(inspect, environment)


def test_no_command_is_given_for_a_foreign_python(trainer, tmp_path):
    environment, site = trainer
    (site / "toml.py").unlink()
    moved = environment.sd_scripts.rename(tmp_path / "elsewhere")
    text = sentence(inspect, dataclasses.replace(environment, sd_scripts=moved))
    assert "leave the trainer's Python unnamed" in text
    assert "pip install" not in text, "it may be the WebUI's own Python"


def test_packages_of_versions_that_do_not_fit(trainer):
    environment, _ = trainer
    with (environment.sd_scripts / "train_network.py").open("a") as file:
        file.write("from diffusers import SiglipImageProcessor\n")
    text = sentence(inspect, environment)
    assert "does not fit the packages of" in text and "SiglipImageProcessor" in text


def test_a_library_that_kills_python_is_named(trainer):
    environment, site = trainer
    (site / "bitsandbytes" / "__init__.py").write_text("import os; os._exit(139)")
    assert "died (exit status 139) while it imported bitsandbytes" in sentence(inspect, environment)


def test_the_real_trainer():
    folder, python = os.environ.get("PHOTOSHOOT_SD_SCRIPTS"), os.environ.get("PHOTOSHOOT_SD_SCRIPTS_PYTHON")
    if not folder or not python:
        pytest.skip(
            "set PHOTOSHOOT_SD_SCRIPTS (folder) and PHOTOSHOOT_SD_SCRIPTS_PYTHON to inspect the real sd-scripts"
        )
    found = inspect(TrainerEnvironment(Path(python), Path(folder)))
    assert found.sd_scripts == PINNED_VERSION and found.hook and found.notes == ()
    assert probe.source(folder)["fingerprint"] == PINNED_FINGERPRINT


# Checkpoints ----------------------------------------------------------------------------------------------------------

SD1 = {
    "model.diffusion_model.input_blocks.0.0.weight": [32, 4, 3, 3],
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [32, 64],
    "first_stage_model.decoder.conv_in.weight": [8, 4, 3, 3],
    "cond_stage_model.transformer.text_model.embeddings.position_ids": [1, 77],
}


def write(path, tensors, cut=0):
    """A safetensors file of zeros."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes((struct.pack("<Q", len(text)) + text + bytes(end))[: -cut or None])
    return path


def without(*beginnings, **more):
    return {name: shape for name, shape in SD1.items() if not name.startswith(beginnings)} | more


def test_an_sd1_checkpoint_of_any_size(tmp_path):
    path = write(tmp_path / "a.safetensors", SD1)
    found = check_checkpoint(path)
    assert found.looked_into and not found.note and found.size == path.stat().st_size
    older = without("cond_stage_model") | {"cond_stage_model.transformer.embeddings.position_ids": [1, 77]}
    assert check_checkpoint(write(tmp_path / "b.safetensors", older)).looked_into


def test_a_pickled_checkpoint_is_not_looked_into(tmp_path):
    path = tmp_path / "a.ckpt"
    path.write_bytes(b"anything")
    found = check_checkpoint(path)
    assert not found.looked_into and found.note.endswith(".")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (SD1 | {"conditioner.embedders.1.model.ln_final.bias": [4]}, "an SDXL checkpoint"),
        (SD1 | {"cond_stage_model.model.transformer.resblocks.0.ln_1.bias": [4]}, "Stable Diffusion 2.x"),
        ({"model.diffusion_model.joint_blocks.0.x": [4]}, "Stable Diffusion 3"),
        ({"double_blocks.0.img_attn.x": [4]}, "FLUX"),
        ({"lora_unet_down_blocks_0.lora_down.weight": [4, 4]}, "a LoRA"),
        ({"control_model.time_embed.0.weight": [4]}, "a ControlNet"),
        ({"first_stage_model.decoder.conv_in.weight": [4]}, "a VAE alone"),
        ({"decoder.up.0.block.0.conv1.weight": [4], "encoder.down.0.x": [4]}, "a VAE alone"),
        ({"something": [4]}, "is no checkpoint"),
        (without("first_stage_model"), "holds no VAE"),
        (without("cond_stage", "first_stage"), "holds no VAE and no text encoder"),
        (SD1 | {"model.diffusion_model.input_blocks.0.0.weight": [32, 9, 3, 3]}, "inpainting"),
    ],
)
def test_what_is_no_sd1_checkpoint_is_named(tmp_path, tensors, words):
    text = sentence(check_checkpoint, write(tmp_path / "a.safetensors", tensors))
    assert words in text and "choose a Stable Diffusion 1.x checkpoint" in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty (0 bytes)"),
        (b"<!DOCTYPE html><html>", "this is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        (struct.pack("<Q", 500) + b'{"a": ', "ends within its header"),
        (struct.pack("<Q", 6) + b'{"a": ', "damaged header"),
        (struct.pack("<Q", 8) + b'{"a": 3}', "damaged header"),
        (struct.pack("<Q", 3) + b"[1]", "not a safetensors file"),
    ],
)
def test_what_is_no_safetensors_file(tmp_path, data, words):
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    assert words in sentence(check_checkpoint, path)


def test_a_truncated_checkpoint(tmp_path):
    assert "lacks its last 7 bytes" in sentence(check_checkpoint, write(tmp_path / "a.safetensors", SD1, cut=7))


def test_a_checkpoint_that_is_not_there_or_a_folder(tmp_path):
    assert "There is no checkpoint" in sentence(check_checkpoint, tmp_path / "a.safetensors")
    (tmp_path / "model_index.json").write_text("{}")
    assert "is a folder" in sentence(check_checkpoint, tmp_path)
