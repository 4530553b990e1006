"""tflbnn verify: a .tflite file against the run that it was exported from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Verification:
    """What was compared; a difference is an error with exit code 3. `detections` are None but for detectors."""

    model: str
    run: str
    verified: bool
    samples: int
    samples_from: str
    kernels: list[str]
    binary_layers: int
    mismatches: int
    ties: int
    max_abs_error: float
    tolerance: float
    layers: list[dict[str, Any]]
    detections: int | None = None
    detections_max_abs_error: float | None = None
    rest: str = "float32"
    rest_products: int = 0
    rest_largest_difference: float = 0.0

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Column, Table

        table = Table(Column("layer", no_wrap=True), "products", "output", "mismatches", "ties", "max error")
        for column in table.columns[1:]:
            column.justify = "right"
        for row in self.layers:
            error = "" if row["max_abs_error"] is None else f"{row['max_abs_error']:.2g}"
            numbers = (f"{row['products']:,}", row["output"], str(row["mismatches"]), str(row["ties"]), error)
            table.add_row(escape(row["layer"]), *numbers)
        console.print(table)
        console.print(
            f"[bold green]{escape(self.model)} computes what {escape(self.run)} does[/]: {self.binary_layers} binary "
            f"layers bit for bit with the kernels {', '.join(self.kernels)}, outputs within {self.max_abs_error:.2g}, "
            f"on {self.samples} samples ({self.samples_from}).",
            soft_wrap=True,
        )
        if self.rest != "float32":
            console.print(
                f"Its rest is {self.rest}: {self.rest_products} tensors within {self.rest_largest_difference:.2%} of "
                "what float32 gives there; the outputs above are those with float32.",
                soft_wrap=True,
            )
        if self.detections is not None:
            console.print(
                f"Its {self.detections} detections there are those of its raw outputs, within "
                f"{self.detections_max_abs_error:.2g}.",
                soft_wrap=True,
            )


@_command
def command(
    run: Annotated[Path, typer.Argument(help="A run folder, or an ensemble's.", show_default=False)],
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL.tflite]", help="By default the run's.", show_default=False)
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="A folder with the data set's files.", show_default=False)
    ] = None,
) -> Verification:
    """Compare Keras, the reference kernels and the delegate on a run's model."""
    from tflbnn._files import readable_errors
    from tflbnn.cli._quiet import quiet_status
    from tflbnn.ensembles import EnsembleRun
    from tflbnn.runtime.check import check_model, naming
    from tflbnn.training import Run

    ensemble = EnsembleRun.open(run) if EnsembleRun.is_one(run) else None
    opened = ensemble or Run.open(run)
    path = model or opened.model_tflite
    with readable_errors("read the model", path):
        content = path.read_bytes()
    with naming(path):
        check_model(content)
        with quiet_status("loading TensorFlow and Larq") as progress:
            from tflbnn.converter.export import samples
            from tflbnn.converter.verify import verify

            progress("loading the run's model")
            images, source = samples(opened, data_dir)
            if ensemble is not None:
                from tflbnn.converter.ensemble import verify_ensemble

                models = ensemble.load_models()
                progress("verifying")
                found = verify_ensemble(models, content, images)
                found = {key: value for key, value in found.items() if key not in ("members", "vote", "same_labels")}
                return Verification(model=str(path), run=str(run), samples_from=source, **found)
            keras_model = opened.load_model()
            progress("verifying")
            normalization = opened.normalization
            found = verify(keras_model, content, images, normalization.mean, normalization.std)
    return Verification(model=str(path), run=str(run), samples_from=source, **found)
