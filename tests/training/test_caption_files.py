"""Captions as other trainers keep them: kohya's ``.caption`` and metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.findings import FindingKind
from lib_photoshoot.training.dataset.scanning import scan

TAG = "ppzocketv2"


def found(dataset: Dataset, kind: FindingKind) -> list[str]:
    return [finding.file for finding in dataset.findings if finding.kind is kind]


def test_kohyas_own_ending_is_read_and_txt_goes_first(photos: Path) -> None:
    for name in ("00", "01"):
        (photos / f"{name}.caption").write_text(f"{TAG}, of caption {name}")
    (photos / "00.txt").unlink()
    (photos / "stray.caption").write_text("nobody's")
    dataset = scan(photos, TAG)
    assert dataset.captions["00.png"] == f"{TAG}, of caption 00"
    assert dataset.captions["01.png"] == f"{TAG}, picture number 1"
    assert found(dataset, FindingKind.CAPTION_TWO_FILES) == ["01.png"]
    assert found(dataset, FindingKind.TEXT_WITHOUT_IMAGE) == ["stray.caption"]


@pytest.mark.parametrize("key", ["02", "02.png", "sub/02.png", "/data/fotos/02.png", "C:\\fotos\\02.png"])
def test_kohyas_metadata_are_read_where_no_text_stands(photos: Path, key: str) -> None:
    (photos / "02.txt").unlink()
    values = {key: {"caption": "a bag", "tags": "red, leather"}, "03.png": {"tags": "not used"}, "gone": {}}
    (photos / "metadata.json").write_text(json.dumps(values))
    dataset = scan(photos, TAG)
    assert dataset.captions["02.png"] == "a bag, red, leather"
    assert dataset.captions["03.png"] == f"{TAG}, picture number 3"
    assert found(dataset, FindingKind.TAG_MISSING) == ["02.png"]
    assert found(dataset, FindingKind.METADATA) == ["metadata.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "[" * 99999, "\0"])
def test_metadata_that_are_none_are_told_and_cost_nothing_else(photos: Path, text: str) -> None:
    (photos / "metadata.json").write_text(text)
    dataset = scan(photos, TAG)
    assert found(dataset, FindingKind.METADATA_UNREADABLE) == ["metadata.json"]
    assert len(dataset.images) == 12


@pytest.mark.parametrize("column", ["text", "caption"])
def test_the_metadata_of_an_imagefolder_are_read_after_kohyas(photos: Path, column: str) -> None:
    (photos / "02.txt").unlink()
    rows = [{"file_name": "02.png", column: f"{TAG}, a bag\u2028of leather"}, {"file_name": "train/03.png", "label": 1}]
    (photos / "metadata.jsonl").write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
    dataset = scan(photos, TAG)
    assert dataset.captions["02.png"] == f"{TAG}, a bag of leather"
    assert dataset.captions["03.png"] == f"{TAG}, picture number 3"
    assert found(dataset, FindingKind.METADATA) == ["metadata.jsonl"]
    (photos / "metadata.json").write_text(json.dumps({"02": {"caption": f"{TAG}, kohya's"}}))
    assert scan(photos, TAG).captions["02.png"] == f"{TAG}, kohya's"


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"file_name": 1, "text": "a"}', "[" * 99999])
def test_an_imagefolders_metadata_that_are_none_are_told(photos: Path, text: str) -> None:
    (photos / "metadata.jsonl").write_text(text)
    dataset = scan(photos, TAG)
    assert found(dataset, FindingKind.METADATA_UNREADABLE) == ["metadata.jsonl"]
    assert len(dataset.images) == 12
