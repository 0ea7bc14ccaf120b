"""Profiles as data: every shipped one is whole and sourced, and a wrong one is refused in one sentence."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import PROFILES, Aspect, Ground, load_profile, profile_names
from lib_photoshoot.ranking.order import default_weights


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_whole_and_each_rule_has_its_source(name: str) -> None:
    profile = load_profile(name)
    assert set(profile.rules) == set(Aspect)
    for aspect, rule in profile.rules.items():
        assert rule.says, aspect
        if rule.source:
            assert re.match("https://[^ ]+$", rule.source)
        else:
            assert not rule.verified and re.search("our|law", rule.says), f"{name}: {aspect} claims a rule"


def test_the_large_marketplaces_are_there_and_their_known_rules_are_as_published() -> None:
    assert {"amazon-main", "ebay", "google-merchant", "etsy", "walmart-main", "zalando-packshot", "otto-main"} <= set(
        profile_names()
    )
    amazon, walmart = load_profile("amazon-main"), load_profile("walmart-main")
    assert (amazon.background.kind, amazon.product.least, amazon.shadow.on) == (Ground.WHITE, 0.85, False)
    assert (walmart.canvas.width, walmart.file.most_bytes) == (2200, 5_000_000)
    google = load_profile("google-merchant").product
    assert (google.least, google.most, google.enlarge) == (0.75, 0.9, 1.0)


def test_the_file_name_follows_the_pattern() -> None:
    assert load_profile("amazon-main").file_name("B000123456", 10, 20) == "B000123456.MAIN.jpg"


def _changed(tmp_path: Path, old: str, new: str, of: str = "amazon-main") -> str:
    text = (PROFILES / f"{of}.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fill = 0.9\n", "fill = 0.8\n", "fill must lie between"),
        ("margin = 0.02", "margin = 0.2", "do not fit into the frame"),
        ('kind = "white"', 'kind = "transparent"', "JPEG has no transparency"),
        ('kind = "white"', 'kind = "picture"', "names none"),
        ('kind = "white"', 'kind = "green"', "green"),
        ('kind = "white"', 'kind = "colour"\ncolour = "white"', "#rrggbb"),
        ("enlarge = 2.0", "enlarge = 0.5", "at least 1"),
        ("quality = 95", 'quality = "high"', "own.toml"),
        ("quality = 95", "", "least_quality"),
        ('name = "{stem}.MAIN"', 'name = "../{stem}"', "name may only use"),
        ('name = "{stem}.MAIN"', 'name = "main"', "name may only use"),
        ("width = 2000\n", "width = 500\n", "smaller than its own"),
        ("[shadow]\non = false", "[shadow]\non = false\ncolor = 1", "no value called 'color'"),
        ("[canvas]", "[canvas", "not TOML"),
        ('title = "Amazon, main image"', "", "'title' is missing"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, says: str) -> None:
    if new == "":
        says = says if "missing" in says else "own.toml"
    with pytest.raises(ExportError) as caught:
        load_profile(_changed(tmp_path, old, new))
    assert says in str(caught.value) and "\n" not in str(caught.value).strip()


def test_unknown_and_absent_profiles() -> None:
    with pytest.raises(ExportError, match="known are amazon-main"):
        load_profile("amazon")
    with pytest.raises(ExportError, match="cannot be read"):
        load_profile("gone.toml")


def test_colour_and_picture_of_ones_own_profile(tmp_path: Path) -> None:
    path = _changed(tmp_path, 'kind = "white"', 'kind = "picture"\ncolour = "#0a0B0c"\npicture = "wood.png"')
    background = load_profile(path).background
    assert (background.colour, background.picture) == ((10, 11, 12), tmp_path / "wood.png")


def test_without_a_toml_reader_names_are_known_and_the_rest_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name in ("tomllib", "tomli"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments)

    default_weights.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    assert "amazon-main" in profile_names()
    for read in (lambda: load_profile("ebay"), default_weights):
        with pytest.raises(
            ExportError, match=r"install the package tomli into it \(.+ -m pip install tomli\)"
        ) as caught:
            read()
        assert sys.executable in str(caught.value) and "\n" not in str(caught.value)


def test_tomli_reads_where_python_has_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    tomllib = pytest.importorskip("tomllib")
    monkeypatch.setitem(sys.modules, "tomli", tomllib)
    monkeypatch.setitem(sys.modules, "tomllib", None)
    assert load_profile("ebay").name == "ebay"
