"""The prompt that shows a product as the LoRA learned it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lib_photoshoot.errors import PhotoshootError

DEFAULT_LORA = "ppzocketv2-10"
STYLE = "stylish, studio photography, product photography, ultra realistic"
NO_LORA = "None"


class PromptError(PhotoshootError):
    """No prompt can be written."""


def activation_tag(lora: str) -> str:
    """Return the word that a LoRA was trained with: its name without the ``-NN`` of the saved epoch.

    >>> activation_tag("ppzocketv2-10")
    'ppzocketv2'
    """
    return re.sub(r"-\d+$", "", lora)


def product_prompt(product: str, lora: str = NO_LORA, weight: float = 1) -> str:
    """Return the prompt for one product, with the LoRA's activation tag first and the LoRA itself last.

    Raises PromptError without a product, and for a LoRA name that the prompt's syntax cannot hold.

    >>> product_prompt("handbag", "ppzocketv2-10")
    'ppzocketv2, "handbag", stylish, studio photography, product photography, ultra realistic, <lora:ppzocketv2-10:1>'
    """
    product = " ".join(product.replace('"', " ").split())
    if not product:
        raise PromptError("The prompt needs a product; type what the picture shows, for example: handbag.")
    lora = lora.strip()
    if lora in ("", NO_LORA):
        return f'"{product}", {STYLE}'
    if re.search(r"[<>:]", lora):
        raise PromptError(f"{lora!r} is no LoRA's name; choose one from the list, without < > and colons.")
    return f'{activation_tag(lora)}, "{product}", {STYLE}, <lora:{lora}:{weight:g}>'


def ordered_loras(names: Iterable[str]) -> list[str]:
    """Names for the list: the project's own first, the others in alphabetical order."""
    return sorted(set(names), key=lambda name: (name != DEFAULT_LORA, name.casefold()))
