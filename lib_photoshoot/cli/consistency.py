"""``consistency``: how far the pictures of a run, a shoot or an export are alike. Exit code 1 where one differs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lib_photoshoot.cli.exits import exit_codes, say
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.errors import CatalogError, ImageError

if TYPE_CHECKING:
    from lib_photoshoot.consistency.sets import Comparison

EXIT_CODES = (
    "Exit codes: 0 the pictures are alike, or too few to compare; 1 some differ; 2 wrong usage, or a folder without "
    "such pictures; 130 interrupted."
)


def consistency_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The output folder of filter, shoot or export.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which pictures of a set differ from the others: by light, white point, size, ground line or camera.

    Pictures of an earlier release's run are measured now. Those of a shoot are measured once `finish` has cut them out.
    """
    with exit_codes("Interrupted."):
        from lib_photoshoot.consistency.words import differs_in_words, told_of
        from lib_photoshoot.files import shown

        comparison, missing = _compared(folder)
        told = told_of(comparison)
        furthest = sorted(comparison.departures.items(), key=lambda item: -item[1][0].far)
        if as_json:
            typer.echo(json.dumps({"pictures": comparison.count, "not_measured": comparison.unmeasured, "says": told,
                                   "differ": [{"file": key, "says": differs_in_words(ones),
                                               "traits": {one.trait.value: round(one.far, 2) for one in ones}}
                                              for key, ones in furthest]}))  # fmt: skip
        else:
            for sentence in told or ["There are too few measured pictures to compare (five of a kind are a set)."]:
                typer.echo(sentence)
            for key, ones in furthest:
                typer.echo(f"  {shown(key)}: {differs_in_words(ones)}")
        if comparison.unmeasured:
            say(f"{comparison.unmeasured} of {comparison.count} pictures were not measured{missing}.")
    if comparison.departures:
        raise typer.Exit(1)


def _compared(folder: Path) -> tuple[Comparison, str]:
    """Return a folder's pictures compared, and what is to be done about those that were not measured."""
    from lib_photoshoot.catalog.inputs import is_run
    from lib_photoshoot.export.review.alike import compare_exports
    from lib_photoshoot.export.review.records import is_export
    from lib_photoshoot.files import shown
    from lib_photoshoot.shoot.review.alike import compare_shots
    from lib_photoshoot.shoot.review.folder import ShootFolder
    from lib_photoshoot.shoot.run.ledger import LIST_NAME

    if is_run(folder):
        return _run(folder), ""
    if os.path.lexists(folder / LIST_NAME):
        return compare_shots(folder, ShootFolder(folder).view()["shots"]), f": run `finish {shown(folder)}`"
    if is_export(folder):
        return compare_exports(folder), ", as an earlier release exported them: export them again"
    what = "holds no run of filter, no shoot and no export" if folder.is_dir() else "is no folder"
    raise CatalogError(f"{shown(folder)} {what}; name the output folder of one.")


def _run(folder: Path) -> Comparison:
    from lib_photoshoot.consistency.sets import Member, compare
    from lib_photoshoot.ranking.run_folder import measured_traits, read_candidates

    candidates = read_candidates(folder)
    members = []
    with telling("measuring", len(candidates)) as bar:
        for done, one in enumerate(candidates):
            bar(done, one.picture[-32:])
            try:
                members.append(Member(one.source, one.product, measured_traits(folder, one)))
            except ImageError as error:
                say(str(error))
    return compare(members, len({one.source for one in candidates}))
