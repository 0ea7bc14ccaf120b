"""The bodies of requests, as plain JSON: FastAPI's models differ between pydantic 1 and 2, and read any size."""

from __future__ import annotations

import json
import tempfile
from typing import Any, BinaryIO, cast

from fastapi import Request

from lib_photoshoot.webui.http.errors import RequestError

IN_MEMORY = 4 << 20
"""Bytes of a body that are held in memory while its request waits."""


async def read_json_body(request: Request, limit: int, remedy: str) -> BinaryIO:
    """Return a body of at most ``limit`` bytes; ``remedy`` is what to do about a larger one. Raises RequestError.

    While its request waits for its turn a large one lies on the disk, and not in memory.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A page of another site may send anything else in the user's name without asking.
        raise RequestError("Send the request as JSON, with the header 'Content-Type: application/json'.", 415)
    too_large = RequestError(f"The request is larger than {limit >> 20} MB; {remedy}.", 413)
    if int(request.headers.get("content-length") or 0) > limit:
        raise too_large
    body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed by parsed_json)
    async for chunk in request.stream():
        body.write(chunk)
        if body.tell() > limit:
            body.close()
            raise too_large
    return cast(BinaryIO, body)


def parsed_json(body: BinaryIO) -> Any:
    """Return what a body says, which is closed then; an empty one is an empty object. Raises RequestError."""
    try:
        with body:
            body.seek(0)
            return json.loads(body.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The request is not JSON ({error}).", 400) from error
