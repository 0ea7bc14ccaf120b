"""From products' words to GroundingDINO captions, and from token probabilities back to products.

A caption is ``handbag . shoe .``: every word (a product's name or one of its aliases) is tokenized alone and keeps the
exact positions of its own tokens; one of another language is asked in English. Scores are read at those positions, so
phrases are never decoded and compared by substring: ``bag`` cannot take the box of ``handbag``. Pure Python and numpy;
the tokenizer is passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lib_photoshoot.detection.asked_words import asked_words
from lib_photoshoot.errors import ProductsError

MAX_TOKENS = 256
"""Tokens of one caption, [CLS] and [SEP] included: the width of GroundingDINO's logits."""

_SEPARATORS = str.maketrans({".": " ", "?": " "})
"""The model cuts the caption at these two characters, so inside a word they become spaces."""


class Words(Protocol):
    """What is needed of a product."""

    @property
    def name(self) -> str: ...

    @property
    def words(self) -> tuple[str, ...]: ...

    def as_typed(self, word: str) -> str: ...


class WordTokenizer(Protocol):
    """What is needed of a tokenizer; all numbers are indices into its vocabulary."""

    cls_id: int
    sep_id: int
    dot_id: int
    question_id: int
    unknown_id: int

    def encode(self, word: str) -> list[int]:
        """Return the tokens of one word, without special tokens."""
        ...


@dataclass(frozen=True)
class Span:
    """The tokens ``start`` to ``stop`` (exclusive) of a caption are one word of the product number ``product``."""

    product: int
    word: str
    start: int
    stop: int


@dataclass(frozen=True)
class Caption:
    """One text query: its readable form, its tokens with [CLS] and [SEP], and where each word lies in them."""

    text: str
    input_ids: tuple[int, ...]
    spans: tuple[Span, ...]


def normalize(word: str) -> str:
    """Lower case, single spaces, without the characters at which the model cuts captions."""
    return " ".join(word.lower().translate(_SEPARATORS).split())


def _tokenize(word: str, product: Words, tokenizer: WordTokenizer, limit: int) -> tuple[int, ...]:
    ids, name = tuple(tokenizer.encode(normalize(word))), product.as_typed(product.name)
    reserved = {tokenizer.cls_id, tokenizer.sep_id, tokenizer.dot_id, tokenizer.question_id, tokenizer.unknown_id}
    if not ids or reserved.intersection(ids):
        raise ProductsError(
            f"The word {product.as_typed(word)!r} of the product {name!r} has no meaning for GroundingDINO; write it "
            "in plain English letters."
        )
    if len(ids) + 3 > limit:  # its full stop, [CLS] and [SEP]
        raise ProductsError(
            f"The product {name!r} has a word of {len(ids)} tokens, and {limit - 3} fit into a caption; shorten it."
        )
    return ids


def build_captions(
    products: Sequence[Words], tokenizer: WordTokenizer, max_tokens: int = MAX_TOKENS
) -> tuple[Caption, ...]:
    """Put all words of all products, in order, into as few captions as hold them.

    A word is never cut in two; a product's aliases may lie in different captions. A word that repeats within a product
    is asked once. No products give no captions. Raises ProductsError for a word the vocabulary does not know or that
    is too long.
    """
    captions: list[Caption] = []
    ids: list[int] = [tokenizer.cls_id]
    spans: list[Span] = []

    def close() -> None:
        if spans:
            text = " ".join(f"{span.word} ." for span in spans)
            captions.append(Caption(text, (*ids, tokenizer.sep_id), tuple(spans)))

    for number, product in enumerate(products):
        seen: set[tuple[int, ...]] = set()
        for word in (english for typed in product.words for english in asked_words(typed)):
            tokens = _tokenize(word, product, tokenizer, max_tokens)
            if tokens in seen:
                continue
            seen.add(tokens)
            if len(ids) + len(tokens) + 2 > max_tokens:  # the full stop and [SEP]
                close()
                ids, spans = [tokenizer.cls_id], []
            spans.append(Span(number, normalize(word), len(ids), len(ids) + len(tokens)))
            ids += [*tokens, tokenizer.dot_id]
    close()
    return tuple(captions)


def sentence_layout(input_ids: Sequence[int], special_ids: Iterable[int]) -> tuple[list[int], list[int]]:
    """GroundingDINO's sub-sentences: per token its block number and its position inside the block.

    Tokens attend to the tokens of their own block only. A block ends with a special token ([CLS], [SEP], full stop,
    question mark); the first and the last token stand alone at position 0, as do tokens after the last special one.
    """
    special = set(special_ids)
    last = len(input_ids) - 1
    blocks, positions = [0] * len(input_ids), [0] * len(input_ids)
    start = 0
    block = 0
    for column, token in enumerate(input_ids):
        if token not in special and column != last:
            continue
        if token in special and column not in (0, last):
            for i in range(start, column + 1):
                blocks[i], positions[i] = block, i - start
            block += 1
        else:
            # The end of the text without a full stop before it: every open token is its own block.
            for i in range(start, column + 1):
                blocks[i] = block
                block += 1
        start = column + 1
    return blocks, positions


def class_scores(probabilities: np.ndarray, caption: Caption, count: int) -> np.ndarray:
    """Scores of ``count`` products for every query.

    ``probabilities`` is (queries, tokens) in [0, 1]. A word's score is the mean over its tokens, a product's the best
    of its words; products without a word in this caption score 0. Returns float32 (queries, count).
    """
    scores = np.zeros((len(probabilities), count), np.float32)
    for span in caption.spans:
        word = probabilities[:, span.start : span.stop].mean(axis=1)
        np.maximum(scores[:, span.product], word, out=scores[:, span.product])
    return scores
