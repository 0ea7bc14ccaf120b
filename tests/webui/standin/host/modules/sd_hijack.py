"""What the host changes in a checkpoint's networks: nothing here."""

from __future__ import annotations

from typing import Any


class StableDiffusionModelHijack:
    """See :data:`model_hijack`."""

    def undo_hijack(self, m: Any) -> None:
        """Give the networks back as they were."""


model_hijack = StableDiffusionModelHijack()
