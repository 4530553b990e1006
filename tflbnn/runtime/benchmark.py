"""Measuring: alternating rounds, medians, and the memory of a fresh process."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tflbnn.errors import UserError
from tflbnn.runtime.model import Model


@dataclasses.dataclass(frozen=True)
class Timing:
    """Milliseconds of `n` runs. The median is the figure to quote; the best is nearest to an idle machine.

    `rounds_ms` has the median of each round, for `ratio`.
    """

    median_ms: float
    p90_ms: float
    best_ms: float
    n: int
    rounds_ms: tuple[float, ...] = dataclasses.field(default=(), repr=False)

    @classmethod
    def of(cls, seconds: Sequence[Sequence[float]]) -> Timing:
        """The statistics of the durations of each round.

        >>> Timing.of([[0.001, 0.003, 0.002]])
        Timing(median_ms=2.0, p90_ms=2.8, best_ms=1.0, n=3)
        """
        rounds = np.round(1e3 * np.asarray(seconds), 6)
        median, p90 = (round(float(value), 6) for value in np.percentile(rounds, [50, 90]))
        return cls(median, p90, float(rounds.min()), rounds.size, tuple(np.median(rounds, axis=1).tolist()))


def alternate(
    runs: Mapping[str, Callable[[], object]],
    rounds: int = 20,
    repeats: int = 3,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Timing]:
    """Times several callables in turn, so that other load on the machine hits all of them alike.

    In every round each callable runs once unmeasured, which brings its data back into the caches, then
    `repeats` times measured.

    Args:
        runs: callables without arguments by name.
        rounds: how often to go through all of them.
        repeats: measured runs of each in a round.
        progress: called with the number of finished rounds.

    >>> list(alternate({"sum": lambda: sum(range(100)), "nothing": lambda: None}, rounds=2))
    ['sum', 'nothing']
    """
    seconds: dict[str, list[list[float]]] = {name: [] for name in runs}
    for done in range(1, rounds + 1):
        for name, run in runs.items():
            run()
            measured = []
            for _ in range(repeats):
                start = time.perf_counter()
                run()
                measured.append(time.perf_counter() - start)
            seconds[name].append(measured)
        if progress is not None:
            progress(done)
    return {name: Timing.of(values) for name, values in seconds.items()}


def ratio(of: Timing, to: Timing) -> float:
    """How many times longer one takes than the other, both measured by one call of `alternate`.

    The median of the rounds' ratios: other load that comes and goes between rounds does not touch it.

    >>> ratio(Timing.of([[0.002], [0.020], [0.002]]), Timing.of([[0.001], [0.010], [0.001]]))
    2.0
    """
    return float(np.median(np.divide(of.rounds_ms, to.rounds_ms)))


def sample(model: Model, seed: int = 0) -> dict[str, np.ndarray]:
    """One random sample for every input: normal for floating inputs, the whole range for integers."""
    rng = np.random.default_rng(seed)
    feeds = {}
    for name, (shape, dtype) in model.input_specs.items():
        size = [1, *(extent or 1 for extent in shape[1:])]
        if dtype.kind == "f":
            feeds[name] = rng.normal(size=size).astype(dtype)
        elif dtype.kind in "iu":
            limits = np.iinfo(dtype)
            feeds[name] = rng.integers(limits.min, limits.max, size, dtype, endpoint=True)
        else:
            raise UserError(f"A benchmark needs inputs of numbers. Received: {name} of type {dtype}.")
    return feeds


def _peak_bytes() -> int:
    """The most memory this process has had so far."""
    if sys.platform == "linux":
        # Not getrusage: its peak is inherited from the parent process through fork and exec.
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    import resource  # absent on Windows, where peak_memory() does not come here

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def growth(path: str, threads: int, delegate: bool, kernel: str | None) -> int:
    """Bytes by which this process's peak grows when the model is loaded and predicts once; see `peak_memory`."""
    import ai_edge_litert.interpreter  # noqa: F401  (its own size is no part of the model's)

    before = _peak_bytes()
    with Model(path, threads, delegate, kernel) as model:
        model.predict(sample(model))
        return _peak_bytes() - before


def peak_memory(
    path: str | os.PathLike[str], threads: int = 1, delegate: bool = True, kernel: str | None = None
) -> int | None:
    """Bytes by which the peak memory of a fresh process grows when it loads the model and predicts once.

    None on Windows, which does not tell.

    Raises:
        UserError: the model does not run.
    """
    if sys.platform == "win32":
        return None
    code = "import sys, json; from tflbnn.runtime.benchmark import growth; print(growth(*json.loads(sys.argv[1])))"
    arguments = json.dumps([os.path.abspath(path), threads, delegate, kernel])
    result = subprocess.run([sys.executable, "-c", code, arguments], capture_output=True, text=True)
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise UserError(f"{path}: measuring its memory in a process of its own failed: {reason}")
    return int(result.stdout)
