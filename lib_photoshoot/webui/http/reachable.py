"""Which other machines this host may be told to ask: as its own switches and its owner's list say."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reachable:
    """``listed`` are hosts, or ``host:port``, that the owner allows, whatever else is said.

    ``requests`` and ``local`` are the host's switches: whether its API's users may have it ask other machines at all,
    and those of its own network, itself included.
    """

    listed: tuple[str, ...]
    requests: bool
    local: bool

    def refusal(self, url: str) -> str | None:
        """Why this host may not ask ``url``, as a sentence; None where it may. Looks the name up where it must."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        allowed = {name.strip().lower() for name in self.listed}
        if host in allowed or f"{host}:{port}" in allowed:
            return None
        remedy = (
            f"its owner can list {host}:{port} in Settings, Product Photoshoot, 'WebUIs that a shoot may use', or use "
            "the command line."
        )
        if not self.requests:
            return f"This WebUI does not ask other machines for its users; {remedy}"
        if not self.local and not _is_public(host):
            return f"{host} lies in this WebUI's own network, or is not known, and is not asked for its users; {remedy}"
        return None


def _is_public(host: str) -> bool:
    """Whether all addresses of a host are those of the public internet."""
    try:
        found = {str(item[4][0]).partition("%")[0] for item in socket.getaddrinfo(host, None)}
        return bool(found) and all(_address(text).is_global for text in found)
    except (OSError, ValueError):
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    # Written as IPv6, an address of this network would count as another one.
    return getattr(address, "ipv4_mapped", None) or address
