"""What a smaller rest is worth in time: BinaryDenseNet-28 with each rest, alternating in one process, one thread.

Every file runs in stock TensorFlow Lite with the delegate for what is binary, and XNNPACK for what is left; a run feeds
the image, predicts and reads the output. The ranges of int8 are measured on random images: they do not change times.

    python benchmarks/rest_latency.py [--rounds 20] [--network binary_densenet28]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import delegate_networks as nets
import numpy as np

from tflbnn.runtime import Model
from tflbnn.runtime.benchmark import alternate, ratio

NAME = "rest_latency"
RESTS = ("float32", "float16", "int8-dynamic", "int8")
GOAL = 1.3
NETWORKS = ("binary_densenet28",)


def measure(name: str, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    from tflbnn import Binarization
    from tflbnn.converter import convert
    from tflbnn.runtime.metadata import Metadata

    model = nets.build(name, Binarization())
    pixels = np.random.default_rng(nets.SEED).integers(0, 256, (4, *nets.SHAPE)).astype(np.uint8)
    described = Metadata(mean=(127.5,), std=(127.5,))
    samples = ((pixels - np.float32(127.5)) / np.float32(127.5)).astype(np.float32)
    models, runs = {}, {}
    for rest in RESTS:
        say(f"{name}: converting, rest {rest}")
        models[rest] = convert(model, rest=rest, samples=samples, metadata=described, verify=False).flatbuffer
        runs[rest] = _run(Model(models[rest]), pixels[:1] if rest == "int8" else samples[:1])
    timings = alternate(runs, rounds, progress=lambda done: say(f"{name}: {done} of {rounds} rounds"))
    return [
        {
            "network": name,
            "rest": rest,
            "median_ms": f"{timing.median_ms:.2f}",
            "p90_ms": f"{timing.p90_ms:.2f}",
            "best_ms": f"{timing.best_ms:.2f}",
            "runs": timing.n,
            "bytes": len(models[rest]),
            "times_faster_than_float32": f"{ratio(timings['float32'], timing):.2f}",
            "goal": GOAL if rest == "int8" else "",
        }
        for rest, timing in timings.items()
    ]


def _run(model: Model, image: np.ndarray) -> Callable[[], object]:
    return lambda: model.predict(image)


if __name__ == "__main__":
    nets.measure_each(__doc__, NAME, measure, NETWORKS)
