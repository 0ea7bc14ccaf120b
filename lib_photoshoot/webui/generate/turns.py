"""The filter, with a turn in the host's queue for each picture, so that generations come in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.products import Product
    from lib_photoshoot.results import FilterResult
    from lib_photoshoot.webui.hosts.protocol import Folders


class FilterInTurns:
    """Stands in for a ``ProductFilter``. ``product_filter`` is asked for one anew each time: a job in between may have
    let its models go, or replaced them.

    With ``folders``, products may name examples there alone; without, they were confined before.
    """

    def __init__(
        self,
        product_filter: Callable[[], ProductFilter],
        turn: Callable[[], AbstractContextManager[Any]],
        folders: Callable[[], Folders] | None = None,
    ) -> None:
        self._filter = product_filter
        self._turn = turn
        self._folders = folders

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> FilterResult:
        """See ``ProductFilter``."""
        products = self._allowed(products)
        with self._turn():
            return self._filter().detect(image, products)

    def run(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace) -> FilterResult:
        """See ``ProductFilter``."""
        products = self._allowed(products)
        with self._turn():
            return self._filter().run(image, products, space)

    def _allowed(self, products: Sequence[Product]) -> Sequence[Product]:
        from lib_photoshoot.webui.http.examples import with_allowed_examples

        return products if self._folders is None else with_allowed_examples(products, self._folders)
