"""One running WebUI: has it what the list needs, and one picture at a time from it."""

from __future__ import annotations

import base64
import binascii
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.errors import ImageError, ShootError
from lib_photoshoot.shoot.run.pictures import ShotPicture, as_sent, check_picture
from lib_photoshoot.shoot.run.scenes import SCENE_PATH, scene_request, scene_verdict
from lib_photoshoot.shoot.run.verdict import is_answer, verdict_in
from lib_photoshoot.shoot.shot_list.photos import ListedPhoto
from lib_photoshoot.shoot.shot_list.product import EXTENSION, ListedProduct, Shot
from lib_photoshoot.verdict import Done, Verdict

CHECK_TIMEOUT_S = 30.0
_LONGEST_DETAIL = 200


class Fault(Enum):
    """What a failed call says about the WebUI and the shot."""

    LOGIN = "login"
    """It wants a login: it will not answer this program at all."""
    REFUSED = "refused"
    """It understood, and cannot make this shot; asking it again changes nothing."""
    BROKEN = "broken"
    """It made a wrong answer or an error; the shot may be at fault or the WebUI."""
    SILENT = "silent"
    """It cannot be reached, broke off or took too long: no fault of the shot."""


class WebUiError(ShootError):
    """A WebUI did not do what was asked; ``fault`` says what that means."""

    def __init__(self, message: str, fault: Fault, status: int = 0) -> None:
        super().__init__(message)
        self.fault = fault
        self.status = status


@dataclass(frozen=True, eq=False)
class Taken:
    """What came back for a shot."""

    picture: ShotPicture
    verdict: Verdict


class WebUi(ABC):
    """A WebUI that makes pictures, reached in one way or another. ``address`` names it, in sentences and ledgers."""

    address: str

    def check(self, products: Sequence[ListedProduct]) -> None:
        """Ask for everything that a shoot needs, before anything is generated. Raises ShootError."""
        self.check_filter()
        self._check_names("checkpoint", "/sdapi/v1/sd-models", (product.checkpoint for product in products))
        self._check_names("LoRA", "/sdapi/v1/loras", (product.lora for product in products))

    @abstractmethod
    def check_filter(self) -> None:
        """Whether it is a WebUI, and our filter is there. Raises ShootError."""

    @abstractmethod
    def call(self, path: str, body: Any = None, timeout: float | None = None) -> Any:
        """Return what its API answers, as JSON; ``timeout`` in seconds, None for that of a picture. Raises
        WebUiError.
        """

    def shoot(self, shot: Shot) -> Taken:
        """Make one picture. Raises WebUiError, and PhotoError for a photo that is no use."""
        if shot.photo is not None:
            return self._scene(shot, shot.photo)
        answer = self.call("/sdapi/v1/txt2img", shot.request())
        try:
            info = json.loads(answer["info"])
            verdict, seed = self._verdict(info["infotexts"][0]), info["seed"]
            if verdict is not None and not is_answer(verdict):
                # Also where nothing was painted, as it was known before that the filter could do nothing.
                raise self._no_answer(verdict)
            data = base64.b64decode(answer["images"][0].partition(",")[2] or answer["images"][0], validate=True)
            picture = check_picture(data, f"The picture of {self.address}")
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, binascii.Error, ImageError) as error:
            raise self.broken(f"no usable picture ({one_line(error)})") from error
        if seed != shot.seed:
            raise self.broken(f"the picture of seed {seed!r} instead of {shot.seed}")
        if verdict is None:
            raise self.broken("a picture without the filter's result")
        return Taken(picture, verdict)

    def _scene(self, shot: Shot, photo: ListedPhoto) -> Taken:
        data = photo.read()
        try:
            answer = self.call(SCENE_PATH, scene_request(shot, data))
        except WebUiError as error:
            if error.fault is not Fault.REFUSED:
                raise
            raise WebUiError(f"{shot.product.where}, {photo.name}: {error}", error.fault, error.status) from error
        try:
            verdict, image = scene_verdict(shot, photo, answer), answer["image"]
            if not is_answer(verdict):
                raise self._no_answer(verdict)
            # Where no scene was made that could be shown, the photo stands for it.
            sent = as_sent(data, photo.name) if image is None else base64.b64decode(image, validate=True)
            return Taken(check_picture(sent, f"The picture of {self.address}"), verdict)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, binascii.Error, ImageError) as error:
            raise self.broken(f"no usable scene ({one_line(error)})") from error

    def _verdict(self, infotext: str) -> Verdict | None:
        try:
            return verdict_in(infotext)
        except ValueError as error:
            raise WebUiError(
                f"{self.address} answers with a filter's result that is not understood here; install the same version "
                f"of {EXTENSION} there.",
                Fault.REFUSED,
            ) from error

    def _no_answer(self, verdict: Verdict) -> WebUiError:
        # Stopped by somebody at the page, or out of memory: the next time may go well.
        fault = Fault.BROKEN if verdict.done in (Done.STOPPED, Done.FAILED) else Fault.REFUSED
        return WebUiError(f"The filter of {self.address} could not do its part: {verdict.says}", fault)

    def _check_names(self, what: str, path: str, wanted: Iterable[str]) -> None:
        """Check names: the WebUI itself says nothing about an unknown one, and makes other pictures."""
        names = sorted({name for name in wanted if name})
        if not names:
            return
        items = self.call(path, timeout=CHECK_TIMEOUT_S)
        known: set[str] = set()
        for item in items if isinstance(items, list) else ():
            known.update(value for value in item.values() if isinstance(value, str))
            # Checkpoints are also known by their file's name.
            known.add(str(item.get("filename", "")).replace("\\", "/").rpartition("/")[2])
        lacking = next((name for name in names if name not in known), None)
        if lacking is not None:
            raise ShootError(
                f"The WebUI at {self.address} has no {what} {lacking!r}; put it there, or correct the list."
            )

    def broken(self, what: str) -> WebUiError:
        """Return the error for an answer that cannot be used."""
        return WebUiError(f"{self.address} answers with {what}.", Fault.BROKEN)


def one_line(value: Any) -> str:
    """Return what somebody else says, short enough for a sentence of ours."""
    return " ".join(str(value).split())[:_LONGEST_DETAIL]
