"""Settings through an infotext: written, quoted, read back by the host, pasted."""

from __future__ import annotations

import ast
import json
import os
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from lib_photoshoot.settings import FilterSettings, SettingsError, settings_from
from lib_photoshoot.webui.generate.infotext import pasted
from tests.test_settings import ALL_VALUES


def test_without_our_key_the_filter_goes_off_and_the_rest_stays() -> None:
    assert pasted(None) == {"enabled": False}


def test_with_it_every_setting_is_set() -> None:
    assert pasted('{"denoise": 0.7}') == asdict(FilterSettings(enabled=True, denoise=0.7))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"denoise": 7}', '{"other": 1}'])
def test_a_broken_text_is_an_error(text: str) -> None:
    with pytest.raises(SettingsError):
        pasted(text)


@given(ALL_VALUES)
def test_settings_survive_one_line_of_json(values: dict) -> None:
    settings = replace(settings_from(values), enabled=True)
    assert "\n" not in settings.to_json()
    assert pasted(json.loads(json.dumps(settings.to_json()))) == asdict(settings)


@pytest.fixture(scope="module")
def host() -> dict[str, Any]:
    """The host's own pattern, quote and unquote, taken from its file: importing it would start half a WebUI."""
    folder = os.environ.get("PHOTOSHOOT_WEBUI")
    if not folder:
        pytest.skip("PHOTOSHOOT_WEBUI does not name a WebUI's folder")
    tree = ast.parse((Path(folder) / "modules" / "infotext_utils.py").read_text(encoding="utf-8"))
    wanted = ("re_param_code", "quote", "unquote")
    tree.body = [node for node in tree.body if _name(node) in wanted]
    names: dict[str, Any] = {"json": json}
    exec(compile(tree, "infotext_utils.py", "exec"), names)
    return names


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return getattr(node, "name", "")


@given(values=ALL_VALUES)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_settings_survive_the_hosts_infotext(host: dict[str, Any], values: dict) -> None:
    settings = replace(settings_from(values), enabled=True)
    line = f"Steps: 20, Product filter: {host['quote'](settings.to_json())}, Version: 1.10.1"
    found = dict(re.findall(host["re_param_code"], line))
    text = found["Product filter"]
    assert found["Version"] == "1.10.1"
    assert pasted(host["unquote"](text)) == asdict(settings)
