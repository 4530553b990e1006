"""Stock TensorFlow Lite for Android and the delegate built for Android, on this computer: results/android_host.csv.

Android's x86-64 libraries run in a JVM through the shim of android_demo/tools, with XNNPACK attached explicitly (within
the shim TensorFlow Lite does not find it by itself), the Python package ai-edge-litert with the delegate as it is built
here. They take turns in processes of their own. `binary` is the delegate's part, by its profile.

    python benchmarks/android_host.py [NETWORK ...]        (binary_densenet28 when left out)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import delegate_networks
import numpy as np
import results

sys.path.insert(0, str(results.ROOT))
from android_demo.tools import host
from tests.android import support

ROUNDS, REPEATS = 7, 15
PYTHON = """
import json, sys, time
import numpy as np
from tflbnn.runtime import Model
with Model(sys.argv[1], profile=True) as model:
    x = np.fromfile(sys.argv[2], np.float32).reshape(1, 224, 224, 3)
    model.predict(x)
    milliseconds = []
    for _ in range(int(sys.argv[3])):
        start = time.perf_counter()
        model.predict(x)
        milliseconds.append(1e3 * (time.perf_counter() - start))
    print(milliseconds)
    print(json.dumps(model.profile()))
"""


def of_process(output: str) -> tuple[float, float]:
    """The median and the delegate's part of it, in milliseconds."""
    *_, milliseconds, profile = output.strip().splitlines()
    binary = sum(row["median_ms"] for row in json.loads(profile)["operations"])
    return float(np.median(json.loads(milliseconds))), binary


def measure(network: str) -> list[dict[str, object]]:
    model = delegate_networks.files(network).tflbnn
    surroundings = host.libraries()
    found: dict[str, list[tuple[float, float]]] = {"Python wheel": [], "Android libraries": []}
    with tempfile.TemporaryDirectory() as folder:
        samples = np.random.default_rng(0).normal(size=(1, 224, 224, 3)).astype(np.float32)
        samples.tofile(Path(folder) / "x")
        for _ in range(ROUNDS):
            python = [sys.executable, "-c", PYTHON, model, Path(folder) / "x", str(REPEATS)]
            found["Python wheel"].append(
                of_process(subprocess.run(python, capture_output=True, text=True, check=True).stdout)
            )
            _, said = support.predict(surroundings, model, samples, Path(folder), xnnpack=True, repeats=REPEATS)
            found["Android libraries"].append(of_process(said))
    medians = {name: np.median(values, axis=0) for name, values in found.items()}
    return [
        {
            "network": network,
            "runtime": name,
            "median_ms": f"{whole:.2f}",
            "binary_ms": f"{binary:.2f}",
            "times_python": f"{whole / medians['Python wheel'][0]:.2f}",
        }
        for name, (whole, binary) in medians.items()
    ]


def main(networks: list[str]) -> None:
    rows = [row | results.provenance(0) for network in networks for row in measure(network)]
    for row in rows:
        print(row)
    results.write("android_host", rows)


if __name__ == "__main__":
    main(sys.argv[1:] or ["binary_densenet28"])
