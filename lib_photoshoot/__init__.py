"""Find named products in pictures, cut them out and enhance them; leave every other picture untouched.

Importing this package is cheap: torch, OpenCV and the models are imported on first use only. What stands in
``__all__`` is its face, each name imported from its module when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lib_photoshoot.build import ModelChoice as ModelChoice
    from lib_photoshoot.build import build_filter as build_filter
    from lib_photoshoot.errors import PhotoshootError as PhotoshootError
    from lib_photoshoot.images import read_picture as read_picture
    from lib_photoshoot.images import save_picture as save_picture
    from lib_photoshoot.masks.cutout import cut_out as cut_out
    from lib_photoshoot.products import parse_products as parse_products

__version__ = "0.2.0"

_MODULES = {
    "ModelChoice": "build",
    "PhotoshootError": "errors",
    "build_filter": "build",
    "cut_out": "masks.cutout",
    "parse_products": "products",
    "read_picture": "images",
    "save_picture": "images",
}
__all__ = sorted([*_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value  # asked for once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
