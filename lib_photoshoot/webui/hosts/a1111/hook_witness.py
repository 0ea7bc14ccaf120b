"""Sees whether sd-webui-controlnet's hook came on, in a pass of ours."""

from __future__ import annotations

from typing import Any

import torch
from modules import scripts
from modules.processing import Processed


class HookWitness(scripts.Script):
    """Runs right after ControlNet in a nested pass: sees whether its hook came on, and settles the random state."""

    filename = __file__
    args_from = args_to = 0

    def __init__(self, controlnet_script: Any) -> None:
        super().__init__()
        self._script = controlnet_script
        self.taken_up = False
        self.reason = ""

    def title(self) -> str:
        return "Product Photoshoot: witness"

    def process(self, p: Any, *_: Any) -> None:
        self.taken_up = self._script.latest_network is not None
        if not self.taken_up:
            p.n_iter = 0  # nothing is painted without the control that was asked for
        # Building a ControlNet draws random numbers, taking it from the cache does not: the image must not show it.
        torch.manual_seed(p.all_seeds[0])

    def let_go(self, p: Any) -> None:
        """After a failure, of which the host tells no script: the job's next batch must not be painted under ours."""
        self._script.postprocess(p, Processed(p, []))
