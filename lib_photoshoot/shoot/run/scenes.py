"""New scenes for a photo: what a WebUI is asked for one shot, and what its answer means."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lib_photoshoot.catalog.report import REASON_TEXT
from lib_photoshoot.catalog.scenes import SCENE_DOUBTS, light_in_words
from lib_photoshoot.results import Decision, Doubt, Reason
from lib_photoshoot.scene_settings import Relight, Repaint
from lib_photoshoot.shoot.shot_list.photos import ListedPhoto, PhotoError
from lib_photoshoot.shoot.shot_list.product import Shot
from lib_photoshoot.verdict import Done, FoundProduct, Verdict

SCENE_PATH = "/photoshoot/v1/filter"
_JUDGED = (Reason.PRODUCT_GREW, Reason.LOST_IN_ENHANCEMENT, Reason.OTHER_PRODUCT, Reason.COLOUR_OFF)
"""Why a picture that was made is no good; another seed may be better."""


def scene_request(shot: Shot, photo: bytes) -> dict[str, Any]:
    """Return the body for :data:`SCENE_PATH`: the photo in one scene, whose identity is checked."""
    product = shot.product
    settings = product.settings.changed()
    settings.setdefault("scene_prompt", shot.scene)
    names = {"steps": "steps", "cfg_scale": "cfg_scale", "sampler_name": "sampler", "scheduler": "scheduler"}
    sampling = {ours: product.sampling[theirs] for theirs, ours in names.items() if theirs in product.sampling}
    return {
        "image": base64.b64encode(photo).decode("ascii"),
        "settings": {"enabled": True, **settings},
        "job": {
            "prompt": shot.prompt,
            "negative_prompt": product.negative_prompt,
            "seed": shot.seed,
            "width": product.sampling["width"],
            "height": product.sampling["height"],
            **sampling,
        },
        "identity": True,
    }


def scene_verdict(shot: Shot, photo: ListedPhoto, answer: Mapping[str, Any]) -> Verdict:
    """Return what an answer says of the shot.

    Raises PhotoError where the photo does not show the product, and ValueError, KeyError or TypeError for an answer
    that is none.
    """
    if Decision(answer["decision"]) is Decision.SKIP:
        why = REASON_TEXT[Reason(answer["reason"])].rstrip(".")
        raise PhotoError(f"the photo {photo.name} gets no scene: {why[:1].lower()}{why[1:]}.")
    if answer["seed"] != shot.seed:
        raise ValueError(f"seed {answer['seed']!r} instead of {shot.seed}")
    note, scene = answer["note"] or "", answer.get("scene")
    found = tuple(_found(answer["regions"], scene))
    head = f"found {' + '.join(f'{one.product} {one.score:.2f}' for one in found)} in {_plain(photo.name)}"
    there = [(region["product"], region["box"]) for region in answer["regions"]]
    # Of what is in the picture alone: other candidates were refused when the product was looked for.
    reasons = {Reason(item["reason"]) for item in answer["rejected"] if (item["product"], item["box"]) in there}
    if scene is None or answer["image"] is None:
        done = Done.UNDONE if Reason.PRODUCT_GREW in reasons else Done.FAILED
        return Verdict(done, f"{head}; {note}" if done is Done.UNDONE else note, Decision.MATCH, None, found)
    against, said = _judged(shot, answer, scene)
    if against or not reasons.isdisjoint(_JUDGED):
        words = [*against, *(REASON_TEXT[reason].rstrip(".").lower() for reason in reasons if reason in _JUDGED)]
        return Verdict(Done.UNDONE, "; ".join([head, *words, *said]), Decision.MATCH, None, found)
    return Verdict(Done.ENHANCED, "; ".join([head, *said]), Decision.MATCH, None, found)


def _judged(shot: Shot, answer: Mapping[str, Any], scene: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what speaks against the scene, and what else is to be said of it, without commas."""
    settings = shot.product.settings
    changed, kept = int(scene["changed_product_pixels"]), int(scene["kept_pixels"])
    against = []
    told = f"{changed} of {kept} product pixels changed"
    asked = settings.colour_cast > 0 or settings.relight == Relight.PRODUCT.value
    if changed and settings.repaint == Repaint.SCENE.value and not asked:
        against.append(told)
    said = [f"new scene by {_plain(scene['painter'])}: {told}"]
    if "grown" in scene:
        said.append(f"grown by {float(scene['grown']):.1%}; {int(scene['tries'])} painted")
    else:
        said.append("growth not looked at")
    if "light" in scene:
        said.append(light_in_words(_plain(scene["light"]), scene.get("relit_product") is True))
    for one in answer["identity"]:
        (against if one["same"] is False else said).append(_plain(one["says"]))
    said += [f"check: {SCENE_DOUBTS[Doubt(code)]}" for code in scene["doubts"]]
    return against, [*said, *map(_plain, scene["notes"])]


def _found(regions: Sequence[Mapping[str, Any]], scene: Mapping[str, Any] | None) -> Iterator[FoundProduct]:
    """Yield the products, where they stand in the new scene if there is one."""
    boxes = [region["box"] for region in regions] if scene is None else scene["boxes"]
    for region, box in zip(regions, boxes, strict=True):
        doubts = tuple(Doubt(code) for code in region.get("outline", {}).get("doubts", ()))
        x0, y0, x1, y1 = map(float, box)
        yield FoundProduct(
            str(region["product"]),
            float(region["score"]),
            doubts,
            None,
            (x0, y0, x1, y1),
            tuple(region.get("also", ())),
        )


def _plain(text: Any) -> str:
    """Return words of somebody else's as parts of a verdict are written."""
    return " ".join(str(text).split()).replace(",", " and").rstrip(".")
