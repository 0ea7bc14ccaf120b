"""Photos that are left out: on the Train page and on the picture page they are the same ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.review.reviewed import ReviewedPhotos
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.train.service import TrainingService
from tests.webui.train.test_service import (
    RECIPE,
    TAG,
    SlowCaptioner,
    begin,
    captioned,
    captioner,
    checkpoint,
    folder,
    host,
    refused,
    service,
    until,
)

__all__ = ["captioner", "checkpoint", "folder", "host", "service"]


def check(service: TrainingService, folder: Path) -> dict[str, Any]:
    return service.pictures.check({"folder": str(folder), "recipe": RECIPE})


def leave_out(service: TrainingService, folder: Path, *names: str, **more: Any) -> list[str]:
    return service.pictures.leave_out({"folder": str(folder), "tag": TAG, "names": list(names), **more})["left_out"]


def left_out(service: TrainingService, folder: Path) -> list[str]:
    return [picture["name"] for picture in check(service, folder)["pictures"] if picture["left_out"]]


def test_what_one_page_leaves_out_the_other_shows_and_takes_back(service: TrainingService, folder: Path) -> None:
    captioned(service, folder)
    before = check(service, folder)
    assert leave_out(service, folder, "1.png", "3.png") == ["1.png", "3.png"] == left_out(service, folder)
    assert (
        check(service, folder)["images"] == 2 and check(service, folder)["steps_per_epoch"] < before["steps_per_epoch"]
    )
    reviewed = ReviewedPhotos(service.controller, folder, Recipe())
    reviewed.decide(reviewed.chosen([{"file": "1.png", "decision": None}, {"file": "0.png", "decision": "rejected"}]))
    assert left_out(service, folder) == ["0.png", "3.png"]
    assert leave_out(service, folder, "0.png", "3.png", left_out=False) == []
    assert check(service, folder) == before
    refused(RequestError, leave_out, service, folder, "none.png")


def test_a_run_leaves_them_out_without_being_told(service: TrainingService, folder: Path) -> None:
    captioned(service, folder)
    leave_out(service, folder, "3.png")
    run = begin(service, folder, leave_out=["3.png", "2.png"], start=False)
    assert run["spec"]["images"] == 2


def test_they_keep_their_captions_and_get_none(
    service: TrainingService, folder: Path, captioner: SlowCaptioner
) -> None:
    leave_out(service, folder, "0.png", "3.png")
    captioner.go.set()
    service.pictures.caption({"folder": str(folder), "tag": TAG})
    until(lambda: not service.pictures.caption_state()["busy"], 10)
    captions = {picture["name"]: picture["caption"] for picture in check(service, folder)["pictures"]}
    assert captions["0.png"] == f"{TAG}, the first" and captions["3.png"] == "" and captions["1.png"]
