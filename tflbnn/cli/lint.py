"""tflbnn lint: the rules of design that cost a binary network time or bits."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Lint:
    """The findings, the costliest first."""

    model: str
    findings: list[dict[str, Any]]

    def render(self, console: Console) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Column, Table

        if not self.findings:
            console.print(f"[bold green]{escape(self.model)} keeps every rule[/]")
            return
        table = Table("rule", Column("layer", overflow="fold"), "cost", "cure", "time", box=SIMPLE_HEAD)
        for row in self.findings:
            share = f"{row['share']:.1%}" if row["share"] else ""
            table.add_row(row["rule"], escape(row["layer"]), escape(row["cost"]), row["cure"], share)
        console.print(table)


@_command
def command(
    model: Annotated[
        str, typer.Argument(metavar="NETWORK|RUN|MODEL.tflite", help="What to look at.", show_default=False)
    ],
) -> Lint:
    """Say which layers cost more time or bits than they must, how much, and what to do about it."""
    from tflbnn.cli._quiet import quiet_status

    with quiet_status("loading TensorFlow and Larq"):
        from tflbnn.analysis.lint import lint
        from tflbnn.runtime.check import naming

        with naming(model) if Path(model).exists() else contextlib.nullcontext():
            findings = lint(_flatbuffer(model))
    return Lint(model, [dataclasses.asdict(finding) for finding in findings])


def _flatbuffer(target: str) -> bytes:
    """The checked content of a file, of a run's file, or what a network or recipe converts to."""
    from tflbnn._files import readable_errors
    from tflbnn.runtime.check import check_model

    path = Path(target)
    if path.exists():
        if path.is_dir():
            from tflbnn.training import Run

            path = Run.open(path).model_tflite
        with readable_errors("read the model", path):
            content = path.read_bytes()
        check_model(content)
        return content
    from tflbnn import networks
    from tflbnn.converter import convert
    from tflbnn.errors import UserError, nearest

    if target not in networks.NAMES:
        raise UserError(f"There is no network, run folder or file '{target}'. {nearest(target, list(networks.NAMES))}")
    figure = next(iter(networks.figures(target)), None)
    shape, classes = (figure.input_shape, figure.classes) if figure else ((32, 32, 3), 10)
    return convert(networks.get(target)(tuple(shape), classes), verify=False).flatbuffer
