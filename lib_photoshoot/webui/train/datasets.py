"""Folders of training pictures that were looked at, and their captions as they are edited, with undo."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.folders import scan_all, stamps_of

if TYPE_CHECKING:
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.training.dataset.buckets import BucketSettings

KEPT = 8
"""Folders whose state is kept in memory."""

_Files = tuple[tuple[str, int, int], ...]


class Datasets:
    """Looks at a folder once, until a file in it changes: decoding takes seconds. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Path, str, BucketSettings], tuple[_Files, Dataset]] = OrderedDict()

    def get(self, folder: Path, tag: str, settings: BucketSettings) -> Dataset:
        """As :func:`~lib_photoshoot.training.dataset.scanning.scan`. Raises TrainingError."""
        with self._lock:
            return self._get((folder, tag, settings))

    def any_of(self, folder: Path, tag: str, settings: BucketSettings) -> Dataset:
        """Return the dataset that was asked for last of this folder, whatever its tag and sizes; else one with
        these.
        """
        with self._lock:
            latest = next((key for key in reversed(self._held) if key[0] == folder), (folder, tag, settings))
            return self._get(latest)

    def _get(self, key: tuple[Path, str, BucketSettings]) -> Dataset:
        folder, tag, settings = key
        files = stamps_of(folder)
        held = self._held.get(key)
        if held is None or held[0] != files:
            held = files, scan_all(folder, tag, settings)
            self._held[key] = held
        self._held.move_to_end(key)
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return held[1]


@dataclass(frozen=True)
class Edited:
    """The captions after an edit, and how many of them it changed."""

    captions: dict[str, str]
    changed: int
    can_undo: bool
    can_redo: bool


class Sheets:
    """The caption sheets of the last few folders, with their steps; saved after each change. Safe across threads."""

    def __init__(self, controller: TrainingController) -> None:
        self._controller = controller
        self._lock = threading.RLock()
        self._held: OrderedDict[Path, CaptionSheet] = OrderedDict()

    def edit(self, dataset: Dataset, change: Callable[[CaptionSheet], object], made: bool = False) -> Edited:
        """Change a sheet and save it; ``made`` by a captioner. Raises TrainingError."""
        with self._lock, self._controller.alone():
            return self._edit(dataset, change, made)

    def _edit(self, dataset: Dataset, change: Callable[[CaptionSheet], object], made: bool = False) -> Edited:
        with self._lock:
            sheet = self._current(dataset)
            before = sheet.captions
            change(sheet)
            after = sheet.captions
            changed = sum(before[name] != after[name] for name in before)
            if changed:
                self._controller.save_captions(dataset, sheet, made)
            return Edited(after, changed, sheet.can_undo, sheet.can_redo)

    def conflicts(self, dataset: Dataset) -> Mapping[str, str]:
        """Return the texts beside the pictures, by image name, that contradict captions. Raises TrainingError."""
        return self._controller.conflicts(dataset)

    def rejected(self, dataset: Dataset) -> Collection[str]:
        """Return the names of the files that are left out. Raises TrainingError."""
        return self._controller.rejected(dataset)

    def read(self, dataset: Dataset) -> Edited:
        """Return the captions as they are. Raises TrainingError."""
        return self._edit(dataset, lambda sheet: None)

    def _current(self, dataset: Dataset) -> CaptionSheet:
        """Return the sheet in memory, brought to what the disk says: the command line may have captioned meanwhile."""
        stored = self._controller.captions(dataset)
        held = self._held.get(dataset.folder)
        if held is None or held.names != stored.names:
            held = stored
        else:
            held.update(stored.captions)
        self._held[dataset.folder] = held
        self._held.move_to_end(dataset.folder)
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return held
