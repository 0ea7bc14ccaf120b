"""Exports of photos in new scenes say that a trained model painted parts of them, and only where one did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib_photoshoot.export.provenance import metadata_of
from lib_photoshoot.shoot.run.ledger import ShootLedger, Try
from lib_photoshoot.shoot.shot_list.product import with_photos
from lib_photoshoot.shoot.shot_list.reading import read_shot_list, write_shot_list
from tests.ranking.test_rank_cli import draw
from tests.shoot.photos import photo
from tests.shoot.test_finish import exports, profile, run


@pytest.mark.parametrize(
    ("settings", "terms"),
    [
        ({}, ("compositeWithTrainedAlgorithmicMedia",)),
        ({"scene_denoise": 0.0, "repaint": "both"}, ("compositeWithTrainedAlgorithmicMedia",)),
        ({"scene_denoise": 0.0}, ()),
    ],
)
def test_what_exports_of_scenes_say(tmp_path: Path, settings: dict[str, object], terms: tuple[str, ...]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    path = photo(tmp_path / "lamp.png")
    row = {"name": "lamp", "count": 1, "photo": [str(path)], "scenes": ["on wood"], "exports": ["small.toml"]}
    write_shot_list(out, [row | ({"filter": settings} if settings else {})])
    product = with_photos(read_shot_list(out / "list.yaml")[0])
    shot = product.shot(0)
    assert shot.photo is not None
    with ShootLedger(out, [product], resume=True) as ledger:
        ledger.claim(shot)
        draw(out / "lamp" / "1.png", 1)
        made = Try("lamp", 0, 1, "on wood", "w", 1.0, (), "accepted", "found", "lamp/1.png", ("small.toml",))
        ledger.finish(replace(made, photo=shot.photo.name, digest=shot.photo.digest))
    profile(out)
    result = run(out)["lamp"]
    assert not result.problems
    (name,) = exports(out)
    assert metadata_of(out / "finished" / "exports" / "small" / name).terms == terms
