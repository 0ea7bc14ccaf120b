"""The one place that keeps loaded models between generations, and lets them go."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from lib_photoshoot.allocator import give_back_freed_memory
from lib_photoshoot.build import ModelChoice

if TYPE_CHECKING:
    from lib_photoshoot.build import Models


class ModelRegistry:
    """Holds the models last used; a choice of other models replaces them. Safe to call from several threads."""

    def __init__(self) -> None:
        self._models: Models | None = None
        self._lock = threading.RLock()

    def get(self, choice: ModelChoice) -> Models:
        """Return the models of a choice, loaded on first use. Raises WeightsError and PackagesError."""
        from lib_photoshoot.build import load_models, snapshot_of, weights_of
        from lib_photoshoot.weights.store import find

        with self._lock:
            held = self._models
            if held is not None and replace(held.choice, threshold=choice.threshold) == choice:
                # A threshold is no part of what is loaded.
                return replace(held, choice=choice)
            for name in weights_of(choice):
                find(name)  # what is held stays while the other cannot be had
            snapshot_of(choice.detector)
            # Let go first: two sets of models may not fit.
            self.release()
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
