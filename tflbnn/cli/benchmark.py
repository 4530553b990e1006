"""tflbnn benchmark: how long an inference takes, and how much memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflbnn.cli._command import command as _command
from tflbnn.cli._per_op import PerOp

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn.runtime import Model


@dataclasses.dataclass(frozen=True)
class Row:
    """One model, with or without the delegate. `ratio` is how many times longer it takes than the first row."""

    name: str
    path: str
    kernel: str | None
    size_bytes: int
    median_ms: float
    p90_ms: float
    best_ms: float
    runs: int
    ratio: float
    peak_memory_bytes: int | None


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Alternating measurements of one batch of one sample; on `device`, or on this computer."""

    threads: int
    rounds: int
    rows: list[Row]
    per_op: PerOp | None = None
    device: str | None = None

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        plural = "s" if self.threads > 1 else ""
        place = f"{escape(self.device)}: " if self.device else ""
        title = f"{place}batch 1, {self.threads} thread{plural}, {self.rounds} alternating rounds"
        table = Table(title=title, title_justify="left")
        table.add_column("model", overflow="fold")
        table.add_column("kernel")
        for column in ("median ms", "p90 ms", "best ms", "ratio", "file MB", "memory MB"):
            table.add_column(column, justify="right")
        for row in self.rows:
            memory = "" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.1f}"
            table.add_row(
                escape(row.name),
                row.kernel or "[dim]no delegate[/]",
                *(f"{value:.3f}" for value in (row.median_ms, row.p90_ms, row.best_ms)),
                f"{row.ratio:.2f}×",
                f"{row.size_bytes / 1e6:.3f}",
                memory,
            )
        console.print(table)
        if self.per_op is not None:
            self.per_op.render(console)


def _variants(path: Path, threads: int) -> list[tuple[str, Path, Model]]:
    """The model with the delegate, and without where it has no binary operators."""
    from tflbnn.errors import UserError
    from tflbnn.runtime import Model

    variants = [(path.name, path, Model(path, threads))]
    try:
        variants.append((f"{path.name} without delegate", path, Model(path, threads, delegate=False)))
    except UserError as error:
        # It has operators that stock TFLite lacks, which is the usual case and no error.
        if "unresolved custom op" not in str(error):
            raise
    return variants


@_command
def command(
    model: Annotated[Path, typer.Argument(help="A .tflite file.", show_default=False)],
    against: Annotated[
        Path | None, typer.Option(help="Another .tflite file to compare with, such as the float twin.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of an inference.")] = 1,
    rounds: Annotated[
        int, typer.Option(min=1, help="Alternating rounds; each measures three runs of each model.")
    ] = 20,
    per_op: Annotated[
        bool, typer.Option("--per-op", help="Also where the time of MODEL goes, operation by operation.")
    ] = False,
    adb: Annotated[bool, typer.Option("--adb", help="Measure on a connected phone, through Android's adb.")] = False,
    device: Annotated[
        str | None, typer.Option(metavar="SERIAL", help="With --adb: which phone, where several are connected.")
    ] = None,
) -> Benchmark:
    """How long an inference takes and how much memory it needs; medians of alternating rounds."""
    import functools

    from rich.progress import Progress

    from tflbnn.cli import _per_op, _phone
    from tflbnn.cli._command import console
    from tflbnn.cli._quiet import without_remarks
    from tflbnn.errors import UserError
    from tflbnn.runtime.benchmark import alternate, peak_memory, ratio, sample

    if per_op and adb:
        raise UserError("--per-op measures on this computer. Received: --adb, too. Leave one out.")
    if device is not None and not adb:
        raise UserError(f"--device names a phone to measure on. Received: {device} without --adb. Add --adb.")

    with without_remarks():
        variants = [
            variant for path in (model, *([against] if against else [])) for variant in _variants(path, threads)
        ]
    if adb:
        for *_, variant in variants:
            variant.close()
        cases = [(name, path, variant.kernel is not None) for name, path, variant in variants]
        return _phone.measure(cases, threads, rounds, device)
    # By position, as the two files may have one name.
    runs = {
        str(position): functools.partial(variant.predict, sample(variant))
        for position, (_, _, variant) in enumerate(variants)
    }
    stream = console(stderr=True)
    with Progress(console=stream, transient=True, disable=not stream.is_terminal) as progress:
        task = progress.add_task("measuring", total=rounds)
        timings = alternate(runs, rounds, progress=lambda done: progress.update(task, completed=done))
    rows = []
    for (name, path, variant), timing in zip(variants, timings.values(), strict=True):
        variant.close()
        rows.append(
            Row(
                name=name,
                path=str(path),
                kernel=variant.kernel,
                size_bytes=path.stat().st_size,
                median_ms=timing.median_ms,
                p90_ms=timing.p90_ms,
                best_ms=timing.best_ms,
                runs=timing.n,
                ratio=ratio(timing, timings["0"]),
                peak_memory_bytes=peak_memory(path, threads, variant.kernel is not None, variant.kernel),
            )
        )
    return Benchmark(threads, rounds, rows, _per_op.measure(model, threads, rounds) if per_op else None)
