"""Which WebUIs a shoot of the page may be pointed at: the host's switches, and the owner's list above them."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib_photoshoot.errors import ShootError
from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.webui.http import reachable
from lib_photoshoot.webui.http.reachable import Reachable

NAMES = {"public.example": ["93.184.215.14"], "both.example": ["93.184.215.14", "192.168.1.9"]}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    real = reachable.socket.getaddrinfo

    def look_up(host: str, *more: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (text, 0)) for text in NAMES[host]] if host in NAMES else real(host, *more)

    monkeypatch.setattr(reachable.socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1:7860",
            "http://localhost:7860",
            "http://[::1]:7860",
            "http://10.0.0.3",
            "http://169.254.169.254",
        ),
        *("http://[::ffff:127.0.0.1]", "http://2130706433", "http://0x7f.1", "http://0.0.0.0", "http://both.example"),
        *("http://nowhere.invalid", "http://[fe80::1%25eth0]"),
    ],
)
def test_the_own_network_is_refused_unless_it_is_listed_or_allowed(url: str) -> None:
    sentence = Reachable((), True, False).refusal(url)
    assert sentence is not None and "own network" in sentence and "Settings" in sentence
    assert Reachable((), True, True).refusal(url) is None


def test_the_owners_list_and_the_switch_for_all_requests() -> None:
    assert Reachable((), True, False).refusal("https://public.example") is None
    assert "does not ask" in str(Reachable((), False, True).refusal("https://public.example"))
    listed = Reachable(("127.0.0.1:7860", "Studio.local"), False, False)
    assert listed.refusal("http://127.0.0.1:7860/a") is None and listed.refusal("http://studio.local:9") is None
    assert listed.refusal("http://127.0.0.1:7861") is not None


def test_a_webui_that_leads_on_to_a_refused_address_is_not_followed() -> None:
    asked = []

    class Leading(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/inner")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Leading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        listed = Reachable((f"127.0.0.1:{server.server_port}",), True, False)
        webui = HttpWebUi(f"http://127.0.0.1:{server.server_port}", refusal=listed.refusal)
        with pytest.raises(ShootError, match="own network"):
            webui.call("/outer", timeout=5)
        server.shutdown()
    assert asked == ["/outer"]
    with pytest.raises(ShootError, match="own network"):
        HttpWebUi("http://127.0.0.1:1", refusal=listed.refusal)
