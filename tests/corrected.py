"""A picture of a run whose outline a person drew, as the picture page writes it: files of names of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.journal import Journal
from lib_photoshoot.results import OutlineSource


def drawn_by_hand(run: Path, stem: str, change: Callable[[np.ndarray], object], added: str = "") -> Record:
    """Draw the masks of a picture anew: ``change`` takes each, uint8 (height, width), and its cut-out's alpha.

    A product that is ``added`` has the first one's outline.
    """
    (record,) = [one for one in current_records(run / LEDGER_NAME) if one.stem == stem]

    def renamed(name: str) -> str:
        return name.replace(f"/{stem}", f"/{stem}-by-hand-1", 1)

    for name in record.outputs:
        os.rename(run / name, run / renamed(name))
        if name.split("/")[0] in ("masks", "cutouts"):
            with Image.open(run / renamed(name)) as image:
                pixels = np.array(image)
            change(pixels if pixels.ndim == 2 else pixels[:, :, 3])
            Image.fromarray(pixels).save(run / renamed(name))
    regions = [
        {**region, "mask": renamed(region["mask"]), "outline": {**OUTLINE, "source": OutlineSource.HAND.value}}
        for region in record.entry["regions"]
    ]
    if added:
        mask = regions[0]["mask"].replace("_1_", "_2_")
        for folder in ("masks", "cutouts"):
            shutil.copy(run / regions[0]["mask"].replace("masks", folder), run / mask.replace("masks", folder))
        regions.append({**regions[0], "mask": mask, "product": added})
    entry = {**record.entry, "regions": regions, "corrected": 1}
    drawn = replace(record, outputs=tuple(map(renamed, record.outputs)), entry=entry)
    with open(run / LEDGER_NAME, "rb") as file:
        header = file.readline()
    with Journal(run / LEDGER_NAME, header) as journal:
        journal.append(drawn.to_line())
    return drawn


OUTLINE = {"quality": 1.0, "doubts": []}
