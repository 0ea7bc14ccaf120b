"""What each generator, XMP's writers and C2PA write is known again."""

from __future__ import annotations

import pytest

from lib_photoshoot.provenance import xmp
from lib_photoshoot.provenance.generators import marks_in
from lib_photoshoot.provenance.terms import SOURCE_OF, TERMS, DigitalSource, strongest_term, term_named

GENERATED, EDITED = DigitalSource.GENERATED, DigitalSource.EDITED
INFOTEXT = "a shoe\nSteps: 20, Sampler: Euler a, Seed: 42"
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"


def packet(inside: str = "", attributes: str = "") -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" xmlns:e="{EXT}" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {attributes}>'
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize(
    ("place", "text", "generator", "source"),
    [
        ("parameters", INFOTEXT, "AUTOMATIC1111", GENERATED),
        ("UserComment", INFOTEXT, "AUTOMATIC1111", GENERATED),
        ("parameters", INFOTEXT + ", Mask blur: 4", "AUTOMATIC1111", EDITED),
        ("prompt", '{"3": {"class_type": "KSampler"}}', "ComfyUI", GENERATED),
        ("prompt", '{"3": {"class_type": "VAEEncodeForInpaint"}}', "ComfyUI", EDITED),
        ("workflow", '{"nodes": []}', "ComfyUI", GENERATED),
        ("Make", 'workflow:{"nodes": []}', "ComfyUI", GENERATED),
        ("parameters", '{"sui_image_params": {"prompt": "a"}}', "SwarmUI", GENERATED),
        ("fooocus_scheme", "fooocus", "Fooocus", GENERATED),
        ("Software", "Fooocus v2.5.5", "the generator that it names", GENERATED),
        ("parameters", '{"prompt": "a", "version": "Fooocus v2.5.5"}', "Fooocus", GENERATED),
        ("invokeai_metadata", '{"generation_mode": "txt2img"}', "InvokeAI", GENERATED),
        ("invokeai_metadata", '{"generation_mode": "sdxl_inpaint"}', "InvokeAI", EDITED),
        ("Dream", '"a shoe" -s 20 -S 42 -W 512', "InvokeAI", GENERATED),
        ("Software", "NovelAI", "NovelAI", GENERATED),
        ("Description", "a shoe --v 7 Job ID: 01234567-89ab-cdef-0123-456789abcdef", "Midjourney", GENERATED),
        ("CreatorTool", "Draw Things", "Draw Things", GENERATED),
        ("use_stable_diffusion_model", "sd-v1-5", "Easy Diffusion", GENERATED),
        ("Credit", "Made with Google AI", "Google", GENERATED),
        ("AIGC", '{"Label": "1"}', "AIGC", GENERATED),
        ("comment", '{"seed": 1, "prompt": "a shoe"}', "a generator", GENERATED),
    ],
)
def test_a_generators_mark(place: str, text: str, generator: str, source: DigitalSource) -> None:
    (mark,) = marks_in([(place, text)])
    assert generator in mark.generator and mark.source is source


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("Software", "Adobe Photoshop 26.0"),
        ("Make", "NIKON CORPORATION"),
        ("Description", "a red shoe"),
        ("comment", "CREATOR: gd-jpeg v1.0"),
        ("parameters", "a note by hand, Seed: 1"),
        ("Comment", '{"title": "seed catalogue"}'),
        ("UserComment", "Steps: 20 to the top"),
    ],
)
def test_what_is_no_mark(place: str, text: str) -> None:
    assert marks_in([(place, text)]) == []


@pytest.mark.parametrize("value", ["{}", "https{}", "digsrctype:x", "bare", "spaced"])
@pytest.mark.parametrize("term", SOURCE_OF)
def test_every_term_however_it_is_written(term: str, value: str) -> None:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in term)
    forms = {"{}": TERMS + term, "https{}": TERMS.replace("http:", "https:") + term + "/", "spaced": spaced}
    assert term_named(forms.get(value, f"digsrctype:{term}" if value.startswith("dig") else term)) == term


def test_a_value_that_is_no_term() -> None:
    assert term_named(TERMS + "somethingNew") is None and term_named("") is None
    assert strongest_term(["digitalCapture", "compositeSynthetic"]) == "compositeSynthetic"
    assert strongest_term([]) is None


ADDRESS = TERMS + "compositeSynthetic"


@pytest.mark.parametrize(
    "written",
    [
        packet(f"<e:DigitalSourceType>{ADDRESS}</e:DigitalSourceType>"),
        packet(attributes=f'e:DigitalSourceType="{ADDRESS}"'),
        packet(attributes=f"e:DigitalSourceType='{ADDRESS.replace('http:', 'https:')}'"),
        packet(f'<e:DigitalSourceType rdf:resource="{ADDRESS}"/>'),
        packet(f"<e:DigitalSourceType><rdf:Bag><rdf:li>{ADDRESS}</rdf:li></rdf:Bag></e:DigitalSourceType>"),
        packet(f"<e:DigitalSourceType>{ADDRESS}</e:DigitalSourceType>").decode().encode("utf-16-le"),
        packet(f"<e:DigitalSourceType>{ADDRESS}</e:DigitalSourceType>")[:-30],
        b'\xef\xbb\xbf<?xpacket begin=""?>' + packet(attributes=f'e:DigitalSourceType="{ADDRESS}"') + b"\0\0",
    ],
)
def test_the_term_as_element_as_attribute_and_in_a_damaged_packet(written: bytes) -> None:
    assert xmp.terms_in(written) == ("compositeSynthetic",)


def test_another_property_with_a_terms_address_is_no_source_type() -> None:
    assert xmp.terms_in(packet(f"<dc:source>{ADDRESS}</dc:source>")) == ()


@pytest.mark.parametrize(
    "before",
    [
        packet("<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator>"),
        packet("<dc:rights>Ann</dc:rights>", f'e:DigitalSourceType="{TERMS}digitalCapture"'),
        packet(f"<e:DigitalSourceType>{TERMS}print</e:DigitalSourceType><dc:rights>Ann</dc:rights>"),
    ],
)
def test_a_term_is_set_and_all_else_stays(before: bytes) -> None:
    after = xmp.with_term(before, "trainedAlgorithmicMedia")
    assert xmp.terms_in(after) == ("trainedAlgorithmicMedia",) and b"Ann" in after


@pytest.mark.parametrize("before", [None, b"", b"no packet", packet() * 2, b"<!DOCTYPE a>" + packet()])
def test_where_nothing_can_be_changed_a_packet_of_our_own_is_made(before: bytes | None) -> None:
    assert xmp.with_term(before, "print") == xmp.packet("print")


def test_turned_pixels_have_no_orientation() -> None:
    for before in (packet(attributes='tiff:Orientation="6"'), packet("<tiff:Orientation>6</tiff:Orientation>")):
        assert ("Orientation", "1") in xmp.properties(xmp.upright(before))
