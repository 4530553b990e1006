"""Binary multiply-accumulates a cycle, by kernel, over all binary convolutions of a network as it runs.

From the delegate's profile: the sum of the convolutions' MACs over the sum of their median times, in cycles. What is
fused into a convolution (BatchNorm, shortcut, signs of the result) is in its time. A new interpreter for each round;
the figure is the median of the rounds.

    python benchmarks/delegate_convolutions.py [--rounds 7] [--network quicknet] [--kernel avx2]
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import delegate_networks as nets
import results

from tflbnn.cli._quiet import quiet_status
from tflbnn.runtime import Model
from tflbnn.runtime.delegate import kernels

RUNS = 40


def one_round(path: Path, kernel: str) -> dict[str, float]:
    with Model(path, kernel=kernel, profile=True) as model:
        for _ in range(RUNS):
            model.predict(nets.image())
        profile = model.profile()
    rows = [row for row in profile["operations"] if row["op"] == "LceBconv2d"]
    macs, milliseconds = (sum(row[column] for row in rows) for column in ("binary_macs", "median_ms"))
    return {
        "convolutions": len(rows),
        "binary_macs": macs,
        "ms": milliseconds,
        "clock_ghz": profile["clock_ghz"],
        "macs_per_cycle": macs / (milliseconds * 1e6 * profile["clock_ghz"]),
        "bound": rows[0].get("bound_macs_per_cycle", float("nan")),
    }


def measure(name: str, kernel: str, found: list[dict[str, float]]) -> dict[str, Any]:
    """The row of one network and kernel."""
    middle = {column: statistics.median(row[column] for row in found) for column in found[0]}
    return {
        "network": name,
        "kernel": kernel,
        "convolutions": int(middle["convolutions"]),
        "binary_macs": int(middle["binary_macs"]),
        "ms_in_convolutions": f"{middle['ms']:.3f}",
        "clock_ghz": f"{middle['clock_ghz']:.2f}",
        "macs_per_cycle": f"{middle['macs_per_cycle']:.1f}",
        "bound": f"{middle['bound']:.1f}",
        "share_of_bound": f"{middle['macs_per_cycle'] / middle['bound']:.2f}",
        "rounds": len(found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=nets.NETWORKS, help="default: all")
    parser.add_argument("--kernel", action="append", choices=kernels(), help="default: those made for speed")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    chosen = arguments.kernel or nets.vector_kernels()
    rows = []
    with quiet_status("starting") as say:
        for name in arguments.network or nets.NETWORKS:
            say(f"{name}: building and converting")
            path = nets.files(name).tflbnn
            found: dict[str, list[dict[str, float]]] = {kernel: [] for kernel in chosen}
            for done in range(arguments.rounds):
                say(f"{name}: {done} of {arguments.rounds} rounds")
                for kernel in chosen:
                    found[kernel].append(one_round(path, kernel))
            rows += [measure(name, kernel, found[kernel]) for kernel in chosen]
    nets.report("delegate_convolutions", rows, hidden=("binary_macs", "rounds"))


if __name__ == "__main__":
    results.run(main)
