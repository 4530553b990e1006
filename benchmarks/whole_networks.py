"""Whole networks, one thread: the delegate in stock TFLite, LCE's interpreter, the float twin on XNNPACK.

All of them alternate in one process, so that other load hits all alike; trust the ratios more than the times.
Before anything is timed, the delegate's output must agree with LCE's.

    python benchmarks/whole_networks.py [--rounds 20] [--threads 1] [--network binary_densenet28]
"""

from __future__ import annotations

import argparse
import platform
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import results
from ai_edge_litert import interpreter as litert
from rich.table import Table

from tflbnn import Binarization, networks
from tflbnn.cli._command import console
from tflbnn.cli._quiet import quiet_status, without_remarks
from tflbnn.runtime import delegate_path
from tflbnn.runtime.benchmark import Timing, alternate, ratio
from tflbnn.runtime.delegate import kernels

with without_remarks():
    from tflbnn._keras import keras, tf
    from tflbnn.converter import convert
    from tflbnn.converter.lower import lower

SEED = 0
SHAPE = (224, 224, 3)
# Probabilities of two runtimes may differ by the rounding of the float part, as long as no sign flips.
TOLERANCE = 1e-5

OURS = ("tflbnn in ai-edge-litert", "tflbnn in tensorflow")
BASELINE = "LCE, best setting"
FLOAT = "float twin on XNNPACK"

# What runs once, and what gives its output.
Runtime = tuple[Callable[[], object], Callable[[], np.ndarray]]


def build(name: str, binarization: Binarization) -> keras.Model:
    """The network with BatchNorm statistics that leave no layer constant, as training would.

    Gamma is negative for a quarter of the channels. The statistics are those of a random batch, disturbed.
    """
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    model = networks.get(name)(SHAPE, binarization=binarization)
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


def stock(
    package: Any, load_delegate: Callable[..., Any], flatbuffer: bytes, image: np.ndarray, threads: int, delegate: bool
) -> Runtime:
    """TFLite as pip installs it. The input is set once: invoking does not change it."""
    delegates = [load_delegate(str(delegate_path()), {"num_threads": str(threads)})] if delegate else None
    made = package.Interpreter(model_content=flatbuffer, num_threads=threads, experimental_delegates=delegates)
    made.allocate_tensors()
    made.set_tensor(made.get_input_details()[0]["index"], image)
    index = made.get_output_details()[0]["index"]
    return made.invoke, lambda: made.get_tensor(index)


def lce(flatbuffer: bytes, image: np.ndarray, threads: int, **settings: bool) -> Runtime:
    """LCE's own interpreter."""
    import larq_compute_engine  # after tflbnn._keras, which chooses Keras 2 for it

    made = larq_compute_engine.testing.Interpreter(flatbuffer, num_threads=threads, **settings).interpreter
    return lambda: made.predict([image]), lambda: made.predict([image])[0]


def measure(name: str, threads: int, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    say(f"{name}: building and converting")
    model = build(name, Binarization())
    ours, theirs = convert(model, verify=False).flatbuffer, lower(model)  # LCE runs what LCE converted
    twin = tf.lite.TFLiteConverter.from_keras_model(build(name, Binarization.float32())).convert()
    image = np.random.default_rng(SEED).uniform(-1, 1, (1, *SHAPE)).astype(np.float32)
    runtimes = {
        OURS[0]: stock(litert, litert.load_delegate, ours, image, threads, True),
        OURS[1]: stock(tf.lite, tf.lite.experimental.load_delegate, ours, image, threads, True),
        BASELINE: lce(theirs, image, threads, use_indirect_bgemm=True, use_xnnpack=True),
        "LCE, default": lce(theirs, image, threads),
        FLOAT: stock(litert, litert.load_delegate, twin, image, threads, False),
    }
    outputs = {}
    for runtime, (run, output) in runtimes.items():
        run()
        outputs[runtime] = output()
    differences = {runtime: float(np.abs(output - outputs[BASELINE]).max()) for runtime, output in outputs.items()}
    for runtime in OURS:
        if not differences[runtime] <= TOLERANCE:
            sys.exit(f"{name}: {runtime} differs from {BASELINE} by {differences[runtime]:.3g}: nothing was timed")
    timings = alternate(
        {runtime: run for runtime, (run, _) in runtimes.items()},
        rounds,
        progress=lambda done: say(f"{name}: {done} of {rounds} rounds measured"),
    )
    return [row(name, runtime, threads, timings, differences) for runtime in runtimes]


def row(
    name: str, runtime: str, threads: int, timings: dict[str, Timing], differences: dict[str, float]
) -> dict[str, Any]:
    timing = timings[runtime]
    return {
        "network": name,
        "input": "x".join(map(str, SHAPE)),
        "runtime": runtime,
        "kernel": kernels()[0] if runtime in OURS else "",
        "threads": threads,
        "median_ms": f"{timing.median_ms:.2f}",
        "p90_ms": f"{timing.p90_ms:.2f}",
        "best_ms": f"{timing.best_ms:.2f}",
        "runs": timing.n,
        "times_faster_than_lce_best": f"{ratio(timings[BASELINE], timing):.2f}",
        "times_faster_than_float": f"{ratio(timings[FLOAT], timing):.2f}",
        "max_difference_from_lce_best": f"{differences[runtime]:.2g}" if runtime != FLOAT else "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=networks.NAMES, help="default: binary_densenet28")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    rows = []
    warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
    with quiet_status("starting") as say:
        for name in arguments.network or ["binary_densenet28"]:
            rows += measure(name, arguments.threads, arguments.rounds, say)
    source = results.provenance(SEED)
    path = results.write(
        f"whole_networks-{platform.machine()}-{kernels()[0]}-t{arguments.threads}", [row | source for row in rows]
    )
    table = Table("network", "runtime", title=f"{source['cpu']}, {arguments.threads} thread(s)", title_justify="left")
    for column in ("median ms", "p90 ms", "× faster than LCE", "× faster than float"):
        table.add_column(column, justify="right")
    for row_ in rows:
        columns = ("network", "runtime", "median_ms", "p90_ms", "times_faster_than_lce_best", "times_faster_than_float")
        table.add_row(*(row_[column] for column in columns))
    console().print(table)
    print(path.relative_to(results.ROOT))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
