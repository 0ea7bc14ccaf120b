"""Jobs that one of the host's selectable scripts runs: SD upscale, Loopback, Prompt matrix and the like.

Such a script calls the host's generation itself, once or for many parts, and relies on as many pictures as it asked
for. So nothing is dropped or stopped in there; what is filtered is what the script returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_photoshoot.settings import NoMatch
from lib_photoshoot.webui.generate.infotext import with_result

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome


class Passes(Enum):
    """What the pictures of a script's own generations are."""

    JOBS = "each a job of its own, and the script copes with any number of pictures"
    RESULTS = "the script's results, each of which it needs"
    PARTS = "tiles or steps on the way to the results"


_KNOWN = {
    "x/y/z plot": Passes.JOBS,
    "prompt matrix": Passes.RESULTS,
    "prompts from file or textbox": Passes.RESULTS,
    "img2img alternative test": Passes.RESULTS,
}
"""By the script's title in lower case; any other, an extension's too, may make parts."""


@dataclass(frozen=True)
class Driver:
    """The selectable script that runs a job."""

    title: str
    passes: Passes

    def note(self, settings: FilterSettings) -> str | None:
        """One sentence on what is done otherwise than the settings say; None where nothing is."""
        undone = []
        if settings.on_no_match == NoMatch.LEAVE_OUT.value:
            undone.append("no picture is left out")
        if settings.on_no_match == NoMatch.MOVE.value and self.passes is Passes.PARTS:
            undone.append("no picture goes to a folder of its own")
        if settings.filter_input:
            undone.append("the input is not looked at first")
        if self.passes is Passes.PARTS:
            undone.insert(0, "only the pictures that it returns are filtered")
        return f"Product filter: {self.title} runs this job, so {' and '.join(undone)}." if undone else None


def driver_of(p: Any) -> Driver | None:
    """The script that runs the host's processing object ``p``; None without one, and for those that run whole jobs."""
    arguments = getattr(p, "script_args", None) or (0,)
    scripts = getattr(getattr(p, "scripts", None), "selectable_scripts", ())
    # The host keeps the place of the chosen script in its list, counted from 1, before the scripts' own arguments.
    place = arguments[0]
    if not isinstance(place, int) or not 1 <= place <= len(scripts):
        return None
    title = str(scripts[place - 1].title())
    passes = _KNOWN.get(title.lower(), Passes.PARTS)
    return None if passes is Passes.JOBS else Driver(title, passes)


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

    told = [text for text in (driver.note(job.settings), job.obstacle, job.unit.note) if text]
    texts = list(processed.infotexts)
    texts += [processed.info] * (len(processed.images) - len(texts))
    first = _first_picture(processed)
    for place in range(first, len(processed.images)):
        before, number = processed.images[place], place - first
        seed = _at(processed.all_seeds, number, processed.seed)
        prompt = JobPrompt(_at(processed.all_prompts, number), _at(processed.all_negative_prompts, number), seed)
        outcome = job.handle(p, (0, number), before, prompt, photo(number, before))
        texts[place] = with_result(texts[place], job.settings, outcome.summary)
        _carry_over(before, outcome.image, texts[place])
        save(before, outcome, texts[place], seed)
        processed.images[place] = outcome.image
        if job.obstacle is None:
            told.append(f"Product filter, image {number + 1}: {outcome.summary}.")
    processed.infotexts = texts
    processed.comments = "".join(f"{line}\n" for line in [*processed.comments.splitlines(), *told])


def _first_picture(processed: Any) -> int:
    """The place of the first picture that is no grid: scripts do not always say whether theirs begin with one."""
    images = processed.images
    if processed.index_of_first_image or len(images) < 2:
        return int(processed.index_of_first_image)
    width, height = images[0].size
    larger = all(
        width >= image.width and height >= image.height and image.size != images[0].size for image in images[1:]
    )
    return 1 if larger else 0


def _at(values: Any, number: int, otherwise: Any = None) -> Any:
    """That entry, else what is given, else the first: a script's lists may be those of its last part."""
    if number < len(values):
        return values[number]
    return values[0] if otherwise is None else otherwise


def _carry_over(before: Image.Image, after: Image.Image, text: str) -> None:
    """What the host has noted on a picture, for the one in its place."""
    after.info.update({key: value for key, value in before.info.items() if key not in after.info})
    if "parameters" in after.info:
        after.info["parameters"] = text
