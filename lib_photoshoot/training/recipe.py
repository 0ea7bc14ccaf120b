"""How a LoRA is trained: every value of the original experiment as the default, declared once.

The page's widgets, the command line, the stored run and the trainer's arguments are all built from :data:`FIELDS`. A
name that sd-scripts has an argument for is that argument's name. A recipe is frozen and valid by construction;
sd-scripts itself would ignore a name that it does not know.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.settings import Meta
from lib_photoshoot.training.buckets import STEP_UNIT, BucketSettings

if TYPE_CHECKING:
    from lib_photoshoot.training.environment import Capabilities

VERSION = 1

OPTIMIZERS = ("AdamW8bit", "AdamW", "PagedAdamW8bit", "Lion8bit", "Lion", "Prodigy")
WITHOUT_BITSANDBYTES = {"AdamW8bit": "AdamW", "PagedAdamW8bit": "AdamW", "Lion8bit": "Lion"}
"""What stands in for an optimiser that bitsandbytes brings."""

SCHEDULERS = ("cosine_with_restarts", "cosine", "linear", "polynomial", "constant", "constant_with_warmup")
SAMPLERS = ("ddim", "pndm", "lms", "euler", "euler_a", "heun", "dpm_2", "dpm_2_a", "dpmsolver", "dpmsolver++")

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LONGEST_NAME = 200
"""Bytes, which leave room for the trainer's own endings: epoch, number, time and seed of a sample picture."""
_NOT_IN_A_FILE_NAME = '<>:"/\\|?*'


def _value(default: Any, label: str, group: str, help: str = "", **more: Any) -> Any:
    return field(default=default, metadata={"meta": Meta(label, group, help, **more)})


def _number(default: float, label: str, group: str, lowest: float, highest: float, step: float, help: str = "") -> Any:
    return _value(default, label, group, help, lowest=lowest, highest=highest, step=step)


@dataclass(frozen=True)
class Recipe:
    """One training's values; TrainingError for a value of the wrong type, out of its range or at odds with another.

    Sizes are pixels. A number that sd-scripts lets be absent is 0 where it is off.
    """

    activation_tag: str = _value(
        "ppzocketv2", "Activation tag", "result", "The word that calls the look; first in every caption."
    )
    output_name: str = _value("ppzocketv2", "Name", "result", "Files are called NAME-01.safetensors and so on.")

    resolution: int = _number(768, "Resolution", "pictures", 64, 2048, 64, "Pictures have this many pixels squared.")
    num_repeats: int = _number(6, "Repeats", "pictures", 1, 1000, 1, "How often each picture is seen in one epoch.")
    train_batch_size: int = _number(2, "Batch size", "pictures", 1, 64, 1, "Pictures in one step on each device.")
    enable_bucket: bool = _value(True, "Aspect buckets", "pictures", "Otherwise every picture is cropped to a square.")
    bucket_reso_steps: int = _number(64, "Bucket steps", "pictures", STEP_UNIT, 512, STEP_UNIT)
    min_bucket_reso: int = _number(320, "Shortest side of a bucket", "pictures", 64, 2048, 64)
    max_bucket_reso: int = _number(1280, "Longest side of a bucket", "pictures", 64, 4096, 64)
    bucket_no_upscale: bool = _value(False, "Never enlarge pictures", "pictures")
    flip_aug: bool = _value(False, "Mirror pictures at random", "pictures", "Not for products with lettering.")
    background: str = _value("#ffffff", "Colour behind transparent parts", "pictures", "As #rrggbb; #ffffff is white.")
    shuffle_caption: bool = _value(True, "Shuffle captions", "captions", "Tags between commas, except the kept ones.")
    keep_tokens: int = _number(1, "Kept tags", "captions", 0, 255, 1, "So many first tags are never shuffled.")
    max_token_length: int = _value(225, "Longest caption (tokens)", "captions", choices=("75", "150", "225"))
    weighted_captions: bool = _value(False, "Weights in captions", "captions", "Understands (word:1.2).")
    clip_skip: int = _number(2, "Clip skip", "captions", 1, 12, 1, "Set the same when pictures are generated.")

    network_dim: int = _number(16, "Rank", "network", 1, 320, 1, "Size of the LoRA: 16 makes about 19 MB.")
    network_alpha: float = _number(8.0, "Alpha", "network", 0.01, 320, 0.5, "The LoRA acts with alpha / rank.")
    network_dropout: float = _number(0.0, "Dropout", "network", 0, 0.95, 0.05, "0 is none.")
    scale_weight_norms: float = _number(0.0, "Largest weight norm", "network", 0, 100, 0.1, "0 is no limit.")
    network_train_unet_only: bool = _value(False, "U-Net only", "network", "The text encoder stays as it is.")
    network_args: str = _value("", "Other network arguments", "network", "As key=value, with spaces between.")

    max_train_epochs: int = _number(10, "Epochs", "steps", 1, 1000, 1)
    unet_lr: float = _number(2e-4, "Learning rate of the U-Net", "steps", 0, 2, 1e-5)
    text_encoder_lr: float = _number(4e-5, "Learning rate of the text encoder", "steps", 0, 2, 1e-5)
    learning_rate: float = _number(2e-4, "Learning rate of the rest", "steps", 0, 2, 1e-5)
    lr_scheduler: str = _value("cosine_with_restarts", "Schedule", "steps", choices=SCHEDULERS)
    lr_scheduler_num_cycles: int = _number(3, "Restarts", "steps", 1, 100, 1, "Of cosine_with_restarts.")
    warmup_ratio: float = _number(0.05, "Warm-up", "steps", 0, 0.9, 0.01, "Share of all steps; none with constant.")
    optimizer_type: str = _value("AdamW8bit", "Optimiser", "steps", choices=OPTIMIZERS)
    optimizer_args: str = _value("", "Optimiser arguments", "steps", "As key=value, with spaces between.")
    gradient_accumulation_steps: int = _number(1, "Batches in one step", "steps", 1, 128, 1)
    max_grad_norm: float = _number(1.0, "Largest gradient norm", "steps", 0, 100, 0.1, "0 is no limit.")
    min_snr_gamma: float = _number(5.0, "Min-SNR gamma", "steps", 0, 100, 0.5, "0 is off.")
    noise_offset: float = _number(0.0, "Noise offset", "steps", 0, 1, 0.01, "0 is off.")
    prior_loss_weight: float = _number(1.0, "Prior loss weight", "steps", 0, 10, 0.1)
    seed: int = _number(42, "Seed", "steps", 0, 2**32 - 1, 1)

    mixed_precision: str = _value("fp16", "Precision of the computation", "memory", choices=("fp16", "bf16", "no"))
    save_precision: str = _value("fp16", "Precision of the files", "memory", choices=("fp16", "bf16", "float"))
    attention: str = _value("xformers", "Attention", "memory", choices=("xformers", "sdpa", "none"))
    gradient_checkpointing: bool = _value(False, "Gradient checkpointing", "memory", "Less memory, more time.")
    cache_latents: bool = _value(True, "Encode pictures once", "memory", "Kept in memory, not on disk.")
    lowram: bool = _value(True, "Load models into GPU memory", "memory", "For little main memory.")
    max_data_loader_n_workers: int = _number(8, "Loading processes", "memory", 0, 64, 1)
    persistent_data_loader_workers: bool = _value(True, "Keep loading processes", "memory", "From epoch to epoch.")

    save_every_n_epochs: int = _number(1, "Save every (epochs)", "saving", 1, 1000, 1)
    save_last_n_epochs: int = _number(10, "Keep the last (epochs)", "saving", 0, 1000, 1, "0 keeps all.")
    state_every_steps: int = _number(
        0, "Resume point every (steps)", "saving", 0, 100_000, 10, "0 makes one at the end of each epoch only."
    )

    sample_prompts: tuple[str, ...] = _value((), "Sample prompts", "samples", "One a line; none makes none.", lines=3)
    sample_negative_prompt: str = _value("", "Negative prompt", "samples")
    sample_every_n_epochs: int = _number(1, "Samples every (epochs)", "samples", 1, 1000, 1)
    sample_width: int = _number(512, "Sample width", "samples", 64, 2048, 8)
    sample_height: int = _number(512, "Sample height", "samples", 64, 2048, 8)
    sample_steps: int = _number(28, "Sampling steps", "samples", 1, 150, 1)
    sample_cfg: float = _number(7.0, "CFG scale", "samples", 1, 30, 0.5)
    sample_seed: int = _number(42, "Sample seed", "samples", 0, 2**32 - 1, 1, "The same for all, to compare epochs.")
    sample_sampler: str = _value("euler_a", "Sampler", "samples", choices=SAMPLERS)

    def __post_init__(self) -> None:
        for name, meta in FIELDS.items():
            object.__setattr__(self, name, _checked(name, meta, getattr(self, name)))
        _check_names(self)
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.background):
            raise TrainingError(
                f"Colour behind transparent parts (background) is {self.background!r}; write it as #rrggbb."
            )
        if self.resolution % 8:
            raise TrainingError(f"Resolution (resolution) is {self.resolution}; give a multiple of 8.")
        self.bucket_settings()  # which refuses what sd-scripts would
        _check_pairs("Optimiser arguments", self.optimizer_args, literal=True)
        _check_pairs("Other network arguments", self.network_args, literal=False)

    def bucket_settings(self) -> BucketSettings:
        """The sizes that pictures are brought to."""
        return BucketSettings(
            self.resolution,
            self.enable_bucket,
            self.bucket_reso_steps,
            self.min_bucket_reso,
            self.max_bucket_reso,
            self.bucket_no_upscale,
        )

    def warmup_steps(self, total_steps: int) -> int:
        """Steps of ``total_steps`` in which the learning rate rises; 97 of the original's 1950."""
        if self.lr_scheduler == "constant":  # sd-scripts stops with an error otherwise
            return 0
        return int(total_steps * self.warmup_ratio)

    def to_dict(self) -> dict[str, Any]:
        """All values with the version, as JSON can hold them."""
        return {"version": VERSION, **asdict(self), "sample_prompts": list(self.sample_prompts)}

    def changed(self) -> dict[str, Any]:
        """The values that differ from the original experiment's, without the version."""
        return {name: value for name, value in self.to_dict().items() if name in FIELDS and value != _plain(name)}


FIELDS: Mapping[str, Meta] = {f.name: f.metadata["meta"] for f in fields(Recipe)}
DEFAULTS: Mapping[str, Any] = {f.name: f.default for f in fields(Recipe)}


def recipe_from(values: Mapping[str, Any]) -> Recipe:
    """A recipe from a dictionary; what is absent keeps its default.

    Raises TrainingError for an unknown name, a wrong value, or a version that is newer than this program's.
    """
    values = dict(values)
    version = values.pop("version", VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version > VERSION:
        raise TrainingError(
            f"The recipe has version {version!r}, this extension knows up to {VERSION}; update the extension."
        )
    unknown = sorted(str(name) for name in set(values) - set(FIELDS))
    if unknown:
        raise TrainingError(f"The recipe has no value called {unknown[0]!r}; known are: {', '.join(FIELDS)}.")
    return Recipe(**values)


def adapted(recipe: Recipe, capabilities: Capabilities) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe as this machine can run it, and one sentence for each value that was changed."""
    changes: dict[str, Any] = {}
    said: list[str] = []
    if not capabilities.cuda and recipe.mixed_precision != "no":
        changes["mixed_precision"] = "no"
        said.append(
            f"PyTorch sees no CUDA GPU: training computes in full precision instead of {recipe.mixed_precision}, "
            "many times slower than on a GPU."
        )
    elif recipe.mixed_precision == "bf16" and not capabilities.bf16:
        changes["mixed_precision"] = "fp16"
        said.append("This GPU cannot compute in bf16: fp16 is used instead.")
    if recipe.lowram and not capabilities.cuda:
        changes["lowram"] = False
        said.append("Without a CUDA GPU the models are loaded into main memory.")
    if recipe.optimizer_type in WITHOUT_BITSANDBYTES and not capabilities.eight_bit:
        changes["optimizer_type"] = instead = WITHOUT_BITSANDBYTES[recipe.optimizer_type]
        why = "bitsandbytes is not installed" if capabilities.cuda else "bitsandbytes needs a CUDA GPU"
        said.append(f"The 8-bit optimiser cannot be used as {why}: {instead} replaces {recipe.optimizer_type}.")
    if recipe.attention == "xformers" and not capabilities.xformers:
        changes["attention"] = "sdpa"
        why = "xformers is not installed" if capabilities.cuda else "xformers needs a CUDA GPU"
        said.append(f"PyTorch's own attention (sdpa) is used as {why}; the result is the same.")
    if recipe.max_data_loader_n_workers > capabilities.cpu_count:
        changes["max_data_loader_n_workers"] = capabilities.cpu_count
        said.append(f"Pictures are loaded by {capabilities.cpu_count} processes, as many as there are CPU cores.")
    return replace(recipe, **changes), tuple(said)


def _plain(name: str) -> Any:
    default = DEFAULTS[name]
    return list(default) if isinstance(default, tuple) else default


def _checked(name: str, meta: Meta, value: Any) -> Any:
    """The value in its own type; raises TrainingError with one sentence."""
    kind = type(DEFAULTS[name])
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; it is either true or false.")
    if kind is tuple:
        return _checked_lines(name, meta, value)
    if kind is str and not isinstance(value, str):
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; give a text.")
    if meta.choices and (isinstance(value, bool) or str(value) not in meta.choices):
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; choose one of: {', '.join(meta.choices)}.")
    if kind is str:
        if _CONTROL.search(value):
            raise TrainingError(f"{meta.label} ({name}) is {value!r}; remove the line break or control character.")
        return value
    if meta.choices:
        return int(value)
    return _checked_number(name, meta, kind, value)


def _checked_number(name: str, meta: Meta, kind: type, value: Any) -> float:
    lowest, highest = meta.lowest or 0, meta.highest or 0
    # Written so that NaN is refused too; a bool is an int in Python, and no number here.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; give a number from {lowest:.10g} to {highest:.10g}.")
    if kind is int:
        if value != int(value):
            raise TrainingError(f"{meta.label} ({name}) is {value!r}; give a whole number.")
        return int(value)
    return float(value)


def _checked_lines(name: str, meta: Meta, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; give a list of texts.")
    for line in value:
        if not isinstance(line, str) or not line.strip() or _CONTROL.search(line.strip()):
            raise TrainingError(f"{meta.label} ({name}) holds {line!r}; each is one line of text.")
    return tuple(line.strip() for line in value)


def _check_names(recipe: Recipe) -> None:
    tag, name = recipe.activation_tag, recipe.output_name
    if not tag or tag != tag.strip() or "," in tag or tag.startswith("#"):
        raise TrainingError(f"The activation tag is {tag!r}; give a word without commas, outer spaces or a first '#'.")
    wrong = sorted(set(name) & set(_NOT_IN_A_FILE_NAME))
    if wrong or not name or name != name.strip(" .") or name.startswith("-"):
        what = (
            f"cannot hold {wrong[0]}" if wrong else "cannot be empty, begin with '-', or have a space or dot at an end"
        )
        raise TrainingError(f"The name {name!r} {what}, as it becomes the name of files; give another.")
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > _LONGEST_NAME:
        raise TrainingError(
            f"The name {name[:40]!r}… has {size} bytes, and names of files begin with it; give one of {_LONGEST_NAME} "
            "at most."
        )


def _check_pairs(label: str, text: str, literal: bool) -> None:
    """``key=value`` words; with ``literal`` the values must be Python's, as sd-scripts reads them so."""
    for word in text.split():
        key, equals, value = word.partition("=")
        try:
            if not equals or not key.isidentifier():
                raise ValueError
            if literal:
                ast.literal_eval(value)
        except (ValueError, SyntaxError) as error:
            raise TrainingError(f"{label} hold {word!r}; write key=value, such as weight_decay=0.01.") from error


PRESETS: Mapping[str, Recipe] = {
    "Original experiment": Recipe(),
    "Low memory (6 GB)": Recipe(
        resolution=512,
        train_batch_size=1,
        gradient_accumulation_steps=2,
        min_bucket_reso=256,
        max_bucket_reso=1024,
        gradient_checkpointing=True,
    ),
    "CPU check": Recipe(
        resolution=128,
        min_bucket_reso=64,
        max_bucket_reso=256,
        num_repeats=1,
        train_batch_size=1,
        network_dim=4,
        network_alpha=2.0,
        max_train_epochs=1,
        lr_scheduler="constant",
        lr_scheduler_num_cycles=1,
        warmup_ratio=0.0,
        optimizer_type="AdamW",
        mixed_precision="no",
        attention="sdpa",
        lowram=False,
        max_data_loader_n_workers=0,
        persistent_data_loader_workers=False,
    ),
}
"""Recipes by the name that the page shows; "CPU check" only proves that the chain works, in minutes."""
