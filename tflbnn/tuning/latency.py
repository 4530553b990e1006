"""How long a network takes on this machine: timed in turn with a fixed reference model, or by a latency table."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tflbnn._files import atomic_write, read_json, readable_errors, write_json
from tflbnn.errors import UserError
from tflbnn.tuning.latency_table import LatencyTable

MODEL, TIME, LOCK, TABLE = "reference.tflite", "reference.json", ".measuring", "latency_table.csv"
SECONDS = 0.5  # that the measured runs of a network may take
ROUNDS = (7, 60)


class Latency(Protocol):
    """What tells the latency of a flatbuffer in milliseconds, and how it knows, in a word."""

    source: str

    def of(self, flatbuffer: bytes, delegate: bool = True) -> float: ...


class Predicted:
    """By a table; for what stock TFLite runs as well, as the same kernels do."""

    source = "predicted"

    def __init__(self, table: LatencyTable) -> None:
        self.table = table

    def of(self, flatbuffer: bytes, delegate: bool = True) -> float:
        return round(self.table.predict(flatbuffer), 6)


class Measured:
    """Timed on one thread, on one core, in turn with a reference model: other load slows both alike.

    The latency is the median ratio to the reference, times what the reference took when the search began. One process
    measures at a time, whatever the others train.

    Args:
        folder: of the search, where `prepare` put the reference model and its time.
    """

    source = "measured"

    def __init__(self, folder: Path) -> None:
        from tflbnn.runtime import Model
        from tflbnn.runtime.benchmark import sample

        self.folder = folder
        self.reference_ms = _time(folder / TIME)
        reference = Model(folder / MODEL)
        self._reference = functools.partial(reference.predict, sample(reference))

    def of(self, flatbuffer: bytes, delegate: bool = True) -> float:
        import time

        from tflbnn.runtime import Model
        from tflbnn.runtime.benchmark import alternate, ratio, sample

        with alone(self.folder / LOCK), Model(flatbuffer, delegate=delegate) as model:
            run = functools.partial(model.predict, sample(model))
            run()
            start = time.perf_counter()
            run()
            self._reference()
            pair = time.perf_counter() - start
            rounds = int(min(max(SECONDS / (4 * pair), ROUNDS[0]), ROUNDS[1]))
            timings = alternate({"reference": self._reference, "trial": run}, rounds)
        return round(self.reference_ms * ratio(timings["trial"], timings["reference"]), 6)


def prepare(folder: Path, table: LatencyTable | None) -> None:
    """Writes what all processes of a search tell latencies by: a table, or the reference model with its time."""
    if table is not None:
        table.write(folder / TABLE)
        return
    if (folder / TIME).exists():
        return
    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import alternate, sample

    content = reference_model()
    atomic_write(folder / MODEL, content)
    with alone(folder / LOCK), Model(content) as model:
        feeds = sample(model)
        timing = alternate({"reference": lambda: model.predict(feeds)}, 2 * ROUNDS[0])["reference"]
    write_json(folder / TIME, {"ms": min(timing.rounds_ms)})


def opened(folder: Path) -> Latency:
    """What `prepare` prepared."""
    if (folder / TABLE).exists():
        return Predicted(LatencyTable.read(folder / TABLE))
    return Measured(folder)


def reference_model() -> bytes:
    """A small binary network that has a bit of everything: it slows down with the machine as trials do."""
    from tflbnn import networks
    from tflbnn._keras import keras
    from tflbnn.converter import convert

    keras.utils.set_random_seed(0)
    model = networks.get("quicknet")((32, 32, 3), 10, layers=(2, 2), filters=(32, 64))
    return convert(model, verify=False).flatbuffer


def _time(path: Path) -> float:
    values = read_json(path, "reference model's time")
    ms = values.get("ms") if isinstance(values, dict) else None
    if type(ms) not in (int, float) or not 0 < ms < float("inf"):
        raise UserError(
            f"The reference model's time must be above 0 ms. Received: {path}. Choose another --out and search again."
        )
    return float(ms)


_PINNING = threading.Lock()


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """This thread on one core, and no other process that asks for the same lock at the same time."""
    with _PINNING, readable_errors("write", lock), open(lock, "w") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # ends with the process, however it ends
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
        if cores:
            os.sched_setaffinity(0, {max(cores)})
        try:
            yield
        finally:
            if cores:
                os.sched_setaffinity(0, cores)
