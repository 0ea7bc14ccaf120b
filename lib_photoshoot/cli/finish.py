"""``finish``: the accepted pictures of a shoot, cut out, ranked, and in the form of their sales channels."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.allocator import keep_freed_memory
from lib_photoshoot.cli.exits import SOME_UNREADABLE, exit_codes, say
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

if TYPE_CHECKING:
    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.shoot.finish.ranking import FinishedProduct

EXIT_CODES = (
    "Exit codes: 0 done; 1 some pictures could not be used or miss a rule, all others are done; 2 wrong usage, or a "
    "folder or profile that cannot be used; 3 a model file is missing or damaged; 130 interrupted. The same command "
    "goes on."
)


def finish_command(
    folder: Annotated[Path, typer.Argument(metavar="SHOOT_FOLDER", help="The output folder of a shoot.")],
    top: Annotated[
        Optional[int],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option("--top", min=1, help="Export so many of each product; the default is the list's count."),
    ] = None,
    profile: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--profile", help="Export for this channel, not for those of the list; as often as needed."),
    ] = None,
    names: Names = "",
    table: Table = None,
    shop: Shops = "",
    url_base: UrlBase = "",
    zip_: Zip = False,
    contact_sheet: ContactSheet = False,
    paper: Paper = PaperChoice.A4,
    font: Font = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …, or auto: the GPU where there is one.")] = "cpu",
) -> None:
    """Cut out a shoot's accepted pictures, rank them, and export the best for each product's sales channels.

    Everything goes into SHOOT_FOLDER/finished. Near-duplicates are not exported. Run it again after further pictures
    or decisions: only what is new is done, and what is no longer to be sold is moved to a folder "withdrawn".
    Names, shops' tables, a zip and contact sheets, for each channel: docs/shops.md.
    """
    needs_work = False
    with exit_codes(f"Interrupted; what is finished is kept in {folder / 'finished'}: the same command goes on."):
        from lib_photoshoot.build import model_choice
        from lib_photoshoot.export.profile import profile_names
        from lib_photoshoot.export.shop.settings import ShopSettings
        from lib_photoshoot.export.shop.sku_table import read_sku_table
        from lib_photoshoot.registry import ModelRegistry
        from lib_photoshoot.shoot.finish.finishing import finish_shoot
        from lib_photoshoot.shoot.finish.for_shops import ForShops, HandedOver
        from lib_photoshoot.shoot.finish.ranking import FinishProgress, called

        registry = ModelRegistry()

        def choose(settings: FilterSettings) -> ModelChoice:
            return model_choice(settings, device)

        def load(choice: ModelChoice) -> ProductFilter:
            # Whatever the model libraries print while loading goes to standard error.
            keep_freed_memory()
            with redirect_stdout(sys.stderr):
                return registry.get(choice).filter()

        settings = ShopSettings(
            names, listed(shop), url_base, zip_, contact_sheet, paper.value, "" if font is None else str(font)
        )
        handed: list[HandedOver] = []
        for_shops = ForShops(settings, None if table is None else read_sku_table(table), handed.append)
        finished: list[FinishedProduct] = []
        try:
            with telling("starting", None) as bar:

                def tell(state: FinishProgress) -> None:
                    bar(state.done, state.product[:32], state.total)

                finished.extend(finish_shoot(folder, choose, load, profile or (), top, tell, for_shops))
        finally:
            # Not meanwhile: on a terminal the bar takes standard output to standard error.
            now = {(one.profile, before): name for one in handed for before, name in one.names.items()}
            for product in finished:
                _print(called(product, now))
            for one in handed:
                for sentence in one.said:
                    typer.echo(sentence)
                for sentence in one.problems:
                    say(sentence)
        channels = [channel for product in finished for channel in product.channels]
        needs_work = any(product.problems for product in finished) or any(channel.missed for channel in channels)
        needs_work |= any(one.problems for one in handed)
        if not channels:
            known = ", ".join(profile_names())
            say(
                f"No export profile is named, so nothing was exported; add --profile NAME ({known}, or a .toml file of "
                "yours), or name some in the list's field exports."
            )
        say(f"Look at {folder / 'finished' / 'ranking.json'}")
    if needs_work:
        raise typer.Exit(SOME_UNREADABLE)


def _print(product: FinishedProduct) -> None:
    """Print what became of a product, on standard output, and what needs somebody, on standard error."""
    from lib_photoshoot.files import shown

    typer.echo(f"{product.name}: {product.accepted} accepted, {len(product.ranking)} of them different")
    for place, item in enumerate(product.ranking[: product.wanted], 1):
        same = f", {len(item.duplicates)} more look the same" if item.duplicates else ""
        typer.echo(f"{place:4}. {item.total:.3f}  {item.measured.file}{same}")
    for channel in product.channels:
        kept = f", {len(channel.kept)} kept" if channel.kept else ""
        typer.echo(f"  {channel.profile}: {len(channel.made)} written{kept}, in {shown(channel.folder)}")
        for name in channel.made:
            typer.echo(f"    {name}")
        for sentence in channel.missed:
            typer.echo(f"    {sentence}")
    for sentence in filter(None, (*product.alike, *product.withdrawn, product.left_out)):
        typer.echo(f"  {sentence}")
    for sentence in product.problems:
        say(sentence)
