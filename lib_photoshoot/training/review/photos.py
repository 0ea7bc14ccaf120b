"""The photos of a folder as the page shows them: with what was found about each, decided, and edited."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.training.dataset.dataset import Dataset, TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind
from lib_photoshoot.training.dataset.folders import by_folder, picture_in
from lib_photoshoot.training.dataset.near_duplicates import groups
from lib_photoshoot.training.dataset.pictures import masks
from lib_photoshoot.training.folder_check import FolderCheck
from lib_photoshoot.training.review.photo import DUPLICATES, EDITED, FINDINGS, MASK, VIEWS, Photo

_UNUSABLE = (FindingKind.UNREADABLE, FindingKind.TOO_SMALL)


def alike_in(dataset: Dataset) -> list[list[TrainingImage]]:
    """Return the images of each folder that look the same, two or more in a group."""
    return [group for images in by_folder(dataset.images).values() for group in groups(images)]


def photos_of(
    check: FolderCheck,
    hands: Mapping[str, Hand],
    edited: Collection[str],
    alike: Iterable[Sequence[TrainingImage]],
    outlines: Mapping[Path, Mapping[str, Path]],
) -> Iterator[Photo]:
    """Yield the photos by name, those that look the same side by side; then the files that cannot be trained on.

    ``alike`` are those of :func:`alike_in`, ``outlines`` those of :func:`~.outlines.outlines_of`; ``hands`` are a
    person's decisions and ``edited`` the captions typed here, both by the files' names. What is said of a photo that is
    trained on does not count those that are left out.
    """
    whole = check.whole
    about, about_all = _by_file(check.dataset), _by_file(whole)
    twins = {image.name: group for group in alike for image in group}
    masked, done = _masks_of(whole), set()
    for first in whole.images:
        for image in twins.get(first.name, [first]):
            if image.name in done:
                continue
            done.add(image.name)
            findings = (about_all if image.name in check.rejected else about).get(image.name, [])
            kinds = {FINDINGS: findings, DUPLICATES: image.name in twins, EDITED: image.name in edited}
            marks = [name for name, holds in kinds.items() if holds]
            drawn = {**masked.get(image.path, {}), **outlines.get(Path(os.path.realpath(image.path)), {})}
            yield Photo(image.path, image, findings, hands.get(image.name), marks, drawn, _group(image, whole))
    for name, findings in about_all.items():
        if any(found.kind in _UNUSABLE for found in findings):
            yield Photo(picture_in(whole.folder, name), None, findings, hands.get(name), [FINDINGS])


def _by_file(dataset: Dataset) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in dataset.findings:
        found.setdefault(finding.file, []).append(finding)
    return found


def _group(image: TrainingImage, whole: Dataset) -> str:
    return "" if image.path.parent == whole.folder else image.path.parent.name


def _masks_of(whole: Dataset) -> dict[Path, dict[str, Path]]:
    """Return the file of the mask, labelled, by the photo's, where one lies beside it."""
    names = [finding.file for finding in whole.findings if finding.kind is FindingKind.MASK]
    files = [picture_in(whole.folder, name) for name in names]
    pictures = {(image.path.parent, image.path.stem): image.path for image in whole.images}
    owners = masks([*files, *pictures.values()], ()) if files else {}
    found = ((pictures.get((file.parent, owners.get(file, ""))), file) for file in files)
    return {picture: {VIEWS[MASK]: file} for picture, file in found if picture is not None}
