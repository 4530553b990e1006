"""tflbnn benchmark --adb: the same measurement on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflbnn.cli.benchmark import Benchmark


def measure(cases: Sequence[tuple[str, Path, bool]], threads: int, rounds: int, serial: str | None) -> Benchmark:
    """The cases, each a name, a file and whether the delegate runs it, on the phone of that serial number."""
    from rich.progress import Progress

    from tflbnn.cli._command import console
    from tflbnn.cli.benchmark import Benchmark, Row
    from tflbnn.runtime import adb
    from tflbnn.runtime.benchmark import ratio

    stream = console(stderr=True)
    with (
        adb.open_phone(serial) as phone,
        Progress(console=stream, transient=True, disable=not stream.is_terminal) as progress,
    ):
        description = phone.description()
        task = progress.add_task("measuring on the phone", total=rounds)
        files = [(path, delegate) for _, path, delegate in cases]
        results = adb.measure(phone, files, threads, rounds, lambda done: progress.update(task, completed=done))
    rows = [
        Row(
            name=name,
            path=str(path),
            kernel=result.kernel,
            size_bytes=path.stat().st_size,
            median_ms=result.timing.median_ms,
            p90_ms=result.timing.p90_ms,
            best_ms=result.timing.best_ms,
            runs=result.timing.n,
            ratio=ratio(result.timing, results[0].timing),
            peak_memory_bytes=result.peak_memory_bytes,
        )
        for (name, path, _), result in zip(cases, results, strict=True)
    ]
    return Benchmark(threads, rounds, rows, device=description)
