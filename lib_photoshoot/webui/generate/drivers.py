"""Which of the host's selectable scripts runs a job: SD upscale, Loopback, Prompt matrix and the like.

Such a script calls the host's generation itself, once or for many parts, and relies on as many pictures as it asked
for. So nothing is dropped or stopped in there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_photoshoot.settings import NoMatch

if TYPE_CHECKING:
    from lib_photoshoot.settings import FilterSettings


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
        if settings.first_look:
            undone.append("hires fix is not held back")
        if settings.filter_input:
            undone.append("the input is not looked at first")
        if self.passes is Passes.PARTS:
            undone.insert(0, "only the pictures that it returns are filtered")
        return f"Product filter: {self.title} runs this job, so {' and '.join(undone)}." if undone else None


def driver_of(p: Any) -> Driver | None:
    """Return the script that runs the host's processing object ``p``; None without one, and for those that run whole
    jobs.
    """
    arguments = getattr(p, "script_args", None) or (0,)
    scripts = getattr(getattr(p, "scripts", None), "selectable_scripts", ())
    # The host keeps the place of the chosen script in its list, counted from 1, before the scripts' own arguments.
    place = arguments[0]
    if not isinstance(place, int) or not 1 <= place <= len(scripts):
        return None
    title = str(scripts[place - 1].title())
    passes = _KNOWN.get(title.lower(), Passes.PARTS)
    return None if passes is Passes.JOBS else Driver(title, passes)
