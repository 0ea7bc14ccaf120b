"""The samplers' names; nothing here has steps."""

from __future__ import annotations

from collections import namedtuple

SamplerData = namedtuple("SamplerData", ["name", "constructor", "aliases", "options"])
all_samplers = [SamplerData(name, None, [], {}) for name in ("DPM++ 2M", "Euler a", "Euler")]
all_samplers_map = {sampler.name: sampler for sampler in all_samplers}
samplers_hidden = {"Euler"}


def visible_sampler_names() -> list[str]:
    """Those that the user has not hidden."""
    return [sampler.name for sampler in all_samplers if sampler.name not in samplers_hidden]
