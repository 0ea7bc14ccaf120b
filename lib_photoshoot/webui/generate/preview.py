"""What the filter would find in one picture, before anything is spent: the panel's preview, without the panel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.results import FilterResult, ProductRegion
from lib_photoshoot.settings import Enhancement, FilterSettings, OnMatch
from lib_photoshoot.webui.generate.job import FilterJob, reason_text, start_job
from lib_photoshoot.webui.http.sentences import note

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.webui.hosts.protocol import Host

_REJECTED_SHOWN = 3
_PLAIN = {
    Enhancement.CONTROLNET: "plain inpainting",
    Enhancement.INPAINT: "plain inpainting",
    Enhancement.RETOUCH: "retouching",
}


@dataclass(frozen=True, eq=False)
class Found:
    """The overlay, None where nothing was found, and the text as HTML."""

    overlay: Image.Image | None
    html: str


def look(host: Host, settings: FilterSettings, image: Image.Image) -> Found:
    """Detect and segment with these settings. Raises PhotoshootError for what would stop the job too."""
    job = start_job(host, settings)
    if job.problem is not None:
        raise PhotoshootError(job.problem)
    result = job.decide(image)
    from lib_photoshoot.webui.generate.enhancer import in_order

    # As many as there are: those beyond the limit are shown too, and named as such.
    regions = in_order(result.regions, replace(settings, limit=0), [product.name for product in job.products])
    return Found(_overlay(image, regions), _html(job, result, regions))


def _overlay(image: Image.Image, regions: list[ProductRegion]) -> Image.Image | None:
    if not regions:
        return None
    from lib_photoshoot.catalog.outputs import draw_overlay
    from lib_photoshoot.images import to_image
    from lib_photoshoot.transparency import on_neutral_ground, rgba_of, split

    return to_image(draw_overlay(on_neutral_ground(*split(rgba_of(image))), tuple(regions)))


def _html(job: FilterJob, result: FilterResult, regions: list[ProductRegion]) -> str:
    parts = [note(_headline(job, result))]
    if regions:
        parts.append(f'<ul class="photoshoot-regions">{"".join(_lines(job.settings, regions))}</ul>')
    parts += [note(text, wrong=True) for text in (job.unit.problem, job.unit.note, *job.hints) if text]
    rejected = sorted(result.rejected, key=lambda item: -item.score)[:_REJECTED_SHOWN]
    parts += [
        note(f"Not taken: {item.product}, score {item.score:.2f}: {reason_text(item.reason)}.") for item in rejected
    ]
    return "".join(parts)


def _headline(job: FilterJob, result: FilterResult) -> str:
    settings = job.settings
    if result.reason is not None:
        return f"Skipped: {reason_text(result.reason)}. What would happen to the image: {settings.on_no_match}."
    count = len(result.regions)
    found = f"{count} product{'s' if count > 1 else ''} found"
    if settings.on_match == OnMatch.CUT_OUT.value:
        return f"{found}; masks and cut-outs would be saved, the image stays as it is."
    if job.unit.problem:
        return f"{found}, but none would be enhanced:"
    unit = job.unit.unit
    means = f"ControlNet, {unit.module} with {unit.model}" if unit else _PLAIN[Enhancement(settings.enhancement)]
    return f"{found}; would be enhanced by {means}."


def _lines(settings: FilterSettings, regions: list[ProductRegion]) -> Iterable[str]:
    from lib_photoshoot.catalog.outputs import COLOURS

    enhances = settings.on_match == OnMatch.ENHANCE.value and settings.enhancement != Enhancement.RETOUCH.value
    limit = settings.limit if enhances else 0
    for number, region in enumerate(regions, 1):
        width, height = (round(region.box[2] - region.box[0]), round(region.box[3] - region.box[1]))
        colour = "#{:02x}{:02x}{:02x}".format(*COLOURS[(number - 1) % len(COLOURS)])
        beyond = " (beyond Most regions, so not enhanced)" if limit and number > limit else ""
        name = escape(" and ".join(region.products))
        yield (
            f'<li><b style="background:{colour}">{number}</b> {name}, score {region.score:.2f}, '
            f"{width}&#215;{height} pixels{beyond}</li>"
        )
