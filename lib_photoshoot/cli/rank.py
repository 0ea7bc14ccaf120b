"""``rank``: the accepted pictures of a filter run, best first, and why. Exit code 1 when one could not be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import DONE, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.options import Colours, IgnoreDecisions
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.errors import ImageError
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.colour.reference import ColourReference
    from lib_photoshoot.ranking.identity import KnownProduct
    from lib_photoshoot.ranking.likeness import PhotoStatistics
    from lib_photoshoot.ranking.order import MeasuredPicture, Ranked
    from lib_photoshoot.ranking.run_folder import Candidate


def rank_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="The output folder of a finished filter run.")],
    like: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option("--like", help="Photos of the product: pictures like these come first, of another product last."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=0, help="Only so many of each product; 0 shows all.")] = 0,
    colour: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--colour", help='A product\'s own colour, as "cup=#7a5c3e; tolerance=3"; others come last.'),
    ] = None,
    colours: Colours = None,
    ignore: IgnoreDecisions = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Order the matches of each product by measured qualities, near-duplicates behind the best of them.

    What a person decided in `review` stands above that: accepted pictures come first, rejected ones are left out.
    """
    code = DONE
    with exit_codes("Interrupted."):
        from lib_photoshoot.catalog.by_hand import rejected_in_words, without_cutout_in_words
        from lib_photoshoot.consistency.words import told_of
        from lib_photoshoot.products import Product
        from lib_photoshoot.ranking.alike import compare_measured
        from lib_photoshoot.ranking.identity import known_product
        from lib_photoshoot.ranking.order import rank, to_json
        from lib_photoshoot.ranking.run_folder import measure_photos, read_candidates, without_rejected
        from lib_photoshoot.references.table import with_references

        candidates, rejected = without_rejected(read_candidates(folder, decisions=not ignore))
        if rejected:
            say(rejected_in_words(rejected, "picture", "--ignore-decisions ranks them too"))
        if not ignore and (sentence := without_cutout_in_words(folder)):
            say(sentence)
        names = [Product(name) for name in dict.fromkeys(item.product for item in candidates)]
        references = {item.name: item.colour for item in with_references(names, colour or (), colours, say)}
        photos = None if like is None else measure_photos(like, say)
        known = None if like is None else known_product(like, say)
        found = measured(folder, candidates, photos, references, known)
        if len(found) < len(candidates):
            code = SOME_UNREADABLE
        products: dict[str, list[MeasuredPicture]] = {}
        for candidate, picture in found:
            products.setdefault(candidate.product, []).append(picture)
        told = {
            product: told_of(compare_measured((item.file, item.traits) for item in pictures))
            for product, pictures in products.items()
        }
        ranking = {product: rank(pictures)[: top or None] for product, pictures in sorted(products.items())}
        if as_json:
            typer.echo(json.dumps({name: [to_json(item) for item in items] for name, items in ranking.items()}))
        else:
            for product, items in ranking.items():
                _print(product, items, told[product])
    raise typer.Exit(code)


def measured(
    folder: Path,
    candidates: Sequence[Candidate],
    photos: PhotoStatistics | None,
    references: Mapping[str, ColourReference | None],
    known: KnownProduct | None = None,
) -> list[tuple[Candidate, MeasuredPicture]]:
    """Return each candidate with its measures, but for those that cannot be read, which are told."""
    from lib_photoshoot.ranking.run_folder import measure

    found = []
    with telling("measuring", len(candidates)) as bar:
        for done, candidate in enumerate(candidates):
            bar(done, candidate.picture[-32:])
            try:
                found.append((candidate, measure(folder, candidate, photos, references.get(candidate.product), known)))
            except ImageError as error:
                say(str(error))
    return found


def _print(product: str, items: tuple[Ranked, ...], told: Sequence[str]) -> None:
    from lib_photoshoot.catalog.report import what_to_check
    from lib_photoshoot.ranking.alike import TERMS

    typer.echo(f"{product}: {counted(len(items), 'picture')}")
    for sentence in told:
        typer.echo(f"      {sentence}")
    for place, item in enumerate(items, 1):
        by_hand = "  accepted by hand" if item.measured.accepted_by_hand else ""
        typer.echo(f"{place:4}. {item.total:.3f}  {item.measured.file}{by_hand}")
        for quality in item.measured.qualities:
            if quality.name in TERMS.values() and quality.score >= 0.5:
                continue  # like the others: --json has it
            typer.echo(f"        {quality.name:9} {quality.score:.2f}  {quality.reason}")
        if item.measured.colour_check is not None:
            off = "colour_off: " if item.measured.colour_off else "colour: "
            typer.echo(f"        {off}{item.measured.colour_check.in_words()}")
        if item.measured.other_product:
            typer.echo("        other_product: not the product of the photos")
        if item.measured.doubts:
            typer.echo(f"        check {what_to_check(item.measured.doubts)}")
        for other in item.duplicates:
            typer.echo(f"        looks the same: {other.measured.file} ({other.total:.3f})")
