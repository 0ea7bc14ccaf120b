"""Filters what a selectable script of the host has returned, when its own generations were only parts of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lib_photoshoot.webui.generate.drivers import Driver
from lib_photoshoot.webui.generate.infotext import with_result

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome


Save = Callable[["Image.Image", "ImageOutcome", str, int], None]
"""Saves what belongs to one picture of the results: the picture before, its outcome, its infotext and its seed."""


Photo = Callable[[int, "Image.Image"], "Image.Image | None"]
"""The host's input for that picture of the results, as large as it; None where there was none."""


def filter_returned(
    job: FilterJob, driver: Driver, p: Any, processed: Any, save: Save, photo: Photo = lambda number, image: None
) -> None:
    """Filter the pictures that a script has returned, in place in the host's ``processed``; grids stay as they are.

    Every picture stays in the results, enhanced or as it came, and its infotext says what was found and done.
    """
    from lib_photoshoot.webui.generate.enhancer import JobPrompt

    told = [text for text in (driver.note(job.settings), job.obstacle, *job.notes) if text]
    texts = list(processed.infotexts)
    texts += [processed.info] * (len(processed.images) - len(texts))
    first = _first_picture(processed)
    for place in range(first, len(processed.images)):
        before, number = processed.images[place], place - first
        seed = _at(processed.all_seeds, number, processed.seed)
        prompt = JobPrompt(_at(processed.all_prompts, number), _at(processed.all_negative_prompts, number), seed)
        outcome = job.handle(p, (0, number), before, prompt, photo(number, before))
        texts[place] = with_result(texts[place], job.settings, outcome.verdict)
        _carry_over(before, outcome.image, texts[place])
        save(before, outcome, texts[place], seed)
        processed.images[place] = outcome.image
        if job.obstacle is None:
            told.append(f"Product filter, image {number + 1}: {outcome.summary}.")
    processed.infotexts = texts
    processed.comments = "".join(f"{line}\n" for line in [*processed.comments.splitlines(), *told])


def _first_picture(processed: Any) -> int:
    """Return the place of the first picture that is no grid: scripts do not always say whether theirs begin with
    one.
    """
    images = processed.images
    if processed.index_of_first_image or len(images) < 2:
        return int(processed.index_of_first_image)
    width, height = images[0].size
    larger = all(
        width >= image.width and height >= image.height and image.size != images[0].size for image in images[1:]
    )
    return 1 if larger else 0


def _at(values: Any, number: int, otherwise: Any = None) -> Any:
    """Return that entry, else what is given, else the first: a script's lists may be those of its last part."""
    if number < len(values):
        return values[number]
    return values[0] if otherwise is None else otherwise


def _carry_over(before: Image.Image, after: Image.Image, text: str) -> None:
    """Carry what the host has noted on a picture to the one in its place."""
    after.info.update({key: value for key, value in before.info.items() if key not in after.info})
    if "parameters" in after.info:
        after.info["parameters"] = text
