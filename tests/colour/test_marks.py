"""What files say about their colours, each kind as a viewer reads it."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from lib_photoshoot.colour.icc import make_profile
from lib_photoshoot.colour.marks import GAIN_MAP, PLAIN_CMYK, TABLES
from lib_photoshoot.colour.profiles import srgb_profile
from lib_photoshoot.errors import ImageError
from lib_photoshoot.images import Picture, decode_picture

BROWN = (150, 100, 60)


def file_of(mode: str = "RGB", format_: str = "PNG", colour: Any = BROWN, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 6), colour).save(buffer, format_, **options)
    return buffer.getvalue()


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """The PNG with a chunk behind its header."""
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return png[:33] + chunk + png[33:]


def shown_colour(picture: Picture) -> np.ndarray:
    return picture.srgb[0, 0].astype(int)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_profile_is_kept_and_used(format_: str, adobe_rgb: bytes) -> None:
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(format_, {})
    picture = decode_picture(file_of(format_=format_, icc_profile=adobe_rgb, **lossless), "a")
    assert picture.icc == adobe_rgb and picture.notes == ()
    assert np.abs(picture.pixels[0, 0].astype(int) - BROWN).max() <= 2
    # Adobe RGB's red lies beyond sRGB's: more of it there, less of the others.
    assert shown_colour(picture)[0] - BROWN[0] > 5


def test_exif_says_adobe_rgb(adobe_rgb: bytes) -> None:
    for space, index, adobe in ((0xFFFF, "R03", True), (2, None, True), (1, None, False), (0xFFFF, "R98", False)):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0xA001] = space
        if index:
            exif.get_ifd(0x8769)[0xA005] = {1: index}
        data = file_of(format_="JPEG", exif=exif.tobytes(), quality=100, subsampling=0)
        picture = decode_picture(data, "a")
        assert (picture.icc is not None) == adobe, (space, index)
        assert (shown_colour(picture)[0] - BROWN[0] > 5) == adobe
    # A profile in the file says more.
    assert decode_picture(file_of(format_="JPEG", exif=exif.tobytes(), icc_profile=srgb_profile()), "a").icc


def test_png_gamma_chromaticities_and_srgb() -> None:
    gamma = struct.pack(">I", 100_000)
    linear = decode_picture(with_chunk(file_of(), b"gAMA", gamma), "a")
    assert linear.icc is not None and (shown_colour(linear) > np.array(BROWN) + 20).all()
    told = with_chunk(with_chunk(file_of(), b"gAMA", gamma), b"sRGB", b"\0")
    assert decode_picture(told, "a").icc is None
    wide = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    assert shown_colour(decode_picture(with_chunk(file_of(), b"cHRM", wide), "a"))[0] > BROWN[0] + 3
    for nonsense in (struct.pack(">8I", *[0] * 8), struct.pack(">8I", *[31270, 32900] * 4)):
        assert decode_picture(with_chunk(file_of(), b"cHRM", nonsense), "a").icc is None
    assert decode_picture(with_chunk(file_of(), b"gAMA", struct.pack(">I", 1)), "a").icc is None


def test_png_coding_points_stand_above_a_profile(adobe_rgb: bytes) -> None:
    p3 = decode_picture(with_chunk(file_of(icc_profile=adobe_rgb), b"cICP", bytes([12, 13, 0, 1])), "a")
    assert p3.icc is not None and p3.icc != adobe_rgb and shown_colour(p3)[0] > BROWN[0] + 3
    assert decode_picture(with_chunk(file_of(), b"cICP", bytes([1, 13, 0, 1])), "a").icc is None
    assert decode_picture(with_chunk(file_of(), b"cICP", bytes([99, 13, 0, 1])), "a").icc is None


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_told_and_not_guessed(transfer: int, name: str) -> None:
    with pytest.raises(ImageError, match=rf"shoe\.png is an HDR picture \({name}\).*export it as a standard"):
        decode_picture(with_chunk(file_of(), b"cICP", bytes([9, transfer, 0, 1])), "shoe.png")


@pytest.mark.parametrize(
    ("icc", "said"),
    [
        (b"damaged", "is damaged and was ignored"),
        (srgb_profile()[:300], "is damaged and was ignored"),
        (srgb_profile().replace(b"RGB ", b"GRAY", 1), "is for GRAY and not for RGB"),
        (srgb_profile()[:16] + b"CMYK" + srgb_profile()[20:], "is for CMYK and not for RGB"),
        (b"x" * (4 << 20), "is damaged and was ignored"),
    ],
    ids=["no profile", "cut off", "grey", "CMYK", "4 MB"],
)
def test_a_profile_that_cannot_be_used_is_ignored_as_browsers_do(icc: bytes, said: str) -> None:
    picture = decode_picture(file_of(format_="PNG", icc_profile=icc), "a")
    assert picture.icc is None and tuple(picture.pixels[0, 0]) == BROWN
    assert picture.note and said in picture.note


@pytest.mark.parametrize("format_", ["TIFF", "PNG", "JPEG", "WEBP"])
def test_an_empty_profile_is_none(format_: str) -> None:
    assert decode_picture(file_of(format_=format_, icc_profile=b""), "a").note is None


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_large_profile_that_can_be_used_is(format_: str, adobe_rgb: bytes) -> None:
    # As large as some printers' are; the tags stay where they were.
    large = (4 << 20).to_bytes(4, "big") + adobe_rgb[4:] + bytes((4 << 20) - len(adobe_rgb))
    picture = decode_picture(file_of(format_=format_, icc_profile=large), "a")
    assert picture.notes == () and shown_colour(picture)[0] - BROWN[0] > 5


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_profile_of_hdr_is_told(transfer: int, adobe_rgb: bytes) -> None:
    # A tag more at the table's end moves nothing: it takes the place of the description.
    place = adobe_rgb.index(b"desc")
    coding = b"cicp" + len(adobe_rgb).to_bytes(4, "big") + (12).to_bytes(4, "big")
    hdr = adobe_rgb[:place] + coding + adobe_rgb[place + 12 :] + b"cicp\0\0\0\0" + bytes([9, transfer, 0, 1])
    with pytest.raises(ImageError, match="is an HDR picture"):
        decode_picture(file_of(format_="JPEG", icc_profile=hdr), "a")


def test_a_profile_that_lies_is_measured(adobe_rgb: bytes) -> None:
    named = adobe_rgb.replace("Adobe RGB".encode("utf-16-be"), "sRGB IEC ".encode("utf-16-be"))
    picture = decode_picture(file_of(icc_profile=named), "a")
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(named)))
    assert shown_colour(picture)[0] - BROWN[0] > 5


def of_tables() -> bytes:
    """An RGB profile of one table (lut8Type, ICC.1:2022 10.10) from the corners of the cube to L*a*b*."""
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)
    to_lab = np.array([[30, 60, 10], [60, -60, 0], [30, 30, -60]])
    lab = corners @ to_lab.T * [2.55, 1, 1] + [0, 128, 128]
    steps = bytes(range(256)) * 3
    fixed = struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    table = b"mft1\0\0\0\0\3\3\2\0" + fixed + steps + np.rint(lab).astype(np.uint8).tobytes() + steps
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    head = bytearray(srgb_profile()[:128])
    head[8:12], head[20:24] = b"\2\x40\0\0", b"Lab "
    places = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"A2B0", 156 + len(white), len(table))
    body = places + white + table
    head[:4] = (128 + len(body)).to_bytes(4, "big")
    return bytes(head) + body


def test_a_profile_of_tables_is_converted_at_once() -> None:
    icc = of_tables()
    seen = ImageCms.profileToProfile(
        Image.new("RGB", (1, 1), BROWN),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),  # type: ignore[arg-type]
        outputMode="RGB",
    ).getpixel((0, 0))
    picture = decode_picture(file_of(icc_profile=icc), "a")
    assert picture.icc is None and picture.notes == (TABLES,)
    assert np.abs(shown_colour(picture) - np.array(seen)).max() <= 1 and np.abs(np.array(seen) - BROWN).max() > 5


def test_grey_with_a_grey_profile_and_alpha() -> None:
    gamma = make_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), (0.3127, 0.3290), (1.0,), "linear")
    grey = gamma[:16] + b"GRAY" + gamma[20:]
    grey = grey.replace(b"rTRC", b"kTRC", 1)
    for mode, colour in (("L", 100), ("LA", (100, 128))):
        picture = decode_picture(file_of(mode, colour=colour, icc_profile=grey), "a")
        assert picture.icc is None and set(picture.pixels[0, 0]) == {168}
        assert (picture.alpha is not None) == (mode == "LA")
    deep = Image.fromarray(np.full((4, 4), 100 * 257, np.uint16))
    buffer = io.BytesIO()
    deep.save(buffer, "PNG", icc_profile=grey)
    picture = decode_picture(buffer.getvalue(), "a")
    assert set(picture.pixels[0, 0]) == {168} and abs(int(picture.best[0, 0, 0]) - 168 * 257) < 128


def test_a_grey_profile_may_go_to_lightness() -> None:
    gamma = make_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), (0.3127, 0.3290), (1.0,), "L*")
    lightness = (gamma[:16] + b"GRAYLab " + gamma[24:]).replace(b"rTRC", b"kTRC", 1)
    picture = decode_picture(file_of("L", colour=128, icc_profile=lightness), "a")
    seen = ImageCms.profileToProfile(
        Image.new("L", (1, 1), 128),
        ImageCms.ImageCmsProfile(io.BytesIO(lightness)),
        ImageCms.createProfile("sRGB"),  # type: ignore[arg-type]
        outputMode="RGB",
    )
    assert np.abs(shown_colour(picture) - np.array(seen.getpixel((0, 0)))).max() <= 1


def test_lab_with_its_own_profile_is_nothing_to_tell() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = decode_picture(file_of("LAB", "TIFF", (130, 140, 150), icc_profile=lab), "a")
    assert picture.notes == () and np.array_equal(
        picture.pixels, decode_picture(file_of("LAB", "TIFF", (130, 140, 150)), "a").pixels
    )


def test_cmyk_without_a_profile_is_told() -> None:
    picture = decode_picture(file_of("CMYK", "JPEG", (0, 100, 200, 20)), "a")
    assert picture.notes == (PLAIN_CMYK,) and picture.icc is None


def test_a_gain_map_is_told_and_not_used() -> None:
    xmp = b'<x:xmpmeta xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    data = file_of(format_="JPEG", extra=b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)
    assert decode_picture(data, "a").notes == (GAIN_MAP,)
