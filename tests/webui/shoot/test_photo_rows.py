"""Rows with photos on the page: confined, staged before anything is spent, shot, and told where one is gone."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.shoot.rows import RowsError
from lib_photoshoot.webui.shoot.service import ShootService
from tests.shoot.photos import photo
from tests.webui.shoot.test_service import SmallHost, counts, ended, fake, host, service, start

__all__ = ["fake", "host", "service"]


def row(path: Path | str, **more: str) -> dict[str, str]:
    return {"name": "cup", "count": "2", "photo": str(path), "scenes": "on wood | on sand", **more}


def test_photos_are_shot_and_seen(service: ShootService, tmp_path: Path) -> None:
    rows = [row(photo(tmp_path / "photos" / "cup.png"))]
    checked = service.check({"rows": rows})
    assert (checked["problems"], checked["wanted"]) == ([], 2) and checked["prompts"][0].endswith("on wood")
    service.save({"name": "spring", "rows": rows})
    assert service.rows("spring")["rows"] == rows
    start(service)
    assert counts(ended(service)) == [(2, 2, 0)]
    changed = [row(rows[0]["photo"], filter='{"shadow": 0.5}')]
    with pytest.raises(RowsError, match="made with other values"):
        service.save({"name": "spring", "rows": changed})


def test_only_allowed_folders_are_looked_into(service: ShootService, host: SmallHost, tmp_path: Path) -> None:
    there, absent = photo(tmp_path / "elsewhere" / "cup.png"), tmp_path / "elsewhere" / "no.png"
    problems = service.check({"rows": [row(there), row(absent) | {"name": "mug"}]})["problems"]
    assert [(one["row"], one["field"]) for one in problems] == [(0, "photo"), (1, "photo")]
    told = {one["text"].replace("cup.png", "").replace("no.png", "") for one in problems}
    assert len(told) == 1 and "outside the folders" in told.pop(), "nobody learns whether a file is there"
    with pytest.raises(RowsError, match="outside the folders"):
        service.stage({"row": row(there)})
    assert not host.staged
    (problem,) = service.check({"rows": [row(tmp_path / "photos" / "no.png")]})["problems"]
    assert "there is no photo" in problem["text"]


def test_a_photo_is_staged_small(service: ShootService, host: SmallHost, tmp_path: Path) -> None:
    path = photo(tmp_path / "photos" / "cup.png")
    answer = service.stage({"row": row(tmp_path / "photos", filter='{"backdrop": "#ffffff"}')})
    shown = Image.open(io.BytesIO(base64.b64decode(answer["image"])))
    assert shown.format == "JPEG" and shown.size == (240, 120)
    ((settings, staged),) = host.staged
    assert (settings.backdrop, settings.canvas, staged) == ("#ffffff", "512x512", path)
    for body in ({"row": {"name": "cup", "count": "1"}}, {"row": {}}):
        with pytest.raises(RequestError, match="names no photo"):
            service.stage(body)


def test_a_photo_that_is_gone_sets_its_row_aside(service: ShootService, tmp_path: Path) -> None:
    gone, stays = photo(tmp_path / "photos" / "cup.png"), photo(tmp_path / "photos" / "shoe.png")
    service.save({"name": "spring", "rows": [row(gone), row(stays, name="shoe")]})
    gone.unlink()
    start(service)
    detail = ended(service)
    assert counts(detail) == [(2, 0, 0), (2, 2, 0)]
    assert "there is no photo" in detail["products"][0]["aside"] and not detail["products"][1]["aside"]
