"""What a folder of photos would be trained as, before anything is spent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.findings import Finding
from lib_photoshoot.training.recipe import Recipe


@dataclass(frozen=True)
class FolderCheck:
    """What a folder would be trained as; the dataset's captions are those that were edited here, where there are any.

    ``seconds`` is None while no run on this machine was finished to tell the pace; ``disk`` is in bytes. ``whole`` is
    the dataset with the pictures that a person ``rejected`` too, which neither is trained nor counts.
    """

    dataset: Dataset
    recipe: Recipe
    steps_per_epoch: int
    disk: int
    seconds: float | None
    whole: Dataset
    rejected: frozenset[str]
    """Names of files, some of which may be gone."""

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.steps_per_epoch * self.recipe.max_train_epochs

    @property
    def captions(self) -> Mapping[str, str]:
        """Captions by image name, empty where there is none."""
        return self.dataset.captions

    @property
    def uncaptioned(self) -> tuple[str, ...]:
        """Names of the pictures without a caption."""
        return tuple(image.name for image in self.dataset.uncaptioned)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the folder's files that a person rejected."""
        return tuple(sorted(self.rejected & self.whole.files))

    def findings_of(self, file: str) -> tuple[Finding, ...]:
        """Return what was found about a file; of one that is left out as if it were not."""
        return (self.whole if file in self.rejected else self.dataset).findings_of(file)

    def in_the_way(self, leave_out: Collection[str] = ()) -> tuple[Finding, ...]:
        """Return the problems for which a run does not begin unless the user wants it all the same."""
        return tuple(finding for finding in self.dataset.problems if finding.file not in leave_out)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "folder": str(self.dataset.folder),
            "images": len(self.dataset.images),
            "left_out": list(self.left_out),
            "uncaptioned": list(self.uncaptioned),
            "buckets": {str(bucket): count for bucket, count in self.dataset.buckets.items()},
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.recipe.max_train_epochs,
            "total_steps": self.total_steps,
            "warmup_steps": self.recipe.warmup_steps(self.total_steps),
            "disk_bytes": self.disk,
            "seconds": self.seconds,
            "problems": [finding.to_dict() for finding in self.dataset.problems],
            "notes": [finding.to_dict() for finding in self.dataset.notes],
        }
