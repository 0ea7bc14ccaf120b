"""Who may send requests: the host's own users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from secrets import compare_digest
from types import SimpleNamespace
from typing import Any

from fastapi import HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials

Login = Callable[[Request], "Awaitable[None]"]
"""Raises HTTPException 401 for a stranger."""


def build_login(app: Any, cmd_opts: Any, for_page: bool = False) -> Login:
    """Who may come in: the users of ``--api-auth``, or else those of the page's own login, or else everyone.

    ``for_page`` lets those in whom the page's login knows, whatever users the API has.
    """
    api_users = dict(user.split(":", 1) for user in (cmd_opts.api_auth or "").split(",") if ":" in user)
    basic = HTTPBasic(auto_error=False)

    async def login(request: Request) -> None:
        # Asked each time: gradio knows its users only once the page is up.
        users = api_users or getattr(app, "auth", None)
        if users is None or ((for_page or not api_users) and _has_cookie(app, request)):
            return
        credentials = await basic(request)
        if credentials is None or not _knows(users, credentials):
            raise HTTPException(401, "Incorrect username or password.", {"WWW-Authenticate": "Basic"})

    return login


def build_page_login(app: Any) -> Login:
    """Who may come in: whoever may see the host's page, which asks for the users of its own login, if it has any."""
    return build_login(app, SimpleNamespace(api_auth=None), for_page=True)


def _has_cookie(app: Any, request: Request) -> bool:
    """Whether the request comes from a page that is logged in."""
    tokens = getattr(app, "tokens", {})
    return any(name.startswith("access-token") and value in tokens for name, value in request.cookies.items())


def _knows(users: Any, credentials: HTTPBasicCredentials) -> bool:
    if callable(users):
        return bool(users(credentials.username, credentials.password))
    expected = users.get(credentials.username)
    return expected is not None and compare_digest(expected.encode(), credentials.password.encode())
