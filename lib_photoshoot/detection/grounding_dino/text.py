"""GroundingDINO's text branch without a hub: BERT's tokenizer from a local vocabulary and BERT itself from its config.

Valid for transformers 4.30.2 to 5: only BertTokenizer, and BertModel's ``embeddings`` and ``encoder`` modules are used,
not the mask helpers whose names and signatures changed. Imports torch and transformers: import it on first use only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertTokenizer

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.typed import typed_command

from .caption import sentence_layout


class BertWords:
    """The uncased BERT tokenizer for single words; satisfies ``caption.WordTokenizer``."""

    def __init__(self, vocab: Path) -> None:
        """Take the words of a file. Raises WeightsError if ``vocab`` is not bert-base-uncased's vocab.txt."""
        if not Path(vocab).is_file():
            raise WeightsError(
                f"BERT's vocabulary {vocab} is missing; run `{typed_command('models get bert-vocab')}` to fetch it."
            )
        # The first parameter is called vocab_file up to transformers 4 and vocab from 5 on; the case is not implied.
        self.tokenizer = BertTokenizer(str(vocab), do_lower_case=True)
        ids = self.tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]", ".", "?", "[UNK]"])
        self.cls_id, self.sep_id, self.dot_id, self.question_id, self.unknown_id = ids
        if len(set(ids)) != len(ids) or self.unknown_id in self.encode("handbag shoe"):
            raise WeightsError(
                f"{vocab} is not the vocabulary of bert-base-uncased; delete it and run "
                f"`{typed_command('models get bert-vocab')}`."
            )

    @property
    def special_ids(self) -> tuple[int, int, int, int]:
        """The tokens that end a sub-sentence."""
        return self.cls_id, self.sep_id, self.dot_id, self.question_id

    def encode(self, word: str) -> list[int]:
        return list(self.tokenizer(word, add_special_tokens=False)["input_ids"])


class TextEncoder(nn.Module):
    """BERT with a mask per pair of tokens; its parameters carry BertModel's names, as in the official checkpoints."""

    def __init__(self, **config: Any) -> None:
        super().__init__()
        # The fused attention, which newer releases choose, takes no float32 mask beside autocast's bfloat16.
        bert = BertModel(BertConfig(**config, attn_implementation="eager"))
        self.config = bert.config
        self.embeddings = bert.embeddings
        self.encoder = bert.encoder
        # Unused in a forward pass, and present in the checkpoints.
        self.pooler = bert.pooler

    def forward(self, input_ids: Tensor, position_ids: Tensor, attend: Tensor) -> Tensor:
        """Features (1, n, hidden) of tokens (1, n); ``attend`` (1, n, n) is true where row sees column."""
        hidden = self.embeddings(
            input_ids=input_ids, token_type_ids=torch.zeros_like(input_ids), position_ids=position_ids
        )
        bias = torch.zeros(attend.shape, dtype=hidden.dtype, device=hidden.device)
        bias.masked_fill_(~attend, torch.finfo(hidden.dtype).min)
        return self.encoder(hidden, attention_mask=bias[:, None])[0]


def token_inputs(input_ids: tuple[int, ...], special_ids: tuple[int, ...], device: Any) -> dict[str, Tensor]:
    """Tokens, positions (1, n) and the sub-sentence mask (1, n, n) of a caption, on the device."""
    blocks, positions = sentence_layout(input_ids, special_ids)
    block = torch.tensor(blocks, device=device)
    return {
        "input_ids": torch.tensor([input_ids], device=device),
        "position_ids": torch.tensor([positions], device=device),
        "attend": (block[:, None] == block[None, :])[None],
    }
