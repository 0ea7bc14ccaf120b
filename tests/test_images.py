"""Reading and writing of pictures, with every kind of file that users hand in."""

from __future__ import annotations

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from lib_photoshoot.errors import ImageError
from lib_photoshoot.files import shown
from lib_photoshoot.images import PIXEL_LIMIT, read_picture, save_picture


def gradient(height: int = 24, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 7 % 256, y * 9 % 256, (x + y) * 3 % 256], axis=2).astype(np.uint8)


def png_header_only(path: Path, width: int, height: int) -> None:
    """A PNG that claims a size and holds almost no data: what a decompression bomb looks like from outside."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_formats_come_back_equal(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save_picture(gradient(), path)
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, gradient())
    assert (picture.width, picture.height, picture.alpha) == (32, 24, None)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_exif_orientation_is_applied_and_dropped(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    Image.fromarray(gradient()).save(path, exif=exif)
    with Image.open(path) as image:
        from PIL import ImageOps

        image.load()
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    picture = read_picture(path)
    assert np.array_equal(picture.pixels, expected)
    saved = tmp_path / "saved.png"
    save_picture(picture.pixels, saved, picture)
    with Image.open(saved) as image:
        assert 0x0112 not in image.getexif()
        if suffix != ".tif":
            assert image.getexif()[0x010F] == "Maker"


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        picture = read_picture(tmp_path / name)
        assert np.array_equal(picture.pixels[:, :, 1].ravel(), np.arange(256))


def test_float_tiff_is_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)).save(tmp_path / "a.tif")
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels[:, :, 0].ravel(), np.arange(256))


def test_palette_grey_bilevel_and_cmyk(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "p.png")
    assert np.abs(read_picture(tmp_path / "p.png").pixels.astype(int) - red).max() <= 4
    Image.new("L", (8, 8), 77).save(tmp_path / "l.png")
    assert (read_picture(tmp_path / "l.png").pixels == 77).all()
    Image.new("1", (1, 1), 1).save(tmp_path / "one.png")
    assert read_picture(tmp_path / "one.png").pixels.tolist() == [[[255, 255, 255]]]
    Image.fromarray(red).convert("CMYK").save(tmp_path / "c.jpg", quality=100)
    assert np.abs(read_picture(tmp_path / "c.jpg").pixels.astype(int) - red).max() <= 6


def test_alpha_and_profile_survive_a_round_trip(tmp_path: Path) -> None:
    alpha = np.arange(24 * 32, dtype=np.uint32).reshape(24, 32).astype(np.uint8)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(np.dstack([gradient(), alpha])).save(tmp_path / "a.png", icc_profile=icc)
    picture = read_picture(tmp_path / "a.png")
    save_picture(picture.pixels, tmp_path / "b.png", picture)
    again = read_picture(tmp_path / "b.png")
    assert again.icc == icc
    assert again.alpha is not None and np.array_equal(again.alpha, alpha)
    assert np.array_equal(again.pixels, gradient())
    save_picture(picture.pixels, tmp_path / "b.jpg", picture)
    assert read_picture(tmp_path / "b.jpg").alpha is None


def test_profile_of_another_colour_space_is_not_kept(tmp_path: Path) -> None:
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    icc[16:20] = b"GRAY"
    Image.new("L", (4, 4), 9).save(tmp_path / "a.png", icc_profile=bytes(icc))
    assert read_picture(tmp_path / "a.png").icc is None


def test_transparent_palette(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=0)
    picture = read_picture(tmp_path / "a.png")
    assert picture.alpha is not None and picture.alpha.tolist() == [[0, 255]]
    assert picture.pixels.tolist() == [[[255, 0, 0], [0, 255, 0]]]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_gives_its_first_frame_and_a_note(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if suffix == ".webp" else {}
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], **options)
    picture = read_picture(tmp_path / f"a{suffix}")
    assert (picture.pixels == [255, 0, 0]).all()
    assert picture.frames == 3 and "first of 3" in str(picture.note)


def test_bomb_is_refused_from_its_header_and_pillow_is_left_as_it_was(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    for side in (15_000, 60_000):
        assert side * side > PIXEL_LIMIT
        png_header_only(tmp_path / "bomb.png", side, side)
        with pytest.raises(ImageError, match=r"bomb\.png has .*megapixels"):
            read_picture(tmp_path / "bomb.png")
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_large_picture_under_the_limit(tmp_path: Path) -> None:
    Image.new("L", (12_000, 12_000), 50).save(tmp_path / "large.png", compress_level=1)
    picture = read_picture(tmp_path / "large.png")
    assert picture.pixels.shape == (12_000, 12_000, 3) and picture.pixels[-1, -1].tolist() == [50, 50, 50]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".tif"])
def test_truncated_even_where_the_host_allows_it(tmp_path: Path, suffix: str, monkeypatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="export") as caught:
        read_picture(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_each_bad_file_gets_its_own_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture at all")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    expected = {
        "empty.png": "is empty",
        "text.png": "is not a picture",
        "link.png": "is a link to a file that does not exist",
        "gone.png": "does not exist",
        "pipe.png": "is not a file",
        "loop.png": "damaged",
    }
    for name, sentence in expected.items():
        with pytest.raises(ImageError) as caught:
            read_picture(tmp_path / name)
        assert sentence in str(caught.value) and name in str(caught.value) and str(caught.value).endswith(".")


def test_no_permission() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.png")
        Image.new("RGB", (2, 2)).save(path)
        path.chmod(0)
        root = os.geteuid() == 0
        if root:  # root may read everything, so become nobody for the reading
            os.chmod(folder, 0o755)
            os.seteuid(65534)
        try:
            with pytest.raises(ImageError, match="may not be read"):
                read_picture(path)
        finally:
            if root:
                os.seteuid(0)


def test_save_errors_are_sentences_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="suffix"):
        save_picture(gradient(), tmp_path / "a.xyz")
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="cannot be written"):
        save_picture(gradient(), tmp_path / "file" / "a.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(ImageError, match="cannot be written"):
        save_picture(gradient(), tmp_path / "taken.png")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "taken.png"]


def test_names_in_messages_stay_on_one_line() -> None:
    assert shown("a\nb.png") == "a\\nb.png"
    assert shown("čaj 袋.png") == "čaj 袋.png"
    assert shown(os.fsdecode(b"\xff.png")).isprintable()


def test_readers_in_several_threads_leave_pillow_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    limit = Image.MAX_IMAGE_PIXELS
    whole, cut = tmp_path / "whole.png", tmp_path / "cut.png"
    Image.effect_noise((300, 300), 80).save(whole)
    cut.write_bytes(whole.read_bytes()[:-2000])

    def read(number: int) -> bool:
        try:
            read_picture(cut if number % 2 else whole)
        except ImageError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(40))) == [number % 2 == 0 for number in range(40)]
    assert (True, limit) == (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
