"""Whether a picture was generated: its own word, or that of the run that wrote it.

IPTC's ``DigitalSourceType`` (https://iptc.org/std/photometadata/specification/IPTC-PhotoMetadata#digital-source-type)
is what sales channels read. Generated and generatively edited pictures carry it; retouching without a diffusion model
makes no trained algorithmic media, so those carry none but their own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, read_records
from lib_photoshoot.catalog.scenes import scene_of
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.images import PICTURE_FORMATS, PIXEL_LIMIT
from lib_photoshoot.provenance.evidence import OriginEvidence, evidence_in
from lib_photoshoot.provenance.metadata import NOTHING, Metadata, read_metadata
from lib_photoshoot.provenance.terms import DigitalSource
from lib_photoshoot.workload import open_image


def source_of(path: str | os.PathLike[str]) -> OriginEvidence:
    """Return what a picture is, by its own metadata, or the run that wrote it; without any, a photo.

    A file that cannot be read counts as one without metadata: reading its pixels tells what is wrong with it.
    """
    metadata = metadata_of(Path(path))
    own = evidence_in(metadata)
    if own is not None:
        return own
    record = _record_of(Path(path))
    if record is None:
        return OriginEvidence(DigitalSource.PHOTO, "nothing in its file says that it was generated", metadata)
    whole = Path(os.path.abspath(path)).as_posix().endswith(f"/{record.output_in('enhanced') or 'none'}")
    scene = scene_of(record.entry) if whole else {}
    if scene.get("generated"):
        return OriginEvidence(DigitalSource.EDITED, "its run had its scene painted", metadata)
    before = metadata_of(Path(record.file))
    original = evidence_in(before)
    if original is not None:
        return OriginEvidence(
            original.source, f"made from {shown(os.path.basename(record.file))}: {original.reason}", before
        )
    if not os.path.exists(record.file):
        reason = f"{shown(record.file)}, from which it was made, is gone; --source tells better"
        return OriginEvidence(DigitalSource.RETOUCHED, reason, metadata)
    made = "put the products of a photo into a new scene" if scene else "retouched a photo"
    return OriginEvidence(DigitalSource.RETOUCHED, f"its run {made}", metadata)


def metadata_of(path: Path) -> Metadata:
    """Return the metadata of a picture file; nothing of one that cannot be read."""
    # Damaged files raise many kinds in Pillow.
    with suppress(Exception), open(path, "rb") as file, open_image(file, shown(path), PICTURE_FORMATS) as image:
        if image.format == "PNG" and image.width * image.height <= PIXEL_LIMIT:
            # Its texts may stand behind its pixels.
            with suppress(Exception):
                image.load()
        return read_metadata(image, file)
    return NOTHING


def _record_of(path: Path) -> Record | None:
    """Return the record of the filter's run that wrote a picture: its folder is the nearest above with a ledger."""
    path = Path(os.path.abspath(path))
    for folder in path.parents:
        ledger = folder / LEDGER_NAME
        with suppress(OSError):
            return _records(ledger, stamp_of(ledger)).get(path.relative_to(folder).as_posix())
    return None


@lru_cache(maxsize=4)
def _records(ledger: Path, stamp: object) -> dict[str, Record]:
    """Return records by output file; the stamp renews the cache when the file has changed. Raises OSError."""
    return {output: record for record in read_records(ledger) for output in record.outputs}
