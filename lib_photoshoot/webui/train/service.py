"""What the HTTP routes of the Train part do, without HTTP: the controller's operations for one host.

Errors are PhotoshootError sentences; RequestError says its HTTP status.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.recipe import DEFAULTS
from lib_photoshoot.webui.train.captioning import Captioners
from lib_photoshoot.webui.train.checkpoints import Checkpoints
from lib_photoshoot.webui.train.pictures import PictureOperations
from lib_photoshoot.webui.train.runs import RunOperations
from lib_photoshoot.webui.train.trainer import Trainer
from lib_photoshoot.webui.train.views import recipe_schema
from lib_photoshoot.webui.train.watch import RunWatch

if TYPE_CHECKING:
    from lib_photoshoot.webui.train.host import TrainingHost


class TrainingService:
    """The Train part on one host: ``pictures``, ``runs`` and ``trainer``, and what the page shows at first.

    ``blip_folders`` are places outside ``home`` where BLIP's weights may lie.
    """

    def __init__(self, host: TrainingHost, home: Path | None = None, blip_folders: Sequence[Path] = ()) -> None:
        self.controller = (
            TrainingController(home, blip_folders) if home else TrainingController(blip_folders=blip_folders)
        )
        self._host = host
        self._captioners = Captioners(self.controller, host, blip_folders)
        self._checkpoints = Checkpoints()
        self.watch = RunWatch(host)
        self.trainer = Trainer(self.controller, host)
        self.pictures = PictureOperations(self.controller, host, self.trainer, self._captioners)
        self.runs = RunOperations(self.controller, host, self.trainer, self.pictures, self.watch)

    def overview(self) -> dict[str, Any]:
        """Everything that the page shows before a folder was chosen."""
        active = self.runs.active()
        return {
            "home": str(self.controller.home),
            "tag": DEFAULTS["activation_tag"],
            "trainer": self.trainer.to_dict(),
            **recipe_schema(),
            "checkpoints": self._checkpoints.listed(self._host.checkpoints()),
            "loaded": self._host.loaded(),
            "captioners": self._captioners.listed(),
            "active": active.path.name if active else None,
            "runs": self.runs.listed(),
        }
