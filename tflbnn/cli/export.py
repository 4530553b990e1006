"""tflbnn export: a run's model as a verified .tflite file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Export:
    """The files, what was verified, what became of every layer; `detections` for detectors only."""

    model: str
    verification: str
    size_bytes: int
    verified: bool
    binary_layers: int
    ties: int
    max_abs_error: float
    samples: int
    samples_from: str
    left_in_float: list[str]
    explain: list[dict[str, Any]]
    show_layers: bool
    detections: int | None = None
    rest: dict[str, Any] | None = None

    def render(self, console: Console) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Column, Table

        if self.show_layers:
            table = Table(
                Column("layer", no_wrap=True), Column("became", overflow="fold"), "bits", "why", box=SIMPLE_HEAD
            )
            for row in self.explain:
                style = "yellow" if row["left_in_float"] else "green" if row["bits"] == 1 else None
                bits = str(row["bits"] or "")
                table.add_row(escape(row["layer"]), escape(" ".join(row["operators"])), bits, row["why"], style=style)
            console.print(table)
        facts = Table(box=None, show_header=False, pad_edge=False)
        images = f"{self.samples} samples ({self.samples_from})"
        facts.add_row(
            "verified", f"[bold green]{self.binary_layers} binary layers, bit for bit[/], on {escape(images)}"
        )
        facts.add_row("outputs", f"within {self.max_abs_error:.2g} of Keras; {self.ties} ties at a sign's threshold")
        if self.detections is not None:
            facts.add_row("detections", f"{self.detections} of them, as NumPy decodes and suppresses the raw outputs")
        if self.rest is not None:
            facts.add_row("rest", _rest(self.rest))
        facts.add_row("size", f"{self.size_bytes:,} bytes")
        facts.add_row("model", escape(self.model))
        console.print(facts, soft_wrap=True)
        if self.left_in_float:
            console.print(f"[yellow]left in float[/]  {escape(', '.join(self.left_in_float))}  (why: --explain)")
        console.print(f"next: tflbnn benchmark {escape(self.model)}", soft_wrap=True, style="dim")


def _rest(rest: dict[str, Any]) -> str:
    """What became of it, in one line."""
    outputs = rest["outputs"]
    text = f"{rest['rest']}: {len(rest['products'])} products, input {rest['input']}, "
    text += f"{rest['bytes_before']:,} → {rest['bytes_after']:,} bytes"
    if outputs["accuracy_before"] is not None:
        text += f", accuracy {outputs['accuracy_before']:.1%} → {outputs['accuracy_after']:.1%}"
    elif outputs["agreement"] is not None:
        text += f", the same class for {outputs['agreement']:.1%}"
    return f"{text} on {rest['samples']} samples" + (" of random numbers" if rest["samples_are_random"] else "")


@_command
def command(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN|MODEL", help="A run, an ensemble, .h5, .keras or SavedModel.", show_default=False),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; by default RUN/model.tflite.", show_default=False)
    ] = None,
    rest: Annotated[
        str, typer.Option(help="What is not binary: float32, float16, int8 (takes uint8 pixels) or int8-dynamic.")
    ] = "float32",
    labels: Annotated[
        Path | None, typer.Option(help="A text file with a class a line; by default the run's.", show_default=False)
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what became of every layer, and why.")] = False,
    fail_on_float: Annotated[
        bool, typer.Option("--fail-on-float", help="Refuse if a layer trained on 1 bit would run in float.")
    ] = False,
    dump_passes: Annotated[
        Path | None,
        typer.Option("--dump-passes", help="A folder for the graph as text after each pass.", show_default=False),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(help="Normalized inputs of a MODEL as .npy, to verify and measure on.", show_default=False),
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Run code that a MODEL holds, such as Lambda layers.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="A folder with the data set's files.", show_default=False)
    ] = None,
) -> Export:
    """Convert a run's model, or a Keras model, to TensorFlow Lite and verify it, the binary part bit for bit."""
    from tflbnn.cli._quiet import quiet_status
    from tflbnn.ensembles import EnsembleRun
    from tflbnn.errors import UserError
    from tflbnn.training import Run

    names = _read_labels(labels) if labels else None
    is_model = run.suffix in (".h5", ".hdf5", ".keras") or (run / "saved_model.pb").is_file()
    if not is_model and (samples or trust):
        raise UserError("--samples and --trust belong to a Keras model. Received: a run folder. Leave them out.")
    ensemble = EnsembleRun.open(run) if EnsembleRun.is_one(run) else None
    if ensemble and (rest != "float32" or dump_passes):
        raise UserError("An ensemble's file is float32 where it is not binary. Leave --rest and --dump-passes out.")
    opened = None if is_model or ensemble else Run.open(run)
    inputs = _read_samples(samples) if samples else None
    with quiet_status("loading TensorFlow and Larq") as progress:
        from tflbnn.converter import export

        if ensemble is not None:
            from tflbnn.converter.export_ensemble import export_ensemble

            exported = export_ensemble(ensemble, output, names, fail_on_float, data_dir, progress)
        elif opened is not None:
            exported = export(opened, output, names, fail_on_float, data_dir, progress, dump_passes, rest)
        else:
            from tflbnn.converter.export import export_model
            from tflbnn.converter.load import load_model

            progress("loading the model")
            model = load_model(run, trust)
            progress("converting and verifying")
            out = output or run.with_suffix(".tflite")
            exported = export_model(model, out, inputs, names, fail_on_float, dump_passes, rest)
    report = exported.conversion.report
    rows = [dataclasses.asdict(row) for row in report.explain]
    return Export(
        model=str(exported.model),
        verification=str(exported.verification),
        size_bytes=len(exported.conversion.flatbuffer),
        verified=True,
        **{name: exported.verification_result[name] for name in ("binary_layers", "ties", "max_abs_error", "samples")},
        samples_from=exported.verification_result["samples_from"],
        left_in_float=[row["layer"] for row in rows if row["left_in_float"]],
        explain=rows,
        show_layers=explain,
        detections=exported.verification_result.get("detections"),
        rest=exported.verification_result.get("rest"),
    )


def _read_samples(path: Path) -> Any:
    import numpy as np

    from tflbnn._files import readable_errors
    from tflbnn.errors import UserError

    try:
        with readable_errors("read the samples", path):
            return np.load(path, allow_pickle=False)
    except ValueError as error:
        raise UserError(f"Samples must be an array that numpy.save wrote. Received: {path}: {error}") from error


def _read_labels(path: Path) -> list[str]:
    from tflbnn._files import readable_errors
    from tflbnn.errors import UserError

    try:
        with readable_errors("read the labels", path):
            return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(
            f"Labels must be UTF-8 text, one a line. Received: {path}, which is not. Save it so."
        ) from error
