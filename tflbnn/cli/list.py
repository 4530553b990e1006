"""tflbnn list: what there is, with the paper each comes from."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Annotated

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


class Kind(str, enum.Enum):
    """What can be listed."""

    recipes = "recipes"
    networks = "networks"
    binarizations = "binarizations"
    quantizers = "quantizers"
    datasets = "datasets"


@dataclasses.dataclass(frozen=True)
class Listing:
    """Rows of each kind; a row is a dictionary whose keys are the columns."""

    listings: dict[str, list[dict[str, str]]]

    def render(self, console: Console) -> None:
        from rich.table import Table

        for kind, rows in self.listings.items():
            if kind in _PRINTERS:
                _PRINTERS[kind](rows, console)
                continue
            table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for place, column in enumerate(rows[0]):
                table.add_column(column, overflow="fold", no_wrap=place == 0)  # a name is there to be copied
            for row in rows:
                table.add_row(*row.values())
            console.print(table)
            console.print()


def _print_networks(rows: list[dict[str, str]], console: Console) -> None:
    """The zoo, the networks of a paper under its name; in a narrow terminal without the float twins."""
    import itertools

    from rich.padding import Padding
    from rich.table import Table

    wide, widest = console.width >= 100, console.width >= 130
    columns = {
        "parameters": "parameters" if wide else "params",
        "size": "size",
        "published size": "published",
        "operations": "operations" if wide else "f + b/32",
        "published accuracy": "published accuracy" if wide else "accuracy",
        **({"in float32": "published in float32"} if widest else {}),
    }
    table = Table(box=None, pad_edge=False, padding=(0, 2 if wide else 1, 0, 0))
    table.add_column("[bold]networks[/]", no_wrap=True)
    for key, header in columns.items():
        table.add_column(header, justify="left" if key in ("published accuracy", "in float32") else "right")
    for paper, group in itertools.groupby(rows, key=lambda row: row["paper"]):
        table.add_row(f"[bold]{paper}[/]")
        for row in group:
            table.add_row(f" {row['name']}{'*' * (row['settings'] != '-')}", *(row[key] for key in columns))
    console.print(table)
    notes = (
        "Parameters, size (1 bit a binary weight, 32 bits any other parameter) and operations (f + b/32 "
        "multiply-accumulates for one image) are counted; what is published is the papers'. "
        "* with other settings than the defaults. All figures: docs/networks.md. One network: tflbnn summary NAME"
    )
    console.print(Padding(notes, (1, 0)), style="dim")


def _print_recipes(rows: list[dict[str, str]], console: Console) -> None:
    """The recipes of a table under its name; what each is about where there is room."""
    import itertools

    from rich.table import Table

    columns = [column for column in rows[0] if column != "paper" and (column != "what" or console.width >= 140)]
    if console.width < 112:
        columns = [column for column in columns if column not in ("network", "epochs")]
    table = Table(box=None, pad_edge=False)
    for column in columns:
        title = "[bold]recipes[/]" if column == "recipe" else column
        table.add_column(title, no_wrap=column != "what", justify="right" if column == "epochs" else "left")
    for paper, group in itertools.groupby(rows, key=lambda row: row["paper"]):
        table.add_row(f"[bold]{paper}[/]")
        for row in group:
            table.add_row(f" {row['recipe']}", *(row[column] for column in columns[1:]))
    console.print(table)
    console.print()


_PRINTERS = {Kind.networks.value: _print_networks, Kind.recipes.value: _print_recipes}


def _rows(kind: Kind) -> list[dict[str, str]]:
    if kind is Kind.recipes:
        from tflbnn import recipes

        return recipes.table()
    if kind is Kind.networks:
        from tflbnn import networks

        return networks.table()
    if kind is Kind.binarizations:
        from tflbnn import binarization

        return binarization.table()
    if kind is Kind.quantizers:
        from tflbnn import binarization

        return binarization.quantizer_table()
    from tflbnn import data

    return data.table()


@_command
def command(
    what: Annotated[
        Kind | None, typer.Argument(help="One kind; all of them when left out.", show_default=False)
    ] = None,
) -> Listing:
    """What there is: recipes, networks, binarizations, quantizers, data sets, with the paper each comes from."""
    return Listing({kind.value: _rows(kind) for kind in ([what] if what else Kind)})
