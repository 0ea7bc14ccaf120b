"""What a picture is taken to be, and the XMP that says so, read back by exiftool from every format."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record
from lib_photoshoot.export.encoding import encode
from lib_photoshoot.export.profile import FORMATS
from lib_photoshoot.export.provenance import source_of
from lib_photoshoot.provenance.evidence import OriginEvidence, strongest
from lib_photoshoot.provenance.metadata import Metadata
from lib_photoshoot.provenance.terms import TERM_OF, TERMS, DigitalSource
from tests.export.conftest import INFOTEXT, save_cutout

PIXELS = np.full((40, 60, 3), 200, np.uint8)


def marked(source: DigitalSource) -> Metadata:
    return OriginEvidence(source, "").marked


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("source", DigitalSource)
def test_exiftool_reads_the_source_type_and_the_profile(
    tmp_path: Path, exiftool, format_: str, source: DigitalSource
) -> None:
    path = tmp_path / f"a{FORMATS[format_]}"
    path.write_bytes(encode(PIXELS, format_, 90, marked(source)))
    tags = exiftool(path)
    expected = TERMS + TERM_OF[source] if source in TERM_OF else None
    assert tags.get("XMP-iptcExt:DigitalSourceType") == expected
    assert "sRGB" in tags["ICC_Profile:ProfileDescription"]
    assert not [name for name in tags if name.startswith("ExifTool:") and ("Error" in name or "Warning" in name)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("source", [DigitalSource.GENERATED, DigitalSource.EDITED])
def test_our_own_files_are_known_again(tmp_path: Path, format_: str, source: DigitalSource) -> None:
    path = tmp_path / f"a{FORMATS[format_]}"
    path.write_bytes(encode(PIXELS, format_, 90, marked(source)))
    with Image.open(path) as image:
        assert image.size == (60, 40)
    assert source_of(path).source is source


def test_what_exiftool_wrote_is_understood(tmp_path: Path, exiftool) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(PIXELS).save(path)
    tag = f"-XMP-iptcExt:DigitalSourceType={TERMS}compositeWithTrainedAlgorithmicMedia"
    subprocess.run(["exiftool", "-q", "-overwrite_original", tag, str(path)], check=True)
    assert source_of(path).source is DigitalSource.EDITED


def test_without_a_word_about_it_a_picture_is_a_photo(tmp_path: Path) -> None:
    assert source_of(save_cutout(tmp_path / "a.png")).source is DigitalSource.PHOTO


def test_infotext_in_png_and_in_exif(tmp_path: Path) -> None:
    assert source_of(save_cutout(tmp_path / "a.png", infotext=INFOTEXT)).source is DigitalSource.GENERATED
    inpainted = INFOTEXT + ", Denoising strength: 0.5, Mask blur: 4"
    assert source_of(save_cutout(tmp_path / "b.png", infotext=inpainted)).source is DigitalSource.EDITED
    assert source_of(save_cutout(tmp_path / "c.png", infotext="a note by hand")).source is DigitalSource.PHOTO
    for number, body in enumerate((INFOTEXT.encode("utf-16-be"), INFOTEXT.encode("utf-16-le"))):
        exif = Image.Exif()
        exif[0x8769] = {0x9286: b"UNICODE\0" + body}
        for suffix in (".jpg", ".webp"):
            path = tmp_path / f"{number}{suffix}"
            Image.fromarray(PIXELS).save(path, exif=exif)
            assert source_of(path).source is DigitalSource.GENERATED


def _run_folder(folder: Path, original: Path, output: str) -> Path:
    path = save_cutout(folder / output)
    record = Record(str(original), "a", 1, 1, (output,), {"regions": []})
    (folder / LEDGER_NAME).write_bytes(b'{"program":"product-photoshoot"}\n' + record.to_line() + b"torn")
    return path


def test_a_runs_outputs_are_what_their_original_is(tmp_path: Path) -> None:
    generated = save_cutout(tmp_path / "generated.png", infotext=INFOTEXT)
    photo = save_cutout(tmp_path / "photo.png")
    first = _run_folder(tmp_path / "one", generated, "cutouts/a_1_shoe.png")
    assert source_of(first).source is DigitalSource.GENERATED and "generated.png" in source_of(first).reason
    second = _run_folder(tmp_path / "two", photo, "cutouts/a_1_shoe.png")
    assert source_of(second).source is DigitalSource.RETOUCHED
    os.unlink(photo)
    assert "is gone" in source_of(second).reason
    stranger = save_cutout(tmp_path / "two" / "cutouts" / "other.png")
    assert source_of(stranger).source is DigitalSource.PHOTO


def test_a_longer_ledger_is_read_again(tmp_path: Path) -> None:
    original = save_cutout(tmp_path / "photo.png")
    path = _run_folder(tmp_path / "run", original, "cutouts/a.png")
    assert source_of(path).source is DigitalSource.RETOUCHED
    later = save_cutout(tmp_path / "run" / "cutouts" / "b.png")
    with open(tmp_path / "run" / LEDGER_NAME, "ab") as file:
        file.write(b"\n" + Record(str(original), "b", 1, 1, ("cutouts/b.png",), {"regions": []}).to_line())
    assert source_of(later).source is DigitalSource.RETOUCHED


def test_the_strongest_evidence_counts(tmp_path: Path) -> None:
    photo = source_of(save_cutout(tmp_path / "a.png"))
    generated = source_of(save_cutout(tmp_path / "b.png", infotext=INFOTEXT))
    assert strongest(photo, generated) is generated and strongest(generated, photo) is generated


def test_files_without_readable_metadata_count_as_photos(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(json.dumps({}).encode())
    assert source_of(tmp_path / "a.png").source is DigitalSource.PHOTO
    assert source_of(tmp_path / "gone.png").source is DigitalSource.PHOTO
