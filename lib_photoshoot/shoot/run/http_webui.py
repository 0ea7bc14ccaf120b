"""A WebUI that is reached over HTTP, on this machine or another one."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from lib_photoshoot.errors import ShootError
from lib_photoshoot.shoot.run.webui import CHECK_TIMEOUT_S, Fault, WebUi, WebUiError, one_line
from lib_photoshoot.shoot.shot_list.product import EXTENSION
from lib_photoshoot.wording import reason_of

DEFAULT_TIMEOUT_S = 600.0
LARGEST_ANSWER = 512 << 20
"""Bytes: more than the largest picture in base64."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows where an answer leads on only where that may be asked, too."""

    def __init__(self, refusal: Callable[[str], str | None]) -> None:
        self._refusal = refusal

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """See urllib."""
        if (sentence := self._refusal(newurl)) is not None:
            raise WebUiError(sentence, Fault.LOGIN)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class HttpWebUi(WebUi):
    """The HTTP API of one WebUI. ``address`` is its URL without user and password; nothing is asked before a call."""

    def __init__(
        self,
        url: str,
        auth: str = "",
        timeout: float = DEFAULT_TIMEOUT_S,
        refusal: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """``auth`` is ``user:password`` of ``--api-auth``; the URL may hold it too. ``timeout`` is seconds a picture.

        ``refusal`` says why an address may not be asked; it is asked before each call, and where one is led on. Raises
        ShootError for a text that is no URL, and for a refused one.
        """
        wrong = ShootError(f"{url!r} is no address of a WebUI; write it as http://127.0.0.1:7860.")
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
            raise ShootError("The login has no colon; write it as user:password, as in the WebUI's --api-auth.")
        self._auth = base64.b64encode(auth.encode()).decode() if auth else ""
        self._timeout = timeout
        # A proxy of the environment cannot reach this very machine.
        proxies = [urllib.request.ProxyHandler({})] if _is_local(host) else []
        self._opener = urllib.request.build_opener(*proxies, _Redirects(refusal))
        self._refused = refusal
        if (sentence := refusal(self.address)) is not None:
            raise ShootError(sentence)

    def check_filter(self) -> None:
        """See ``WebUi``."""
        self._check_webui()
        try:
            schema = self.call("/photoshoot/v1/schema", timeout=CHECK_TIMEOUT_S)
            there = isinstance(schema, dict) and "properties" in schema
        except WebUiError as error:
            if error.fault is Fault.LOGIN:
                raise
            there = False
        if not there:
            raise ShootError(
                f"The WebUI at {self.address} has no extension {EXTENSION}; install it there and restart, or, where it "
                "takes no such extension (SD.Next), make the pictures there and filter their folder."
            )

    def _check_webui(self) -> None:
        try:
            samplers = self.call("/sdapi/v1/samplers", timeout=CHECK_TIMEOUT_S)
        except WebUiError as error:
            if error.fault is Fault.LOGIN:
                raise
            detail = one_line(error).removeprefix(f"{self.address} ").rstrip(".")
            raise ShootError(
                f"There is no WebUI with its API at {self.address} (it {detail}); check the address, and start it "
                "with --api."
            ) from error
        if not isinstance(samplers, list):
            raise ShootError(f"What answers at {self.address} is no WebUI; check the address.")

    def call(self, path: str, body: Any = None, timeout: float | None = None) -> Any:
        """See ``WebUi``."""
        timeout = timeout or self._timeout
        # Anew each time: a name may lead to another machine by now.
        if (sentence := self._refused(self.address)) is not None:
            raise WebUiError(sentence, Fault.LOGIN)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        if self._auth:
            # Not sent on to wherever the address may redirect.
            request.add_unredirected_header("Authorization", f"Basic {self._auth}")
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                content = answer.read(LARGEST_ANSWER + 1)
            if len(content) > LARGEST_ANSWER:
                raise self.broken(f"more than {LARGEST_ANSWER >> 20} MB")
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except TimeoutError as error:
            raise WebUiError(f"{self.address} gave no answer within {timeout:g} s.", Fault.SILENT) from error
        except (OSError, http.client.HTTPException) as error:
            raise WebUiError(f"{self.address} does not answer: {reason_of(error)}.", Fault.SILENT) from error
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.broken("something that is no JSON") from error

    def _refusal(self, error: urllib.error.HTTPError) -> WebUiError:
        if error.code in (401, 403):
            return WebUiError(
                f"The WebUI at {self.address} wants another login (HTTP {error.code}); give user:password "
                "of its --api-auth (--auth, or Login on the page).",
                Fault.LOGIN,
                error.code,
            )
        fault = Fault.REFUSED if 400 <= error.code < 500 and error.code not in (408, 429) else Fault.BROKEN
        return WebUiError(f"{self.address} answers HTTP {error.code}{_detail(error)}.", fault, error.code)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _detail(error: urllib.error.HTTPError) -> str:
    """Return what the WebUI says about its refusal, if it says so as JSON."""
    try:
        values = json.loads(error.read(1 << 16))
        text = values.get("detail") or values.get("errors") or values.get("error")
    except (ValueError, OSError, AttributeError, http.client.HTTPException):
        return ""
    return f" ({one_line(text)})" if text else ""
