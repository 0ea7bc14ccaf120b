"""What the HTTP routes do with a folder of training pictures: check, captions, curation, thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lib_photoshoot.catalog.decisions import ChosenPicture
from lib_photoshoot.files import shown
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.dataset.curation import CROP_MARGIN, Curated, curate
from lib_photoshoot.training.dataset.dataset import Dataset
from lib_photoshoot.training.dataset.folders import picture_in, repeated_folders, write_beside
from lib_photoshoot.training.dataset.regularisation import regularisation_images
from lib_photoshoot.training.dataset.scanning import TRAINED_SUFFIXES
from lib_photoshoot.training.folder_check import FolderCheck
from lib_photoshoot.training.recipe import Recipe, adapted
from lib_photoshoot.webui.generate.turns import FilterInTurns
from lib_photoshoot.webui.http.background import BackgroundJob, JobState
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.fields import Fields
from lib_photoshoot.webui.http.folders import FolderError, MissingPathError
from lib_photoshoot.webui.http.thumbnails import SIDES, Thumbnail, thumbnail
from lib_photoshoot.webui.train.captioning import LABELS, Captioners, caption
from lib_photoshoot.webui.train.datasets import Datasets, Edited, Sheets
from lib_photoshoot.webui.train.fields import RECIPE_FIELDS, read_recipe

if TYPE_CHECKING:
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.webui.train.host import TrainingHost
    from lib_photoshoot.webui.train.trainer import Trainer

ACTIONS = ("set", "replace", "add", "remove", "undo", "redo", "write_beside")
_CAPTION_FIELDS = (
    ("folder", "tag", "action", "name", "text", "search", "replacement", "word", "position", "names", "overwrite")
)  # fmt: skip


class PictureOperations:
    """One dictionary in, one out. Every method raises PhotoshootError; safe across threads."""

    def __init__(
        self, controller: TrainingController, host: TrainingHost, trainer: Trainer, captioners: Captioners
    ) -> None:
        self._controller = controller
        self._host = host
        self._trainer = trainer
        self._captioners = captioners
        self._datasets = Datasets()
        self._regularisation = Datasets()
        self._sheets = Sheets(controller)
        self._captioning = BackgroundJob("captioning")
        self._curation = BackgroundJob("curation")
        self._curated_words: tuple[str, ...] = ()

    def look(self, folder: Path, recipe: Recipe, regularisation: Path | None = None) -> FolderCheck:
        """As the controller's ``check``, without reading pictures again that have not changed."""
        settings = recipe.bucket_settings()
        dataset = self._datasets.get(folder, recipe.activation_tag, settings)
        if regularisation is not None:
            others = self._regularisation.get(regularisation, "", settings).images
            dataset = replace(dataset, regularisation=regularisation_images(others))
        return self._controller.checked(dataset, recipe, self._sheets.read(dataset).captions)

    def recipe(self, body: Any) -> dict[str, Any]:
        """Return a recipe's values that differ from the original experiment's, once all are checked."""
        return {"recipe": read_recipe(Fields(body, RECIPE_FIELDS)).changed()}

    def check(self, body: Any) -> dict[str, Any]:
        """Return what a folder would be trained as, picture by picture."""
        fields = Fields(body, ("folder", *RECIPE_FIELDS, "regularisation"))
        recipe = read_recipe(fields)
        check = self.look(self.folder(fields), recipe, self.regularisation(fields))
        edited = self._sheets.read(check.whole)
        return check.to_dict() | {
            "pictures": [
                {
                    "name": image.name,
                    "width": image.width,
                    "height": image.height,
                    "bucket": str(image.bucket),
                    "crop": list(image.crop),
                    "repeats": image.repeats,
                    "caption": image.caption or "",
                    "left_out": image.name in check.rejected,
                    "findings": [found.to_dict() for found in check.findings_of(image.name)],
                }
                for image in check.whole.images
            ],
            # In the trainer's order, which says how often each is taken.
            "regularisation": [
                {"bucket": str(image.bucket), "repeats": image.repeats} for image in check.dataset.regularisation
            ],
            "can_undo": edited.can_undo,
            "can_redo": edited.can_redo,
            "notes_for_machine": self._notes_for_machine(recipe),
        }

    def leave_out(self, body: Any) -> dict[str, Any]:
        """Leave photos out of trainings, or with ``left_out`` false take that back; all that are left out then."""
        fields = Fields(body, ("folder", "tag", "names", "left_out"))
        dataset, names = self._dataset(fields, Recipe()), fields.texts("names") or ()
        check_names(dataset, names)
        hand = Hand("rejected") if fields.flag("left_out", True) else None
        self._controller.decide(dataset, [ChosenPicture(name, hand) for name in names])
        return {"left_out": sorted(self._controller.rejected(dataset))}

    def edit_captions(self, body: Any) -> dict[str, Any]:
        """One step of editing captions, or writing them beside the user's own pictures."""
        fields = Fields(body, _CAPTION_FIELDS)
        action = fields.choice("action", ACTIONS)
        dataset = self._dataset(fields, Recipe())
        left: tuple[str, ...] = ()
        if action == "write_beside":
            edited, left = self._write_beside(dataset, fields.flag("overwrite"))
        else:
            edited = self._sheets.edit(dataset, _edit(action, fields))
        return {
            "captions": edited.captions,
            "changed": edited.changed,
            "left": list(left),
            "can_undo": edited.can_undo,
            "can_redo": edited.can_redo,
        }

    def caption(self, body: Any) -> dict[str, Any]:
        """Begin to caption in the background. Raises RequestError 409 while that is under way."""
        fields = Fields(body, ("folder", *RECIPE_FIELDS, "tag", "captioner", "anew", "names", "take_texts"))
        dataset = self._dataset(fields, read_recipe(fields))
        tag, name = fields.text("tag"), fields.choice("captioner", tuple(LABELS), "auto")
        anew, names, take_texts = fields.flag("anew"), fields.texts("names"), fields.flag("take_texts")

        def work(state: JobState) -> dict[str, str]:
            captioner = self._captioners.open(name)
            state.doing = captioner.name
            return caption(self._sheets, dataset, tag, captioner, anew, names, take_texts, state.count)

        self._captioning.start(str(dataset.folder), work)
        return self.caption_state()

    def caption_state(self) -> dict[str, Any]:
        """Return the captioning under way, or the last one; ``captions`` once it is finished."""
        state = self._captioning.state
        return _progress(state) | {"captioner": state.doing, "captions": state.result}

    def stop_captioning(self) -> dict[str, Any]:
        """End the captioning under way; nothing of it is kept."""
        self._captioning.stop()
        return self.caption_state()

    def curate(self, body: Any) -> dict[str, Any]:
        """Begin to look for products in the background. Raises RequestError 409 while that is under way."""
        from lib_photoshoot.build import check_words, model_choice
        from lib_photoshoot.products import parse_products
        from lib_photoshoot.registry import REGISTRY
        from lib_photoshoot.settings import FilterSettings
        from lib_photoshoot.webui.http.examples import with_allowed_examples

        fields = Fields(body, ("folder", *RECIPE_FIELDS, "tag", "products", "margin"))
        dataset = self._dataset(fields, read_recipe(fields))
        settings = FilterSettings(products=fields.text("products"))
        choice, margin = model_choice(settings, self._host.device()), fields.number("margin", 0, 2, CROP_MARGIN)
        products = with_allowed_examples(parse_products(settings.products), self._host.folders)
        checked = check_words(choice, products, settings.require_all)

        def work(state: JobState) -> list[dict[str, Any]]:
            state.count(0, len(dataset.images))
            try:
                found = FilterInTurns(lambda: REGISTRY.get(choice).filter(None, settings.require_all), self._host.turn)
                looked = curate(dataset.images, cast("ProductFilter", found), checked.products, margin, state.count)
                return [_curated(one) for one in looked]
            finally:
                self._host.release_models()

        self._curation.start(str(dataset.folder), work)
        self._curated_words = checked.sentences
        return self.curate_state()

    def curate_state(self) -> dict[str, Any]:
        """Return the curation under way, or the last one; ``pictures`` once it is finished."""
        state = self._curation.state
        return _progress(state) | {"pictures": state.result, "note": " ".join(self._curated_words) or None}

    def stop_curation(self) -> dict[str, Any]:
        """End the curation under way."""
        self._curation.stop()
        return self.curate_state()

    def picture(self, folder: str, name: str, side: int, known: str = "") -> Thumbnail:
        """Return a small copy of a picture in an allowed folder; ``known`` marks the copy that the caller has."""
        if not SIDES[0] <= side <= SIDES[1]:
            raise RequestError(f"'side' is {side}; give a number of pixels from {SIDES[0]} to {SIDES[1]}.")
        folders = self._host.folders()
        path = picture_in(folders.folder(folder), plain_name(name))
        if path.suffix.lower() not in TRAINED_SUFFIXES:
            raise MissingPathError(f"There is no picture {name!r} in the folder; check it again.")
        return thumbnail(folders.file(str(path)), side, known)

    def regularisation(self, fields: Fields) -> Path | None:
        """Return the request's folder of regularisation pictures, where it names one."""
        return self.folder(fields, "regularisation") if fields.text("regularisation", "").strip() else None

    def folder(self, fields: Fields, name: str = "folder") -> Path:
        """Return the request's folder of pictures."""
        folders = self._host.folders()
        folder = folders.folder(fields.text(name))
        for link in (link for part in (folder, *repeated_folders(folder)) for link in _links(part)):
            if not folders.holds(link):
                raise FolderError(f"{shown(link)} leads out of the folders that may be used; put a copy there instead.")
        return folder

    def _dataset(self, fields: Fields, recipe: Recipe) -> Dataset:
        return self._datasets.any_of(self.folder(fields), fields.text("tag"), recipe.bucket_settings())

    def _write_beside(self, dataset: Dataset, overwrite: bool) -> tuple[Edited, tuple[str, ...]]:
        left: tuple[str, ...] = ()

        def write(sheet: CaptionSheet) -> None:
            nonlocal left
            left = write_beside(sheet, dataset, overwrite)

        edited = self._sheets.edit(dataset, write)
        return edited, left

    def _notes_for_machine(self, recipe: Recipe) -> list[str]:
        capabilities = self._trainer.capabilities()
        if capabilities is None:
            return []
        return [*adapted(recipe, capabilities)[1], *capabilities.notes]


def _links(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_symlink()]
    except OSError:  # to look at the folder's pictures says why
        return []


def check_names(dataset: Dataset, names: Collection[str]) -> None:
    """Check that a folder has pictures of these names. Raises RequestError."""
    known = {image.name for image in dataset.images}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise RequestError(f"There is no picture {unknown!r} in the folder; check it again.")


def _edit(action: str, fields: Fields) -> Callable[[CaptionSheet], object]:
    """Return the change of a sheet that a request asks for; its fields are read here, before anything is changed."""
    if action == "undo":
        return CaptionSheet.undo
    if action == "redo":
        return CaptionSheet.redo
    if action == "set":
        name, text = fields.text("name"), fields.text("text")
        return lambda sheet: sheet.set(name, text)
    names = fields.texts("names")
    if action == "replace":
        search, replacement = fields.text("search"), fields.text("replacement", "")
        return lambda sheet: sheet.replace(search, replacement, names)
    word = fields.text("word")
    if action == "remove":
        return lambda sheet: sheet.remove_tag(word, names)
    position = fields.whole("position", 0, 1000) if fields.given("position") else None
    return lambda sheet: sheet.add_tag(word, position, names)


def plain_name(name: str) -> str:
    """Return the name of a file or folder, if it is one and no path. Raises RequestError 404."""
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0") or not name.isprintable():
        raise RequestError(f"{name!r} is no name of a file; give it without its folder.", 404)
    return name


def _progress(state: JobState) -> dict[str, Any]:
    return {"busy": state.busy, "folder": state.about, "done": state.done, "of": state.of, "error": state.error}


def _curated(one: Curated) -> dict[str, Any]:
    return {
        "name": one.image.name,
        "products": list(one.products),
        "crop": list(one.crop) if one.crop else None,
    }
