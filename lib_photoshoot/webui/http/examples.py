"""Which examples of a product the page and requests may name: taught ones, and pictures inside the allowed folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES
from lib_photoshoot.kept_examples import KeptExamples, kept_examples
from lib_photoshoot.products import Product
from lib_photoshoot.webui.http.folders import FolderError, MissingPathError

if TYPE_CHECKING:
    from lib_photoshoot.webui.hosts.protocol import Folders


def with_allowed_examples(
    products: Iterable[Product], folders: Callable[[], Folders], kept: KeptExamples | None = None
) -> tuple[Product, ...]:
    """Return the products with the full paths of their examples.

    ``@ring`` is what was taught under that name, ``@/full/path`` a folder or picture inside ``folders``, which are
    asked for only where such a path is named. Raises FolderError for all else, also for a folder out of which a link of
    a picture leads, MissingPathError where nothing is there, and KeptExamplesError for a name that was not taught.
    """
    taught = kept or kept_examples()
    return tuple(
        replace(product, examples=tuple(_allowed(text, folders, taught) for text in product.examples))
        if product.examples
        else product
        for product in products
    )


def _allowed(text: str, folders: Callable[[], Folders], kept: KeptExamples) -> str:
    if not any(sign in text for sign in "/\\"):
        return str(kept.existing(text))
    allowed = folders()
    path = allowed.resolve(text)
    if path.is_dir():
        _check_links(path, text, allowed)
    elif not path.is_file():
        raise MissingPathError(f"There is no folder or picture {shown(text)}; check the path behind the '@'.")
    return str(path)


def _check_links(folder: Path, text: str, allowed: Folders) -> None:
    """Raise FolderError where a picture of a folder lies, links followed, where requests may not read."""
    for path in folder.iterdir():
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_symlink() and not allowed.holds(path):
            raise FolderError(
                f"{shown(path.name)} in {shown(text)} is a link that leads out of the folders that may be used; put "
                "the picture itself there."
            )
