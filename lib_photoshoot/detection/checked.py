"""What is known about product words before anything is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from lib_photoshoot.products import Product


@dataclass(frozen=True)
class CheckedWords:
    """``products`` are those to be looked for, ``left_out`` those whose words the detector does not know.

    ``notes`` tell what is looked for otherwise than by the words as typed, ``refusal`` what is left out and what to do
    about it; empty where nothing is.
    """

    products: tuple[Product, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[Product, ...] = ()
    refusal: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that a user is to be told, once."""
        return (*self.notes, *filter(None, [self.refusal]))
