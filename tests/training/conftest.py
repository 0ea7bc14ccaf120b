"""A trainer for the tests: our own sd-scripts-like one, and the real one where the environment names it.

``PHOTOSHOOT_SD_SCRIPTS`` and ``PHOTOSHOOT_SD_SCRIPTS_PYTHON`` name a folder with sd-scripts v0.10.1 and its Python,
``PHOTOSHOOT_SMALL_WEIGHTS`` a WebUI folder with a small checkpoint of random weights. It is then run on that one,
through a copy whose sizes are the small ones.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.training.captions.sheet import with_tag
from lib_photoshoot.training.dataset.scanning import scan
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder, Status
from lib_photoshoot.training.run.preparation import RunRequest, prepare
from lib_photoshoot.training.trainer.environment import (
    TOKENIZER_FILES,
    TOKENIZER_FOLDER,
    Capabilities,
    TrainerEnvironment,
)
from lib_photoshoot.training.trainer.launch import Launch

FAKE = Path(__file__).with_name("fake_sd_scripts")
TOOLS = Path(__file__).resolve().parents[3] / "shared" / "tools"

SMALL = Recipe(
    resolution=64,
    min_bucket_reso=64,
    max_bucket_reso=128,
    num_repeats=2,
    max_train_epochs=3,
    network_dim=4,
    network_alpha=4,
    mixed_precision="no",
    optimizer_type="AdamW",
    attention="sdpa",
    lowram=False,
    max_data_loader_n_workers=0,
    persistent_data_loader_workers=False,
    unet_lr=1e-3,
)
"""12 pictures, 2 repeats, batch 2: 12 steps an epoch at most, 36 in all; the exact numbers come from the run's spec."""


@dataclass
class Trainer:
    """What a run needs besides pictures; ``variables`` are added to its environment."""

    environment: TrainerEnvironment
    checkpoint: Path
    real: bool = False
    variables: dict[str, str] = field(default_factory=dict)

    def prepare(
        self,
        folder: Path,
        home: Path,
        recipe: Recipe = SMALL,
        misbehaviour: str = "",
        launch: Launch | None = None,
        hook: bool = True,
    ) -> RunFolder:
        """A run that has not begun."""
        dataset = scan(folder, recipe.activation_tag, recipe.bucket_settings())
        captions = {
            name: with_tag(text or "a product", recipe.activation_tag) for name, text in dataset.captions.items()
        }
        capabilities = Capabilities(cpu_count=2, hook=hook)
        launch = launch or Launch()
        request = RunRequest(dataset, captions, recipe, self.checkpoint, self.environment, capabilities, launch)
        run = prepare(home / "runs", request)
        self.misbehave(run, misbehaviour)
        return run

    def misbehave(self, run: RunFolder, how: str) -> None:
        """What the fake one does wrong in the next attempt; nothing if empty."""
        spec = run.spec()
        variables = {**spec.environment, **self.variables, "FAKE_TRAINER": how}
        run.write_spec(replace(spec, environment=variables))


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """Our own trainer."""
    checkpoint = tmp_path_factory.mktemp("checkpoint") / "fake 1.5 – é.safetensors"
    from safetensors.numpy import save_file

    shapes = {
        "cond_stage_model.transformer.text_model.embeddings.position_ids": (1, 77),
        "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 64),
        "first_stage_model.decoder.conv_in.weight": (32, 4, 3, 3),
    }
    save_file({name: np.zeros(shape, np.float16) for name, shape in shapes.items()}, checkpoint)
    tokenizer = checkpoint.with_name("tokenizers")
    put_tokenizer(tokenizer)
    return Trainer(TrainerEnvironment(Path(sys.executable), FAKE, tokenizer), checkpoint)


def put_tokenizer(cache: Path) -> None:
    """What a training without a network needs, in name."""
    (cache / TOKENIZER_FOLDER).mkdir(parents=True)
    for name in TOKENIZER_FILES:
        (cache / TOKENIZER_FOLDER / name).write_text("{}")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """The real sd-scripts with small weights."""
    folder, python = (os.environ.get(name) for name in ("PHOTOSHOOT_SD_SCRIPTS", "PHOTOSHOOT_SD_SCRIPTS_PYTHON"))
    small_weights = os.environ.get("PHOTOSHOOT_SMALL_WEIGHTS")
    if not folder or not python or not small_weights:
        pytest.skip(
            "PHOTOSHOOT_SD_SCRIPTS, PHOTOSHOOT_SD_SCRIPTS_PYTHON and PHOTOSHOOT_SMALL_WEIGHTS do not name the real "
            "sd-scripts and its small weights"
        )
    if not TOOLS.is_dir():
        pytest.skip("there is no shared/tools beside the clone, which shrinks the trainer")
    weights = tmp_path_factory.mktemp("weights")
    tokenizer = Path(small_weights) / "openai" / "clip-vit-large-patch14"
    shutil.copytree(tokenizer, weights / TOKENIZER_FOLDER)
    small = _shrunk(Path(folder).resolve(), tmp_path_factory.mktemp("sd") / "sd-scripts")
    checkpoint = Path(small_weights) / "models" / "Stable-diffusion" / "tiny.safetensors"
    environment = TrainerEnvironment(Path(python), small, weights)
    return Trainer(environment, checkpoint, real=True, variables={"OMP_WAIT_POLICY": "PASSIVE"})


@pytest.fixture(params=["fake", "real"])
def trainer(request: pytest.FixtureRequest) -> Trainer:
    """Both, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures with captions, in a folder whose name has a space and is not ASCII."""
    folder = tmp_path / "Fotos für 製品"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for number in range(12):
        # Broad stripes of their own: pictures that differ for the perceptual hash too.
        pixels = np.repeat(np.repeat(rng.integers(0, 256, (9, 9, 3), np.uint8), 16, 0), 16, 1)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
        (folder / f"{number:02d}.txt").write_text(f"ppzocketv2, picture number {number}", encoding="utf-8")
    return folder


@pytest.fixture
def ended() -> object:
    """Ends whatever a test leaves at work."""
    runs: list[RunFolder] = []
    yield runs.append
    for run in runs:
        control.cancel(run)


def finish(run: RunFolder, seconds: float = 120) -> Status:
    """The status after the run has ended, which must not take longer."""
    status = control.wait(run, seconds)
    assert not status.state.active, f"still {status.state.value} after {seconds} s: {status.message}"
    end = time.monotonic() + 10
    while run.supervised and time.monotonic() < end:  # its last word is written before it ends
        time.sleep(0.02)
    return status


def _shrunk(folder: Path, copy: Path) -> Path:
    """A folder that is sd-scripts, with the sizes of the small checkpoint."""
    copy.mkdir()
    for path in folder.iterdir():
        if path.name != "train_network.py":
            (copy / path.name).symlink_to(path)
    lines = (
        "import sys",
        f"sys.path.insert(0, {str(TOOLS)!r})",
        "import small_sd_scripts",
        f"small_sd_scripts.shrink({str(copy)!r})",
        # Accelerate wraps frozen models for several processes too, which PyTorch refuses; on a GPU it looks first.
        "from accelerate import Accelerator",
        "prepare_model = Accelerator.prepare_model",
        "trains = lambda model: any(weight.requires_grad for weight in model.parameters())",
        "Accelerator.prepare_model = lambda self, model, *rest, **more: "
        "prepare_model(self, model, *rest, **more) if trains(model) else model",
    )
    shrink = "\n".join(lines) + "\n"
    (copy / "train_network.py").write_text(shrink + (folder / "train_network.py").read_text("utf-8"), encoding="utf-8")
    return copy
