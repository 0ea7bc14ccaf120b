"""How a shoot stands, as plain values: what the report, the review and the WebUI's page show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from lib_photoshoot.pages.hands import item_fields
from lib_photoshoot.shoot.run.ledger import Acceptance, ShootState, Try
from lib_photoshoot.shoot.run.pictures import thumbnail_name


class Wanted(Protocol):
    """A listed product, as far as a view needs it: its name, its folder's name, and how many pictures are wanted."""

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def count(self) -> int: ...


def shoot_view(
    products: Sequence[Wanted], state: ShootState, after: int = 0, also: Iterable[int] = ()
) -> dict[str, Any]:
    """``revision``, ``products`` with their counts, and the ``shots`` that changed after revision ``after``, as JSON.

    And ``also`` those with these ids.

    Each shot: ``id`` (stays the same, from 0), ``product``, ``number``, ``seed``, ``scene``, ``webui``, ``seconds``,
    ``scores``, ``decision`` (what holds), ``filter`` (what the filter said), ``by_hand`` with ``reason`` and ``note``,
    ``why``, and ``file`` and ``thumbnail`` relative to the output folder. Shots of products that are no
    longer listed are left out; those whose decision waits for the ledger are always there.
    """
    tries = Counter(entry.product for entry in state.tries)
    accepted = Counter(entry.product for entry in state.tries if entry.accepted)
    folders = {product.name: product.folder for product in products}
    changed = sorted({*state.changes[max(after, 0) :], *state.waiting, *also})
    return {
        "revision": len(state.changes),
        "products": [
            {
                "name": product.name,
                "wanted": product.count,
                "accepted": accepted[product.name],
                "rejected": tries[product.name] - accepted[product.name],
            }
            for product in products
        ],
        "shots": [
            _shot(index, state.tries[index], folders[state.tries[index].product])
            for index in changed
            if state.tries[index].product in folders
        ],
    }


def _shot(index: int, entry: Try, folder: str) -> dict[str, Any]:
    return {
        "id": index,
        "product": entry.product,
        "number": entry.number,
        "seed": entry.seed,
        "scene": entry.scene,
        "webui": entry.webui,
        "seconds": entry.seconds,
        "scores": [list(score) for score in entry.scores],
        "decision": Acceptance.ACCEPTED if entry.accepted else Acceptance.REJECTED,
        "filter": entry.decision,
        **item_fields(entry.hand),
        "why": entry.why,
        "file": entry.file,
        "thumbnail": thumbnail_name(folder, entry.seed),
    }
