"""Pictures of products that were taught by example, kept under a name: ``ring = @ring``.

Those with which a LoRA was trained are found as ``ring = @training:ring``; they are its run's, and only read.

Each product has a folder with its name below :func:`lib_photoshoot.paths.examples_folder`, and in it the files as they
came, ``01.jpg`` and so on. Nothing else is kept; what a detector makes of them is a cache of its own.
"""

from __future__ import annotations

import shutil
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lib_photoshoot.confined import is_plain
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.file_names import no_device
from lib_photoshoot.files import shown, write_atomic, writing_failed
from lib_photoshoot.images import PICTURE_SUFFIXES, PIXEL_LIMIT, decode_picture

MOST_PICTURES = 20
"""Pictures of one product."""
LONGEST_NAME = 60
"""Characters of a name."""
_PUNCTUATION = frozenset(" -'")
_HIDDEN = "."
TRAINED = "training:"
"""How the name of a training's photos begins; the run's folder follows. No taught product's name has a colon."""


class KeptExamplesError(ProductsError):
    """Examples cannot be kept, found or removed under a name."""


class KeptExamples:
    """The taught products below a folder, which need not exist.

    >>> import tempfile
    >>> kept = KeptExamples(Path(tempfile.mkdtemp()))
    >>> kept.names(), kept.folder_of("ring")
    ([], None)
    """

    def __init__(self, folder: Path, runs: Path | None = None) -> None:
        """Take the folder of taught products, and that of the training runs where there are some."""
        self.folder = folder
        self._runs = runs

    def names(self) -> list[str]:
        """Return the names of all taught products, in order."""
        try:
            found = [path.name for path in self.folder.iterdir() if path.is_dir()]
        except OSError:  # nothing was taught yet
            return []
        return sorted(name.removeprefix("_") for name in found if not name.startswith(_HIDDEN))

    def folder_of(self, name: str) -> Path | None:
        """Return the folder of a product's pictures; None where no product was taught under that name, and no LoRA
        trained.
        """
        if name.startswith(TRAINED):
            return None if self._runs is None else _photos_of(self._runs, name.removeprefix(TRAINED))
        try:
            path = self._path(clean_name(name))
        except KeptExamplesError:
            return None
        return path if path.is_dir() else None

    def existing(self, name: str) -> Path:
        """Return the folder of a product's pictures. Raises KeptExamplesError where none was taught under that name."""
        folder = self.folder_of(name)
        if folder is None and name.startswith(TRAINED):
            raise KeptExamplesError(
                f"There is no training run {shown(name.removeprefix(TRAINED))} that has its photos; `train runs` names "
                "the runs."
            )
        if folder is None:
            names = self.names()
            taught = f"taught are: {', '.join(names)}" if names else "none was taught yet"
            raise KeptExamplesError(
                f"No product was taught as '{shown(name)}' ({taught}); teach it with pictures, or give the full path "
                "of a folder of them."
            )
        return folder

    def pictures(self, name: str) -> list[Path]:
        """Return a product's pictures, in the order in which they were given. Raises KeptExamplesError."""
        folder = self.existing(name)
        return sorted(path for path in folder.iterdir() if path.suffix in PICTURE_SUFFIXES)

    def keep(
        self,
        name: str,
        files: Sequence[tuple[str, bytes]],
        limit: int = PIXEL_LIMIT,
        check: Callable[[Path], None] = lambda _: None,
    ) -> str:
        """Keep 1 to 20 picture files, each with the name it came with, in place of those of that name; return it.

        ``limit`` is the largest number of pixels of one. ``check`` may raise for the folder that they are in before
        they count. Raises KeptExamplesError, and ImageError for a file that is no picture; nothing is changed then.
        """
        name = clean_name(name)
        if not 1 <= len(files) <= MOST_PICTURES:
            many = f"there are {len(files)} pictures" if files else "there is no picture"
            raise KeptExamplesError(f"To teach {name!r}, {many}; give 1 to {MOST_PICTURES} of the product.")
        suffixes = [_checked(given, data, limit) for given, data in files]
        made = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        try:
            for number, ((_, data), suffix) in enumerate(zip(files, suffixes, strict=True), 1):
                write_atomic(made / f"{number:02}{suffix}", data)
            check(made)
            self._put_in_place(made, self._path(name))
        except OSError as error:
            raise KeptExamplesError(writing_failed(self.folder, error, "teach the product again")) from error
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return name

    def remove(self, name: str) -> None:
        """Forget a product with its pictures. Raises KeptExamplesError."""
        folder = self.existing(clean_name(name))  # a training's photos have no such name: they are the run's
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise KeptExamplesError(
                f"The examples of {name!r} cannot be removed ({error.strerror or error}); delete {shown(folder)}."
            ) from error

    def _path(self, name: str) -> Path:
        return self.folder / no_device(name)

    def _put_in_place(self, made: Path, target: Path) -> None:
        """Let a folder take the place of another: one of the two is there at any time, though not at each moment."""
        old = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        try:
            target.rename(old)
        except FileNotFoundError:
            made.rename(target)
            return
        try:
            made.rename(target)
        except OSError:
            with suppress(OSError):
                old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def kept_examples() -> KeptExamples:
    """Return the taught products of this installation."""
    from lib_photoshoot.paths import examples_folder, runs_folder, training_folder

    return KeptExamples(examples_folder(), runs_folder(training_folder()))


def _photos_of(runs: Path, name: str) -> Path | None:
    """Return the folder in which a training run has its copies of the photos, of several that with most; None without.

    A run keeps photos that have repeats of their own apart, and those of other things, for regularisation, too.
    """
    if not is_plain(name) or "/" in name:
        return None
    place = runs / name / "dataset"
    places = [place, *(path for path in sorted(place.glob("*_repeats")) if path.is_dir())]
    counts = {path: sum(item.suffix.lower() in PICTURE_SUFFIXES for item in path.glob("*")) for path in places}
    most = max(places, key=counts.__getitem__)
    return most if counts[most] else None


def clean_name(name: str) -> str:
    """Return the name of a taught product in lower case, with single spaces. Raises KeptExamplesError.

    It is at once the product's word, what stands behind the ``@``, and a folder's name on any system.

    >>> clean_name(" My  Ring ")
    'my ring'
    """
    text = unicodedata.normalize("NFC", " ".join(name.split()).lower())
    if not any(character.isalnum() for character in text):
        raise KeptExamplesError("The product to teach has no name; type one with a letter or digit in it.")
    if len(text) > LONGEST_NAME or len(text.encode("utf-8", "replace")) > 200:
        raise KeptExamplesError(f"The name of the product to teach is too long; use at most {LONGEST_NAME} characters.")
    wrong = [character for character in text if not (_is_word(character) or character in _PUNCTUATION)]
    if wrong or text[0] in _PUNCTUATION or text[-1] in _PUNCTUATION:
        raise KeptExamplesError(
            f"{shown(text)!r} cannot be the name of a taught product; use letters, digits, and between them spaces, "
            "hyphens and apostrophes."
        )
    return text


def named(product: str) -> str:
    """Return what names a taught product in a list of products.

    >>> named("my ring")
    'my ring = @my ring'
    """
    return f"{product} = @{product}"


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character.isdecimal()


def _checked(name: str, data: bytes, limit: int) -> str:
    """Return the suffix for a picture file; raises ImageError for what is none."""
    decode_picture(data, shown(name), limit)
    suffix = Path(name).suffix.lower()
    return suffix if suffix in PICTURE_SUFFIXES else ".png"  # readers ask the file itself what it is
