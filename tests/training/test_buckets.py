"""Buckets and steps, against known runs of the original and against sd-scripts itself."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.dataset.buckets import Bucket, BucketSettings, bucket_of, buckets, place, steps_per_epoch

# The console of the original's own run, with its 6 repeats.
ORIGINAL = "576x960:6 640x896:102 704x832:108 768x768:30 832x704:6 896x640:114 1024x576:18 1088x512:6"
# shared/fixtures/sd_scripts/log_reference_59img.txt: the pictures of the original that can still be read.
READABLE = "576x960:6 640x896:78 704x832:108 768x768:18 832x704:6 896x640:114 1024x576:18 1088x512:6"

sides = st.integers(64, 9000)
resolutions = st.sampled_from([512, 640, 768, 800, 1024])


@st.composite
def settings_of(draw: st.DrawFn, no_upscale: bool | None = None) -> BucketSettings:
    resolution = draw(resolutions)
    return BucketSettings(
        resolution,
        enable=True if no_upscale else draw(st.booleans()),
        steps=draw(st.sampled_from([64, 128])),
        lowest=draw(st.integers(128, 512)),
        highest=draw(st.integers(resolution, 2048)),
        no_upscale=draw(st.booleans()) if no_upscale is None else no_upscale,
    )


def counts(text: str, repeats: int = 6) -> dict[Bucket, int]:
    """Pictures in each bucket, from a console's numbers with repeats."""
    parsed = {}
    for item in text.split():
        size, number = item.split(":")
        width, height = size.split("x")
        parsed[Bucket(int(width), int(height))] = int(number) // repeats
    return parsed


def test_the_originals_65_pictures_give_195_steps() -> None:
    assert sum(counts(ORIGINAL).values()) == 65
    assert steps_per_epoch(counts(ORIGINAL), repeats=6, batch=2) == 195


@pytest.mark.parametrize(("repeats", "batch", "steps"), [(6, 2, 177), (1, 2, 33), (6, 4, 92)])
def test_the_59_readable_pictures_give_the_steps_of_the_real_runs(repeats: int, batch: int, steps: int) -> None:
    assert sum(counts(READABLE).values()) == 59
    assert steps_per_epoch(counts(READABLE), repeats, batch) == steps


def test_every_bucket_of_the_original_is_made() -> None:
    made = buckets(BucketSettings())
    assert counts(ORIGINAL).keys() <= set(made)
    assert made == tuple(sorted(made))
    assert {Bucket(320, 1280), Bucket(1280, 320), Bucket(768, 768)} <= set(made)


@pytest.mark.parametrize(
    ("size", "bucket"),
    [
        ((768, 768), (768, 768)),
        ((3000, 4200), (640, 896)),
        ((4000, 6000), (640, 896)),
        ((6000, 4000), (896, 640)),
        ((1920, 1080), (1024, 576)),
        ((8368, 3000), (1280, 448)),
        ((100, 9000), (320, 1280)),
    ],
)
def test_pictures_go_to_the_bucket_nearest_in_aspect_ratio(size: tuple[int, int], bucket: tuple[int, int]) -> None:
    assert bucket_of(*size, BucketSettings()) == Bucket(*bucket)


def test_a_picture_of_a_buckets_own_size_is_used_as_it_is() -> None:
    placed = place(640, 896, BucketSettings())
    assert (placed.resized, placed.crop, placed.scale, placed.kept) == ((640, 896), (0, 0, 640, 896), 1, 1)


def test_without_buckets_every_picture_is_cropped_to_the_square() -> None:
    placed = place(1600, 800, BucketSettings(512, enable=False))
    assert placed.bucket == Bucket(512, 512)
    assert placed.resized == (1024, 512)
    assert placed.crop == (400, 0, 1200, 800)
    assert placed.kept == pytest.approx(0.5)


def test_the_odd_pixel_of_a_centre_crop_stays_at_the_far_side() -> None:
    placed = place(2000, 1001, BucketSettings(768))
    assert placed.bucket == Bucket(1088, 512)
    assert placed.resized == (1088, 545)
    assert placed.crop[1] == pytest.approx(16 * 1001 / 545)


def test_no_upscale_keeps_a_small_picture_in_its_size() -> None:
    placed = place(300, 200, BucketSettings(768, no_upscale=True))
    assert (placed.bucket, placed.resized) == (Bucket(256, 192), (300, 200))
    assert placed.crop == (22, 4, 278, 196)


@pytest.mark.parametrize(
    ("size", "bucket", "resized"),
    [
        ((4000, 6000), (576, 896), (597, 896)),
        ((5000, 4000), (768, 640), (800, 640)),
        ((8368, 3000), (1280, 448), (1280, 459)),
        ((1024, 683), (832, 576), (864, 576)),
        ((900, 900), (768, 768), (768, 768)),
    ],
)
def test_no_upscale_shrinks_as_the_real_bucket_manager_does(
    size: tuple[int, int], bucket: tuple[int, int], resized: tuple[int, int]
) -> None:
    placed = place(*size, BucketSettings(768, no_upscale=True))
    assert (placed.bucket, placed.resized) == (Bucket(*bucket), resized)


@hypothesis.settings(deadline=None)
@given(settings_of(no_upscale=False))
def test_no_two_buckets_have_the_same_aspect_ratio(settings: BucketSettings) -> None:
    made = buckets(settings)
    assert len({bucket.width / bucket.height for bucket in made}) == len(made)
    assert all(bucket_of(bucket.width, bucket.height, settings) == bucket for bucket in made)


@hypothesis.settings(deadline=None)
@given(sides, sides, settings_of())
def test_buckets_keep_to_the_settings(width: int, height: int, settings: BucketSettings) -> None:
    try:
        bucket = bucket_of(width, height, settings)
    except TrainingError:
        assert settings.no_upscale
        return
    if not settings.enable:
        assert bucket == Bucket(settings.resolution, settings.resolution)
        return
    assert bucket.width % settings.steps == bucket.height % settings.steps == 0
    if settings.no_upscale:
        return
    lowest, highest = settings.range
    assert bucket.width * bucket.height <= settings.resolution**2
    assert max(bucket.width, bucket.height) <= highest
    # The square is made whatever the lowest side is.
    assert min(bucket.width, bucket.height) >= min(lowest, settings.resolution - settings.resolution % settings.steps)


@hypothesis.settings(deadline=None)
@given(sides, sides, settings_of())
def test_the_crop_is_a_centred_part_of_the_picture_in_the_buckets_shape(
    width: int, height: int, settings: BucketSettings
) -> None:
    try:
        placed = place(width, height, settings)
    except TrainingError:
        assert settings.no_upscale
        return
    x0, y0, x1, y1 = placed.crop
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert placed.resized[0] >= placed.bucket.width and placed.resized[1] >= placed.bucket.height
    across, down = width / placed.resized[0], height / placed.resized[1]
    assert (x1 - x0) / across == pytest.approx(placed.bucket.width)
    assert (y1 - y0) / down == pytest.approx(placed.bucket.height)
    assert -1e-6 <= (width - x1) - x0 <= across + 1e-6
    assert -1e-6 <= (height - y1) - y0 <= down + 1e-6
    assert placed.kept == pytest.approx((x1 - x0) * (y1 - y0) / (width * height))


@hypothesis.settings(deadline=None)
@given(sides, sides, settings_of(no_upscale=True))
def test_no_upscale_never_enlarges(width: int, height: int, settings: BucketSettings) -> None:
    try:
        placed = place(width, height, settings)
    except TrainingError:
        assert min(width, height) < settings.steps or max(width, height) / min(width, height) > 16
        return
    assert placed.resized[0] <= width and placed.resized[1] <= height


numbers = st.dictionaries(
    st.builds(Bucket, st.integers(1, 20).map(lambda n: 64 * n), st.just(640)), st.integers(1, 40), max_size=8
)


@hypothesis.settings(deadline=None)
@given(numbers, st.integers(1, 20), st.integers(1, 9), st.integers(1, 5), st.integers(1, 4))
def test_steps_are_counted_as_the_trainer_counts_them(
    pictures: dict[Bucket, int], repeats: int, batch: int, accumulation: int, processes: int
) -> None:
    batches = []
    for bucket, number in pictures.items():
        queue = [bucket] * number * repeats
        batches += [queue[start : start + batch] for start in range(0, len(queue), batch)]
    expected = math.ceil(len(batches) / processes / accumulation)
    assert steps_per_epoch(pictures, repeats, batch, accumulation, processes) == expected


def test_processes_and_accumulation_share_the_batches() -> None:
    assert steps_per_epoch(counts(ORIGINAL), 6, 2, processes=2) == 98
    assert steps_per_epoch(counts(ORIGINAL), 6, 2, accumulation=4) == 49


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"resolution": 32}, "resolution is 32"),
        ({"steps": 32}, "bucket steps are 32"),
        ({"steps": 96}, "bucket steps are 96"),
        ({"steps": 0}, "bucket steps are 0"),
        ({"lowest": 0}, "smallest bucket side is 0"),
        ({"lowest": 832}, "smallest bucket side is 832"),
        ({"highest": 640}, "largest bucket side is 640"),
    ],
)
def test_settings_that_the_trainer_refuses_are_one_sentence(wrong: dict[str, int], words: str) -> None:
    with pytest.raises(TrainingError, match=words) as raised:
        BucketSettings(**wrong)  # type: ignore[arg-type]
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_sides_are_rounded_to_the_steps_as_the_trainer_does() -> None:
    settings = BucketSettings(768, lowest=300, highest=1250)
    assert settings.range == (256, 1280)
    assert {Bucket(256, 1280), Bucket(1280, 256)} <= set(buckets(settings))


def test_settings_of_buckets_do_not_matter_without_buckets() -> None:
    assert BucketSettings(768, enable=False, steps=0, lowest=0, highest=0).enable is False


@pytest.mark.parametrize("size", [(40, 500), (500, 40), (30000, 100)])
def test_a_picture_too_narrow_for_any_bucket_is_one_sentence(size: tuple[int, int]) -> None:
    with pytest.raises(TrainingError, match="fits no bucket in steps of 64"):
        place(*size, BucketSettings(no_upscale=True))


REFERENCE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from library.train_util import BaseDataset, BucketManager, trim_and_resize_if_required

answers = []
for case in json.load(sys.stdin):
    square = (case["resolution"],) * 2
    if case["enable"]:
        low, high = BaseDataset.adjust_min_max_bucket_reso_by_steps(
            None, square, case["lowest"], case["highest"], case["steps"])
        manager = BucketManager(case["no_upscale"], square, low, high, case["steps"])
        if not case["no_upscale"]:
            manager.make_buckets()
    else:
        manager = BucketManager(False, square, None, None, None)
        manager.set_predefined_resos([square])
    for number, (width, height) in enumerate(case["sizes"]):
        try:
            bucket, resized, _ = manager.select_bucket(width, height)
            assert min(bucket) > 0, "an empty bucket"
        except (ZeroDivisionError, AssertionError):
            answers.append(None)
            continue
        corner = None
        if number % 10 == 0:
            rows, columns = np.mgrid[: resized[1], : resized[0]]
            cut, _, _ = trim_and_resize_if_required(False, np.dstack([columns, rows]), bucket, resized)
            corner = cut[0, 0].tolist()
        answers.append([list(map(int, bucket)), list(map(int, resized)), corner])
with open(sys.argv[2], "w") as file:
    json.dump(answers, file)
"""


def test_the_real_sd_scripts_places_thousands_of_pictures_the_same(tmp_path: Path) -> None:
    folder, python = os.environ.get("PHOTOSHOOT_SD_SCRIPTS"), os.environ.get("PHOTOSHOOT_SD_SCRIPTS_PYTHON")
    if not folder or not python:
        pytest.skip("PHOTOSHOOT_SD_SCRIPTS (folder) and PHOTOSHOOT_SD_SCRIPTS_PYTHON name no real sd-scripts")
    shuffled = random.Random(4)
    cases = []
    for number in range(60):
        resolution = shuffled.choice([512, 640, 768, 800, 1024])
        case = {
            "resolution": resolution,
            "enable": number % 6 != 5,
            "steps": shuffled.choice([64, 64, 128]),
            "lowest": shuffled.randint(128, 512),
            "highest": shuffled.randint(resolution, 2048),
            "no_upscale": number % 3 == 1,
        }
        sizes = [(shuffled.randint(16, 9000), shuffled.randint(16, 9000)) for _ in range(150)]
        sizes += [(64 * shuffled.randint(4, 20), 64 * shuffled.randint(4, 20)) for _ in range(50)]
        sizes += [(shuffled.randint(64, 400), shuffled.randint(64, 400)) for _ in range(50)]
        cases.append({**case, "sizes": sizes})
    answers = tmp_path / "answers.json"
    command = [python, "-c", REFERENCE, folder, str(answers)]
    done = subprocess.run(command, input=json.dumps(cases), text=True, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = iter(json.loads(answers.read_text()))
    corners = 0
    for case in cases:
        settings = BucketSettings(**{key: value for key, value in case.items() if key != "sizes"})
        for width, height in case["sizes"]:
            answer = next(expected)
            if answer is None:
                with pytest.raises(TrainingError):
                    place(width, height, settings)
                continue
            bucket, resized, corner = answer
            placed = place(width, height, settings)
            assert ([placed.bucket.width, placed.bucket.height], list(placed.resized)) == (bucket, resized)
            if corner is not None:
                corners += 1
                in_resized = placed.crop[0] * resized[0] / width, placed.crop[1] * resized[1] / height
                assert in_resized == pytest.approx(corner)
    assert corners > 1000
