"""The filter's part of an infotext: its settings, which pasting restores, and what was done."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from lib_photoshoot.settings import FilterSettings, settings_from_json
from lib_photoshoot.verdict import RESULT_KEY, Verdict

SETTINGS_KEY = "Product filter"
# ControlNet crops its hint when any key holds a certain word about enlarging; ours do not.


def pasted(text: str | None) -> dict[str, Any]:
    """Return the values to set for the text under our key; raises SettingsError for a text that holds no settings.

    With a text: every setting, and the filter is on. Without one the picture was made without the filter: it goes off,
    and the other values stay for the next time.
    """
    return {"enabled": False} if text is None else asdict(settings_from_json(text))


def with_result(text: str, settings: FilterSettings, verdict: Verdict) -> str:
    """Return an infotext with our two parameters at its end, quoted as the host quotes its own."""
    ours = f"{SETTINGS_KEY}: {_quoted(settings.to_json())}, {RESULT_KEY}: {_quoted(verdict.to_json())}"
    return f"{text}, {ours}" if text else ours


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ",:\n") else value
