"""The host's latent pictures made pixels, and pixels handed to it as what it would have made of them."""

from __future__ import annotations

from typing import Any


def decoded(p: Any, samples: Any) -> list[Any]:
    """Return the pictures of a job's latent samples: tensors (3, height, width) in [-1, 1], on the CPU."""
    from modules import devices
    from modules.processing import decode_latent_batch

    return list(decode_latent_batch(p.sd_model, samples, target_device=devices.cpu, check_for_nans=False))


def as_decoded(pictures: list[Any]) -> Any:
    """Return pictures, tensors (3, height, width) in [-1, 1], as the host's own passes do."""
    from modules.processing import DecodedSamples

    return DecodedSamples(pictures)


def pass_is_done() -> None:
    """Count a pass as done that the host has announced and does not run."""
    from modules import shared

    shared.state.nextjob()
