"""The host's own HTTP API, called without HTTP."""

from __future__ import annotations

from typing import Any


def host_api() -> Any:
    """Return the host's API: the one that ``--api`` has made, or else one that no server hands out."""
    from fastapi import FastAPI
    from modules import shared
    from modules.api.api import Api
    from modules.call_queue import queue_lock

    for route in getattr(getattr(shared.demo, "server_app", None), "routes", ()):
        owner = getattr(getattr(route, "endpoint", None), "__self__", None)
        if isinstance(owner, Api):
            return owner
    return Api(FastAPI(openapi_url=None), queue_lock)


def txt2img_request(body: dict[str, Any]) -> Any:
    """Return the request that :func:`host_api` takes, of the fields of ``POST /sdapi/v1/txt2img``."""
    from modules.api import models

    return models.StableDiffusionTxt2ImgProcessingAPI(**body)


def may_request() -> tuple[bool, bool]:
    """Whether requests of the host's API may reach other machines, and whether those of its own network."""
    from modules import shared

    opts = shared.opts
    return bool(getattr(opts, "api_enable_requests", True)), not getattr(opts, "api_forbid_local_requests", True)
