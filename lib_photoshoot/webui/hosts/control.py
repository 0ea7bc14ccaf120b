"""What a pass inside a job needs of a host's ControlNet, whichever it is; nothing of a host is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lib_photoshoot.webui.hosts.protocol import ControlNetApi, InpaintRequest

if TYPE_CHECKING:
    from PIL import Image


class Witness(Protocol):
    """Sees whether ControlNet took up a pass's units: hosts report success whatever happens."""

    taken_up: bool
    reason: str
    """Why not, as a short text; empty where the host alone knows."""

    def let_go(self, p: Any) -> None:
        """After a failure of the pass, of which the host tells no script: take off what may still be on the network."""
        ...


@dataclass(frozen=True)
class Equipment:
    """The always-on scripts of a pass, in order, and the values of all scripts; ``witness`` is one of the scripts."""

    scripts: Sequence[Any]
    values: Sequence[Any]
    witness: Witness


class OuterControl(Protocol):
    """The ControlNet of the job around our passes."""

    def unhook(self, job: Any, processed_type: type) -> None:
        """Take it off the network before a pass of ours, if it is on."""
        ...

    def rehook(self, job: Any) -> None:
        """Put it back before the job's next batch is sampled."""
        ...

    def take_maps(self) -> list[Image.Image]:
        """Return the job's detected maps, if our passes came between them and the results; once."""
        ...


class HostControlNet(ControlNetApi, Protocol):
    """A host's ControlNet: what it has, and its part in passes."""

    def outer(self, job: Any) -> OuterControl | None:
        """Return the ControlNet of ``job``, the host's own processing object; None where it need not be taken off."""
        ...

    def equip(self, job: Any, request: InpaintRequest) -> Equipment | None:
        """Return what a pass needs for the request's units, None where the job has no ControlNet.

        Raises EnhancementError for more units than there are places.
        """
        ...
