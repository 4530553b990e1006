"""The report of a run, or of several beside each other: one HTML page that needs nothing but itself.

>>> from tflbnn.analysis import report
>>> report.write("runs/digits")                                                           # doctest: +SKIP
>>> report.compare(["runs/digits", "runs/digits-float32"])                                # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn._files import atomic_write
from tflbnn.analysis.report.facts import Confusion, Facts, Latency

if TYPE_CHECKING:
    from tflbnn.analysis.report.comparison import Compared

__all__ = ["Confusion", "Facts", "Latency", "compare", "write"]


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


def compare(
    runs: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    threads: int = 1,
    rounds: int = 20,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[Path, list[Compared], list[str]]:
    """Writes a page that shows 2 to 8 runs beside each other, and returns where it is, what it shows, and its notes.

    Args:
        runs: the run folders, finished or not, exported or not.
        out: the page to write; by default comparison.html beside the first run.
        data_dir: where the data sets' files may be; see `tflbnn.data.load`.
        threads: threads of an inference in the latency measurement.
        rounds: its rounds, in which all exported models take turns.
        progress: called with what happens next.

    Raises:
        UserError: a folder is no run, one of its files is damaged, or the page cannot be written.
    """
    from tflbnn.analysis.report import comparison

    found, notices = comparison.gather(runs, data_dir, threads, rounds, progress)
    path = Path(out) if out is not None else found[0].run.path.resolve().parent / comparison.FILE
    atomic_write(path, comparison.render(found, notices, threads))
    return path, found, notices
