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
    datasets = "datasets"


@dataclasses.dataclass(frozen=True)
class Listing:
    """Rows of each kind; a row is a dictionary whose keys are the columns."""

    listings: dict[str, list[dict[str, str]]]

    def render(self, console: Console) -> None:
        from rich.table import Table

        for kind, rows in self.listings.items():
            table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for column in rows[0]:
                table.add_column(column, overflow="fold")
            for row in rows:
                table.add_row(*row.values())
            console.print(table)
            console.print()


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
    from tflbnn import data

    return data.table()


@_command
def command(
    what: Annotated[
        Kind | None, typer.Argument(help="One kind; all of them when left out.", show_default=False)
    ] = None,
) -> Listing:
    """What there is: recipes, networks, binarizations, data sets, with the paper each comes from."""
    return Listing({kind.value: _rows(kind) for kind in ([what] if what else Kind)})
