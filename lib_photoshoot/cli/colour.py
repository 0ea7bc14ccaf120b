"""``colour calibrate``: a calibration from a picture of a chart. ``colour reference``: an article's own colours."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot import build
from lib_photoshoot.cli.exits import DONE, EXIT_CODES, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.options import Calibration, Detector, Device, Products, loaded, say_words
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.errors import ImageError
from lib_photoshoot.model_names import DetectorName

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.catalog.inputs import InputFile
    from lib_photoshoot.images import Picture
    from lib_photoshoot.products import Product
    from lib_photoshoot.references.measuring import MeasuredArticle

app = typer.Typer(
    no_args_is_help=True,
    help="True colours: calibrations by a ColorChecker; articles' own colours.",
)


@app.callback()
def _root() -> None:
    pass


@app.command("calibrate", epilog=EXIT_CODES)
def calibrate_command(
    chart: Annotated[Path, typer.Argument(metavar="CHART", help="A picture of a ColorChecker Classic or Passport.")],
    corners: Annotated[
        Optional[list[str]],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Argument(
            metavar="X,Y",
            help="With --corners: four points, the middles of the chart's corner patches, in pixels, around it.",
            show_default=False,
        ),
    ] = None,
    by_corners: Annotated[bool, typer.Option("--corners", help="Take the four points; do not look for it.")] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", help="Where to write it; the default is CHART.calibration.json here."),
    ] = None,
    before_2014: Annotated[bool, typer.Option("--before-2014", help="The chart is older than November 2014.")] = False,
    light: Annotated[str, typer.Option("--light", help="A note on the light, for example 'softbox 5000 K'.")] = "",
) -> None:
    """Make a calibration from a picture of a chart, and say how well it does; filter --calibration applies it."""
    with exit_codes("Interrupted; nothing was written."):
        from lib_photoshoot.calibration.calibration import (
            calibrate,
            is_calibration,
            parse_corners,
            write_calibration,
        )
        from lib_photoshoot.calibration.chart import ChartKind
        from lib_photoshoot.calibration.errors import CalibrationError
        from lib_photoshoot.files import shown, writing_failed
        from lib_photoshoot.images import read_picture

        if bool(corners) != by_corners:
            raise CalibrationError("The four corners follow --corners, as x,y in pixels; give both, or neither.")
        points = parse_corners(corners) if corners else None
        kind = ChartKind.BEFORE_2014 if before_2014 else ChartKind.CLASSIC
        target = out or Path(f"{chart.stem}.calibration.json")
        if target.exists() and not is_calibration(target):
            raise CalibrationError(f"{shown(target)} is there already, and no calibration; choose another --out.")
        found, _ = calibrate(read_picture(chart), shown(chart.name), points, kind, light)
        try:
            write_calibration(found, target)
        except OSError as error:
            raise CalibrationError(writing_failed(target, error, "make the calibration again")) from error
        say(
            f"{shown(target)}: {found.fit.kind.value}, error {found.error.mean:.2f} mean and {found.error.max:.2f} max "
            f"CIEDE2000 on the chart, {found.left_out.mean:.2f} on patches left out."
        )


@app.command("reference", epilog=EXIT_CODES)
def reference_command(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO", help="Photos of the articles, best calibrated.")],
    products: Products,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", help="A new CSV table for --colours; without it only what is printed."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="How far pictures may be off, in CIEDE2000.")] = 3.0,
    calibration: Calibration = None,
    detector: Detector = DetectorName.EMBEDDED.value,
    device: Device = "cpu",
) -> None:
    """Measure the colours of articles on photos and print them as product words; pictures are compared with them."""
    code = DONE
    with exit_codes("Interrupted; nothing was written."):
        from lib_photoshoot.calibration.applying import calibrator_for
        from lib_photoshoot.catalog.inputs import collect_inputs
        from lib_photoshoot.colour.reference import parse_tolerance
        from lib_photoshoot.files import shown
        from lib_photoshoot.products import parse_products
        from lib_photoshoot.references.measuring import check_new, measured_on, most_trusted, write_table
        from lib_photoshoot.transparency import rgba

        wanted = tuple(replace(product, colour=None) for product in parse_products(products))
        allowed = parse_tolerance(tolerance)
        choice = build.ModelChoice(DetectorName(detector), device=device)
        words = say_words(choice, wanted)
        code = SOME_UNREADABLE if words.left_out else DONE
        if out is not None:
            check_new(out)
        calibrator = None if calibration is None else calibrator_for(calibration)[0]
        files = collect_inputs(photos, tell=say)
        with telling("loading the models", None):
            product_filter = loaded(partial(build.build_filter, choice))
        measured: list[MeasuredArticle] = []
        for file in files:
            try:
                picture = _calibrated(file, calibrator)
            except ImageError as error:
                say(str(error))
                code = SOME_UNREADABLE
                continue
            regions = product_filter.detect(rgba(picture), words.products, picture.space).regions
            measured += [measured_on(picture, file.name, region, allowed) for region in regions]
        best = most_trusted(measured)
        for product in words.products:
            _tell(product, best.get(product.name))
        if not best:
            written = "" if out is None else f", so {shown(out)} was not written"
            say(f"No product was found in any photo{written}; give photos that show them, or other words.")
            code = SOME_UNREADABLE
        elif out is not None:
            write_table(out, ((name, one.reference) for name, one in best.items()))
            say(f"{shown(out)}: the table, for --colours.")
    raise typer.Exit(code)


def _calibrated(file: InputFile, calibrator: Calibrator | None) -> Picture:
    from lib_photoshoot.files import shown
    from lib_photoshoot.images import read_picture

    picture = read_picture(file.path)
    if calibrator is None:
        return picture
    calibrated = calibrator(picture, shown(file.name))
    say(f"{shown(file.name)}: {calibrated.told}")
    return calibrated.picture


def _tell(product: Product, one: MeasuredArticle | None) -> None:
    """Print the product with its colour on standard output, and where that comes from beside it."""
    from lib_photoshoot.files import shown
    from lib_photoshoot.products import format_products

    if one is None:
        say(f"{product.as_typed(product.name)}: in no photo, so it has no colour.")
        return
    doubt = "; its outline is doubtful, look at it" if one.is_doubtful else ""
    say(f"{product.as_typed(product.name)}: measured in {shown(one.photo)}{doubt}.")
    typer.echo(format_products([replace(product, colour=one.reference)]))
