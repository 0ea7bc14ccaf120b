"""``colour calibrate``: a calibration for a session's photos, from a picture of a ColorChecker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lib_photoshoot.cli.exits import EXIT_CODES, exit_codes, say

app = typer.Typer(no_args_is_help=True, help="True colours: calibrations from pictures of a ColorChecker.")


@app.callback()
def _root() -> None:
    pass


@app.command("calibrate", epilog=EXIT_CODES)
def calibrate_command(
    chart: Annotated[Path, typer.Argument(metavar="CHART", help="A picture of a ColorChecker Classic or Passport.")],
    corners: Annotated[
        Optional[list[str]],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Argument(
            metavar="[X,Y X,Y X,Y X,Y]",
            help="With --corners: the middles of the chart's corner patches, in pixels, around it from any of them.",
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
        from lib_photoshoot.colour.calibration.calibration import calibrate, parse_corners, write_calibration
        from lib_photoshoot.colour.calibration.chart import ChartKind
        from lib_photoshoot.colour.calibration.errors import CalibrationError
        from lib_photoshoot.images import read_picture, shown, writing_failed

        if bool(corners) != by_corners:
            raise CalibrationError("The four corners follow --corners, as x,y in pixels; give both, or neither.")
        points = parse_corners(corners) if corners else None
        kind = ChartKind.BEFORE_2014 if before_2014 else ChartKind.CLASSIC
        target = out or Path(f"{chart.stem}.calibration.json")
        if target.resolve() == chart.resolve():
            raise CalibrationError(f"{shown(target)} is the picture itself; choose another --out.")
        found, _ = calibrate(read_picture(chart), shown(chart.name), points, kind, light)
        try:
            write_calibration(found, target)
        except OSError as error:
            raise CalibrationError(writing_failed(target, error, "make the calibration again")) from error
        say(
            f"{shown(target)}: {found.fit.kind.value}, error {found.error.mean:.2f} mean and {found.error.max:.2f} max "
            f"CIEDE2000 on the chart, {found.left_out.mean:.2f} on patches left out."
        )
