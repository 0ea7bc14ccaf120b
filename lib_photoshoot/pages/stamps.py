"""The stamps by which a page that is served asks what is new: ``EPOCH.REVISION``.

Every picture that is new or changed gets the next revision; another epoch begins where all is told anew.
"""

from __future__ import annotations


def revision_seen(stamp: str, epoch: str, nothing: int) -> int:
    """Return the revision of a stamp; ``nothing`` for one of another epoch, and for a text that is none."""
    of, _, seen = stamp.partition(".")
    return int(seen) if of == epoch and seen.isdecimal() and len(seen) < 16 else nothing
