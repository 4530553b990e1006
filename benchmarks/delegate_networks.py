"""The networks that the delegate is measured on, as files, and the runtimes that run them.

python benchmarks/delegate_networks.py    make the files that are missing, in build/benchmarks/
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import results
from ai_edge_litert import interpreter as litert
from rich.table import Table

from tflbnn._files import atomic_write
from tflbnn.cli._command import console
from tflbnn.cli._quiet import quiet_status, without_remarks
from tflbnn.runtime import delegate_path
from tflbnn.runtime.delegate import kernels

SEED = 0
SHAPE = (224, 224, 3)
NETWORKS = ("quicknet", "binary_densenet28", "bi_real_net18", "real_to_binary_net")
LCE_BEST = {"use_indirect_bgemm": True, "use_xnnpack": True}
# Probabilities of two runtimes may differ by the rounding of the float part, as long as no sign flips.
TOLERANCE = 1e-5

# Feeds the image, runs, and gives a copy of the output: as much work with every runtime.
Run = Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Files:
    """One network: what tflbnn converted, what LCE converted, and its float twin."""

    tflbnn: Path
    lce: Path
    float: Path


def files(name: str) -> Files:
    """Those of a network, converted when the package has changed since."""
    sources = [path for folder in ("tflbnn", "converter") for path in sorted((results.ROOT / folder).rglob("*.py"))]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = results.ROOT / "build" / "benchmarks" / state
    made = Files(*(folder / f"{name}-{runtime}.tflite" for runtime in ("tflbnn", "lce", "float")))
    if not made.float.exists():  # the one that is written last
        with without_remarks():
            from tflbnn import Binarization
            from tflbnn._keras import tf
            from tflbnn.converter import convert
            from tflbnn.converter.lower import lower

        folder.mkdir(parents=True, exist_ok=True)
        model = build(name, Binarization())
        atomic_write(made.tflbnn, convert(model, verify=False).flatbuffer)
        atomic_write(made.lce, lower(model))
        twin = build(name, Binarization.float32())
        atomic_write(made.float, tf.lite.TFLiteConverter.from_keras_model(twin).convert())
    return made


def build(name: str, binarization: Any) -> Any:
    """The Keras model with BatchNorm statistics that leave no layer constant, as training would.

    Gamma is negative for a quarter of the channels. The statistics are those of a random batch, disturbed.
    """
    from tflbnn import networks
    from tflbnn._keras import keras

    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    network = residual_relu if name == "residual_relu" else networks.get(name)
    model = network(SHAPE, binarization=binarization)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        values = {weight.name.split("/")[-1].split(":")[0]: weight for weight in layer.weights}
        size = layer.moving_mean.shape
        if "gamma" in values:
            layer.gamma.assign(rng.uniform(0.5, 1.5, size) * np.where(rng.random(size) < 0.25, -1, 1))
        if "beta" in values:
            layer.beta.assign(rng.normal(0, 0.5, size))
        layer.momentum = 0.0
    model(rng.uniform(-1, 1, (4, *SHAPE)).astype(np.float32), training=True)
    for layer in norms:
        mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
        layer.moving_mean.assign(mean + rng.normal(0, 0.3, mean.shape) * np.sqrt(variance + 1e-3))
        layer.moving_variance.assign(variance * rng.uniform(0.5, 2, variance.shape))
    return model


def residual_relu(input_shape: tuple[int, int, int], binarization: Any) -> Any:
    """Bi-Real Net 18 with a ReLU between BatchNorm and sum, which no convolution's activation can be, for fusions."""
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _residual_blocks

    def block(x: Any, binarization: Any, filters: int, strides: int, name: str) -> Any:
        y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv")(x)
        y = layers.batch_normalization(name=f"{name}_norm")(y)
        y = keras.layers.ReLU(name=f"{name}_relu")(y)
        around = _residual_blocks.shortcut(x, binarization, filters, strides, name)
        return keras.layers.Add(name=f"{name}_add")([y, around])

    pixels = keras.Input(input_shape, name="image")
    x = _blocks.normalized_stem(pixels, binarization, "imagenet", 64, activation=None)
    x = _residual_blocks.stages(x, binarization, (4, 4, 4, 4), (64, 128, 256, 512), block)
    return keras.Model(pixels, _blocks.classify(x, binarization, 1000), name="residual_relu")


def image() -> np.ndarray:
    return np.random.default_rng(SEED).uniform(-1, 1, (1, *SHAPE)).astype(np.float32)


def vector_kernels() -> list[str]:
    """Those of this processor that are made for speed, the best first."""
    return [kernel for kernel in kernels() if kernel not in ("scalar", "reference")] or kernels()[:1]


def fusions() -> list[str]:
    """The names, as the delegate lists them."""
    text = (results.ROOT / "delegate" / "tflite" / "fusion" / "fusions.inc").read_text()
    return re.findall(r"^FUSION\((\w+)\)", text, re.MULTILINE)


def stock(path: Path, threads: int = 1, options: Mapping[str, str] | None = None) -> Run:
    """ai-edge-litert as pip installs it; with the delegate where there are options for it."""
    delegates = None
    if options is not None:
        delegates = [litert.load_delegate(str(delegate_path()), {"num_threads": str(threads), **options})]
    made = litert.Interpreter(str(path), num_threads=threads, experimental_delegates=delegates)
    made.allocate_tensors()
    source, target = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]
    pixels = image()

    def run() -> np.ndarray:
        made.set_tensor(source, pixels)
        made.invoke()
        return made.get_tensor(target)

    return run


def lce(path: Path, threads: int = 1, **settings: bool) -> Run:
    """LCE's own interpreter, at its C++ wrapper."""
    with without_remarks():
        import tflbnn._keras  # noqa: F401  (chooses Keras 2 for LCE)
        import larq_compute_engine  # isort: skip

        made = larq_compute_engine.testing.Interpreter(path.read_bytes(), num_threads=threads, **settings).interpreter
    pixels = [image()]
    return lambda: made.predict(pixels)[0]


def require_agreement(name: str, runs: Mapping[str, Run], reference: Run) -> dict[str, float]:
    """How far each is from the reference; nothing is timed that computes something else."""
    expected = reference()
    differences = {runtime: float(np.abs(run() - expected).max()) for runtime, run in runs.items()}
    for runtime, difference in differences.items():
        if not difference <= TOLERANCE:
            sys.exit(f"{name}: {runtime} differs from LCE by {difference:.3g}: nothing was timed")
    return differences


def report(name: str, rows: Sequence[dict[str, Any]], hidden: Sequence[str] = ()) -> None:
    """Writes the result file NAME.csv, with where it comes from, and shows its rows without the hidden columns."""
    source = results.provenance(SEED)
    path = results.write(name, [row | source for row in rows])
    table = Table(title=source["cpu"], title_justify="left")
    shown = [column for column in rows[0] if column not in hidden]
    for column in shown:
        number = str(rows[0][column]).replace(".", "").isdigit()
        table.add_column(column.replace("_", " "), justify="right" if number else "left")
    for row in rows:
        table.add_row(*(str(row[column]) for column in shown))
    console().print(table)
    print(path.relative_to(results.ROOT))


def measure_each(
    description: str | None,
    name: str,
    measure: Callable[[str, int, Callable[[str], None]], list[dict[str, Any]]],
    default: Sequence[str] = NETWORKS,
) -> None:
    """A script's main part: `measure(network, rounds, say)` of every network it is asked for, and a report."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    choices = dict.fromkeys((*NETWORKS, *default))
    parser.add_argument("--network", action="append", choices=choices, help=f"default: {', '.join(default)}")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    rows = []
    try:
        with quiet_status("starting") as say:
            for network in arguments.network or default:
                rows += measure(network, arguments.rounds, say)
        report(name, rows)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> None:
    warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
    with quiet_status("networks") as say:
        for name in NETWORKS:
            say(f"{name}: building and converting")
            files(name)


if __name__ == "__main__":
    results.run(main)
