"""A tagged picture's marks are in everything that is made from it, whatever its format."""

from __future__ import annotations

import io
from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.outputs import write_outputs
from lib_photoshoot.export.exporter import Exporter
from lib_photoshoot.export.profile import load_profile
from lib_photoshoot.export.provenance import metadata_of, source_of
from lib_photoshoot.images import read_picture, save_picture
from lib_photoshoot.provenance.c2pa_manifest import C2paManifest
from lib_photoshoot.provenance.evidence import OriginEvidence
from lib_photoshoot.provenance.metadata import NOTHING, Metadata, read_metadata, save_options
from lib_photoshoot.provenance.terms import SOURCE_OF, TERM_OF, TERMS, DigitalSource
from lib_photoshoot.results import Decision, FilterResult, ProductRegion
from tests.export.conftest import INFOTEXT, cutout
from tests.provenance.test_marks import packet

PIXELS = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)


def tagged(folder: Path, format_: str, term: str) -> Path:
    """A picture with a term, somebody's name and an infotext, written by Pillow alone."""
    path = folder / f"a.{format_.lower()}"
    xmp = packet("<dc:rights>Ann</dc:rights>", f'e:DigitalSourceType="{TERMS}{term}"')
    metadata = Metadata(xmp, (("parameters", INFOTEXT),))
    Image.fromarray(PIXELS).save(path, format_, **save_options(format_, metadata))
    return path


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("term", ["trainedAlgorithmicMedia", "compositeSynthetic", "digitalCapture"])
def test_every_picture_of_a_run_says_what_its_original_says(tmp_path: Path, format_: str, term: str) -> None:
    picture = read_picture(tagged(tmp_path, format_, term))
    mask = np.zeros((60, 80), np.bool_)
    mask[20:40, 20:60] = True
    region = ProductRegion("bag", (20, 20, 60, 40), 0.9, mask, 0.9)
    result = FilterResult(80, 60, Decision.MATCH, None, (region,), (), picture.pixels // 2, 0, {})
    written = write_outputs(tmp_path / "run", PurePath("a"), picture, result)
    pictures = [name for name in written.files if not name.startswith("masks/")]
    assert {name.split("/")[0] for name in pictures} == {"cutouts", "enhanced", "overlays", "thumbnails"}
    for name in pictures:
        found = metadata_of(tmp_path / "run" / name)
        assert found.terms == (term,), name
        if not name.startswith("thumbnails/"):
            assert ("parameters", INFOTEXT) in found.texts and b"Ann" in (found.xmp or b""), name


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_saved_picture_keeps_them_in_every_format(tmp_path: Path, suffix: str) -> None:
    picture = read_picture(tagged(tmp_path, "PNG", "compositeSynthetic"))
    save_picture(picture.pixels, tmp_path / f"b{suffix}", picture)
    found = metadata_of(tmp_path / f"b{suffix}")
    assert found.terms == ("compositeSynthetic",) and ("parameters", INFOTEXT) in found.texts


@pytest.mark.parametrize("profile", ["amazon-main", "transparent"])
@pytest.mark.parametrize("term", SOURCE_OF)
def test_an_export_keeps_the_term_and_the_infotext(tmp_path: Path, profile: str, term: str) -> None:
    xmp = packet(attributes=f'e:DigitalSourceType="{TERMS}{term}"')
    evidence = OriginEvidence(SOURCE_OF[term], "", Metadata(xmp, (("parameters", INFOTEXT),)))
    path = Exporter(load_profile(profile), tmp_path).export(cutout(), PurePath("a"), evidence).path
    found = metadata_of(path)
    assert found.terms == (term,) and ("parameters", INFOTEXT) in found.texts


def test_a_generated_picture_that_calls_itself_a_photo_is_marked_and_no_mark_is_taken_away() -> None:
    photo = Metadata(packet(attributes=f'e:DigitalSourceType="{TERMS}digitalCapture"'))
    assert OriginEvidence(DigitalSource.GENERATED, "", photo).marked.terms == (TERM_OF[DigitalSource.GENERATED],)
    generated = NOTHING.with_term(TERM_OF[DigitalSource.GENERATED])
    assert OriginEvidence(DigitalSource.PHOTO, "", generated).marked.terms == (TERM_OF[DigitalSource.GENERATED],)


def test_the_term_of_a_manifest_moves_into_the_xmp() -> None:
    signed = Metadata(manifest=C2paManifest(("trainedAlgorithmicMedia",), "a C2PA manifest"))
    for format_ in ("JPEG", "PNG", "WEBP", "TIFF"):
        buffer = io.BytesIO()
        Image.fromarray(PIXELS).save(buffer, format_, **save_options(format_, signed))
        with Image.open(buffer) as image:
            assert read_metadata(image).terms == ("trainedAlgorithmicMedia",), format_


def test_a_manifest_is_read_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    store = b"jumb\0\0\0\0jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq\x03c2pa\0"
    value = (TERMS + "trainedAlgorithmicMedia").encode()
    body = store + b"digitalSourceTypex" + bytes([len(value)]) + value + b"\0"
    path = tmp_path / "a.jpg"
    Image.fromarray(PIXELS).save(path, extra=b"\xff\xeb" + (len(body) + 2).to_bytes(2, "big") + body)
    evidence = source_of(path)
    assert evidence.source is DigitalSource.GENERATED and "not checked" in evidence.reason
    save_picture(PIXELS, tmp_path / "b.png", read_picture(path))
    assert metadata_of(tmp_path / "b.png").terms == ("trainedAlgorithmicMedia",)


def test_an_xmp_too_long_for_a_jpeg_leaves_its_term() -> None:
    long = packet(f"<dc:rights>{'x' * 70_000}</dc:rights>", f'e:DigitalSourceType="{TERMS}print"')
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", **save_options("JPEG", Metadata(long)))
    with Image.open(buffer) as image:
        assert read_metadata(image).terms == ("print",)


def test_a_picture_without_a_word_gets_none(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    save_picture(PIXELS, tmp_path / "b.png", read_picture(tmp_path / "a.png"))
    assert metadata_of(tmp_path / "b.png") == NOTHING
