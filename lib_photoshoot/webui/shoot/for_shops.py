"""What the page asks for its channels' pictures, besides the pictures: names, a table of SKUs, a zip, sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_photoshoot.declared import check_names
from lib_photoshoot.export.shop.settings import ShopSettings
from lib_photoshoot.export.shop.sku_table import SkuRow, sku_rows
from lib_photoshoot.webui.http.errors import RequestError

_FIELDS = ("names", "shops", "url_base", "archive", "contact_sheet", "paper", "table")


def shop_of(values: Mapping[str, Any]) -> tuple[ShopSettings, tuple[SkuRow, ...] | None]:
    """Return what a request's fields want, all of which may be left out; ``table`` is the CSV text.

    Raises RequestError, and ExportError for values that cannot be.
    """
    check_names(values, _FIELDS, "To finish a shoot there is no field {}", RequestError)
    table, given = values.get("table", ""), {name: value for name, value in values.items() if name != "table"}
    shops = given.get("shops", [])
    if not isinstance(table, str) or not isinstance(shops, list) or not all(isinstance(one, str) for one in shops):
        raise RequestError("The table is a text, and shops a list of names.")
    settings = ShopSettings(**{**given, "shops": tuple(shops)})
    return settings, sku_rows(table.removeprefix("\ufeff"), "the table") if table.strip() else None
