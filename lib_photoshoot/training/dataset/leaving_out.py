"""A folder's pictures without some of them, as if they were not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.findings import Finding, FindingKind
from lib_photoshoot.training.dataset.folders import by_folder, told_repeats
from lib_photoshoot.training.dataset.near_duplicates import duplicates


def without(dataset: Dataset, names: Collection[str]) -> Dataset:
    """Return the dataset without the files of these names, and with what is still to be said about the others."""
    if not dataset.files.intersection(names):
        return dataset
    images = tuple(image for image in dataset.images if image.name not in names)
    stems = Counter(image.path.stem for image in images)
    folders = by_folder(images)
    findings: list[Finding] = []
    for found in dataset.findings:
        if found.kind is FindingKind.REPEATS:
            folder = dataset.folder / found.file
            findings.append(told_repeats(folder, len(folders.get(folder, ()))))
        elif found.file not in names and _stands(found, stems):
            findings.append(found)
    for alike in folders.values():  # of the pictures that are left, others may look the same
        findings += duplicates(alike)
    return replace(dataset, images=images).with_findings_instead(findings)


def _stands(found: Finding, stems: Counter[str]) -> bool:
    """Whether a finding that is no near-duplicate still holds; ``stems`` are of the pictures that are left."""
    if found.kind is FindingKind.SAME_STEM:
        return stems[Path(found.file).stem] > 1
    return found.kind is not FindingKind.DUPLICATE
