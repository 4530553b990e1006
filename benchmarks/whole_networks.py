"""Whole networks, one thread: the delegate in stock TFLite, LCE's interpreter, the float twin on XNNPACK.

All of them alternate in one process, so that other load hits all alike; trust the ratios, medians of the rounds'
ratios, more than the times. Before anything is timed, the delegate's output must agree with LCE's.

    python benchmarks/whole_networks.py [--rounds 20] [--network quicknet] [--kernel avx2]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import delegate_networks as nets
import results

from tflbnn.cli._quiet import quiet_status
from tflbnn.runtime.benchmark import alternate, ratio
from tflbnn.runtime.delegate import kernels

BASELINE, DEFAULT, FLOAT = "LCE, best setting", "LCE, default", "float twin on XNNPACK"


def measure(name: str, chosen: Sequence[str], rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    say(f"{name}: building and converting")
    files = nets.files(name)
    ours = {f"tflbnn {kernel}": nets.stock(files.tflbnn, options={"kernel": kernel}) for kernel in chosen}
    runs = {
        **ours,
        BASELINE: nets.lce(files.lce, **nets.LCE_BEST),
        DEFAULT: nets.lce(files.lce),
        FLOAT: nets.stock(files.float),
    }
    differences = nets.require_agreement(name, ours, runs[BASELINE])
    timings = alternate(runs, rounds, progress=lambda done: say(f"{name}: {done} of {rounds} rounds"))
    return [
        {
            "network": name,
            "input": "x".join(map(str, nets.SHAPE)),
            "runtime": runtime,
            "threads": 1,
            "median_ms": f"{timing.median_ms:.2f}",
            "p90_ms": f"{timing.p90_ms:.2f}",
            "best_ms": f"{timing.best_ms:.2f}",
            "runs": timing.n,
            "times_faster_than_lce_best": f"{ratio(timings[BASELINE], timing):.2f}",
            "times_faster_than_lce_default": f"{ratio(timings[DEFAULT], timing):.2f}",
            "times_faster_than_float": f"{ratio(timings[FLOAT], timing):.2f}",
            "max_difference_from_lce_best": f"{differences[runtime]:.2g}" if runtime in differences else "",
        }
        for runtime, timing in timings.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=nets.NETWORKS, help="default: all")
    parser.add_argument("--kernel", action="append", choices=kernels(), help="default: those made for speed")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    rows = []
    with quiet_status("starting") as say:
        for name in arguments.network or nets.NETWORKS:
            rows += measure(name, arguments.kernel or nets.vector_kernels(), arguments.rounds, say)
    hidden = ("input", "threads", "best_ms", "runs", "times_faster_than_lce_default", "max_difference_from_lce_best")
    nets.report("whole_networks", rows, hidden)


if __name__ == "__main__":
    results.run(main)
