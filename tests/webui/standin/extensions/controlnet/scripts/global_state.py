"""The models: names as the page lists them, with their files."""

from __future__ import annotations

from collections import OrderedDict

cn_models: OrderedDict[str, str] = OrderedDict()
cn_models_names: dict[str, str] = {}


def update_cn_models() -> None:
    """Read the list anew."""
    cn_models_names.clear()
    cn_models_names.update({name.split(" [")[0].lower(): name for name in cn_models})
