"""The report of a run: one HTML page that needs nothing but itself.

>>> from tflbnn.analysis import report
>>> report.write("runs/digits")                                                           # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tflbnn._files import atomic_write
from tflbnn.analysis.report.facts import Confusion, Facts, Latency

__all__ = ["Confusion", "Facts", "Latency", "write"]


def write(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    threads: int = 1,
    rounds: int = 20,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[Path, Facts]:
    """Writes the report of a run folder, finished or not, exported or not, and returns where it is and what it shows.

    Args:
        run: the run folder.
        out: the page to write; by default report.html in the run folder.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        threads: threads of an inference in the latency measurement.
        rounds: its alternating rounds.
        progress: called with what happens next.

    Raises:
        UserError: there is no such run, one of its files is damaged, or the page cannot be written.
    """
    from tflbnn.analysis.report.collect import Collector
    from tflbnn.analysis.report.page import render
    from tflbnn.training import Run

    opened = Run.open(run)
    facts = Collector(opened, data_dir, threads, rounds, progress).facts()
    path = Path(out) if out is not None else opened.path / "report.html"
    atomic_write(path, render(facts))
    return path, facts
