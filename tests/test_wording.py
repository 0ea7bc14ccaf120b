"""Words that depend on a number or an error."""

from __future__ import annotations

import ssl
import urllib.error

import pytest

from lib_photoshoot.wording import counted, reason_of


def test_a_number_with_its_noun() -> None:
    assert [counted(1, "try", "tries"), counted(2, "try", "tries"), counted(2000, "picture")] == [
        "1 try",
        "2 tries",
        "2,000 pictures",
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "Connection refused"),
        (urllib.error.URLError("unknown url\ntype"), "unknown url type"),
        (urllib.error.URLError(TimeoutError("timed out")), "no answer in time"),
        (ConnectionResetError(), "ConnectionResetError"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "certificate verify failed"),
        (ValueError("x" * 999), "x" * 200),
    ],
)
def test_why_nothing_came_is_said_without_pythons_signs(error: Exception, said: str) -> None:
    assert reason_of(error) == said
