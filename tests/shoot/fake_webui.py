"""A small HTTP server that answers like a WebUI with our extension, deterministically, and misbehaves on request."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_photoshoot.results import Decision, Reason
from lib_photoshoot.shoot.shot_list.photos import digest_of
from lib_photoshoot.verdict import Done, FoundProduct, Verdict
from tests.shoot.photos import scene_answer

CHECKPOINTS = [{"title": "tiny.safetensors [1234567890]", "model_name": "tiny", "filename": "models\\tiny.safetensors"}]
LORAS = [{"name": "ppzocketv2-10", "alias": "ppzocketv2", "path": "models/Lora/ppzocketv2-10.safetensors"}]


def no_product(seed: int) -> bool:
    """Which seeds show none of the products."""
    return seed % 3 == 0


def result_of(body: dict[str, Any]) -> Verdict:
    """The filter's verdict for a request."""
    settings = body["alwayson_scripts"]["Product Photoshoot"]["args"][0]
    if no_product(body["seed"]):
        says = "skipped: nothing in the picture resembles the products"
        return Verdict(Done.NOTHING, says, Decision.SKIP, Reason.NOTHING_FOUND)
    word = settings["products"].partition("=")[0].strip()
    if settings.get("on_match") == "mask and cut-out only":
        return found(word, Done.CUT_OUT, "mask and cut-out only")
    return found(word, Done.ENHANCED, "enhanced with ControlNet canny / control: v11p, sd15")


def found(word: str, done: Done, says: str) -> Verdict:
    """The verdict on a picture that shows the product."""
    product = FoundProduct(word, 0.83)
    return Verdict(done, f"found {word} 0.83; {says}", Decision.MATCH, None, (product,))


def infotext_of(body: dict[str, Any], result: Verdict | str | None) -> str:
    """As the WebUI writes it: values with commas, colons or new lines in JSON quotes."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False) if set(text) & set(",:\n") else text

    settings = json.dumps(body["alwayson_scripts"]["Product Photoshoot"]["args"][0])
    text = f"{body['prompt']}\nSteps: {body['steps']}, Seed: {body['seed']}, Product filter: {quoted(settings)}"
    if isinstance(result, Verdict):
        result = result.to_json()
    return text if result is None else f"{text}, Product filter result: {quoted(result)}, Version: v1.10.1"


def png_of(body: dict[str, Any], infotext: str) -> bytes:
    """A picture that depends on the whole request and nothing else."""
    seed = json.dumps(body, sort_keys=True).encode()
    image = Image.new("RGB", (48, 32), tuple(sum(seed[start::3]) % 256 for start in range(3)))
    info = PngInfo()
    info.add_text("parameters", infotext)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def answer_of(body: dict[str, Any], result: Verdict | str | None = None) -> dict[str, Any]:
    """The answer of a WebUI that works."""
    text = infotext_of(body, result_of(body) if result is None else result)
    picture = base64.b64encode(png_of(body, text)).decode()
    return {"images": [picture], "info": json.dumps({"seed": body["seed"], "infotexts": [text]})}


def shot_of(body: dict[str, Any]) -> tuple[str, int]:
    """What tells the shot of a request for a scene: its photo with the scene's prompt, and its seed."""
    photo = digest_of(base64.b64decode(body["image"]))
    return f"{photo} {body['settings']['scene_prompt']}", body["job"]["seed"]


class FakeWebUi:
    """Use as a context manager. ``requests`` are the shots asked for: prompt and seed.

    ``misbehave`` is called with the number of a generation, from 1, and its request; it returns None to let it pass, a
    status, a text or an object to answer instead, or ``"hang up"``.
    """

    def __init__(
        self,
        auth: str = "",
        extension: bool = True,
        webui: bool = True,
        seconds: float = 0.0,
        misbehave: Callable[[int, dict[str, Any]], Any] = lambda number, body: None,
    ) -> None:
        self.auth, self.extension, self.webui, self.seconds, self.misbehave = auth, extension, webui, seconds, misbehave
        self.requests: list[tuple[str, int]] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.lock = threading.Lock()
        self.dead = threading.Event()

    def __enter__(self) -> FakeWebUi:
        fake = self

        class Handler(_Handler):
            owner = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def die(self) -> None:
        """Answer nobody any more, not even those who wait."""
        if not self.dead.is_set():
            self.dead.set()
            threading.Thread(target=self._close, daemon=True).start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        self.die()
        self._thread.join(5)

    @property
    def counts(self) -> Counter[tuple[str, int]]:
        """How often each shot was asked for."""
        with self.lock:
            return Counter(self.requests)


class _Handler(BaseHTTPRequestHandler):
    owner: FakeWebUi

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        owner = self.owner
        owner.paths.append(self.path)
        if not self._known():
            return self.send(401, {"detail": "Incorrect username or password"})
        answers: dict[str, Any] = {}
        if owner.webui:
            answers |= {"/sdapi/v1/samplers": [], "/sdapi/v1/sd-models": CHECKPOINTS, "/sdapi/v1/loras": LORAS}
        if owner.extension:
            answers["/photoshoot/v1/schema"] = {"properties": {}}
        if self.path not in answers:
            return self.send(404, {"detail": "Not Found"})
        return self.send(200, answers[self.path])

    def do_POST(self) -> None:
        owner = self.owner
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_scene = self.path == "/photoshoot/v1/filter"
        assert is_scene or self.path == "/sdapi/v1/txt2img"
        if not self._known():
            return self.send(401, {"detail": "Incorrect username or password"})
        with owner.lock:
            owner.requests.append(shot_of(body) if is_scene else (body["prompt"], body["seed"]))
            owner.bodies.append(body)
            number = len(owner.requests)
        time.sleep(owner.seconds)
        instead = owner.misbehave(number, body)
        if owner.dead.is_set() or instead == "hang up":
            self.close_connection = True
            return None
        if isinstance(instead, int):
            return self.send(instead, {"detail": f"trouble {instead}"})
        answer = scene_answer if is_scene else answer_of
        return self.send(200, answer(body) if instead is None else instead)

    def _known(self) -> bool:
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        return not self.owner.auth or base64.b64decode(sent).decode() == self.owner.auth

    def send(self, status: int, answer: Any) -> None:
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client was killed
            self.close_connection = True
