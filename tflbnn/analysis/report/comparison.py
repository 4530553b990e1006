"""Several runs beside each other: what differs in their recipes, what came out, how long they take."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflbnn.analysis.report import charts
from tflbnn.analysis.report.blocks import Bar, Bars, Block, Charts, Column, Intro, Plots, Row, Table, columns
from tflbnn.analysis.report.collect import Collector
from tflbnn.analysis.report.page import fill
from tflbnn.analysis.report.plots import Axis, Dot, plot
from tflbnn.analysis.report.sections.recipe import rows as recipe_rows
from tflbnn.analysis.report.sections.training import column
from tflbnn.analysis.report.units import milliseconds, percent
from tflbnn.analysis.units import short, size
from tflbnn.errors import UserError
from tflbnn.training.scores import score_of

if TYPE_CHECKING:
    from tflbnn.analysis.counts import Counts
    from tflbnn.runtime.benchmark import Timing
    from tflbnn.training import Run

MOST = 8  # lines that can be told from each other
FILE = "comparison.html"


class Compared:
    """A run in a comparison: its name there, counts, and timing; None where they cannot be had."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name
        self.counts: Counts | None = None
        self.timing: Timing | None = None

    @property
    def score(self) -> float | None:
        """The test's accuracy or mAP."""
        found = score_of(self.run.metrics, "test")
        return found[1] if found else None

    @property
    def file_bytes(self) -> int | None:
        """Bytes of the exported model."""
        return self.run.model_tflite.stat().st_size if self.run.model_tflite.is_file() else None


def gather(
    paths: Sequence[str | os.PathLike[str]],
    data_dir: str | os.PathLike[str] | None,
    threads: int,
    rounds: int,
    progress: Callable[[str], None],
) -> tuple[list[Compared], list[str]]:
    """The runs with what is counted and measured of them, and notes of what is missing.

    Raises:
        UserError: fewer than 2 or more than 8 folders, or one of them is no run.
    """
    from tflbnn.training import Run

    if not 2 <= len(paths) <= MOST:
        raise UserError(f"2 to {MOST} runs can be compared. Received: {len(paths)}.")
    runs = [Run.open(path) for path in paths]
    found = [Compared(run, name) for run, name in zip(runs, names([run.path for run in runs]), strict=True)]
    notices = []
    for one in found:
        progress(f"counting {one.name}")
        collector = Collector(one.run, data_dir, threads, rounds, progress)
        try:
            shape = one.run.input_shape if one.run.finished else collector.dataset().input_shape
            one.counts = collector.count(shape)
        except UserError as error:
            notices.append(f"{one.name} is not counted: {error}")
        if not one.run.finished:
            notices.append(f"{one.name} has not finished: {len(one.run.history)} of {one.run.recipe.epochs} epochs.")
        elif one.file_bytes is None:
            notices.append(f"{one.name} has no model.tflite. Make it with: tflbnn export {one.run.path}")
    progress("measuring the exported models in turn")
    _measure([one for one in found if one.file_bytes is not None], threads, rounds, notices)
    return found, notices


def names(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with as much of what is above them as tells them apart.

    >>> names([Path("a/x"), Path("b/x"), Path("a/y")])
    ['a/x', 'b/x', 'y']
    """
    parts = [path.resolve().parts for path in paths]
    chosen = []
    for own in parts:
        depth = 1
        while depth < len(own) and sum(other[-depth:] == own[-depth:] for other in parts) > 1:
            depth += 1
        chosen.append("/".join(own[-depth:]))
    return chosen


def _measure(exported: list[Compared], threads: int, rounds: int, notices: list[str]) -> None:
    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import alternate, sample

    with contextlib.ExitStack() as stack:
        runs: dict[str, Callable[[], Any]] = {}
        for one in exported:
            try:
                model = stack.enter_context(Model(one.run.model_tflite, threads))
            except UserError as error:
                notices.append(f"{one.name} is not measured: {error}")
                continue
            runs[one.name] = functools.partial(model.predict, sample(model))
        timings = alternate(runs, rounds) if runs else {}
    for one in exported:
        one.timing = timings.get(one.name)


def render(found: list[Compared], notices: list[str], threads: int) -> str:
    """The page."""
    sections = [
        ("results", "What came out", results(found)),
        ("curves", "Training", curves(found)),
        ("latency", "Latency", latency(found, threads)),
        ("differences", "What differs in the recipes", differences(found)),
    ]
    return fill(
        eyebrow="tflbnn comparison of runs",
        title=" · ".join(one.name for one in found) if len(found) < 4 else f"{len(found)} runs",
        lead=[str(one.run.path) for one in found],
        badge=None,
        tiles=_tiles(found),
        notices_title="What to know about these runs",
        notices=notices,
        sections=[{"id": name, "title": title, "blocks": blocks} for name, title, blocks in sections if blocks],
    )


def _tiles(found: list[Compared]) -> list[dict[str, str]]:
    tiles = [{"name": "Runs", "value": str(len(found)), "note": f"{sum(one.run.finished for one in found)} finished"}]
    choices = (
        ("Best test", [(one.score, one) for one in found], percent, max),
        ("Smallest file", [(one.file_bytes, one) for one in found], size, min),
        ("Fastest", [(one.timing and one.timing.median_ms, one) for one in found], milliseconds, min),
    )
    for name, pairs, text, choose in choices:
        known = [pair for pair in pairs if pair[0] is not None]
        value, one = choose(known, key=lambda pair: pair[0]) if known else (None, None)
        tiles.append({"name": name, "value": text(value) if one else "–", "note": one.name if one else "unknown"})
    return tiles


def results(found: list[Compared]) -> list[Block]:
    """A table, and plots of the score against what it costs."""
    rows = [
        Row(
            (
                one.name,
                _text(one.score, percent),
                _text(one.file_bytes, size),
                _text(one.timing and one.timing.median_ms, milliseconds),
                _text(one.counts and one.counts.parameters, lambda count: f"{count:,}"),
                _text(one.counts and one.counts.operations, short),
            )
        )
        for one in found
    ]
    headings = columns(("run", "test accuracy\nor mAP", "model file", "latency", "parameters", "operations\nf + b/32"))
    plots = []
    for name, label, value in (
        ("size", "model file, KiB", lambda one: one.file_bytes and one.file_bytes / 1024),
        ("latency", "latency, ms", lambda one: one.timing and one.timing.median_ms),
    ):
        pairs = [(value(one), one) for one in found if one.score is not None]
        dots = [Dot(x, 100 * one.score, f"{one.name}: {percent(one.score)}", one.name) for x, one in pairs if x]
        if len(dots) > 1:
            plots.append(plot(f"Score against {name}", Axis(label), Axis("test accuracy or mAP, %"), dots))
    return [Table("What came out", headings, rows), *([Plots(plots)] if plots else [])]


def _text(value: Any, text: Callable[[Any], str]) -> str:
    return "–" if value is None else text(value)


def curves(found: list[Compared]) -> list[Block]:
    """A line a run."""
    kinds = [f"c{number}" for number in range(len(found))]
    drawn = (
        charts.line_chart(title, {one.name: column(one.run.history, key) for one in found}, kinds)
        for title, key in (
            ("Validation accuracy", "val_accuracy"),
            ("Validation mAP", "val_map"),
            ("Validation loss", "val_loss"),
            ("Share of the weights that changed sign", "flip_ratio"),
        )
    )
    shown = [chart for chart in drawn if chart]
    return [Charts(shown, wide=True)] if shown else []


def latency(found: list[Compared], threads: int) -> list[Block]:
    """A bar a run that is exported."""
    timed = [(one, one.timing) for one in found if one.timing]
    if not timed:
        return []
    longest = max(timing.median_ms for _, timing in timed)
    bars = [
        Bar(one.name, f"{milliseconds(timing.median_ms)}, 90th percentile {milliseconds(timing.p90_ms)}",
            timing.median_ms / longest)
        for one, timing in timed
    ]  # fmt: skip
    plural = "s" * (threads > 1)
    return [Intro(f"One image, {threads} thread{plural}; medians. All ran in turn in one process."), Bars(bars)]


def differences(found: list[Compared]) -> list[Block]:
    """The fields of the recipes that are not the same everywhere."""
    recipes = [dict(recipe_rows(one.run.recipe.to_dict())) for one in found]
    keys = [key for key in dict.fromkeys(key for recipe in recipes for key in recipe) if not key.startswith("tunable")]
    rows = [
        Row((key, *(recipe.get(key, "–") for recipe in recipes)))
        for key in keys
        if len({recipe.get(key) for recipe in recipes}) > 1
    ]
    if not rows:
        return [Intro("Nothing: they are the same.")]
    return [Table("What differs in the recipes", [Column("field"), *(Column(one.name) for one in found)], rows)]
