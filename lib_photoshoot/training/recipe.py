"""How a LoRA is trained: every value of the original experiment as the default, declared once.

The page's widgets, the command line, the stored run and the trainer's arguments are all built from :data:`FIELDS`. A
name that sd-scripts has an argument for is that argument's name. A recipe is frozen and valid by construction;
sd-scripts itself would ignore a name that it does not know.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from lib_photoshoot.declared import check_fields, check_names, declared_in, migrated, number, setting
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.dataset.buckets import STEP_UNIT, BucketSettings

if TYPE_CHECKING:
    from lib_photoshoot.training.trainer.environment import Capabilities

MIGRATIONS: Sequence[Callable[[dict[str, Any]], dict[str, Any]]] = ()
"""From each version of the dictionary to the next; see :func:`lib_photoshoot.declared.migrated`."""
VERSION = len(MIGRATIONS) + 1

OPTIMIZERS = ("AdamW8bit", "AdamW", "PagedAdamW8bit", "Lion8bit", "Lion", "Prodigy")
WITHOUT_BITSANDBYTES = {"AdamW8bit": "AdamW", "PagedAdamW8bit": "AdamW", "Lion8bit": "Lion"}
"""What stands in for an optimiser that bitsandbytes brings."""

SCHEDULERS = ("cosine_with_restarts", "cosine", "linear", "polynomial", "constant", "constant_with_warmup")
SAMPLERS = ("ddim", "pndm", "lms", "euler", "euler_a", "heun", "dpm_2", "dpm_2_a", "dpmsolver", "dpmsolver++")

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LONGEST_NAME = 200
"""Bytes, which leave room for the trainer's own endings: epoch, number, time and seed of a sample picture."""
_NOT_IN_A_FILE_NAME = '<>:"/\\|?*'


@dataclass(frozen=True)
class Recipe:
    """One training's values; TrainingError for a value of the wrong type, out of its range or at odds with another.

    Sizes are pixels. A number that sd-scripts lets be absent is 0 where it is off.
    """

    activation_tag: str = setting(
        "ppzocketv2", "Activation tag", "result", "The word that calls the look; first in every caption."
    )
    output_name: str = setting("ppzocketv2", "Name", "result", "Files are called NAME-01.safetensors and so on.")

    resolution: int = number(768, "Resolution", "pictures", 64, 2048, 64, "Pictures have this many pixels squared.")
    num_repeats: int = number(6, "Repeats", "pictures", 1, 1000, 1, "How often each picture is seen in one epoch.")
    train_batch_size: int = number(2, "Batch size", "pictures", 1, 64, 1, "Pictures in one step on each device.")
    enable_bucket: bool = setting(True, "Aspect buckets", "pictures", "Otherwise every picture is cropped to a square.")
    bucket_reso_steps: int = number(64, "Bucket steps", "pictures", STEP_UNIT, 512, STEP_UNIT)
    min_bucket_reso: int = number(320, "Shortest side of a bucket", "pictures", 64, 2048, 64)
    max_bucket_reso: int = number(1280, "Longest side of a bucket", "pictures", 64, 4096, 64)
    bucket_no_upscale: bool = setting(False, "Never enlarge pictures", "pictures")
    flip_aug: bool = setting(False, "Mirror pictures at random", "pictures", "Not for products with lettering.")
    masked_loss: bool = setting(
        False, "Learn within masks only", "pictures", "Each photo needs NAME-masklabel.png beside it: train masks."
    )
    background: str = setting("#ffffff", "Colour behind transparent parts", "pictures", "As #rrggbb; #ffffff is white.")
    shuffle_caption: bool = setting(True, "Shuffle captions", "captions", "Tags between commas, except the kept ones.")
    keep_tokens: int = number(1, "Kept tags", "captions", 0, 255, 1, "So many first tags are never shuffled.")
    max_token_length: int = setting(225, "Longest caption (tokens)", "captions", choices=("75", "150", "225"))
    weighted_captions: bool = setting(False, "Weights in captions", "captions", "Understands (word:1.2).")
    clip_skip: int = number(2, "Clip skip", "captions", 1, 12, 1, "Set the same when pictures are generated.")

    network_dim: int = number(16, "Rank", "network", 1, 320, 1, "Size of the LoRA: 16 makes about 19 MB.")
    network_alpha: float = number(8.0, "Alpha", "network", 0.01, 320, 0.5, "The LoRA acts with alpha / rank.")
    network_dropout: float = number(0.0, "Dropout", "network", 0, 0.95, 0.05, "0 is none.")
    scale_weight_norms: float = number(0.0, "Largest weight norm", "network", 0, 100, 0.1, "0 is no limit.")
    network_train_unet_only: bool = setting(False, "U-Net only", "network", "The text encoder stays as it is.")
    network_args: str = setting("", "Other network arguments", "network", "As key=value, with spaces between.")

    max_train_epochs: int = number(10, "Epochs", "steps", 1, 1000, 1)
    unet_lr: float = number(2e-4, "Learning rate of the U-Net", "steps", 0, 2, 1e-5)
    text_encoder_lr: float = number(4e-5, "Learning rate of the text encoder", "steps", 0, 2, 1e-5)
    learning_rate: float = number(2e-4, "Learning rate of the rest", "steps", 0, 2, 1e-5)
    lr_scheduler: str = setting("cosine_with_restarts", "Schedule", "steps", choices=SCHEDULERS)
    lr_scheduler_num_cycles: int = number(3, "Restarts", "steps", 1, 100, 1, "Of cosine_with_restarts.")
    warmup_ratio: float = number(0.05, "Warm-up", "steps", 0, 0.9, 0.01, "Share of all steps; none with constant.")
    optimizer_type: str = setting("AdamW8bit", "Optimiser", "steps", choices=OPTIMIZERS)
    optimizer_args: str = setting("", "Optimiser arguments", "steps", "As key=value, with spaces between.")
    gradient_accumulation_steps: int = number(1, "Batches in one step", "steps", 1, 128, 1)
    max_grad_norm: float = number(1.0, "Largest gradient norm", "steps", 0, 100, 0.1, "0 is no limit.")
    min_snr_gamma: float = number(5.0, "Min-SNR gamma", "steps", 0, 100, 0.5, "0 is off.")
    noise_offset: float = number(0.0, "Noise offset", "steps", 0, 1, 0.01, "0 is off.")
    prior_loss_weight: float = number(1.0, "Prior loss weight", "steps", 0, 10, 0.1)
    seed: int = number(42, "Seed", "steps", 0, 2**32 - 1, 1)

    mixed_precision: str = setting("fp16", "Precision of the computation", "memory", choices=("fp16", "bf16", "no"))
    save_precision: str = setting("fp16", "Precision of the files", "memory", choices=("fp16", "bf16", "float"))
    attention: str = setting("xformers", "Attention", "memory", choices=("xformers", "sdpa", "none"))
    gradient_checkpointing: bool = setting(False, "Gradient checkpointing", "memory", "Less memory, more time.")
    cache_latents: bool = setting(True, "Encode pictures once", "memory", "Kept in memory, not on disk.")
    lowram: bool = setting(True, "Load models into GPU memory", "memory", "For little main memory.")
    max_data_loader_n_workers: int = number(8, "Loading processes", "memory", 0, 64, 1)
    persistent_data_loader_workers: bool = setting(True, "Keep loading processes", "memory", "From epoch to epoch.")

    save_every_n_epochs: int = number(1, "Save every (epochs)", "saving", 1, 1000, 1)
    save_last_n_epochs: int = number(10, "Keep the last (epochs)", "saving", 0, 1000, 1, "0 keeps all.")
    state_every_steps: int = number(
        0, "Resume point every (steps)", "saving", 0, 100_000, 10, "0 makes one at the end of each epoch only."
    )

    sample_prompts: tuple[str, ...] = setting(
        (), "Sample prompts", "samples", "One a line; none makes none.", kind=str, many=True, lines=3
    )
    sample_negative_prompt: str = setting("", "Negative prompt", "samples")
    sample_every_n_epochs: int = number(1, "Samples every (epochs)", "samples", 1, 1000, 1)
    sample_width: int = number(512, "Sample width", "samples", 64, 2048, 8)
    sample_height: int = number(512, "Sample height", "samples", 64, 2048, 8)
    sample_steps: int = number(28, "Sampling steps", "samples", 1, 150, 1)
    sample_cfg: float = number(7.0, "CFG scale", "samples", 1, 30, 0.5)
    sample_seed: int = number(42, "Sample seed", "samples", 0, 2**32 - 1, 1, "The same for all, to compare epochs.")
    sample_sampler: str = setting("euler_a", "Sampler", "samples", choices=SAMPLERS)

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: f"{meta.label} ({name})", TrainingError)
        for name, meta in FIELDS.items():
            if meta.kind is str and not meta.many and _CONTROL.search(value := getattr(self, name)):
                raise TrainingError(f"{meta.label} ({name}) is {value!r}; remove the line break or control character.")
        object.__setattr__(self, "sample_prompts", _checked_lines("sample_prompts", self.sample_prompts))
        _check_file_names(self)
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.background):
            raise TrainingError(
                f"Colour behind transparent parts (background) is {self.background!r}; write it as #rrggbb."
            )
        if self.masked_loss and not self.enable_bucket:
            raise TrainingError(
                "Learning within masks only (masked_loss) needs aspect buckets (enable_bucket): without them the "
                "trainer crops photos and not their masks."
            )
        if self.resolution % 8:
            raise TrainingError(f"Resolution (resolution) is {self.resolution}; give a multiple of 8.")
        self.bucket_settings()  # which refuses what sd-scripts would
        _check_pairs("Optimiser arguments", self.optimizer_args, literal=True)
        _check_pairs("Other network arguments", self.network_args, literal=False)

    def bucket_settings(self) -> BucketSettings:
        """Return the sizes that pictures are brought to."""
        return BucketSettings(
            self.resolution,
            self.enable_bucket,
            self.bucket_reso_steps,
            self.min_bucket_reso,
            self.max_bucket_reso,
            self.bucket_no_upscale,
        )

    def warmup_steps(self, total_steps: int) -> int:
        """Return the steps of ``total_steps`` in which the learning rate rises; 97 of the original's 1950."""
        if self.lr_scheduler == "constant":  # sd-scripts stops with an error otherwise
            return 0
        return int(total_steps * self.warmup_ratio)

    def to_dict(self) -> dict[str, Any]:
        """All values with the version, as JSON can hold them."""
        return {"version": VERSION, **asdict(self), "sample_prompts": list(self.sample_prompts)}

    def changed(self) -> dict[str, Any]:
        """Return the values that differ from the original experiment's, without the version."""
        return {name: value for name, value in self.to_dict().items() if name in FIELDS and value != _plain(name)}


FIELDS = declared_in(Recipe)
DEFAULTS: Mapping[str, Any] = {name: meta.default for name, meta in FIELDS.items()}


def recipe_from(values: Mapping[str, Any]) -> Recipe:
    """Return a recipe from a dictionary; what is absent keeps its default.

    Raises TrainingError for an unknown name, a wrong value, or a version that is newer than this program's.
    """
    values = migrated(values, MIGRATIONS, "The recipe has", TrainingError)
    check_names(values, FIELDS, "The recipe has no value called {}", TrainingError)
    return Recipe(**values)


def adapted(recipe: Recipe, capabilities: Capabilities) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe as this machine can run it, and one sentence for each value that was changed."""
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


def _checked_lines(name: str, value: Any) -> tuple[str, ...]:
    meta = FIELDS[name]
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise TrainingError(f"{meta.label} ({name}) is {value!r}; give a list of texts.")
    for line in value:
        if not isinstance(line, str) or not line.strip() or _CONTROL.search(line.strip()):
            raise TrainingError(f"{meta.label} ({name}) holds {line!r}; each is one line of text.")
    return tuple(line.strip() for line in value)


def _check_file_names(recipe: Recipe) -> None:
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
