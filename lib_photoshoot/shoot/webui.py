"""One running WebUI: is it one, has it our extension and what the list needs, and one picture at a time from it."""

from __future__ import annotations

import base64
import binascii
import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote, urlsplit

from lib_photoshoot.errors import ImageError
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.listed import EXTENSION, ListedProduct, Shot
from lib_photoshoot.shoot.pictures import ShotPicture, check_picture
from lib_photoshoot.shoot.verdict import Verdict, result_text, verdict_of

DEFAULT_TIMEOUT_S = 600.0
_CHECK_TIMEOUT_S = 30.0
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


class WebUi:
    """The HTTP API of one WebUI. ``address`` is its URL without user and password; nothing is asked before a call."""

    def __init__(self, url: str, auth: str = "", timeout: float = DEFAULT_TIMEOUT_S) -> None:
        """``auth`` is ``user:password`` of ``--api-auth``; the URL may hold it too. ``timeout`` is seconds a picture.

        Raises ShootError for a text that is no URL.
        """
        wrong = ShootError(f"--webui {url!r} is no address; write it as http://127.0.0.1:7860.")
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise wrong from error
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise wrong
        place = f"[{host}]" if ":" in host else host
        self.address = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        if parts.username is not None:
            auth = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        if auth and ":" not in auth:
            raise ShootError("--auth has no colon; write it as user:password, as in the WebUI's --api-auth.")
        self._auth = base64.b64encode(auth.encode()).decode() if auth else ""
        self._timeout = timeout
        # A proxy of the environment cannot reach this very machine.
        proxies = [urllib.request.ProxyHandler({})] if _is_local(host) else []
        self._opener = urllib.request.build_opener(*proxies)

    def check(self, products: Sequence[ListedProduct]) -> None:
        """Ask for everything that a shoot needs, before anything is generated. Raises ShootError."""
        self._check_webui()
        try:
            schema = self._call("/photoshoot/v1/schema", timeout=_CHECK_TIMEOUT_S)
            there = isinstance(schema, dict) and "properties" in schema
        except WebUiError as error:
            if error.fault is Fault.LOGIN:
                raise
            there = False
        if not there:
            raise ShootError(
                f"The WebUI at {self.address} has no extension {EXTENSION}; install it there, restart, and run again "
                "once it has started."
            )
        self._check_names("checkpoint", "/sdapi/v1/sd-models", (product.checkpoint for product in products))
        self._check_names("LoRA", "/sdapi/v1/loras", (product.lora for product in products))

    def shoot(self, shot: Shot) -> Taken:
        """Generate one picture. Raises WebUiError."""
        answer = self._call("/sdapi/v1/txt2img", shot.request(), self._timeout)
        try:
            data = base64.b64decode(answer["images"][0].partition(",")[2] or answer["images"][0], validate=True)
            info = json.loads(answer["info"])
            text, seed = info["infotexts"][0], info["seed"]
            picture = check_picture(data, f"The picture of {self.address}")
            result = result_text(text)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, binascii.Error, ImageError) as error:
            raise self._broken(f"no usable picture ({_one_line(error)})") from error
        if seed != shot.seed:
            raise self._broken(f"the picture of seed {seed!r} instead of {shot.seed}")
        if result is None:
            raise self._broken("a picture without the filter's result")
        verdict = verdict_of(result, shot.product.settings.on_match)
        if verdict is None:
            # Stopped by somebody at the page: the next time may go well.
            fault = Fault.BROKEN if result.startswith("not looked at") else Fault.REFUSED
            raise WebUiError(f"The filter of {self.address} did not look at the picture: {result}", fault)
        return Taken(picture, verdict)

    def _check_webui(self) -> None:
        try:
            samplers = self._call("/sdapi/v1/samplers", timeout=_CHECK_TIMEOUT_S)
        except WebUiError as error:
            if error.fault is Fault.LOGIN:
                raise
            detail = "it answers HTTP 404" if error.status == 404 else _one_line(error).rstrip(".")
            raise ShootError(
                f"There is no WebUI with its API at {self.address} ({detail}); check the address, and start it "
                "with --api."
            ) from error
        if not isinstance(samplers, list):
            raise ShootError(f"What answers at {self.address} is no WebUI; check the address.")

    def _check_names(self, what: str, path: str, wanted: Iterable[str]) -> None:
        """The WebUI itself says nothing about an unknown one, and makes other pictures."""
        names = sorted({name for name in wanted if name})
        if not names:
            return
        items = self._call(path, timeout=_CHECK_TIMEOUT_S)
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

    def _call(self, path: str, body: Any = None, timeout: float = DEFAULT_TIMEOUT_S) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        if self._auth:
            # Not sent on to wherever the address may redirect.
            request.add_unredirected_header("Authorization", f"Basic {self._auth}")
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except TimeoutError as error:
            raise WebUiError(f"{self.address} gave no answer within {timeout:g} s.", Fault.SILENT) from error
        except (OSError, http.client.HTTPException) as error:
            raise WebUiError(f"{self.address} does not answer ({_one_line(error)}).", Fault.SILENT) from error
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._broken("something that is no JSON") from error

    def _refusal(self, error: urllib.error.HTTPError) -> WebUiError:
        if error.code in (401, 403):
            return WebUiError(
                f"The WebUI at {self.address} wants another login (HTTP {error.code}); give --auth user:password as in "
                "its --api-auth.",
                Fault.LOGIN,
                error.code,
            )
        fault = Fault.REFUSED if 400 <= error.code < 500 and error.code not in (408, 429) else Fault.BROKEN
        return WebUiError(f"{self.address} answers HTTP {error.code}{_detail(error)}.", fault, error.code)

    def _broken(self, what: str) -> WebUiError:
        return WebUiError(f"{self.address} answers with {what}.", Fault.BROKEN)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _detail(error: urllib.error.HTTPError) -> str:
    """What the WebUI says about its refusal, if it says so as JSON."""
    try:
        values = json.loads(error.read(1 << 16))
        text = values.get("detail") or values.get("errors") or values.get("error")
    except (ValueError, OSError, AttributeError, http.client.HTTPException):
        return ""
    return f" ({_one_line(text)})" if text else ""


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())[:_LONGEST_DETAIL]
