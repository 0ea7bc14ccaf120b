"""The pictures of a folder that can be trained on, and what was found about its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lib_photoshoot.results import Box
from lib_photoshoot.training.captions.reading import edited_findings
from lib_photoshoot.training.dataset.buckets import (
    Bucket,
    BucketPlacement,
    BucketSettings,
    steps_per_epoch,
    times_taken,
)
from lib_photoshoot.training.dataset.findings import ABOUT_CAPTIONS, Finding, Severity

Counting = Callable[[int, int], None]
"""Called with the number of pictures done, and of all; what it raises ends the work."""


@dataclass(frozen=True)
class TrainingImage:
    """A picture that can be trained on; ``width`` and ``height`` in pixels, upright.

    ``caption`` is the first line of its text file, None without one. ``crop`` is what survives in the bucket, in pixels
    of the upright picture. ``rotated`` pictures are turned in the file, ``transparent`` ones see-through in parts: the
    run works on copies that the trainer reads rightly (see ``pictures.py``). ``hash`` is of ``perceptual_hash.py``.
    """

    path: Path
    width: int
    height: int
    caption: str | None
    placement: BucketPlacement
    rotated: bool
    hash: int
    transparent: bool = False
    repeats: int | None = None
    """How often it counts in an epoch, None for the recipe's repeats."""

    @property
    def name(self) -> str:
        """The file name."""
        return self.path.name

    @property
    def bucket(self) -> Bucket:
        """The size at which the picture is trained."""
        return self.placement.bucket

    @property
    def crop(self) -> Box:
        """What survives of the picture, in its own pixels."""
        return self.placement.crop


@dataclass(frozen=True)
class Dataset:
    """What a folder holds for the trainer: its images by name, and what was found about its files."""

    folder: Path
    tag: str
    settings: BucketSettings
    images: tuple[TrainingImage, ...]
    findings: tuple[Finding, ...]
    beside: Mapping[str, str] = field(default_factory=dict, compare=False)
    """The captions that stand beside the pictures, by image name, empty where there is none."""
    regularisation: tuple[TrainingImage, ...] = ()
    """See ``regularisation.py``."""

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that should be dealt with."""
        return self._of(Severity.PROBLEM)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that are only worth knowing."""
        return self._of(Severity.NOTE)

    @property
    def uncaptioned(self) -> tuple[TrainingImage, ...]:
        """The images without a caption, or with an empty one."""
        return tuple(image for image in self.images if not image.caption)

    @property
    def files(self) -> frozenset[str]:
        """The names of all that is an image, or was found something about."""
        return frozenset((*(image.name for image in self.images), *(found.file for found in self.findings)))

    @property
    def usable(self) -> bool:
        """Whether there is an image, and every image has a caption."""
        return bool(self.images) and not self.uncaptioned

    @property
    def captions(self) -> dict[str, str]:
        """Captions by image name, empty where there is none."""
        return {image.name: image.caption or "" for image in self.images}

    @property
    def buckets(self) -> dict[Bucket, int]:
        """Number of images in each bucket that has any, without repeats, in ascending order of the buckets."""
        return dict(sorted(Counter(image.bucket for image in self.images).items()))

    def counts(self, repeats: int, images: Sequence[TrainingImage] | None = None) -> Counter[Bucket]:
        """How often an epoch takes a picture of each bucket, of all ``images`` or of some, and for regularisation.

        ``repeats`` are the recipe's.
        """
        counts: Counter[Bucket] = Counter()
        for image in self.images if images is None else images:
            counts[image.bucket] += image.repeats or repeats
        taken = times_taken([image.repeats or 1 for image in self.regularisation], counts.total())
        for image, times in zip(self.regularisation, taken, strict=True):
            counts[image.bucket] += times
        return counts

    def steps_per_epoch(self, repeats: int, batch: int, accumulation: int = 1, processes: int = 1) -> int:
        """See :func:`~lib_photoshoot.training.dataset.buckets.steps_per_epoch`."""
        return steps_per_epoch(self.counts(repeats), 1, batch, accumulation, processes)

    def findings_of(self, file: str) -> tuple[Finding, ...]:
        """Return the findings about one file."""
        return tuple(finding for finding in self.findings if finding.file == file)

    def with_captions(self, captions: Mapping[str, str]) -> Dataset:
        """Return the same images with other captions, by image name, and with what is wrong with those."""
        changed = {
            image.name: replace(image, caption=captions[image.name])
            for image in self.images
            if captions.get(image.name, image.caption or "") != (image.caption or "")
        }
        kept = [found for found in self.findings if found.file not in changed or found.kind not in ABOUT_CAPTIONS]
        new = [
            found for image in changed.values() for found in edited_findings(image.path, image.caption or "", self.tag)
        ]
        images = tuple(changed.get(image.name, image) for image in self.images)
        return replace(self, images=images).with_findings_instead((*kept, *new))

    def with_findings(self, more: Iterable[Finding]) -> Dataset:
        """Return the same with more that was found."""
        return self.with_findings_instead((*self.findings, *more))

    def with_findings_instead(self, findings: Iterable[Finding]) -> Dataset:
        """Return the same with these findings alone."""
        return replace(self, findings=tuple(sorted(findings, key=lambda found: found.file)))

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is severity)
