"""The command line: ``filter``, ``detect``, ``shoot``, ``train``, ``models``. Nothing heavy is imported too early."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot import __version__, build
from lib_photoshoot.build import ModelChoice
from lib_photoshoot.cli.colour import app as colour_app
from lib_photoshoot.cli.consistency import EXIT_CODES as CONSISTENCY_EXIT_CODES
from lib_photoshoot.cli.consistency import consistency_command
from lib_photoshoot.cli.exits import DONE, EXIT_CODES, SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.export import check_export_command, export_command
from lib_photoshoot.cli.finish import EXIT_CODES as FINISH_EXIT_CODES
from lib_photoshoot.cli.finish import finish_command
from lib_photoshoot.cli.models import app as models_app
from lib_photoshoot.cli.options import Calibration, Colours, Detector, Device, Products, loaded, say_words
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.cli.rank import rank_command
from lib_photoshoot.cli.review import EXIT_CODES as REVIEW_EXIT_CODES
from lib_photoshoot.cli.review import review_command
from lib_photoshoot.cli.scene_options import (
    Backdrop,
    Canvas,
    Cast,
    Ground,
    Reflection,
    RepaintWhat,
    Shadow,
    Share,
    Stage,
    asked_scene,
)
from lib_photoshoot.cli.shoot import EXIT_CODES as SHOOT_EXIT_CODES
from lib_photoshoot.cli.shoot import shoot_command
from lib_photoshoot.cli.train import app as train_app
from lib_photoshoot.cli.train_masks import train_masks_command
from lib_photoshoot.cli.train_review import train_review_command
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.model_names import DetectorName, RetouchName, SegmenterName
from lib_photoshoot.typed import typed_command

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.catalog.runner import Engine
    from lib_photoshoot.pipeline import ProductFilter

app = typer.Typer(
    name="lib_photoshoot",
    help="Find the products you name in pictures, cut them out and enhance them; leave everything else untouched.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train_app.command("review", epilog=REVIEW_EXIT_CODES)(train_review_command)
train_app.command("masks", epilog=EXIT_CODES)(train_masks_command)
app.add_typer(train_app, name="train")
app.command("shoot", epilog=SHOOT_EXIT_CODES)(shoot_command)
app.command("review", epilog=REVIEW_EXIT_CODES)(review_command)
app.command("finish", epilog=FINISH_EXIT_CODES)(finish_command)
app.command("rank", epilog=EXIT_CODES)(rank_command)
app.command("consistency", epilog=CONSISTENCY_EXIT_CODES)(consistency_command)
app.command("export", epilog=EXIT_CODES)(export_command)
app.command("check-export", epilog=EXIT_CODES)(check_export_command)
app.add_typer(colour_app, name="colour")
app.add_typer(models_app, name="models", help="List, download and verify the model files.")


class EngineName(str, Enum):
    """Where pictures are filtered: in this process, or in workers of a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


_INPUT_HELP = "Pictures, folders (searched recursively), globs, or URLs of pictures and folders (needs fsspec)."
Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help=_INPUT_HELP, show_default=False),
]
Segmenter = Annotated[
    SegmenterName, typer.Option(help="What outlines the products: larger ones draw finer edges and take longer.")
]
Bf16 = Annotated[bool, typer.Option("--bf16", help="Compute GroundingDINO in bfloat16: faster, less exact.")]
Thorough = Annotated[
    bool, typer.Option("--thorough", help="Ask every network about every outline; takes up to three times as long.")
]
Threshold = Annotated[
    Optional[float],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option(min=0, max=1, help="Score from which a product counts; the default is the detector's own."),
]
Retouched = Annotated[
    Optional[RetouchName],  # noqa: UP045
    typer.Option(
        "--retouch",
        help="faithful, the default: sharper, the article's colour stays. lively: lighter and more colourful too. off: "
        "nothing, as in a new scene.",
    ),
]
WhiteBalance = Annotated[
    str,
    typer.Option(
        help="off; sweep: by an even white ground around the article; or a neutral place, as X,Y in pixels or X%,Y%."
    ),
]
Colour = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--colour", help='A product\'s own colour, as "cup=#7a5c3e; tolerance=3" (CIEDE2000); others are skipped.'
    ),
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
    detector: Detector = DetectorName.EMBEDDED.value,
    segmenter: Segmenter = SegmenterName.MOBILE_SAM,
    threshold: Threshold = None,
    require_all: RequireAll = False,
    device: Device = "cpu",
    bf16: Bf16 = False,
    thorough: Thorough = False,
    retouch: Retouched = None,
    white_balance: WhiteBalance = "off",
    colour: Colour = None,
    colours: Colours = None,
    engine: Annotated[
        EngineName, typer.Option(help="local: this process. ray: several processes, or machines (needs ray).")
    ] = EngineName.LOCAL,
    address: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Running Ray cluster: HOST:PORT, or auto. Without it one starts here, for this run."),
    ] = None,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Ray workers, each with models of its own (1 GB); the default is one a core."),
    ] = None,
    calibration: Calibration = None,
    repaint: RepaintWhat = None,
    stage: Stage = None,
    backdrop: Backdrop = None,
    canvas: Canvas = None,
    share: Share = None,
    ground: Ground = None,
    shadow: Shadow = None,
    reflection: Reflection = None,
    cast: Cast = None,
) -> None:
    """Filter pictures: write masks, cut-outs, overlays, enhanced pictures and a report; inputs stay untouched.

    With --backdrop, --canvas and the like the products stand in a new scene, as photographed.
    """
    with exit_codes(f"Interrupted; every finished picture is kept in {out}: the same command with --resume goes on."):
        from lib_photoshoot.catalog.runner import CatalogProgress, OneByOne, run_engine
        from lib_photoshoot.catalog.urls import collect_sources
        from lib_photoshoot.cli.by_example import say_of_signatures, signatures_for, with_examples
        from lib_photoshoot.enhancement.white_balance import Neutral
        from lib_photoshoot.products import parse_products
        from lib_photoshoot.references.table import with_references

        staged = {"backdrop": backdrop, "canvas": canvas, "product_share": share, "ground_line": ground}
        staged |= {"shadow": shadow, "reflection": reflection, "colour_cast": cast}
        scene, retouch = asked_scene(repaint, stage, retouch, white_balance, **staged)
        wanted, examples = with_examples(with_references(parse_products(products), colour or (), colours, say))
        files = collect_sources(inputs, out, say)
        calibrator, calibrated = _calibrator(calibration)
        choice = ModelChoice(DetectorName(detector), segmenter, device, bf16, threshold, thorough)
        # Before the output folder is begun with a word that nothing knows.
        words = say_words(choice, wanted, require_all)
        Neutral.parse(white_balance)
        build_ = partial(build.build_filter, choice, require_all, retouch.value, white_balance)
        if scene is not None:
            build_ = partial(build_, scenery=scene.scenery)
        with telling("loading the models", len(files)) as bar:
            if engine is EngineName.RAY and examples:
                build_ = partial(build_, signatures=signatures_for(build_, wanted))
            chosen = _engine(engine, address, workers, choice, build_, calibrator)
            if isinstance(chosen, OneByOne):
                say_of_signatures(chosen.filter, wanted)

            def tell(state: CatalogProgress) -> None:
                name = "report" if state.file is None else os.path.basename(state.file)
                bar(state.done, name[-32:])

            settings = _settings(choice, require_all, retouch, white_balance) | calibrated | examples
            settings |= scene.told if scene else {}
            summary = run_engine(chosen, files, words.products, out, resume, tell, settings=settings)
        for note in summary.notes:
            say(note)
        for item in summary.unreadable:
            say(item["error"])
        earlier = f" ({summary.resumed} from the earlier run)" if summary.resumed else ""
        say(
            f"{summary.matched} matched, {summary.skipped} skipped{earlier}, {len(summary.unreadable)} unreadable. "
            f"Look at {out / 'report.html'}"
        )
    if summary.unreadable or words.left_out:
        raise typer.Exit(SOME_UNREADABLE)


@app.command("detect", epilog=EXIT_CODES)
def detect_command(
    inputs: Inputs,
    products: Products,
    detector: Detector = DetectorName.EMBEDDED.value,
    segmenter: Segmenter = SegmenterName.MOBILE_SAM,
    threshold: Threshold = None,
    require_all: RequireAll = False,
    device: Device = "cpu",
    bf16: Bf16 = False,
    thorough: Thorough = False,
    colour: Colour = None,
    colours: Colours = None,
) -> None:
    """Print one JSON object per picture on standard output, and nothing else there; write no files."""
    code = DONE
    with exit_codes("Interrupted."):
        from lib_photoshoot.catalog.outputs import report_entry
        from lib_photoshoot.catalog.urls import collect_sources
        from lib_photoshoot.cli.by_example import say_of_signatures, with_examples
        from lib_photoshoot.products import parse_products
        from lib_photoshoot.references.table import with_references
        from lib_photoshoot.transparency import rgba

        wanted, _ = with_examples(with_references(parse_products(products), colour or (), colours, say))
        files = collect_sources(inputs, tell=say)
        choice = ModelChoice(DetectorName(detector), segmenter, device, bf16, threshold, thorough)
        words = say_words(choice, wanted, require_all)
        code = SOME_UNREADABLE if words.left_out else DONE
        with telling("loading the models", None):
            product_filter = loaded(partial(build.build_filter, choice, require_all))
        say_of_signatures(product_filter, wanted)
        for source in files:
            try:
                _, picture = source.load()
            except ImageError as error:
                say(str(error))
                code = SOME_UNREADABLE
                continue
            if picture.note:
                say(f"{source.name}: {picture.note}")
            entry = report_entry(source.name, product_filter.detect(rgba(picture), words.products, picture.space))
            sys.stdout.write(json.dumps(entry) + "\n")
            sys.stdout.flush()
    raise typer.Exit(code)


def _engine(
    name: EngineName,
    address: str | None,
    workers: int | None,
    choice: ModelChoice,
    build_: Callable[[], ProductFilter],
    calibrator: Calibrator | None,
) -> Engine:
    if name is EngineName.RAY:
        from lib_photoshoot.catalog.ray_engine import RayEngine

        return RayEngine(build_, address, workers, choice.device != "cpu", calibrator)
    if address is not None or workers is not None:
        raise CatalogError("--address and --workers are for Ray's workers; add --engine ray, or leave them out.")
    from lib_photoshoot.catalog.runner import OneByOne

    return OneByOne(loaded(build_), calibrator)


def _calibrator(name: str | None) -> tuple[Calibrator | None, dict[str, str]]:
    """Return what --calibration asks for, and how a run's settings tell it."""
    if name is None:
        return None, {}
    from lib_photoshoot.calibration.applying import calibrator_for

    return calibrator_for(name)


def _settings(
    choice: ModelChoice, require_all: bool, retouch: RetouchName, white_balance: str
) -> dict[str, str | bool | float | None]:
    """Return what decides a run's results, for its report and for the check on resume; the device does not."""
    settings = {"detector": choice.detector.value, "segmenter": choice.segmenter.value, "threshold": choice.threshold}
    # Said only where it is on: runs of before it existed can be resumed.
    settings |= {"bf16": choice.bf16, "all": require_all} | ({"thorough": True} if choice.thorough else {})
    # Always said: what was made before the retouch could be chosen is of another kind, and not gone on with.
    return settings | {"retouch": retouch.value} | ({} if white_balance == "off" else {"white_balance": white_balance})


def main() -> None:
    """Entry point of ``python -m lib_photoshoot``."""
    app(prog_name=typed_command())
