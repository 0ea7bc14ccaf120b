"""Which captioners there are on this host, and captioning a folder in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import TrainingError, WeightsError
from lib_photoshoot.webui.http.sentences import sentence
from lib_photoshoot.webui.train.datasets import Sheets

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.training.captions.protocol import Captioner
    from lib_photoshoot.training.captions.sheet import CaptionSheet
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.training.dataset.dataset import Counting, Dataset
    from lib_photoshoot.webui.train.host import TrainingHost

HOST, AUTO = "webui", "auto"
LABELS = {
    AUTO: "The best that is here",
    "blip": "BLIP large",
    HOST: "The WebUI's BLIP",
    "embedded": "Product names",
}


class Captioners:
    """The captioners by name; ``blip_folders`` are the places where BLIP's weights may lie."""

    def __init__(self, controller: TrainingController, host: TrainingHost, blip_folders: Sequence[Path]) -> None:
        self._controller = controller
        self._host = host
        self._blip_folders = blip_folders

    def listed(self) -> list[dict[str, Any]]:
        """Each with whether it is ``ready``, and in ``why`` the sentence that says what it lacks."""
        why = {"blip": self._why_no_blip(), HOST: self._host.missing_for_captions(), "embedded": _why_no_names()}
        why[AUTO] = None if None in why.values() else why["embedded"]
        return [
            {"name": name, "label": label, "ready": why[name] is None, "why": why[name] or ""}
            for name, label in LABELS.items()
        ]

    def open(self, name: str) -> Captioner:
        """Return a captioner that leaves the host's models to others between its batches. Raises TrainingError,
        WeightsError.

        ``auto`` is BLIP large, else the WebUI's BLIP, else the product names.
        """
        if name == HOST or (name == AUTO and self._why_no_blip() and self._host.missing_for_captions() is None):
            return self._host.captioner()
        from lib_photoshoot.build import resolve_device

        device = resolve_device(self._host.device())
        return CaptionerInTurns(self._controller.captioner(name, device), self._host.turn)

    def _why_no_blip(self) -> str | None:
        from lib_photoshoot.training.captions.blip import FOLDER_NAME, find_blip

        if find_blip((self._controller.home, *self._blip_folders)) is not None:
            return None
        return f"Put the folder {FOLDER_NAME} of Hugging Face into {self._controller.home}."


def _why_no_names() -> str | None:
    from lib_photoshoot.weights.store import find

    try:
        find("efficientnet-lite2")
    except WeightsError as error:
        return sentence(error)
    return None


class CaptionerInTurns:
    """A captioner that takes a turn in the host's queue for each batch, so that generations come in between."""

    def __init__(self, captioner: Captioner, turn: Callable[[], AbstractContextManager[Any]]) -> None:
        self.name = captioner.name
        self.batch_size = captioner.batch_size
        self._captioner = captioner
        self._turn = turn

    def caption(self, images: Sequence[np.ndarray]) -> list[str]:
        """See ``Captioner``."""
        with self._turn():
            return self._captioner.caption(images)


def caption(
    sheets: Sheets,
    dataset: Dataset,
    tag: str,
    captioner: Captioner,
    anew: bool,
    names: Collection[str] | None,
    take_texts: bool,
    progress: Counting,
) -> dict[str, str]:
    """Caption the images without a caption, all if ``anew``; all captions afterwards.

    Only those of ``names`` where given, else those that are not left out. With ``take_texts`` the texts beside those
    images replace captions that were edited here and contradict them. What the user has typed into an empty caption
    meanwhile stays. One step to undo. Raises TrainingError, ImageError.
    """
    from lib_photoshoot.training.captions.protocol import caption_dataset
    from lib_photoshoot.training.captions.sheet import with_tag

    before = sheets.read(dataset).captions
    known = {image.name for image in dataset.images}
    unknown = next((name for name in names or () if name not in known), None)
    if unknown is not None:
        raise TrainingError(f"There is no picture {unknown!r} in the folder; check it again.")
    chosen = known - set(sheets.rejected(dataset)) if names is None else set(names)
    beside = sheets.conflicts(dataset) if take_texts else {}
    texts = {name: text for name, text in beside.items() if name in chosen}
    told = {**before, **texts}
    images = [one for one in dataset.images if one.name in chosen and (anew or not told[one.name].strip())]
    progress(0, len(images))
    made = caption_dataset(images, captioner, tag, progress)

    def write(sheet: CaptionSheet) -> None:
        kept = {name: text for name, text in {**sheet.captions, **texts}.items() if text.strip()}
        new = made if anew else {name: text for name, text in made.items() if name not in kept}
        tagged = {name: with_tag(text, tag) for name, text in kept.items() if name in chosen}
        sheet.update({**tagged, **new})

    return sheets.edit(dataset, write, made=True).captions
