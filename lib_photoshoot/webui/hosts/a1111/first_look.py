"""Hires fix: the low-resolution pass is looked at, and a picture without the product does not get the second.

The host has no hook between the two passes: ``before_hr`` comes when the second is all prepared, and cannot end it. So
the job's own ``sample_hr_pass`` is replaced, for a job that asks for it and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_photoshoot.webui.hosts.a1111.decoding import as_decoded, decoded, pass_is_done

if TYPE_CHECKING:
    import torch

HoldsProduct = Callable[[Image.Image], bool]
_PASS = "sample_hr_pass"
_OF_BATCH = (
    "prompts", "negative_prompts", "seeds", "subseeds", "hr_prompts", "hr_negative_prompts",
)  # fmt: skip
_OF_JOB = ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds")
_CONDITIONINGS = ("hr_c", "hr_uc")
"""Made anew for those that go on."""


class FirstLook:
    """Stands in for the second pass of one processing object; :meth:`end` gives it back.

    A batch goes on with the pictures that ``holds_product`` is true for. The others stay as small as they were painted,
    see :meth:`put_in`.
    """

    def __init__(self, p: Any, holds_product: HoldsProduct) -> None:
        """``holds_product`` must not raise: the host's job would end."""
        self.spared: frozenset[int] = frozenset()
        """Which pictures of the batch at hand did without the second pass."""
        self._holds_product = holds_product
        self._second_pass = getattr(p, _PASS)
        self._small: dict[int, torch.Tensor] = {}
        setattr(p, _PASS, self._look_first(p))

    @staticmethod
    def can(p: Any) -> bool:
        """Whether the job has a second pass that follows one of its own: *Upscale* of a chosen picture has none."""
        return bool(
            getattr(p, "enable_hr", False) and hasattr(p, _PASS) and getattr(p, "firstpass_image", None) is None
        )

    def end(self, p: Any) -> None:
        """Give the second pass back, for the next run of the same object."""
        vars(p).pop(_PASS, None)
        self._small.clear()

    def put_in(self, images: list[Any]) -> list[Any]:
        """Return a batch's pictures, tensors (3, height, width) in [0, 1], with the small ones in their places."""
        small, self._small = self._small, {}
        return [small.get(index, image) for index, image in enumerate(images)]

    def _look_first(self, p: Any) -> Callable[..., Any]:
        def second_pass(
            samples: Any, decoded_samples: Any, seeds: Any, subseeds: Any, subseed_strength: Any, prompts: Any
        ) -> Any:
            def go_on(kept: Sequence[int] | None = None) -> Any:
                if kept is None:
                    return self._second_pass(samples, decoded_samples, seeds, subseeds, subseed_strength, prompts)
                rest = [seeds, subseeds, prompts]
                own = [[values[index] for index in kept] if values is not None else None for values in rest]
                parts = [None if one is None else one[list(kept)] for one in (samples, decoded_samples)]
                return self._second_pass(*parts, own[0], own[1], subseed_strength, own[2])

            return self._second(p, samples, decoded_samples, go_on)

        return second_pass

    def _second(self, p: Any, samples: Any, given: Any, go_on: Callable[..., Any]) -> Any:
        import torch

        from lib_photoshoot.webui.hosts.a1111.nested import stopped
        from lib_photoshoot.webui.hosts.a1111.random_state import random_state_kept

        self._small, self.spared = {}, frozenset()
        if stopped() or samples is None:
            return go_on()
        with random_state_kept():
            pictures = decoded(p, samples) if given is None or _may_be_levels(given) else list(given)
            small = [torch.clamp((one.detach().cpu().float() + 1) / 2, 0, 1) for one in pictures]
            kept = [index for index, one in enumerate(small) if self._holds_product(_image(one))]
        if len(kept) == len(small):
            return go_on()
        spared = frozenset(range(len(small))).difference(kept)
        if not kept:
            self.spared = spared
            pass_is_done()  # the second one
            return as_decoded([one * 2 - 1 for one in small])
        with _only(p, kept):
            large = go_on(kept)
        if not getattr(large, "already_decoded", False):  # stopped on the way: the host delivers the first pass
            return samples
        self._small, self.spared = {index: small[index] for index in spared}, spared
        return as_decoded(_filled(large, kept, small))


def _may_be_levels(given: Any) -> bool:
    """Whether what the host hands to its second pass may lie in [0, 1], as Forge Neo's does; elsewhere it is in
    [-1, 1], which cannot be told of pale pictures.
    """
    return all(one.min() >= 0 and one.max() <= 1 for one in given)


def _image(tensor: Any) -> Image.Image:
    """Return the picture that the host makes of a tensor (3, height, width) in [0, 1]."""
    return Image.fromarray((255.0 * np.moveaxis(tensor.numpy(), 0, 2)).astype(np.uint8))


def _filled(large: Sequence[Any], kept: Sequence[int], small: Sequence[Any]) -> list[Any]:
    """Return one picture for each of the batch: the host stacks them, so what was spared is enlarged for the moment."""
    from torch.nn.functional import interpolate

    size = large[0].shape[-2:]
    places = dict(zip(kept, large, strict=True))
    return [
        places[index] if index in places else interpolate(one[None] * 2 - 1, size=size).to(large[0])[0]
        for index, one in enumerate(small)
    ]


@contextmanager
def _only(p: Any, kept: Sequence[int]) -> Iterator[None]:
    """Let the job's lists hold the kept pictures of this batch alone, as if it had been asked for no others."""
    before = {name: values for name in (*_OF_BATCH, *_OF_JOB) if (values := getattr(p, name, None)) is not None}
    before |= {name: getattr(p, name, None) for name in _CONDITIONINGS}
    start = p.iteration * p.batch_size
    try:
        for name, values in before.items():
            if name in _OF_BATCH:
                setattr(p, name, [values[index] for index in kept])
            elif name in _OF_JOB:
                # The host counts from the beginning of the job to that of the batch.
                setattr(p, name, [*values[:start], *(values[start + index] for index in kept)])
            else:
                setattr(p, name, None)
        yield
    finally:
        for name, values in before.items():
            setattr(p, name, values)
