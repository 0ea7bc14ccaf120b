"""ControlNet in a pass of ours, on hosts that bring their own: its hooks are called by a script that sees them fail.

The host calls each script's hooks, prints what they raise, and goes on. A missing model or a broken preprocessor raises
in ``process``; what then lacks raises again before the sampling, each time unseen, and the picture comes as if there
were no ControlNet.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import torch
from modules import errors, scripts


class WatchedControlNet(scripts.Script):
    """Stands for ControlNet's script in one pass; see ``Witness``.

    The script is copied, as it keeps what it has made of the outer job's units for all batches. The models are kept by
    the host for all scripts.
    """

    filename = __file__
    args_from = args_to = 0

    def __init__(self, script: Any, units: Sequence[Any]) -> None:
        super().__init__()
        self._script = copy(script)
        self._script.current_params = {}
        self._units = units
        self._patched = False
        self.reason = ""

    def title(self) -> str:
        return "Product Photoshoot: ControlNet"

    @property
    def taken_up(self) -> bool:
        """Whether the units were on the network when it sampled, and nothing failed."""
        return self._patched and not self.reason

    def process(self, p: Any, *_: Any) -> None:
        with _no_folder_of_pictures():
            self._watch(lambda: self._script.process(p, *self._units))
        if self.reason:
            p.n_iter = 0  # nothing is painted without the control that was asked for
        # Building a ControlNet draws random numbers, taking it from the cache does not: the image must not show it.
        torch.manual_seed(p.all_seeds[0])

    def process_before_every_sampling(self, p: Any, *_: Any, **given: Any) -> None:
        before = p.sd_model.forge_objects.unet
        self._watch(lambda: self._script.process_before_every_sampling(p, *self._units, **given))
        self._patched = p.sd_model.forge_objects.unet is not before

    def postprocess_batch_list(self, p: Any, pp: Any, *_: Any, **given: Any) -> None:
        self._watch(lambda: self._script.postprocess_batch_list(p, pp, *self._units, **given))

    def let_go(self, p: Any) -> None:
        """Nothing is left: what was on the network goes with the pass's own patchers."""

    def _watch(self, hook: Callable[[], None]) -> None:
        if self.reason:
            return
        try:
            hook()
        except Exception as error:  # a preprocessor or a network raises anything
            errors.report("Product Photoshoot: ControlNet failed", exc_info=True)
            self.reason = (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__


@contextmanager
def _no_folder_of_pictures() -> Iterator[None]:
    """Let no folder that the user has chosen for a batch stand for the pictures of our units, as Forge Neo has it."""
    module = sys.modules.get("lib_controlnet.controlnet_ui.controlnet_ui_group")
    group, name = getattr(module, "ControlNetUiGroup", None), "GLOBAL_CONTROLNET_BATCH_DIR"
    chosen = getattr(group, name, "")
    if not chosen:
        yield
        return
    setattr(group, name, "")
    try:
        yield
    finally:
        setattr(group, name, chosen)
