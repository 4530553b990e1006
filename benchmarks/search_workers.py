"""How much sooner 16 trials are done with 2 workers than with 1: `tflbnn tune digits --workers N`, one thread a trial.

python benchmarks/search_workers.py    measure on a quiet machine of two cores or more (two minutes), and write the file
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import results

NAME = "search_workers"
TRIALS = 16
WORDS = (
    *("t_clip=0.25..2.0", "growth_rate=16,32", "layers=2,2,2", "epochs=6", "execution.precision=float32"),
    *("--tuner", "random", "--trials", str(TRIALS), "--objective", "accuracy,size", "--no-baselines"),
)


def measure(workers: int) -> float:
    """Seconds from the command's start to its end."""
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        options = ("--workers", str(workers), "--json", "--out", f"{out}/search")
        done = subprocess.run(
            [sys.executable, "-m", "tflbnn", "tune", "digits", *WORDS, *options],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - start
    assert [row["status"] for row in json.loads(done.stdout)["trials"]] == ["completed"] * TRIALS
    return seconds


def main() -> None:
    seconds = {workers: measure(workers) for workers in (1, 2)}
    rows: list[dict[str, Any]] = [
        {
            "workers": workers,
            "trials": TRIALS,
            "seconds": f"{taken:.1f}",
            "of_one_worker": f"{taken / seconds[1]:.3f}",
            **results.provenance(0),
        }
        for workers, taken in seconds.items()
    ]
    print(results.write(NAME, rows))


if __name__ == "__main__":
    main()
