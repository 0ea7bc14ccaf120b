"""One product of a shot list, checked, and what each of its tries is: the n-th seed with the n-th scene."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lib_photoshoot.colour.reference import ColourReference, parse_reference
from lib_photoshoot.errors import PhotoshootError, ShootError
from lib_photoshoot.export.profile import profile_names
from lib_photoshoot.presets import clean_name, loaded, user_presets
from lib_photoshoot.products import Product, check_products, format_products
from lib_photoshoot.prompts import product_prompt
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import DEFAULTS, FilterSettings, NoMatch, OnMatch, settings_from
from lib_photoshoot.shoot.shot_list.fields import FIELDS, HIGHEST_SEED, SEPARATOR, plain
from lib_photoshoot.shoot.shot_list.photos import ListedPhoto, find_photos
from lib_photoshoot.staging.reading import read_stage

EXTENSION = "Product Photoshoot"
"""Our extension's name in ``alwayson_scripts``."""
_OURS = ("enabled", "products", "on_no_match", "filter_input")
"""Filter settings that the shoot sets itself. A picture without the product must come back, or nothing tells why."""

_AS_LISTED = ("negative_prompt", "scenes", "count", "first_seed", "seeds", "lora", "checkpoint", "exports")


@dataclass(frozen=True)
class ListedProduct:
    """A product and how its pictures are made.

    ``folder`` is the name of its folder below the output folder. ``prompt`` is without the scene; ``count`` accepted
    pictures are wanted. ``seeds`` are tried in their order, or else ``first_seed`` and those after it. ``sampling``
    holds what txt2img calls steps, width, height (pixels), cfg_scale, sampler_name and scheduler. ``exports`` are
    names of export profiles; the shoot only passes them on. ``row`` holds the fields as listed, without those left
    empty.

    ``photo`` are the paths of photos, or of folders with them, that get new scenes in place of pictures that are
    generated. ``photos`` are those found there once somebody looked, ``fault`` the sentence that says why they cannot
    be used; ``where`` is the list and line that such a sentence is told with.
    """

    name: str
    folder: str
    prompt: str
    negative_prompt: str
    scenes: tuple[str, ...]
    count: int
    first_seed: int
    seeds: tuple[int, ...]
    settings: FilterSettings
    lora: str
    checkpoint: str
    sampling: Mapping[str, Any]
    exports: tuple[str, ...]
    row: Mapping[str, Any] = field(default_factory=dict)
    photo: tuple[str, ...] = ()
    photos: tuple[ListedPhoto, ...] = ()
    where: str = ""
    fault: str = ""

    def limit(self, tries: int) -> int:
        """How many tries there can be when ``tries`` are allowed: a list of seeds may be shorter."""
        return min(tries, len(self.seeds)) if self.seeds else tries

    def shot(self, number: int) -> Shot:
        """Try ``number``, from 0."""
        # Seeds wrap around, so that a first seed near the highest one is no mistake.
        seed = self.seeds[number] if self.seeds else (self.first_seed + number) % (HIGHEST_SEED + 1)
        scenes = self.scenes or ("",)
        # All scenes of one photo, then those of the next.
        photo = self.photos[number // len(scenes) % len(self.photos)] if self.photos else None
        return Shot(self, number, seed, scenes[number % len(scenes)], photo)

    @cached_property
    def recipe(self) -> str:
        """Changes with everything that decides a picture; not with how many are wanted and what becomes of them.

        Photos are known by their content, try by try.
        """
        apart = ("count", "exports", "folder", "row", "photo", "photos", "where", "fault")
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in apart}
        values["settings"] = self.settings.changed()
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Shot:
    """One try of a product: ``number`` from 0, with its seed, its scene (empty for none), and its photo if it has
    one.
    """

    product: ListedProduct
    number: int
    seed: int
    scene: str
    photo: ListedPhoto | None = None

    @property
    def prompt(self) -> str:
        """The product and its scene."""
        return ", ".join(part for part in (self.product.prompt, self.scene) if part)

    def request(self) -> dict[str, Any]:
        """Return the body for ``/sdapi/v1/txt2img``: one picture, with the filter on."""
        product = self.product
        body = {
            "prompt": self.prompt,
            "negative_prompt": product.negative_prompt,
            "seed": self.seed,
            **product.sampling,
            "batch_size": 1,
            "n_iter": 1,
            "send_images": True,
            "save_images": False,
            "alwayson_scripts": {EXTENSION: {"args": [{"enabled": True, **product.settings.changed()}]}},
        }
        if product.checkpoint:
            body["override_settings"] = {"sd_model_checkpoint": product.checkpoint}
        return body


def with_photos(product: ListedProduct, locate: Callable[[str], Path] = Path) -> ListedProduct:
    """Return a product with its photos found, or the fault that says why they are not; see
    :func:`~lib_photoshoot.shoot.shot_list.photos.find_photos`.
    """
    if not product.photo:
        return product
    try:
        return replace(product, photos=find_photos(product.photo, locate))
    except PhotoshootError as error:
        text = str(error)
        return replace(product, fault=f"{text[:1].lower()}{text[1:]}")


class ProductReader:
    """Makes the products of one list; presets and settings that come again are read once."""

    def __init__(self) -> None:
        self._preset = cache(lambda name: loaded(user_presets().load(name)))
        self._profiles = cache(profile_names)
        self._settings: dict[tuple[str, ...], FilterSettings] = {}

    def product(self, values: Mapping[str, Any]) -> ListedProduct:
        """Return the product of one row's read values. Raises ShootError without file and line."""
        try:
            return self._product(values)
        except ShootError:
            raise
        except PhotoshootError as error:
            text = str(error)
            raise ShootError(text[:1].lower() + text[1:]) from error

    def _product(self, values: Mapping[str, Any]) -> ListedProduct:
        named = Product(
            values["class"] or values["name"],
            values["aliases"],
            colour=_colour(values),
            examples=tuple(map(_example, values["like"])),
        )
        (word,) = check_products([named])
        for export in values["exports"]:
            if export not in self._profiles() and not export.endswith(".toml"):
                known = ", ".join(self._profiles())
                raise ShootError(f"there is no export profile {export!r}; known are {known}, or name a file of yours.")
        if len(set(values["seeds"])) < len(values["seeds"]):
            raise ShootError("the seeds name one of them twice; name each seed once.")
        sampling = {name: values[name] for name in ("steps", "width", "height", "cfg_scale", "scheduler")}
        if values["sampler"]:
            sampling["sampler_name"] = values["sampler"]
        settings = self._filter_settings(word, values["preset"], values["filter"] or {})
        photo = tuple(map(_full_path, values["photo"]))
        row = {name: plain(value) for name, value in values.items() if value != FIELDS[name].default}
        if photo:  # the list is read again from elsewhere
            row["photo"] = list(photo)
        return ListedProduct(
            name=values["name"],
            folder=folder_of(values["name"]),
            prompt=_prompt(word.name, values),
            settings=_staged(settings, values) if photo else settings,
            sampling=sampling,
            photo=photo,
            row=row,
            **{name: values[name] for name in _AS_LISTED},
        )

    def _filter_settings(self, word: Product, preset: str, own: Mapping[str, Any]) -> FilterSettings:
        products = format_products([word])
        key = (products, preset, json.dumps(own, sort_keys=True, default=str))
        if key not in self._settings:
            for name in _OURS:
                if name in own:
                    raise ShootError(f"the filter sets {name}, which the shoot sets itself; remove it.")
            chosen = self._preset(preset) if preset else {}
            forced = {"enabled": True, "products": products, "on_no_match": NoMatch.KEEP.value, "filter_input": False}
            self._settings[key] = settings_from({**chosen, **own, **forced})
        return self._settings[key]


def _colour(values: Mapping[str, Any]) -> ColourReference | None:
    if not values["colour"]:
        return None
    return parse_reference(SEPARATOR.join(values["colour"]), values["colour_tolerance"])


def _example(text: str) -> str:
    """Return the full path of a folder or picture, since the WebUI knows no other; a taught name as it is.

    >>> _example("my ring")
    'my ring'
    """
    path = os.path.expanduser(text.strip().removeprefix("@"))
    return _full_path(path) if os.path.lexists(path) or any(sign in path for sign in "/\\") else path


def _full_path(text: str) -> str:
    return os.path.abspath(os.path.expanduser(text.strip().removeprefix("@")))


def _staged(settings: FilterSettings, values: Mapping[str, Any]) -> FilterSettings:
    """Return the settings of a row with a photo: a scene is painted, on a canvas of the row's size unless they say
    another.
    """
    own = values["filter"] or {}
    if own.get("repaint") == Repaint.PRODUCT.value or own.get("on_match", OnMatch.ENHANCE.value) != OnMatch.ENHANCE:
        raise ShootError("a row with a photo gets new scenes; leave repaint and on_match out of the filter.")
    if values["checkpoint"]:
        raise ShootError(
            "the scenes of a photo are painted with the checkpoint that the WebUI has loaded; leave the checkpoint "
            "empty, and choose it there."
        )
    wanted: dict[str, Any] = {"on_match": OnMatch.ENHANCE.value}
    if settings.repaint == Repaint.PRODUCT.value:
        wanted["repaint"] = Repaint.SCENE.value
    if settings.canvas == DEFAULTS["canvas"]:
        wanted["canvas"] = f"{values['width']}x{values['height']}"
    staged = replace(settings, **wanted)
    read_stage(staged)
    return staged


def _prompt(word: str, values: Mapping[str, Any]) -> str:
    lora, weight = values["lora"], values["lora_weight"]
    written = product_prompt(word, lora, weight)  # checks the LoRA's name in any case
    if not values["prompt"]:
        return written
    return f"{values['prompt']}, <lora:{lora}:{weight:g}>" if lora else values["prompt"]


def folder_of(name: str) -> str:
    """Return the name of a product's folder. Raises ShootError."""
    try:
        return clean_name(name)
    except PhotoshootError as error:
        raise ShootError(f"the name {name!r} cannot be a folder's; give one with a letter or digit in it.") from error
