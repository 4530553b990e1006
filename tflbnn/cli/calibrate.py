"""tflbnn calibrate: how long each operation takes on a device, so that latencies of networks can be predicted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """A latency table and how well it describes the networks it was fitted to: the median and the 90th percentile of
    the relative errors. Without a table, the models for another device to measure.
    """

    models: str
    networks: int
    table: str | None = None
    measured: str | None = None
    median_error: float | None = None
    p90_error: float | None = None

    def render(self, console: Console) -> None:
        from rich.markup import escape

        if self.table is None:
            console.print(f"{self.networks} models are in {escape(self.models)}")
            console.print(
                "next: time each of them on the device, one thread, write model,median_ms, a line each, and: "
                f"tflbnn calibrate --models {escape(self.models)} --from times.csv",
                soft_wrap=True,
                style="dim",
            )
            return
        console.print(
            f"table {escape(self.table)}: {self.networks} networks, median error {self.median_error:.1%}, "
            f"90 % of them within {self.p90_error:.1%}"
        )
        console.print(
            f"next: tflbnn tune RECIPE --objective accuracy,latency --latency-table {escape(self.table)}",
            soft_wrap=True,
            style="dim",
        )


@_command
def command(
    out: Annotated[Path, typer.Option("--out", help="The latency table.")] = Path("latency_table.csv"),
    models: Annotated[
        Path | None,
        typer.Option(
            "--models",
            help="The folder of the calibration models; those that are there are not made again. Left out: a "
            "temporary one.",
            show_default=False,
        ),
    ] = None,
    only_models: Annotated[
        bool, typer.Option("--only-models", help="Write the models for another device to time, and stop.")
    ] = False,
    measured: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A CSV file of another device with the columns model and median_ms, one thread. Left out: this "
            "machine is timed.",
            show_default=False,
        ),
    ] = None,
    adb: Annotated[bool, typer.Option("--adb", help="Time a connected phone, through Android's adb.")] = False,
    device: Annotated[
        str | None, typer.Option(metavar="SERIAL", help="With --adb: which phone, where several are connected.")
    ] = None,
) -> Calibrated:
    """Time a device's operations once; tflbnn tune then predicts latencies without measuring."""
    import contextlib
    import tempfile

    from rich.progress import Progress

    from tflbnn.cli._command import console
    from tflbnn.cli._quiet import without_remarks
    from tflbnn.errors import UserError
    from tflbnn.tuning import calibration
    from tflbnn.tuning.calibration_networks import NETWORKS

    if only_models and models is None:
        raise UserError("Models for another device need a folder. Received: no --models. Add --models FOLDER.")
    if (adb and measured) or (device and not adb):
        raise UserError("Times are of this machine, --from a file, or of a phone with --adb. Choose one of them.")
    times = {} if measured is None else calibration.read_measured(measured)
    if measured is not None and not times:
        raise UserError(f"A latency table needs times. Received: none in {measured}. Write one line a model.")
    stream = console(stderr=True)
    with contextlib.ExitStack() as stack:
        folder = models or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # The bar writes past what keeps TensorFlow's remarks away.
        progress = stack.enter_context(Progress(console=stream, transient=True, disable=not stream.is_terminal))
        task = progress.add_task("making models", total=NETWORKS)
        with without_remarks() if not stream.is_terminal else contextlib.nullcontext():
            paths = calibration.write_models(folder, lambda done: progress.update(task, completed=done))
        if only_models:
            return Calibrated(str(folder), len(paths))
        if measured is None:
            task = progress.add_task("timing", total=calibration.ROUNDS)

            def tell(done: int) -> None:
                progress.update(task, completed=done)

            times = calibration.measure_on_phone(paths, device, tell) if adb else calibration.measure(paths, tell)
        table = calibration.fit(folder, times)
        table.write(out)
        errors = sorted(abs(table.predict(path.read_bytes()) / times[path.stem] - 1) for path in paths)
    return Calibrated(
        models=str(folder) if models else "",
        networks=len(paths),
        table=str(out),
        measured=None if measured is None else str(measured),
        median_error=errors[len(errors) // 2],
        p90_error=errors[int(0.9 * len(errors))],
    )
