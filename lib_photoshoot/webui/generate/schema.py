"""What an HTTP request may hold: the filter's settings, and what a generation would otherwise have said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_photoshoot.declared import check_fields, check_names, declared_in, json_schema, setting
from lib_photoshoot.settings import FIELDS, VERSION, SettingsError


@dataclass(frozen=True)
class JobValues:
    """What the generation around an enhancement says; outside of one, the request does. Raises SettingsError."""

    prompt: str = setting(
        "", help="With LoRA tags, as in txt2img; empty names the product and asks for product photography."
    )
    negative_prompt: str = setting("")
    seed: int = setting(-1, help="-1 draws one, the answer says which.", lowest=-1, highest=2**32 - 1)
    steps: int = setting(20, lowest=1, highest=150)
    cfg_scale: float = setting(7.0, lowest=1, highest=30)
    sampler: str = setting("", help="Empty takes the WebUI's first.")
    scheduler: str = setting("Automatic")
    width: int = setting(
        0, help="Pixels at which 'only masked' paints; 0 takes 512, with SDXL 1024.", lowest=0, highest=4096
    )
    height: int = setting(0, help="As width.", lowest=0, highest=4096)

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: f"'{name}' in 'job'", SettingsError)


def job_values(values: Any) -> JobValues:
    """Return the values of a request's ``job``. Raises SettingsError for an unknown name or a wrong value."""
    if not isinstance(values, Mapping):
        raise SettingsError("'job' must be an object with prompt, seed and so on.")
    check_names(values, declared_in(JobValues), "There is no value called {} in 'job'", SettingsError)
    return JobValues(**values)


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings, and under ``$defs`` of ``job``."""
    schema = json_schema(FIELDS)
    version = {"const": VERSION, "default": VERSION, "title": "Version of the settings"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of the product filter",
        **schema,
        "properties": {"version": version, **schema["properties"]},
        "$defs": {"job": json_schema(declared_in(JobValues))},
    }
