"""A folder of training pictures, with everything that users put into one."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.images import read_picture, save_picture
from lib_photoshoot.perceptual_hash import NEAR_DUPLICATE, difference_hash
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Decision, FilterResult, ProductRegion
from lib_photoshoot.training.dataset.buckets import Bucket, BucketSettings
from lib_photoshoot.training.dataset.curation import curate
from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, Severity
from lib_photoshoot.training.dataset.pictures import enter
from lib_photoshoot.training.dataset.scanning import scan

TAG = "ppzocketv2"
FINE = f"{TAG}, a cup"


def scene(seed: int, width: int = 480, height: int = 400) -> np.ndarray:
    """A picture like no other seed's: a few large areas of random colours."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC))


def add(folder: Path, name: str, seed: int = 1, caption: str | bytes | None = FINE, size: tuple[int, int] = (480, 400)):
    path = folder / name
    Image.fromarray(scene(seed, *size)).save(path, quality=92)
    if caption is not None:
        data = caption if isinstance(caption, bytes) else caption.encode()
        path.with_suffix(".txt").write_bytes(data)
    return path


def about(dataset: Dataset, file: str) -> dict[FindingKind, Finding]:
    return {finding.kind: finding for finding in dataset.findings_of(file)}


def only(dataset: Dataset) -> Finding:
    """The one finding, whose sentence is fit for a user."""
    assert len(dataset.findings) == 1, dataset.findings
    finding = dataset.findings[0]
    assert finding.text.endswith(".") and "\n" not in finding.text
    assert finding.file in finding.text or Path(finding.file).stem in finding.text
    return finding


def test_a_good_folder_has_no_findings(tmp_path: Path) -> None:
    names = ["a.jpg", "b.PNG", "c.JpEg", "d.webp", "e.bmp"]
    for seed, name in enumerate(names, 1):
        add(tmp_path, name, seed)
    (tmp_path / "sub").mkdir()
    add(tmp_path / "sub", "z.jpg")
    add(tmp_path, ".hidden.jpg")
    before = sorted((item, item.stat().st_mtime_ns) for item in tmp_path.rglob("*"))
    dataset = scan(tmp_path, TAG)
    assert [image.name for image in dataset.images] == names
    assert (dataset.findings, dataset.problems, dataset.notes, dataset.uncaptioned) == ((), (), (), ())
    assert dataset.usable
    assert dataset.captions == dict.fromkeys(names, FINE)
    assert {(image.width, image.height) for image in dataset.images} == {(480, 400)}
    assert sorted((item, item.stat().st_mtime_ns) for item in tmp_path.rglob("*")) == before


def test_buckets_and_steps_are_counted(tmp_path: Path) -> None:
    for number in range(1, 6):
        add(tmp_path, f"wide{number}.png", number, size=(480, 270))
    add(tmp_path, "tall.png", 9, size=(270, 480))
    dataset = scan(tmp_path, TAG, BucketSettings(512, lowest=256, highest=1024))
    assert dataset.buckets == {Bucket(384, 640): 1, Bucket(640, 384): 5}
    assert list(dataset.buckets) == sorted(dataset.buckets)
    assert dataset.steps_per_epoch(repeats=1, batch=2) == 4
    assert dataset.steps_per_epoch(repeats=3, batch=2, accumulation=2, processes=2) == 3
    tall = dataset.images[0]
    assert tall.bucket == Bucket(384, 640)
    assert tall.crop == pytest.approx((0, 15, 270, 465), abs=1)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_an_unreadable_picture_is_named_and_left_out(tmp_path: Path, damage: str) -> None:
    add(tmp_path, "good.jpg", 1)
    bad = add(tmp_path, "bad.jpg", 2)
    data = bad.read_bytes()
    # The header of the truncated one is whole.
    bad.write_bytes({"truncated": data[: len(data) // 2], "text": b"no picture", "empty": b""}[damage])
    dataset = scan(tmp_path, TAG)
    assert [image.name for image in dataset.images] == ["good.jpg"]
    finding = only(dataset)
    assert (finding.kind, finding.severity, finding.file) == (FindingKind.UNREADABLE, Severity.PROBLEM, "bad.jpg")
    assert dataset.usable


def test_a_folder_of_unreadable_pictures_is_told_but_not_usable(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    dataset = scan(tmp_path, TAG)
    assert (dataset.images, dataset.usable, dataset.buckets) == ((), False, {})
    assert dataset.steps_per_epoch(6, 2) == 0


@pytest.mark.parametrize(("side", "smallest", "left_out"), [(63, 64, True), (64, 64, False), (199, 200, True)])
def test_a_tiny_picture_is_left_out(tmp_path: Path, side: int, smallest: int, left_out: bool) -> None:
    add(tmp_path, "a.png", 1, size=(300, side))
    dataset = scan(tmp_path, TAG, smallest=smallest)
    assert (not dataset.images) == left_out
    if left_out:
        finding = only(dataset)
        assert (finding.kind, finding.severity) == (FindingKind.TOO_SMALL, Severity.PROBLEM)
        assert f"300x{side}" in finding.text


def test_a_picture_that_fits_no_bucket_is_left_out(tmp_path: Path) -> None:
    add(tmp_path, "a.png", 1, size=(300, 100))
    dataset = scan(tmp_path, TAG, BucketSettings(768, steps=128, no_upscale=True))
    assert (only(dataset).kind, dataset.images) == (FindingKind.TOO_SMALL, ())


def test_strong_enlarging_is_noted(tmp_path: Path) -> None:
    add(tmp_path, "a.png", 1, size=(383, 383))
    add(tmp_path, "b.png", 2, size=(384, 384))
    finding = only(scan(tmp_path, TAG))
    assert (finding.kind, finding.severity, finding.file) == (FindingKind.ENLARGED, Severity.NOTE, "a.png")
    assert "2.0 times" in finding.text and "768x768" in finding.text


def test_a_strong_crop_is_noted(tmp_path: Path) -> None:
    add(tmp_path, "a.png", 1, size=(2400, 400))
    finding = only(scan(tmp_path, TAG))
    assert (finding.kind, finding.severity) == (FindingKind.CROPPED, Severity.NOTE)
    assert "33%" in finding.text and "1280x320" in finding.text


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_turned_picture_is_measured_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(scene(1, 600, 400)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.txt").write_text(FINE)
    dataset = scan(tmp_path, TAG)
    image = dataset.images[0]
    assert image.rotated == (orientation != 1)
    assert (image.width, image.height) == ((400, 600) if orientation == 6 else (600, 400))
    assert image.bucket == (Bucket(640, 896) if orientation == 6 else Bucket(896, 640))
    if image.rotated:
        assert (only(dataset).kind, only(dataset).severity) == (FindingKind.ROTATED, Severity.NOTE)
    else:
        assert not dataset.findings


def test_copies_are_found_whatever_their_size_and_quality(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1, size=(960, 800))
    add(tmp_path, "b.jpg", 2)
    Image.fromarray(scene(1, 960, 800)).resize((480, 400)).save(tmp_path / "c.jpg", quality=40)
    (tmp_path / "c.txt").write_text(FINE)
    finding = only(scan(tmp_path, TAG))
    assert (finding.kind, finding.severity, finding.file) == (FindingKind.DUPLICATE, Severity.NOTE, "c.jpg")
    assert "a.jpg" in finding.text


def test_no_two_real_photos_are_taken_for_copies_and_their_copies_are(shared_data: Path) -> None:
    hashes, worst = [], 0
    for path in sorted((shared_data / "product_photos").glob("*.jpg")):
        pixels = read_picture(path).pixels
        hashes.append(difference_hash(pixels))
        small = Image.fromarray(pixels)
        small.thumbnail((300, 300))
        saved = io.BytesIO()
        small.save(saved, "JPEG", quality=50)
        copy = np.asarray(Image.open(saved))
        worst = max(worst, (difference_hash(copy) ^ hashes[-1]).bit_count())
    nearest = min((a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i])
    print(f"copies differ in at most {worst} of 64 bits, different photos in at least {nearest}")
    assert worst <= NEAR_DUPLICATE < nearest


CAPTIONS: list[tuple[bytes | None, FindingKind, Severity, str | None]] = [
    (None, FindingKind.CAPTION_MISSING, Severity.PROBLEM, None),
    (b"", FindingKind.CAPTION_EMPTY, Severity.PROBLEM, ""),
    (b" \n", FindingKind.CAPTION_EMPTY, Severity.PROBLEM, ""),
    (b"\nppzocketv2, a cup", FindingKind.CAPTION_EMPTY, Severity.PROBLEM, ""),
    ("ppzocketv2, a café".encode("cp1252"), FindingKind.CAPTION_ENCODING, Severity.PROBLEM, "ppzocketv2, a café"),
    ("ppzocketv2, a café".encode("utf-16"), FindingKind.CAPTION_ENCODING, Severity.PROBLEM, "ppzocketv2, a café"),
    ("ppzocketv2, a café".encode("utf-8-sig"), FindingKind.CAPTION_ENCODING, Severity.NOTE, "ppzocketv2, a café"),
    (b"ppzocketv2, a cup\r\nred", FindingKind.CAPTION_LINES, Severity.NOTE, "ppzocketv2, a cup"),
    (b"a cup", FindingKind.TAG_MISSING, Severity.PROBLEM, "a cup"),
    (b"ppzocketv2 a cup", FindingKind.TAG_MISSING, Severity.PROBLEM, "ppzocketv2 a cup"),
    (b"a cup, ppzocketv2", FindingKind.TAG_NOT_FIRST, Severity.PROBLEM, "a cup, ppzocketv2"),
    (b"ppzocketv2, a cup, ppzocketv2", FindingKind.TAG_TWICE, Severity.NOTE, "ppzocketv2, a cup, ppzocketv2"),
]


@pytest.mark.parametrize(("data", "kind", "severity", "caption"), CAPTIONS)
def test_every_flaw_of_a_caption_is_told(
    tmp_path: Path, data: bytes | None, kind: FindingKind, severity: Severity, caption: str | None
) -> None:
    add(tmp_path, "a.jpg", 1, data)
    dataset = scan(tmp_path, TAG)
    finding = only(dataset)
    assert (finding.kind, finding.severity) == (kind, severity)
    assert dataset.images[0].caption == caption
    assert dataset.usable == bool(caption)
    assert bool(dataset.uncaptioned) != dataset.usable
    assert dataset.captions == {"a.jpg": caption or ""}
    assert (dataset.problems, dataset.notes)[severity is Severity.NOTE] == (finding,)


def test_an_ended_line_is_no_second_line_and_the_guess_is_named(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1, FINE + "\n\n")
    assert not scan(tmp_path, TAG).findings
    add(tmp_path, "a.jpg", 1, "ppzocketv2, café".encode("cp1252"))
    assert "Windows-1252 (cp1252)" in only(scan(tmp_path, TAG)).text
    add(tmp_path, "a.jpg", 1, "ppzocketv2, café".encode("utf-16"))
    assert "UTF-16" in only(scan(tmp_path, TAG)).text


def test_without_a_tag_captions_are_not_held_to_one(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1, "a cup")
    assert not scan(tmp_path, "").findings


def test_several_flaws_of_one_caption_are_all_told(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1, "a café, ppzocketv2, ppzocketv2\nmore".encode("cp1252"))
    assert list(about(scan(tmp_path, TAG), "a.jpg")) == [
        FindingKind.CAPTION_ENCODING,
        FindingKind.CAPTION_LINES,
        FindingKind.TAG_NOT_FIRST,
        FindingKind.TAG_TWICE,
    ]


def test_texts_without_a_picture_are_no_captions(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1)
    (tmp_path / "image_list.txt").write_text('"photographer"')
    dataset = scan(tmp_path, TAG)
    finding = only(dataset)
    assert (finding.kind, finding.severity) == (FindingKind.TEXT_WITHOUT_IMAGE, Severity.NOTE)
    assert finding.file == "image_list.txt"
    assert dataset.captions == {"a.jpg": FINE}


def test_two_pictures_cannot_share_a_caption(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1)
    add(tmp_path, "a.png", 2)
    finding = only(scan(tmp_path, TAG))
    assert (finding.kind, finding.severity, finding.file) == (FindingKind.SAME_STEM, Severity.PROBLEM, "a.png")
    assert "a.jpg" in finding.text and "a.txt" in finding.text


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".gif", ".heic"])
def test_pictures_of_other_kinds_enter_the_run_as_the_trainer_reads_them(tmp_path: Path, suffix: str) -> None:
    folder, run = tmp_path / "photos", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    path = folder / f"b{suffix}"
    first, second = (Image.fromarray(scene(seed)) for seed in (1, 2))
    if suffix == ".heic":
        pytest.importorskip("pillow_heif").from_pillow(first).save(path, quality=95)
    else:
        first.save(path, **({"save_all": True, "append_images": [second]} if suffix == ".gif" else {}))
    (folder / "b.txt").write_text(FINE)
    (folder / "notes.pdf").touch()
    dataset = scan(folder, TAG)
    finding = only(dataset)
    assert (finding.kind, finding.severity) == (FindingKind.OTHER_FORMAT, Severity.NOTE)
    assert ("first picture" in finding.text) == (suffix == ".gif")
    assert dataset.captions == {path.name: FINE}
    assert enter(path, run) == "b.png"
    with Image.open(run / "b.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (480, 400))
        assert np.abs(np.asarray(image).astype(int) - scene(1)).mean() < 12


def test_a_jpeg_under_a_suffix_that_the_trainer_does_not_look_for_becomes_a_png(tmp_path: Path) -> None:
    source = add(tmp_path, "a.jpg").rename(tmp_path / "a.tif")
    (tmp_path / "run").mkdir()
    assert enter(source, tmp_path / "run") == "a.png"


def test_a_picture_that_cannot_be_read_here_is_told(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1)
    (tmp_path / "b.jxl").write_bytes(b"\xff\x0a" + bytes(80))
    dataset = scan(tmp_path, TAG)
    assert (only(dataset).kind, only(dataset).severity) == (FindingKind.UNREADABLE, Severity.PROBLEM)
    assert "JPEG XL" in only(dataset).text and len(dataset.images) == 1


def test_a_caption_file_may_have_any_case(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg", 1, None)
    (tmp_path / "a.TXT").write_text("ppzocketv2, upper")
    assert scan(tmp_path, TAG).captions == {"a.jpg": "ppzocketv2, upper"}
    (tmp_path / "a.txt").write_text("ppzocketv2, lower")
    assert scan(tmp_path, TAG).captions == {"a.jpg": "ppzocketv2, lower"}


def test_an_unreadable_caption_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, "a.jpg", 1)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    dataset = scan(tmp_path, TAG)
    assert (only(dataset).kind, only(dataset).severity) == (FindingKind.CAPTION_UNREADABLE, Severity.PROBLEM)
    assert not dataset.usable


def test_a_missing_folder_a_file_and_an_empty_folder_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    for name, words in (("absent", "does not exist"), ("file", "is a file"), ("empty", "has no PNG, JPEG")):
        with pytest.raises(TrainingError, match=words) as raised:
            scan(tmp_path / name, TAG)
        assert name in str(raised.value) and str(raised.value).endswith(".")


def test_a_folder_without_permission_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(TrainingError, match=r"cannot be read \(Permission denied\)"):
        scan(tmp_path, TAG)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_odd_names_make_no_odd_sentences(tmp_path: Path) -> None:
    add(tmp_path, "zwei\nzeilen ü.jpg", 1, None)
    text = scan(tmp_path, TAG).findings[0].text
    assert "\n" not in text and "zwei\\nzeilen ü.jpg" in text


def test_progress_is_told_and_can_stop_the_scan(tmp_path: Path) -> None:
    for number in range(1, 5):
        add(tmp_path, f"{number}.png", number)
    told: list[tuple[int, int]] = []
    scan(tmp_path, TAG, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(tmp_path, TAG, progress=stop)


def test_the_original_photos_are_a_flawless_dataset(shared_data: Path) -> None:
    dataset = scan(shared_data / "product_photos", TAG)
    assert (len(dataset.images), dataset.findings, dataset.usable) == (43, (), True)
    assert set(dataset.buckets) <= {
        Bucket(*size)
        for size in [(576, 960), (640, 896), (704, 832), (768, 768), (832, 704), (896, 640), (1024, 576), (1088, 512)]
    }
    # Scaled-down copies keep their buckets: no bucket has more of the 43 than of the 59 whole pictures.
    whole = {(576, 960): 1, (640, 896): 13, (704, 832): 18, (768, 768): 3, (832, 704): 1, (896, 640): 19}
    whole |= {(1024, 576): 3, (1088, 512): 1}
    assert all(number <= whole[bucket.width, bucket.height] for bucket, number in dataset.buckets.items())


class KnownBoxes:
    """Instead of a product filter: finds the named products where it was told."""

    def __init__(self, boxes: dict[str, tuple[float, float, float, float]]) -> None:
        self.boxes = boxes

    def detect(self, image: np.ndarray, products) -> FilterResult:
        regions = tuple(
            ProductRegion(p.name, self.boxes[p.name], 0.9, np.ones(image.shape[:2], bool), 0.9)
            for p in products
            if p.name in self.boxes
        )
        decision = Decision.MATCH if regions else Decision.SKIP
        return FilterResult(image.shape[1], image.shape[0], decision, None, regions, (), image, 0, {})


def test_curating_tells_what_is_there_and_how_to_crop_to_it(tmp_path: Path) -> None:
    add(tmp_path, "a.png", 1)
    images = scan(tmp_path, TAG).images
    finder = KnownBoxes({"cup": (100, 50, 200, 150), "shoe": (300.4, 60, 475, 120)})
    told: list[tuple[int, int]] = []
    products = parse_products("cup, shoe, vase")
    (curated,) = curate(images, finder, products, 0.1, lambda *step: told.append(step))  # type: ignore[arg-type]
    assert (curated.found, curated.products, curated.image) == (True, ("cup", "shoe"), images[0])
    assert curated.crop == (62, 12, 480, 188)
    assert told == [(1, 1)]
    (nothing,) = curate(images, finder, parse_products("vase"))  # type: ignore[arg-type]
    assert (nothing.found, nothing.products, nothing.crop) == (False, (), None)


def test_curating_with_the_real_filter(product_filter: ProductFilter, shared_data: Path, tmp_path: Path) -> None:
    for name in ("09.jpg", "13.jpg"):
        (tmp_path / name).write_bytes((shared_data / "product_photos" / name).read_bytes())
    car, sunglasses = curate(scan(tmp_path, TAG).images, product_filter, parse_products("car"))
    assert car.products == ("car",) and not sunglasses.found
    assert car.crop is not None
    x0, y0, x1, y1 = (int(side) for side in car.crop)
    assert 0 <= x0 < x1 <= car.image.width and 0 <= y0 < y1 <= car.image.height
    cut = read_picture(car.image.path).pixels[y0:y1, x0:x1]
    save_picture(cut, tmp_path / "cut.png")
    again = product_filter.detect(read_picture(tmp_path / "cut.png").pixels, parse_products("car"))
    assert again.decision is Decision.MATCH


def test_the_module_never_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, "a.jpg", 1, b"caf\xe9")
    opened: list[str] = []
    real = io.open

    def watch(file, mode="r", *args, **kwargs):
        opened.append(mode)
        return real(file, mode, *args, **kwargs)

    monkeypatch.setattr(io, "open", watch)
    monkeypatch.setattr("builtins.open", watch)
    scan(tmp_path, TAG)
    assert opened and all(set(mode) <= set("rbt") for mode in opened)


def test_findings_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    add(tmp_path, "c.jpg", 1, None)
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.jpg").write_bytes(b"x")
    assert [finding.file for finding in scan(tmp_path, TAG).findings] == ["a.txt", "b.jpg", "c.jpg"]


def test_the_hash_compares_neighbours() -> None:
    flat = np.full((90, 1000, 3), 200, np.uint8)
    assert difference_hash(flat) == 0
    brighter = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (50, 1, 3))
    assert difference_hash(brighter) == 2**64 - 1
    assert difference_hash(np.ascontiguousarray(brighter[:, ::-1])) == 0
