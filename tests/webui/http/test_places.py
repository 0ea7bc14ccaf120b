"""Many requests at once: the host's threads stay free for its pages, and bodies that wait are not in memory."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed here: run with the WebUI's own Python")
httpx = pytest.importorskip("httpx", reason="httpx is not installed here: run with the WebUI's own Python")

from lib_photoshoot.webui.generate import routes  # noqa: E402
from lib_photoshoot.webui.http import bodies  # noqa: E402


class Slow:
    """A service whose detection waits until it is let go."""

    def __init__(self) -> None:
        self.free, self.most, self.at_once = threading.Event(), 0, 0
        self.lock = threading.Lock()

    def body_limit(self) -> int:
        return 64 << 20

    def detect(self, body: Any) -> dict[str, Any]:
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.free.wait(20)
        with self.lock:
            self.at_once -= 1
        return {"length": len(body["image"])}

    filter = enhance = detect


async def nobody(request: fastapi.Request) -> None:
    return None


def test_a_page_does_not_wait_for_the_api() -> None:
    service, app = Slow(), fastapi.FastAPI()
    app.include_router(routes.build_router(service, nobody))

    @app.get("/page")
    def page() -> dict[str, str]:
        return {"page": "here"}

    async def drive() -> float:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host") as client:
            body = {"image": "x" * 100}
            calls = [
                asyncio.create_task(client.post("/photoshoot/v1/detect", json=body, timeout=30)) for _ in range(50)
            ]
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            try:
                await asyncio.wait_for(client.get("/page"), 5)
                return time.monotonic() - begun
            finally:
                service.free.set()
                answers = await asyncio.gather(*calls)
                assert all(answer.json() == {"length": 100} for answer in answers)

    assert asyncio.run(drive()) < 3
    assert service.most <= routes.OPERATIONS_AT_ONCE


def test_a_large_body_waits_on_the_disk() -> None:
    class Request:
        headers = {"content-type": "application/json"}  # noqa: RUF012

        async def stream(self) -> Any:
            yield b'"' + b"x" * bodies.IN_MEMORY
            yield b'x"'

    body = asyncio.run(bodies.read_json_body(Request(), 64 << 20, ""))  # type: ignore[arg-type]
    assert body._rolled  # type: ignore[attr-defined]
    assert len(bodies.parsed_json(body)) == bodies.IN_MEMORY + 1 and body.closed
