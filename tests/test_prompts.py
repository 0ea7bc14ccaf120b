"""The prompt helper's text."""

from __future__ import annotations

import pytest

from lib_photoshoot.prompts import NO_LORA, PromptError, activation_tag, ordered_loras, product_prompt


def test_the_template() -> None:
    assert product_prompt("handbag", "ppzocketv2-10") == (
        'ppzocketv2, "handbag", stylish, studio photography, product photography, ultra realistic, '
        "<lora:ppzocketv2-10:1>"
    )


@pytest.mark.parametrize(
    ("lora", "tag"),
    [("ppzocketv2-10", "ppzocketv2"), ("ppzocketv2", "ppzocketv2"), ("my-bag-000004", "my-bag"), ("a-1b", "a-1b")],
)
def test_the_tag_is_the_name_without_the_epoch(lora: str, tag: str) -> None:
    assert activation_tag(lora) == tag


def test_without_a_lora() -> None:
    assert product_prompt(' red\n"hand"  bag ', NO_LORA).startswith('"red hand bag", stylish, ')
    assert "lora" not in product_prompt("shoe", "")


def test_the_weight() -> None:
    assert product_prompt("shoe", "x", 0.8).endswith("<lora:x:0.8>")


@pytest.mark.parametrize(("product", "lora"), [("", "x"), (' "" ', "x"), ("shoe", "a:b"), ("shoe", "<x>")])
def test_what_makes_no_prompt_is_one_sentence(product: str, lora: str) -> None:
    with pytest.raises(PromptError):
        product_prompt(product, lora)


def test_the_projects_own_lora_comes_first() -> None:
    assert ordered_loras(["zebra", "ppzocketv2-10", "Apple", "zebra"]) == ["ppzocketv2-10", "Apple", "zebra"]
