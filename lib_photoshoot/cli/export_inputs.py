"""Which files ``export`` takes: what its inputs name, less what a person rejected, or of runs the best alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.cli.exits import say
from lib_photoshoot.cli.rank import measured
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.catalog.inputs import InputFile
    from lib_photoshoot.export.cutouts import Sources
    from lib_photoshoot.ranking.order import MeasuredPicture


@dataclass(frozen=True)
class Choice:
    """What of the inputs is wanted: where ``best`` is given only so many pictures of each product, those ``like`` some
    photos first; ``decisions`` by hand are obeyed."""

    best: int | None = None
    like: Path | None = None
    decisions: bool = True


@dataclass(frozen=True)
class Chosen:
    """Each picture with the file to export for it, whether all that was wanted of the inputs could be had, and whether
    a person rejected some.
    """

    pairs: list[tuple[InputFile, InputFile]]
    whole: bool
    rejected: bool


def choose(inputs: Sequence[str], out: Path, cutouts: Path | None, choice: Choice) -> Chosen:
    """Return what is to be exported, and say what is left out. Raises CatalogError."""
    from lib_photoshoot.catalog.by_hand import place_in_run, without_cutout_in_words
    from lib_photoshoot.catalog.inputs import collect_inputs, is_run
    from lib_photoshoot.export.cutouts import sources_of, with_current

    holding = inputs if cutouts is None else [os.fspath(cutouts)]
    runs = dict.fromkeys(Path(os.path.abspath(name)) for name in holding if is_run(name))
    if choice.best is not None and not all(map(is_run, holding)):
        raise CatalogError("--best ranks the pictures of filter runs; name their folders alone, or leave --best out.")
    keep, whole = (None, True) if choice.best is None else _best(list(runs), choice)
    files: Sequence[InputFile] = collect_inputs(inputs, out, cutouts=cutouts is None, tell=say)
    found: Sequence[InputFile] = files if cutouts is None else collect_inputs(holding, cutouts=True)
    found = with_current(found, holding)
    files = found if cutouts is None else files
    sources = sources_of(found, inputs, choice.decisions)
    _tell(sources)
    runs |= dict.fromkeys(place[0] for file in found if (place := place_in_run(file.path)) is not None)
    for sentence in filter(None, map(without_cutout_in_words, runs if choice.decisions else ())):
        say(sentence)
        whole = False
    wanted = [file for file in sources.current if keep is None or file.key in keep]
    if cutouts is None:
        pairs = [(file, file) for file in wanted]
    else:
        others = () if keep is None else (file for file in sources.current if file.key not in keep)
        pairs = list(_pairs(files, wanted, [*sources.rejected, *sources.forgotten, *others]))
    return Chosen(pairs, whole, bool(sources.rejected))


def say_left_behind(out: Path, suffix: str, made: Collection[Path]) -> None:
    """Say which pictures lie in the output folder that were not made now: they may have been rejected since."""
    from lib_photoshoot.files import shown

    others = sorted(path for path in out.rglob(f"*{suffix}") if path not in made)
    if others:
        say(
            f"{counted(len(others), 'picture')} ({shown(others[0])} first) of an earlier export in {shown(out)}: look "
            "whether what was rejected is among them, and remove that."
        )


def _tell(sources: Sources) -> None:
    from lib_photoshoot.catalog.by_hand import rejected_in_words
    from lib_photoshoot.files import shown

    if sources.forgotten:
        left_out = counted(len(sources.forgotten), "cut-out")
        say(
            f"{left_out} ({shown(sources.forgotten[0].name)} first) of pictures that the run does "
            "not know any more: left out; name such a file itself to export it."
        )
    if sources.rejected:
        names = [file.name for file in sources.rejected]
        say(rejected_in_words(names, "cut-out", "--ignore-decisions exports them too"))


def _pairs(
    files: Sequence[InputFile], cutouts: Sequence[InputFile], left_out: Sequence[InputFile]
) -> Iterator[tuple[InputFile, InputFile]]:
    """Yield pictures with their cut-outs; one that has none, nor had any that was left out, stands for itself, so that
    exporting it says what is missing.
    """
    from lib_photoshoot.export.cutouts import cutouts_of

    for (file, found), (_, lost) in zip(cutouts_of(files, cutouts), cutouts_of(files, left_out), strict=True):
        yield from ((file, cutout) for cutout in found or ([] if lost else [file]))


def _best(runs: Sequence[Path], choice: Choice) -> tuple[set[str], bool]:
    """Return the cut-outs of the best pictures of each product, without near-duplicates, over all runs together; and
    whether every picture could be measured.
    """
    from lib_photoshoot.catalog.outputs import cutout_name
    from lib_photoshoot.ranking.identity import known_product
    from lib_photoshoot.ranking.order import rank
    from lib_photoshoot.ranking.run_folder import measure_photos, read_candidates, without_rejected

    photos = None if choice.like is None else measure_photos(choice.like, say)
    known = None if choice.like is None else known_product(choice.like, say)
    products: dict[str, list[MeasuredPicture]] = {}
    cutouts: dict[tuple[str, str], list[str]] = {}
    whole = True
    for run in runs:
        candidates, _ = without_rejected(read_candidates(run, choice.decisions))
        found = measured(run, candidates, photos, {}, known)
        whole &= len(found) == len(candidates)
        for candidate, picture in found:
            item = replace(picture, file=os.fspath(run / picture.file))  # runs may have names in common
            products.setdefault(item.product, []).append(item)
            cutouts[item.product, item.file] = [os.fspath(run / cutout_name(mask)) for mask in candidate.masks]
    ranking = [item.measured for pictures in products.values() for item in rank(pictures)[: choice.best]]
    return {name for item in ranking for name in cutouts[item.product, item.file]}, whole
