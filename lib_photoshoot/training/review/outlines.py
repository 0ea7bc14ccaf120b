"""The outlines that a run of the filter has drawn of photos of a training: what a masked loss would be of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lib_photoshoot.catalog.growing import GrowingRun
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown


def outlines_of(run: Path, folder: Path) -> Mapping[Path, Mapping[str, Path]]:
    """Return the masks of a run's products by their names, by the real path of the photo; of photos in ``folder``.

    Raises CatalogError where there is no run, and TrainingError where it has no product in these photos.
    """
    root = Path(os.path.realpath(folder))
    found = {}
    for record in GrowingRun(run).records:
        photo = Path(os.path.realpath(record.file))
        regions = [region for region in record.entry["regions"] if region["mask"]]
        if regions and root in photo.parents:
            found[photo] = {
                f"Outline {number} {region['product']}": inside(run, region["mask"])
                for number, region in enumerate(regions, 1)
            }
    if not found:
        raise TrainingError(
            f"The run in {shown(run)} found no product in photos of {shown(folder)}; name a run of filter over them."
        )
    return found
