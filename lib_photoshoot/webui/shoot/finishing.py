"""``finish`` for the page: in the background, one shoot at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.export.shop.settings import ShopSettings
from lib_photoshoot.export.shop.sku_table import SkuRow
from lib_photoshoot.files import shown
from lib_photoshoot.shoot.finish.finishing import finish_shoot
from lib_photoshoot.shoot.finish.for_shops import ForShops, HandedOver
from lib_photoshoot.shoot.finish.ranking import FinishedProduct, FinishProgress, called
from lib_photoshoot.shoot.finish.runs import EXPORTS
from lib_photoshoot.shoot.run.ledger import FINISHED
from lib_photoshoot.webui.http.background import BackgroundJob, JobState
from lib_photoshoot.webui.http.picture_pages import address_of

if TYPE_CHECKING:
    from lib_photoshoot.webui.shoot.host import ShootHost


@dataclass(frozen=True)
class FinishedShoot:
    """What is finished so far."""

    products: list[FinishedProduct]
    handed: list[HandedOver]


class Finishing:
    """Cuts out, ranks and exports a shoot's accepted pictures. Safe to call from several threads."""

    def __init__(self, host: ShootHost) -> None:
        self._host = host
        self._job = BackgroundJob("finishing")

    def start(self, shoot: Path, settings: ShopSettings, rows: Sequence[SkuRow] | None) -> None:
        """Begin; ``settings`` and ``rows`` say what goes with the pictures. Raises RequestError 409 while it is at
        work.
        """

        def work(state: JobState) -> FinishedShoot:
            state.result = done = FinishedShoot([], [])

            def tell(progress: FinishProgress) -> None:
                state.doing = progress.product
                state.count(progress.done, progress.total)

            try:
                wanted = ForShops(settings, rows, done.handed.append)
                for product in finish_shoot(shoot, self._host.choose, self._host.load, tell=tell, shop=wanted):
                    done.products.append(product)
            finally:
                self._host.release_models()
            return done

        self._job.start(shoot.name, work)

    def stop(self, shoot: Path) -> None:
        """End after the picture at hand; what is finished stays."""
        if self._job.state.about == shoot.name:
            self._job.stop()

    def describe(self, shoot: Path) -> dict[str, Any]:
        """How far it is with this shoot: busy, done, of, doing, error, folder, the products that are finished, and the
        channels that were handed over.
        """
        state = self._job.state
        mine = state.about == shoot.name
        done: FinishedShoot = (state.result if mine else None) or FinishedShoot([], [])
        now = {(one.profile, before): name for one in done.handed for before, name in one.names.items()}
        return {
            "busy": mine and state.busy,
            "done": state.done if mine else 0,
            "of": state.of if mine else 0,
            "doing": state.doing if mine else "",
            "error": (state.error or "") if mine else "",
            "products": [_described(called(product, now)) for product in tuple(done.products)],
            "handed": [
                {
                    "profile": one.profile,
                    "page": address_of(shoot / FINISHED / EXPORTS / one.profile),
                    "said": list(one.said),
                    "problems": list(one.problems),
                }
                for one in tuple(done.handed)
            ],
            "folder": shown(shoot / FINISHED) if (shoot / FINISHED).is_dir() else "",
        }


def _described(product: FinishedProduct) -> dict[str, Any]:
    """Paths are relative to the shoot's folder."""
    return {
        "name": product.name,
        "accepted": product.accepted,
        "different": len(product.ranking),
        "best": [
            {"file": item.measured.file, "total": round(item.total, 3), "duplicates": len(item.duplicates)}
            for item in product.ranking[: product.wanted]
        ],
        "channels": [
            {
                "profile": channel.profile,
                "files": [f"{FINISHED}/{EXPORTS}/{channel.profile}/{name}" for name in (*channel.made, *channel.kept)],
                "new": len(channel.made),
                "missed": list(channel.missed),
            }
            for channel in product.channels
        ],
        "withdrawn": list(filter(None, (*product.withdrawn, product.left_out))),
        "problems": list(product.problems),
        "alike": list(product.alike),
    }
