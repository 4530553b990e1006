"""What each fusion is worth in whole networks: the time without it over the time with all, alternating in one process.

"all again" is a second interpreter with all fusions: what it differs from 1 is what the measurement cannot tell. A
fusion pays in a network where leaving it out costs more than that, in three quarters of the rounds. Where it takes
nothing, it is not timed.

    python benchmarks/delegate_fusions.py [--rounds 20] [--network quicknet]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import delegate_networks as nets
import numpy as np
from ai_edge_litert import interpreter as litert

from tflbnn.runtime import delegate_path
from tflbnn.runtime.benchmark import alternate, ratio
from tflbnn.runtime.delegate import profile

NETWORKS = (*nets.NETWORKS, "residual_relu")
ALL, AGAIN, NONE = "all", "all again", "none"


def plan(path: Path, fusion: str) -> list[tuple[Any, ...]]:
    """The operations that a setting leaves, the delegate's and TFLite's."""
    delegate = litert.load_delegate(str(delegate_path()), {"fusion": fusion, "profile": "true"})
    made = litert.Interpreter(str(path), experimental_delegates=[delegate])
    made.allocate_tensors()
    own = [(row["op"], row["stages"], row["outputs"]) for row in profile(delegate)["operations"]]
    return own + [(details["op_name"], tuple(details["outputs"])) for details in made._get_ops_details()]


def measure(name: str, rounds: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one network."""
    say(f"{name}: building and converting")
    path = nets.files(name).tflbnn
    whole = plan(path, "all")
    taking = [fusion for fusion in nets.fusions() if plan(path, f"-{fusion}") != whole]
    options = {ALL: "all", AGAIN: "all", NONE: "none", **{f"-{fusion}": f"-{fusion}" for fusion in taking}}
    runs = {label: nets.stock(path, options={"fusion": fusion}) for label, fusion in options.items()}
    expected = runs[NONE]()
    # Bit for bit but for LOGISTIC.
    if not all(np.allclose(run(), expected, rtol=0, atol=1e-6) for run in runs.values()):
        sys.exit(f"{name}: fusions change the result: nothing was timed")
    timings = alternate(runs, rounds, progress=lambda done: say(f"{name}: {done} of {rounds} rounds"))
    uncertain = abs(ratio(timings[AGAIN], timings[ALL]) - 1)
    rows = []
    for label, timing in timings.items():
        ratios = np.divide(timing.rounds_ms, timings[ALL].rounds_ms)
        low, high = np.percentile(ratios, [25, 75])
        pays = "yes" if low > 1 + uncertain else "no, it costs" if high < 1 - uncertain else "no difference"
        rows.append(
            {
                "network": name,
                "fusion": label,
                "median_ms": f"{timing.median_ms:.3f}",
                "times_slower_than_all": f"{ratio(timing, timings[ALL]):.3f}",
                "quartile_1": f"{low:.3f}",
                "quartile_3": f"{high:.3f}",
                "pays": "" if label in (ALL, AGAIN) else pays,
                "runs": timing.n,
            }
        )
    return rows


if __name__ == "__main__":
    nets.measure_each(__doc__, "delegate_fusions", measure, NETWORKS)
