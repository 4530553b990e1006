"""Two threads against one: the delegate, LCE's interpreter at its best, the float twin on XNNPACK.

One and two threads of all of them alternate in one process. The ratio is the median of the rounds' ratios.

    python benchmarks/delegate_threads.py [--rounds 20] [--network quicknet]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import delegate_networks as nets

from tflbnn.runtime.benchmark import alternate, ratio

OURS, LCE, FLOAT = "tflbnn", "LCE, best setting", "float twin on XNNPACK"


def measure(name: str, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    say(f"{name}: building and converting")
    files = nets.files(name)
    runs = {}
    for threads in (1, 2):
        runs[f"{OURS}, {threads}"] = nets.stock(files.tflbnn, threads, {})
        runs[f"{LCE}, {threads}"] = nets.lce(files.lce, threads, **nets.LCE_BEST)
        runs[f"{FLOAT}, {threads}"] = nets.stock(files.float, threads)
    ours = {runtime: run for runtime, run in runs.items() if runtime.startswith(OURS)}
    nets.require_agreement(name, ours, runs[f"{LCE}, 1"])
    timings = alternate(runs, rounds, progress=lambda done: say(f"{name}: {done} of {rounds} rounds"))
    rows = []
    for runtime in (OURS, LCE, FLOAT):
        one, two = (timings[f"{runtime}, {threads}"] for threads in (1, 2))
        rows.append(
            {
                "network": name,
                "runtime": runtime,
                "ms_1_thread": f"{one.median_ms:.2f}",
                "ms_2_threads": f"{two.median_ms:.2f}",
                "times_faster_with_2_threads": f"{ratio(one, two):.2f}",
                "runs": one.n,
            }
        )
    return rows


if __name__ == "__main__":
    nets.measure_each(__doc__, "delegate_threads", measure)
