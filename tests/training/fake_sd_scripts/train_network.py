"""A trainer that behaves as sd-scripts v0.10.1's does to the outside, without torch, in a second: for our tests.

The same arguments (unknown ones are refused), the same lines on the same streams, real safetensors files under the same
names, states, the extension points that our hook overrides, and a "training" whose result depends on the order of the
pictures and on every random number, so that a resume which repeats or loses anything gives another file.

``FAKE_TRAINER`` makes it misbehave, at a step where that says: ``hang@5``, ``die@5`` (killed), ``nan@5``, ``raise@5``,
``full@5`` (disk full), ``nofile`` (exit 0 without a file), ``empty`` (No data found, exit 0), ``orphan`` (leaves a
child), ``slow`` (0.1 s a step). Several with commas.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from library import train_util
from safetensors.numpy import load_file, save_file

MISBEHAVIOUR = dict(([*part.split("@"), ""])[:2] for part in os.environ.get("FAKE_TRAINER", "").split(",") if part)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".PNG", ".JPG", ".JPEG", ".WEBP", ".BMP")
VALUES = """
    pretrained_model_name_or_path dataset_config output_dir output_name vae logging_dir log_with log_prefix
    sample_prompts
    sample_sampler tokenizer_cache_dir save_model_as save_precision mixed_precision network_module optimizer_type
    lr_scheduler resume
""".split()  # noqa: SIM905
NUMBERS = """
    network_dim network_alpha train_batch_size max_train_epochs learning_rate unet_lr text_encoder_lr lr_warmup_steps
    lr_scheduler_num_cycles gradient_accumulation_steps max_grad_norm prior_loss_weight seed clip_skip
    max_data_loader_n_workers save_every_n_epochs save_last_n_epochs min_snr_gamma noise_offset network_dropout
    save_last_n_epochs_state scale_weight_norms max_token_length sample_every_n_epochs initial_step initial_epoch
""".split()  # noqa: SIM905
FLAGS = """
    console_log_simple cache_latents lowram gradient_checkpointing weighted_captions network_train_unet_only xformers
    sdpa
    persistent_data_loader_workers save_state skip_until_initial_step masked_loss
""".split()  # noqa: SIM905


def setup_parser():
    parser = argparse.ArgumentParser()
    for name in VALUES:
        parser.add_argument(f"--{name}")
    for name in NUMBERS:
        parser.add_argument(f"--{name}", type=float)
    for name in FLAGS:
        parser.add_argument(f"--{name}", action="store_true")
    return parser


def misbehaves(how, step=None):
    return how in MISBEHAVIOUR and (step is None or MISBEHAVIOUR[how] == str(step))


def check_masks(subsets):
    """As ControlNetDataset of sd-scripts v0.10.1 does, and its schema, which knows no regularisation pictures."""
    from PIL import Image

    assert all("conditioning_data_dir" in subset and "is_reg" not in subset for subset in subsets)
    for subset in subsets:
        pictures = {path.stem: path for path in Path(subset["image_dir"]).iterdir() if path.suffix in SUFFIXES}
        masks = {path.stem: path for path in Path(subset["conditioning_data_dir"]).iterdir()}
        assert set(pictures) == set(masks), f"missing or extra conditioning data: {set(pictures) ^ set(masks)}"
        for name, path in pictures.items():
            with Image.open(path) as picture, Image.open(masks[name]) as mask:
                assert picture.size == mask.size, f"size of conditioning image is not match: {path}"
                assert mask.convert("RGB").getextrema()[0][1] > 0, f"nothing of {path} would be learnt"


class Dataset:
    """Batches of file names; shuffled once an epoch from the seed and the epoch, as sd-scripts does."""

    def __init__(self, config, seed, masked=False):
        dataset = json.loads(Path(config).read_text(encoding="utf-8"))["datasets"][0]
        if masked:
            check_masks(dataset["subsets"])
        found = {False: [], True: []}
        for subset in dataset["subsets"]:
            for path in sorted(Path(subset["image_dir"]).iterdir()):
                if path.suffix in SUFFIXES:
                    found[subset.get("is_reg", False)].append((path.name, subset["num_repeats"]))
        self.images = [name for name, repeats in found[False] for _ in range(repeats)]
        self.num_train_images = len(self.images)
        # As many regularisation pictures as others, each first as often as its folder says, then once more in turn.
        first = [name for name, repeats in found[True] for _ in range(repeats)]
        again = [name for name, _ in found[True]] * len(self.images)
        self.images += [*first, *again][: len(self.images)]
        self.size, self.seed, self.current_epoch = dataset["batch_size"], seed, 0

    def __len__(self):
        return math.ceil(len(self.images) / self.size)

    def __getitem__(self, index):
        return self.images[index * self.size : (index + 1) * self.size]

    def set_current_epoch(self, epoch):
        while self.current_epoch < epoch:
            self.current_epoch += 1
            random.seed(self.seed + self.current_epoch)
            random.shuffle(self.images)


class Loader:
    """One batch ahead of the training, as accelerate's is."""

    def __init__(self, dataset, collator):
        self.dataset, self.collator, self.iteration, self.skip_batches = dataset, collator, 0, 0

    def __len__(self):
        return len(self.dataset)

    def __iter__(self):
        order = list(np.random.permutation(len(self.dataset)))
        ahead = self.collator([self.dataset[order[0]]])
        for index in range(len(order)):
            current = ahead
            if index + 1 < len(order):
                ahead = self.collator([self.dataset[order[index + 1]]])
            if index >= self.skip_batches:
                yield current
        self.iteration += 1


class Network:
    """One module's worth of LoRA."""

    def __init__(self, rank):
        self.down = np.zeros((rank, 8), np.float32)
        self.up = np.zeros((8, rank), np.float32)

    def on_epoch_start(self, text_encoder, unet):
        pass

    def save_weights(self, file, dtype, metadata):
        tensors = {}
        for part, array in (
            ("alpha", np.array(8.0, np.float16)),
            ("lora_down.weight", self.down),
            ("lora_up.weight", self.up),
        ):
            tensors[f"lora_unet_down_blocks_0_attentions_0_proj_in.{part}"] = np.asarray(array, np.float16)
            tensors[f"lora_te_text_model_encoder_layers_0_mlp_fc1.{part}"] = np.asarray(array, np.float16)
        save_file(tensors, file, metadata)


class Accelerator:
    num_processes, is_main_process, sync_gradients, step = 1, True, True, 0

    def __init__(self, network, loader):
        self._network, self._dataloaders = network, [loader]

    def wait_for_everyone(self):
        pass

    def unwrap_model(self, model):
        return model

    def save_state(self, folder):
        Path(folder).mkdir(parents=True)
        save_file({"down": self._network.down, "up": self._network.up}, f"{folder}/model.safetensors")

    def load_state(self, folder):
        state = load_file(f"{folder}/model.safetensors")
        self._network.down, self._network.up = state["down"], state["up"]


class NetworkTrainer:
    def post_process_network(self, args, accelerator, network, text_encoders, unet):
        pass

    def on_step_start(self, args, accelerator, network, text_encoders, unet, batch, weight_dtype, is_train=True):
        pass

    def process_batch(self, batch, network, accelerator, is_train=True):
        noise = np.random.standard_normal(network.up.shape) * random.random()
        picture = sum(map(ord, "".join(batch))) % 97 / 97
        network.up = (network.up + 0.01 * (noise + picture)).astype(np.float32)
        loss = float("nan") if misbehaves("nan", self.step + 1) else 1 + 0.1 * random.random() + 0.01 * picture
        return SimpleNamespace(detach=lambda: loss)

    def step_logging(self, accelerator, logs, global_step, epoch):
        pass

    def sample_images(self, accelerator, args, epoch, *rest):
        pass

    def get_sai_model_spec(self, args):
        return {"modelspec.architecture": "stable-diffusion-v1/lora"}

    def train(self, args):
        print("prepare images.", flush=True)
        if not Path(args.pretrained_model_name_or_path).exists():
            raise OSError("huggingface_hub.errors.HFValidationError: Repo id must use alphanumeric chars")
        random.seed(int(args.seed)), np.random.seed(int(args.seed))
        dataset = Dataset(args.dataset_config, int(args.seed), args.masked_loss)
        if not dataset.images or misbehaves("empty"):
            print("No data found. Please verify arguments (train_data_dir must be the parent of folders with images)")
            return
        if misbehaves("orphan"):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        epoch_now = SimpleNamespace(value=0)
        loader = Loader(dataset, train_util.collator_class(epoch_now, None, dataset))
        network = Network(int(args.network_dim))
        accelerator = Accelerator(network, loader)
        self.post_process_network(args, accelerator, network, [], None)
        if args.resume:
            accelerator.load_state(args.resume)
        args.max_train_epochs = int(args.max_train_epochs)
        args.max_train_steps = args.max_train_epochs * len(loader)
        args.gradient_accumulation_steps = 1
        print(
            "running training / 学習開始\n"
            f"  num train images * repeats / 学習画像の数×繰り返し回数: {dataset.num_train_images}\n"
            f"  num batches per epoch / 1epochのバッチ数: {len(loader)}\n"
            f"  total optimization steps / 学習ステップ数: {args.max_train_steps}",
            flush=True,
        )
        first_step = int(args.initial_step or (int(args.initial_epoch or 1) - 1) * len(loader))
        first_epoch, self.step = first_step // len(loader), first_step
        shown = 0
        self._bar(0, args.max_train_steps, None)
        for epoch in range(first_epoch, args.max_train_epochs):
            print(f"\nepoch {epoch + 1}/{args.max_train_epochs}\n", flush=True)
            epoch_now.value = epoch + 1
            network.on_epoch_start(None, None)
            for batch in loader:
                self.on_step_start(args, accelerator, network, [], None, batch, None, is_train=True)
                self._misbehave()
                loss = self.process_batch(batch, network, accelerator, is_train=True).detach()
                self.step += 1
                shown += 1
                self._bar(shown, args.max_train_steps, loss)
                self.step_logging(accelerator, {"lr/unet": 2e-4, "lr/textencoder": 4e-5}, self.step, epoch + 1)
            if epoch + 1 < args.max_train_epochs:
                self._save(args, network, f"-{epoch + 1:06d}", epoch + 1)
                if args.save_state:
                    # The count is from the last start, as sd-scripts' own is.
                    self._save_state(args, accelerator, epoch + 1, shown)
            self.sample_images(accelerator, args, epoch + 1)
        if not misbehaves("nofile"):
            self._save(args, network, "", args.max_train_epochs)
            print("model saved.", flush=True)

    def _save_state(self, args, accelerator, epoch, shown):
        folder = Path(args.output_dir) / f"{args.output_name}-{epoch:06d}-state"
        accelerator.save_state(folder)
        for name in ("optimizer.bin", "random_states_0.pkl"):
            (folder / name).write_bytes(b"")
        (folder / "train_state.json").write_text(json.dumps({"current_epoch": epoch, "current_step": shown}))

    def _misbehave(self):
        coming = self.step + 1
        if misbehaves("slow"):
            time.sleep(0.1)
        if misbehaves("hang", coming):
            time.sleep(600)
        if misbehaves("die", coming):
            os.kill(os.getpid(), 9)
        if misbehaves("raise", coming):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if misbehaves("full", coming):
            raise OSError(28, "No space left on device")

    def _bar(self, step, total, loss):
        """As tqdm does: ``\\r`` first, and each step once before and once after its loss is known."""
        percent = (
            f"steps: {100 * step // total:3d}%|{'█' * (10 * step // total):10}| {step}/{total} [00:01<00:02,  9.00it/s"
        )
        shown = getattr(self, "_loss", None)
        sys.stderr.write(f"\r{percent}{f', avr_loss={shown:.3g}' if shown else ''}]")
        if loss is not None:
            self._loss = loss
            sys.stderr.write(f"\r{percent}, avr_loss={loss:.3g}]")
        sys.stderr.flush()

    def _save(self, args, network, suffix, epoch):
        out = Path(args.output_dir)
        out.mkdir(parents=True, exist_ok=True)
        file = out / f"{args.output_name}{suffix}.safetensors"
        print(f"\nsaving checkpoint: {file}", flush=True)
        metadata = {
            "ss_epoch": str(epoch),
            "ss_output_name": args.output_name,
            "ss_network_dim": str(int(args.network_dim)),
        }
        network.save_weights(str(file), None, {**metadata, **self.get_sai_model_spec(args)})


if __name__ == "__main__":
    NetworkTrainer().train(setup_parser().parse_args())
