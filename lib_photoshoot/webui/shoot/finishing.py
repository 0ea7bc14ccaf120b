"""``finish`` for the page: in the background, one shoot at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.files import shown
from lib_photoshoot.shoot.finish.finishing import EXPORTS, finish_shoot
from lib_photoshoot.shoot.finish.ranking import FinishedProduct, FinishProgress
from lib_photoshoot.shoot.run.ledger import FINISHED
from lib_photoshoot.webui.http.background import BackgroundJob, JobState

if TYPE_CHECKING:
    from lib_photoshoot.webui.shoot.host import ShootHost


class Finishing:
    """Cuts out, ranks and exports a shoot's accepted pictures. Safe to call from several threads."""

    def __init__(self, host: ShootHost) -> None:
        self._host = host
        self._job = BackgroundJob("finishing")

    def start(self, shoot: Path) -> None:
        """Begin. Raises RequestError 409 while it is at work."""

        def work(state: JobState) -> list[dict[str, Any]]:
            state.result = []

            def tell(progress: FinishProgress) -> None:
                state.doing = progress.product
                state.count(progress.done, progress.total)

            try:
                for product in finish_shoot(shoot, self._host.choose, self._host.load, tell=tell):
                    state.result.append(_described(product))
            finally:
                self._host.release_models()
            return state.result

        self._job.start(shoot.name, work)

    def stop(self, shoot: Path) -> None:
        """End after the picture at hand; what is finished stays."""
        if self._job.state.about == shoot.name:
            self._job.stop()

    def describe(self, shoot: Path) -> dict[str, Any]:
        """How far it is with this shoot: busy, done, of, doing, error, folder and the products that are finished."""
        state = self._job.state
        mine = state.about == shoot.name
        return {
            "busy": mine and state.busy,
            "done": state.done if mine else 0,
            "of": state.of if mine else 0,
            "doing": state.doing if mine else "",
            "error": (state.error or "") if mine else "",
            "products": list(state.result or ()) if mine else [],
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
    }
