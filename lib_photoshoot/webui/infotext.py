"""The panel's values as a pasted infotext restores them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lib_photoshoot.settings import settings_from_json


def pasted(text: str | None) -> dict[str, Any]:
    """The values to set for the text under our key; raises SettingsError for a text that holds no settings.

    With a text: every setting, and the filter is on. Without one the picture was made without the filter: it goes off,
    and the other values stay for the next time.
    """
    return {"enabled": False} if text is None else asdict(settings_from_json(text))
