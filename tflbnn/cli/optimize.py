"""tflbnn optimize: any LCE model file through the converter's passes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Optimization:
    """The new file beside the old one, and what each pass did and missed."""

    model: str
    bytes_before: int
    bytes_after: int
    binary_convolutions_before: int
    binary_convolutions_after: int
    compared: int
    largest_difference: float
    passes: list[dict[str, Any]]

    def render(self, console: Console) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        table = Table("pass", "matches", "nearly matched, and why not", box=SIMPLE_HEAD)
        for row in self.passes:
            missed = "\n".join(f"{name}: {reason}" for name, reason in row["missed"])
            table.add_row(row["name"], str(row["matches"]), escape(missed))
        console.print(table)
        console.print(
            f"[bold green]{escape(self.model)}[/]: {self.bytes_before:,} → {self.bytes_after:,} bytes, "
            f"{self.binary_convolutions_before} → {self.binary_convolutions_after} binary convolutions; "
            f"{self.compared} rewritten tensors compared, within {self.largest_difference:.2g} of their largest value.",
            soft_wrap=True,
        )


@_command
def command(
    model: Annotated[Path, typer.Argument(metavar="OLD.tflite", help="A model file.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The new file; by default OLD.optimized.tflite.", show_default=False),
    ] = None,
    rest: Annotated[
        str, typer.Option(help="What is not binary: float32, float16, int8 or int8-dynamic (ranges: random inputs).")
    ] = "float32",
) -> Optimization:
    """Run what an LCE model file left in float on bits, and compare the result with it."""
    from tflbnn._files import atomic_write, readable_errors
    from tflbnn.cli._quiet import quiet_status
    from tflbnn.runtime.check import naming

    with readable_errors("read the model", model):
        content = model.read_bytes()
    path = output or model.with_suffix(".optimized.tflite")
    with naming(model), quiet_status("loading TensorFlow and Larq") as progress:
        from tflbnn.converter.graph import Graph
        from tflbnn.converter.optimize import optimize

        progress("rewriting and comparing")
        found = optimize(content, rest)
        counted = [len(Graph(file).of_kind("LceBconv2d")) for file in (content, found.flatbuffer)]
    atomic_write(path, found.flatbuffer)
    return Optimization(
        model=str(path),
        bytes_before=len(content),
        bytes_after=len(found.flatbuffer),
        binary_convolutions_before=counted[0],
        binary_convolutions_after=counted[1],
        compared=found.compared,
        largest_difference=found.largest_difference,
        passes=[dataclasses.asdict(report) for report in found.passes],
    )
