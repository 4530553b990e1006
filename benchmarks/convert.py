"""How long converting takes: tflbnn's lowering and LCE's own converter, alternating in one process.

tflbnn is timed three times over: the lowering alone, which is what LCE's converter does; with passes, explanation and
metadata; and with verification, which LCE does not do.

    python benchmarks/convert.py [--rounds 3] [--network binary_densenet28]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import results
from rich.console import Console
from rich.table import Table

from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.converter import convert
from tflbnn.converter.lower import lower
from tflbnn.runtime.benchmark import alternate

SEED = 0
SHAPE = (224, 224, 3)
NETWORKS = ("binary_densenet28", "binary_densenet45")
BASELINE = "larq_compute_engine.convert_keras_model"


def measure(network: str, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    import larq_compute_engine as lce  # after tflbnn._keras, which chooses Keras 2 for it

    keras.utils.set_random_seed(SEED)
    model = networks.get(network)(SHAPE)
    runs = {
        "tflbnn: lower": lambda: lower(model),
        "tflbnn: convert, not verified": lambda: convert(model, verify=False),
        "tflbnn: convert": lambda: convert(model),
        BASELINE: lambda: lce.convert_keras_model(model),
    }
    timings = alternate(runs, rounds, repeats=1, progress=lambda done: say(f"{network}: {done} of {rounds} rounds"))
    baseline = timings[BASELINE].median_ms
    provenance = results.provenance(SEED)
    return [
        {
            "network": network,
            "converter": name,
            "median_s": f"{timing.median_ms / 1e3:.3f}",
            "best_s": f"{timing.best_ms / 1e3:.3f}",
            "runs": timing.n,
            "share_of_lce": f"{timing.median_ms / baseline:.3f}",
            **provenance,
        }
        for name, timing in timings.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", action="append", help=f"default: {', '.join(NETWORKS)}")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    rows = []
    with console.status("converting") as status, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras remarks on saving, which is LCE's way and the point here
        for network in arguments.network or NETWORKS:
            rows += measure(network, arguments.rounds, status.update)
    table = Table("network", "converter", "median s", "share of LCE's")
    for row in rows:
        table.add_row(row["network"], row["converter"], row["median_s"], row["share_of_lce"])
    Console().print(table)
    console.print(f"written: {results.write('convert', rows)}")


if __name__ == "__main__":
    main()
