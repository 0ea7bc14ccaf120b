"""The one place that keeps loaded models between generations, and lets them go."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from lib_photoshoot.allocator import give_back_freed_memory
from lib_photoshoot.build import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from lib_photoshoot.build import Models

_TO_WORK = 2 << 30
"""Bytes on a GPU beside the models' own: for a picture of the largest size that detectors look at, and for those whose
files lie in a folder of their own."""


class ModelRegistry:
    """Holds the models last used; a choice of other models replaces them. Safe to call from several threads."""

    def __init__(self) -> None:
        self._models: Models | None = None
        self._lock = threading.RLock()
        self._ask: Callable[[str, int], None] | None = None

    def ask_for_room_by(self, ask: Callable[[str, int], None]) -> None:
        """Call ``ask`` with a device and a number of bytes before models go to a GPU that somebody else manages."""
        self._ask = ask

    def get(self, choice: ModelChoice) -> Models:
        """Return the models of a choice, loaded on first use. Raises WeightsError, PackagesError and DeviceError."""
        from lib_photoshoot.build import load_models, resolve_device, snapshot_of, weights_of
        from lib_photoshoot.weights.store import find

        with self._lock:
            held = self._models
            if held is not None and replace(held.choice, threshold=choice.threshold) == choice:
                # A threshold is no part of what is loaded.
                return replace(held, choice=choice)
            # What is held stays while the other cannot be had.
            files = [find(name) for name in weights_of(choice)]
            snapshot_of(choice.detector)
            # Let go first: two sets of models may not fit.
            self.release()
            if self._ask is not None and (device := resolve_device(choice.device)) != "cpu":
                self._ask(device, sum(file.stat().st_size for file in files) + _TO_WORK)
            self._models = load_models(choice)
            return self._models

    def release(self) -> bool:
        """Let the models go and give their memory back. Returns whether there were any."""
        with self._lock:
            if self._models is None:
                return False
            on_gpu = self._models.choice.device != "cpu"
            self._models = None
        gc.collect()
        give_back_freed_memory()
        if on_gpu:
            import torch

            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        return True

    @property
    def loaded(self) -> bool:
        """Whether models are held."""
        return self._models is not None


REGISTRY = ModelRegistry()
