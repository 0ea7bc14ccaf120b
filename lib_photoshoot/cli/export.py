"""``export`` and ``check-export``: pictures for sales channels. Exit code 1 when one is not made or misses a rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot import build
from lib_photoshoot.build import ModelChoice
from lib_photoshoot.cli.exits import DONE, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.export_inputs import Choice, choose, say_left_behind
from lib_photoshoot.cli.options import Detector, Device, IgnoreDecisions, loaded, say_words
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.cli.shop_options import (
    ContactSheet,
    Font,
    Names,
    Paper,
    PaperChoice,
    Shops,
    Table,
    UrlBase,
    Zip,
    listed,
)
from lib_photoshoot.errors import ImageError
from lib_photoshoot.model_names import DetectorName

if TYPE_CHECKING:
    from lib_photoshoot.export.cutouts import Detecting
    from lib_photoshoot.export.exporter import Exporter
    from lib_photoshoot.export.review.records import ExportJournal
    from lib_photoshoot.export.shop.planning import PlannedPicture
    from lib_photoshoot.export.shop.tables import ShopPicture
    from lib_photoshoot.export.signing import Signer
    from lib_photoshoot.products import Product

TO_CHECK = "to-check"
"""Folder, beside the other exports, of those whose outline is not sure."""
_REJECTED_STAY = (
    "the files stay, in no zip and no shop's table, and marked on contact sheets; --ignore-decisions hands them on"
)

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Transparent cut-outs or pictures: files, folders, globs; of a filter run, its cut-outs.",
    ),
]
ProfileName = Annotated[
    str, typer.Option("--profile", help="amazon-main, ebay, google-merchant, …, or the path of one's own .toml file.")
]


class SourceChoice(str, Enum):
    """``auto`` looks at each picture's own metadata."""

    AUTO = "auto"
    GENERATED = "generated"
    EDITED = "edited"
    SYNTHETIC = "synthetic"
    RETOUCHED = "retouched"
    PHOTO = "photo"


def export_command(
    inputs: Inputs,
    profile: ProfileName,
    out: Annotated[Path, typer.Option("--out", "-o", help="Output folder; no file in it is ever overwritten.")],
    products: Annotated[str, typer.Option("--products", "-p", help="Cut these products out of the pictures.")] = "",
    cutouts: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option("--cutouts", help="Take the pictures' cut-outs from this folder, such as RUN/cutouts."),
    ] = None,
    best: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--best", min=1, help="Of a run only so many pictures of each product, as `rank` orders them."),
    ] = None,
    like: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--like", help="Training photos: with --best, pictures like these come first."),
    ] = None,
    ignore: IgnoreDecisions = False,
    source: Annotated[
        SourceChoice,
        typer.Option(help="How the pictures came to be; auto looks at what their files say, and our ledger."),
    ] = SourceChoice.AUTO,
    enlarge: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=1, max=16, help="Times that a cut-out may be enlarged at most; the profile's own by default."),
    ] = None,
    sign_cert: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--sign-cert", help="Sign each picture (C2PA) with this certificate and its chain, a PEM file."),
    ] = None,
    sign_key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--sign-key", help="The certificate's private key, a PEM file without a password."),
    ] = None,
    timestamps: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--timestamps", help="Address of a time-stamping authority, so that signatures outlive the key."),
    ] = None,
    names: Names = "",
    table: Table = None,
    shop: Shops = "",
    url_base: UrlBase = "",
    zip_: Zip = False,
    contact_sheet: ContactSheet = False,
    paper: Paper = PaperChoice.A4,
    font: Font = None,
    detector: Detector = DetectorName.EMBEDDED.value,
    device: Device = "cpu",
) -> None:
    """Make pictures for a sales channel out of cut-outs, or of pictures whose products are cut out first.

    What a person decided in `review` is obeyed: rejected pictures are left out, and accepted ones are never put aside
    because of doubts about their outline. Names, shops' tables, a zip and contact sheets: docs/shops.md.
    """
    with exit_codes(f"Interrupted; the pictures in {out} are whole."):
        from lib_photoshoot.catalog.inputs import check_out
        from lib_photoshoot.export.exporter import Exporter
        from lib_photoshoot.export.profile import FORMATS, load_profile
        from lib_photoshoot.export.review.records import ExportJournal
        from lib_photoshoot.export.shop.handing_over import check_ready, hand_over
        from lib_photoshoot.export.shop.planning import plan
        from lib_photoshoot.export.shop.settings import ShopSettings
        from lib_photoshoot.export.shop.sku_table import read_sku_table
        from lib_photoshoot.products import parse_products

        wanted = parse_products(products) if products else ()
        words = say_words(ModelChoice(DetectorName(detector), device=device), wanted) if wanted else None
        wanted = words.products if words else ()
        settings = ShopSettings(
            names, listed(shop), url_base, zip_, contact_sheet, paper.value, "" if font is None else str(font)
        )
        check_ready(settings)
        rules = load_profile(profile)
        rows = None if table is None else read_sku_table(table)
        signer = _signer(sign_cert, sign_key, timestamps)
        exporter = Exporter(settings.named(rules), out, enlarge, signer)
        check_out(out)
        journal = ExportJournal(out, not ignore)
        chosen = choose(inputs, out, cutouts, Choice(best, like, not ignore))
        planned = plan(chosen.pairs, rules, settings, rows, [product.name for product in wanted], say)
        finder = _finder(detector, device) if wanted else None
        pictures, code = _export_all(exporter, journal, planned, finder, wanted, source, not ignore)
        if chosen.rejected:
            say_left_behind(out, FORMATS[rules.file.format], {picture.path for picture in pictures})
        for sentence in hand_over(out, rules, pictures, settings, say) if settings.wants_more else ():
            typer.echo(sentence)
        if len(planned) < len(chosen.pairs) or (words and words.left_out):
            code = SOME_UNREADABLE
    raise typer.Exit(code if chosen.whole else max(code, SOME_UNREADABLE))


def check_export_command(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE", help="Finished pictures: files, folders, globs.")],
    profile: ProfileName,
    colour: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--colour", help='The article\'s own colour, as "#7a5c3e; tolerance=3" (CIEDE2000).'),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a picture.")] = False,
) -> None:
    """Say which rules of a channel finished pictures miss, and by how much. Exit code 1 when any does."""
    code = DONE
    with exit_codes("Interrupted."):
        from lib_photoshoot.catalog.inputs import collect_inputs
        from lib_photoshoot.export.checking import check_file, to_json
        from lib_photoshoot.export.profile import load_profile
        from lib_photoshoot.export.provenance import source_of
        from lib_photoshoot.export.shop.contact_sheet import is_contact_sheet
        from lib_photoshoot.files import shown
        from lib_photoshoot.references.table import given_reference

        rules = load_profile(profile)
        reference = None if colour is None else given_reference(colour)
        for file in collect_inputs(inputs, tell=say):
            if is_contact_sheet(file.path):
                continue
            try:
                check = check_file(file.path, rules, source_of(file.path).source, reference)
            except ImageError as error:
                say(str(error))
                code = SOME_UNREADABLE
                continue
            if as_json:
                typer.echo(json.dumps(to_json(str(file.path), check)))
            else:
                typer.echo(f"{shown(file.path)}: {'misses' if check.findings else 'keeps all measured rules'}")
                for finding in check.findings:
                    where = finding.rule.source or "our own choice"
                    sure = "" if finding.rule.verified else ", not verified"
                    typer.echo(f"  {finding} ({where}{sure})")
            if check.findings:
                code = SOME_UNREADABLE
    raise typer.Exit(code)


def _export_all(
    exporter: Exporter,
    journal: ExportJournal,
    planned: Iterable[PlannedPicture],
    finder: Detecting | None,
    products: Sequence[Product],
    source: SourceChoice,
    decisions: bool,
) -> tuple[list[ShopPicture], int]:
    """Export each picture, say what became of it, and return what was exported, and the exit code."""
    from lib_photoshoot.catalog.by_hand import rejected_in_words
    from lib_photoshoot.catalog.report import what_to_check
    from lib_photoshoot.errors import ExportError
    from lib_photoshoot.export.cutouts import read_cutout
    from lib_photoshoot.export.provenance import source_of
    from lib_photoshoot.export.review.records import record_of
    from lib_photoshoot.export.shop.handing_over import shop_picture
    from lib_photoshoot.files import shown
    from lib_photoshoot.provenance.evidence import strongest
    from lib_photoshoot.provenance.terms import DigitalSource

    code = DONE
    to_check = 0
    rejected: list[str] = []
    pictures = []
    for item in planned:
        original, cutout = item.original, item.cutout
        try:
            evidence = source_of(cutout.path)
            if original.path != cutout.path:
                evidence = strongest(source_of(original.path), evidence)
            if source is not SourceChoice.AUTO:
                evidence = replace(evidence, source=DigitalSource(source.value), reason="--source says so")
            product = read_cutout(cutout.path, finder, products, decisions)
            name = PurePath(TO_CHECK) / item.name if product.doubts else item.name
            exported = exporter.export(product.pixels, name, evidence, original.path)
            hand = journal.hand(exported)
            picture = shop_picture(item, exported, exporter, product.doubts, hand)
            journal.add(record_of(picture, exported, exporter.profile, product.doubts))
        except (ImageError, ExportError) as error:
            say(str(error))
            code = SOME_UNREADABLE
            continue
        typer.echo(f"{exported}\n  {evidence.source.value}: {evidence.reason}")
        pictures.append(picture)
        if hand is not None:
            rejected += [picture.file.as_posix()] if not picture.ready else []
            typer.echo(
                f"  {hand.decision} by hand in {shown(exporter.out)}" + (f": {hand.words}" if hand.words else "")
            )
        elif product.doubts:
            typer.echo(f"  check {what_to_check(product.doubts)}")
            to_check += 1
        if exported.missed or (product.doubts and hand is None):
            code = SOME_UNREADABLE
    if to_check:
        say(f"{to_check} of the pictures went into {shown(exporter.out / TO_CHECK)}: look at what is said of them.")
    if rejected:
        say(rejected_in_words(rejected, "export", _REJECTED_STAY))
    return pictures, code


def _signer(certificate: Path | None, key: Path | None, timestamps: str | None) -> Signer | None:
    from lib_photoshoot.errors import ExportError

    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ExportError("Signing needs both the certificate and its key; give --sign-cert and --sign-key.")
    from lib_photoshoot.export.signing import Signer

    return Signer(certificate, key, timestamps)


def _finder(detector: str, device: str) -> Detecting:
    with telling("loading the models", None):
        return loaded(partial(build.build_filter, ModelChoice(DetectorName(detector), device=device)))
