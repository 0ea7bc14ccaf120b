"""The photos of a folder as the page shows them: with what was found about each, decided, and edited."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.training.dataset.dataset import Dataset, TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind
from lib_photoshoot.training.dataset.folders import picture_in
from lib_photoshoot.training.dataset.near_duplicates import groups
from lib_photoshoot.training.dataset.pictures import masks
from lib_photoshoot.training.folder_check import FolderCheck
from lib_photoshoot.training.review.photo import DUPLICATES, EDITED, FINDINGS, Photo

_UNUSABLE = (FindingKind.UNREADABLE, FindingKind.TOO_SMALL)


def photos_of(check: FolderCheck, hands: Mapping[str, Hand], edited: Collection[str]) -> Iterator[Photo]:
    """Yield the photos by name, those that look the same side by side; then the files that cannot be trained on.

    ``hands`` are a person's decisions and ``edited`` the captions typed here, both by the files' names. What is said of
    a photo that is trained on does not count those that are left out.
    """
    whole = check.whole
    about, about_all = _by_file(check.dataset), _by_file(whole)
    alike = [group for folder in _folders(whole.images) for group in groups(folder)]
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
            yield Photo(
                image.path, image, findings, hands.get(image.name), marks, masked.get(image.path), _group(image, whole)
            )
    for name, findings in about_all.items():
        if any(found.kind in _UNUSABLE for found in findings):
            yield Photo(picture_in(whole.folder, name), None, findings, hands.get(name), [FINDINGS])


def _by_file(dataset: Dataset) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in dataset.findings:
        found.setdefault(finding.file, []).append(finding)
    return found


def _folders(images: tuple[TrainingImage, ...]) -> list[list[TrainingImage]]:
    found: dict[Path, list[TrainingImage]] = {}
    for image in images:
        found.setdefault(image.path.parent, []).append(image)
    return list(found.values())


def _group(image: TrainingImage, whole: Dataset) -> str:
    return "" if image.path.parent == whole.folder else image.path.parent.name


def _masks_of(whole: Dataset) -> dict[Path, Path]:
    """Return the file of the mask by the photo's, where one lies beside it."""
    names = [finding.file for finding in whole.findings if finding.kind is FindingKind.MASK]
    files = [picture_in(whole.folder, name) for name in names]
    pictures = {(image.path.parent, image.path.stem): image.path for image in whole.images}
    owners = masks([*files, *pictures.values()], ()) if files else {}
    found = ((pictures.get((file.parent, owners.get(file, ""))), file) for file in files)
    return {picture: file for picture, file in found if picture is not None}
