"""The command line: ``filter``, ``detect``, ``train``, ``models``. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot import __version__, build
from lib_photoshoot.allocator import keep_freed_memory
from lib_photoshoot.build import DetectorName, ModelChoice, SegmenterName
from lib_photoshoot.cli.exits import DONE, EXIT_CODES, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.models import app as models_app
from lib_photoshoot.cli.train import app as train_app
from lib_photoshoot.errors import ImageError

if TYPE_CHECKING:
    from lib_photoshoot.pipeline import ProductFilter

app = typer.Typer(
    name="lib_photoshoot",
    help="Find the products you name in pictures, cut them out and enhance them; leave everything else untouched.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(train_app, name="train")
app.add_typer(models_app, name="models", help="List, download and verify the model files.")


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Pictures, folders (searched recursively) or globs.", show_default=False),
]
Products = Annotated[
    str,
    typer.Option("--products", "-p", help='For example "handbag, shoe, watch = wristwatch | watch dial".'),
]
Detector = Annotated[
    DetectorName,
    typer.Option(
        help="embedded: small models, known product words. groundingdino (Swin-T), groundingdino-b (Swin-B): any words."
    ),
]
Segmenter = Annotated[
    SegmenterName, typer.Option(help="What outlines the products: larger ones draw finer edges and take longer.")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …, or auto: the GPU where there is one.")]
Bf16 = Annotated[bool, typer.Option("--bf16", help="Compute GroundingDINO in bfloat16: faster, less exact.")]
Threshold = Annotated[
    Optional[float],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option(min=0, max=1, help="Score from which a product counts; the default is the detector's own."),
]
RequireAll = Annotated[bool, typer.Option("--all", help="Match only pictures that hold all products, not any of them.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"product-photoshoot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command("filter", epilog=EXIT_CODES)
def filter_command(
    inputs: Inputs,
    products: Products,
    out: Annotated[Path, typer.Option("--out", "-o", help="Output folder: new, or of the run to resume.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run in the same folder.")] = False,
    detector: Detector = DetectorName.EMBEDDED,
    segmenter: Segmenter = SegmenterName.MOBILE_SAM,
    threshold: Threshold = None,
    require_all: RequireAll = False,
    device: Device = "cpu",
    bf16: Bf16 = False,
) -> None:
    """Filter pictures: write masks, cut-outs, overlays, enhanced pictures and a report; inputs stay untouched."""
    with exit_codes(f"Interrupted; every finished picture is kept in {out}: the same command with --resume goes on."):
        from lib_photoshoot.catalog.inputs import collect_inputs
        from lib_photoshoot.catalog.runner import Progress, run_catalog
        from lib_photoshoot.products import parse_products

        wanted = parse_products(products)
        files = collect_inputs(inputs, out)
        choice = ModelChoice(detector, segmenter, device, bf16, threshold)
        product_filter = _build_filter(choice, require_all)

        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("starting", total=len(files))

            def tell(state: Progress) -> None:
                name = "report" if state.file is None else os.path.basename(state.file)
                bar.update(task, completed=state.done, description=escape(name[-32:]))

            settings = _settings(choice, require_all)
            summary = run_catalog(product_filter, files, wanted, out, resume, tell, settings=settings)
        for note in summary.notes:
            say(note)
        for item in summary.unreadable:
            say(item["error"])
        earlier = f" ({summary.resumed} from the earlier run)" if summary.resumed else ""
        say(
            f"{summary.matched} matched, {summary.skipped} skipped{earlier}, {len(summary.unreadable)} unreadable. "
            f"Look at {out / 'report.html'}"
        )
    if summary.unreadable:
        raise typer.Exit(SOME_UNREADABLE)


@app.command("detect", epilog=EXIT_CODES)
def detect_command(
    inputs: Inputs,
    products: Products,
    detector: Detector = DetectorName.EMBEDDED,
    segmenter: Segmenter = SegmenterName.MOBILE_SAM,
    threshold: Threshold = None,
    require_all: RequireAll = False,
    device: Device = "cpu",
    bf16: Bf16 = False,
) -> None:
    """Print one JSON object per picture on standard output, and nothing else there; write no files."""
    code = DONE
    with exit_codes("Interrupted."):
        from lib_photoshoot.catalog.inputs import collect_inputs
        from lib_photoshoot.catalog.outputs import report_entry
        from lib_photoshoot.images import read_picture
        from lib_photoshoot.products import parse_products

        wanted = parse_products(products)
        files = collect_inputs(inputs)
        product_filter = _build_filter(ModelChoice(detector, segmenter, device, bf16, threshold), require_all)
        for source in files:
            try:
                picture = read_picture(source.path)
            except ImageError as error:
                say(str(error))
                code = SOME_UNREADABLE
                continue
            if picture.note:
                say(f"{source.path}: {picture.note}")
            entry = report_entry(os.fspath(source.path), product_filter.detect(picture.pixels, wanted))
            sys.stdout.write(json.dumps(entry) + "\n")
            sys.stdout.flush()
    raise typer.Exit(code)


def _build_filter(choice: ModelChoice, require_all: bool) -> ProductFilter:
    """The real filter; whatever the model libraries print while loading goes to standard error."""
    keep_freed_memory()
    with redirect_stdout(sys.stderr):
        return build.build_filter(choice, require_all)


def _settings(choice: ModelChoice, require_all: bool) -> dict[str, str | bool | float | None]:
    """What decides a run's results, for its report and for the check on resume; the device does not."""
    settings = {"detector": choice.detector.value, "segmenter": choice.segmenter.value, "threshold": choice.threshold}
    return settings | {"bf16": choice.bf16, "all": require_all}


def main() -> None:
    """Entry point of ``python -m lib_photoshoot``."""
    app()
