"""What a picture is taken to be, and why: its own file's word, strongest first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib_photoshoot.provenance.generators import marks_in
from lib_photoshoot.provenance.metadata import NOTHING, Metadata
from lib_photoshoot.provenance.terms import COMPOSITE, SOURCE_OF, TERM_OF, DigitalSource, strongest_term


@dataclass(frozen=True)
class OriginEvidence:
    """What a picture is taken to be, and from what that was concluded, in words.

    ``metadata`` is what its file says, to be kept in what is made from it.
    """

    source: DigitalSource
    reason: str
    metadata: Metadata = NOTHING

    @property
    def term(self) -> str | None:
        """The IPTC term for it: its own where that says as much, else the one that we write; None where it has none."""
        own = self.metadata.term
        # A mark that is there is never taken away, nor made another one, whoever says what the picture is.
        return own if own is not None and SOURCE_OF[own] in TERM_OF else TERM_OF.get(self.source, own)

    @property
    def marked(self) -> Metadata:
        """The metadata with that term."""
        return self.metadata.with_term(self.term)


def evidence_in(metadata: Metadata) -> OriginEvidence | None:
    """Return what a file's own metadata says; None where they say nothing about it."""
    found = []
    if (term := strongest_term(metadata.terms)) is not None:
        found.append(OriginEvidence(SOURCE_OF[term], f"its XMP says so ({term})", metadata))
    if metadata.manifest is not None and (term := strongest_term(metadata.manifest.terms)) is not None:
        found.append(OriginEvidence(SOURCE_OF[term], f"{metadata.manifest.says}, says so ({term})", metadata))
    said = next((item for item in found if item.source in TERM_OF), None)
    if said is not None:
        return said
    found += [
        OriginEvidence(mark.source, f"{mark.reason}, says its {mark.place}", metadata)
        for mark in marks_in(metadata.places)
    ]
    return strongest(*found) if found else None


def in_new_scene(metadata: Metadata, generated: bool) -> Metadata:
    """Return what a picture says of itself whose products stand in another scene than in the one with ``metadata``.

    ``generated``: a trained model made some of that scene. Without one the picture is a composite; where nothing was
    said before, nothing is.
    """
    own = metadata.term
    if generated:
        return OriginEvidence(DigitalSource.EDITED, "its scene is another", metadata).marked
    if own is None or SOURCE_OF[own] not in (DigitalSource.PHOTO, DigitalSource.RETOUCHED):
        return metadata
    # Of a manifest only its term is written on, which is no longer true.
    return replace(metadata, manifest=None).with_term(COMPOSITE)


def strongest(*evidence: OriginEvidence) -> OriginEvidence:
    """Return the one that says the most: a cut-out may have lost what its picture has."""
    order = list(DigitalSource)
    return min(evidence, key=lambda item: order.index(item.source))
