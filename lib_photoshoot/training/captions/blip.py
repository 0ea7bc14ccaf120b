"""Captions by BLIP large, with the settings of the original experiment.

BLIP: Li et al. 2022, https://arxiv.org/abs/2201.12086; the captioner is https://github.com/salesforce/BLIP's
``model_large_caption.pth``, which https://huggingface.co/Salesforce/blip-image-captioning-large holds in transformers'
form. The original called finetune/make_captions.py of kohya's sd-scripts v0.6.5 with a batch of 8, lengths of 10 to 75
tokens and ``--beam_search`` with one beam, which is greedy decoding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown

if TYPE_CHECKING:
    import numpy as np
    import torch

REPOSITORY = "Salesforce/blip-image-captioning-large"
FOLDER_NAME = "blip-image-captioning-large"
PROMPT = "a picture of "
BATCH = 8
# Tokens, those of the prompt and the start included.
SHORTEST, LONGEST = 10, 75
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
# No pickle: such a file runs code when it is opened.
_WEIGHTS = "model.safetensors"


def find_blip(folders: Iterable[Path]) -> Path | None:
    """Return the folder of a BLIP captioner: one of ``folders``, one in them, or the hub's cache on this machine; else
    None.

    It holds config.json, model.safetensors, and vocab.txt or tokenizer.json. Nothing is downloaded.
    """
    places = [place for folder in folders for place in (folder, folder / FOLDER_NAME)]
    cached = _cached()
    if cached is not None:
        places.append(cached)
    return next((place for place in places if _is_blip(place)), None)


class BlipCaptioner:
    """BLIP as the original used it: 384 pixels, greedy, 10 to 75 tokens, the prompt taken off."""

    name = "blip"
    batch_size = BATCH

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        """Load the model from ``folder`` (see :func:`find_blip`) onto a torch ``device``. Raises TrainingError."""
        try:
            from transformers import BertTokenizerFast, BlipForConditionalGeneration
        except ImportError as error:
            raise TrainingError(
                "BLIP captions need the package transformers, which cannot be imported here; "
                "install it, or caption with the embedded captioner."
            ) from error
        if not _is_blip(folder):
            raise TrainingError(f"{shown(folder)} holds no BLIP captioner; name a folder with its {_WEIGHTS}.")
        try:
            self._tokenizer = BertTokenizerFast.from_pretrained(str(folder), local_files_only=True)
            model = BlipForConditionalGeneration.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True
            )
        except Exception as error:
            # transformers, tokenizers and safetensors raise many kinds, some of them plain Exception.
            raise TrainingError(
                f"The BLIP captioner in {shown(folder)} is damaged or incomplete; copy its files again."
            ) from error
        self._model = model.eval().to(device)
        self._device = device
        self._side = int(model.config.vision_config.image_size)

    def caption(self, images: Sequence[np.ndarray]) -> list[str]:
        """See :class:`~lib_photoshoot.training.captions.protocol.Captioner`; the images are one batch."""
        import torch

        if not images:
            return []
        prompt = self._tokenizer([PROMPT] * len(images), return_tensors="pt").to(self._device)
        with torch.inference_mode():
            tokens = self._model.generate(
                pixel_values=torch.stack([self._input(image) for image in images]).to(self._device),
                input_ids=prompt.input_ids,
                attention_mask=prompt.attention_mask,
                min_length=SHORTEST,
                max_length=LONGEST,
                num_beams=1,
                do_sample=False,
            )
        # Said outright: transformers changes whether "car ' s" becomes "car's" by itself.
        texts = self._tokenizer.batch_decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=True)
        return [text.removeprefix(PROMPT.strip()).strip() for text in texts]

    def _input(self, image: np.ndarray) -> torch.Tensor:
        """(3, side, side), normalised: the whole picture squashed to a square, as the model was trained."""
        import numpy as np
        import torch
        from PIL import Image

        square = Image.fromarray(image).resize((self._side, self._side), Image.Resampling.BICUBIC)
        values = (np.asarray(square, np.float32) / 255 - _MEAN) / _DEVIATION
        return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)


def _cached() -> Path | None:
    """Return the hub's own copy of BLIP large, as any program on this machine may have left it."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(REPOSITORY, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def _is_blip(folder: Path) -> bool:
    """Whether everything is there; a folder that may not be read counts as none."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        # The same files under another architecture answer questions or compare, and cannot caption.
        is_captioner = config["model_type"] == "blip" and "BlipForConditionalGeneration" in config["architectures"]
        has_words = any((folder / name).is_file() for name in ("vocab.txt", "tokenizer.json"))
        return is_captioner and has_words and (folder / _WEIGHTS).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False
