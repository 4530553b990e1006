"""The results of tflbnn tune."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn.tuning import Baseline, Row

SHOWN = 25  # trials in the table; trials.csv has them all


@dataclasses.dataclass(frozen=True)
class Worked:
    """What a worker of a search across machines has done."""

    worker: str
    chief: str
    trials: int

    def render(self, console: Console) -> None:
        console.print(f"{self.worker} has trained {self.trials} trial{'s' * (self.trials != 1)} for {self.chief}")


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A finished search.

    `run` is the best configuration, trained in full; None where a front was searched, from which the user chooses.
    `score` says what the accuracies are: "accuracy", or "mAP" of a detector.
    """

    search: str
    recipe: str
    tuner: str
    objectives: list[str]
    trials: list[Row]
    best: Row
    baselines: list[Baseline]
    run: str | None
    test_accuracy: float | None
    validation_accuracy: float | None
    table: str
    picture: str
    page: str
    score: str

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        from tflbnn.cli._search_screen import settings_of

        failed = [row for row in self.trials if row.val_accuracy is None]
        console.print(self._table(Table))
        completed = len(self.trials) - len(failed)
        if completed > SHOWN:
            console.print(f"{completed - SHOWN} less accurate trials are in {escape(self.table)}", style="dim")
        for row in failed[:SHOWN]:
            console.print(
                f"[yellow]trial {row.trial} failed[/]  {escape(settings_of(row.values))}  {escape(row.reason)}"
            )
        summary = Table(box=None, show_header=False, pad_edge=False)
        if self.run:
            summary.add_row("best, trained in full", f"test {self.score} [bold green]{self.test_accuracy:.2%}[/]")
            summary.add_row("run", escape(self.run))
        for name, path in (("trials", self.table), ("picture", self.picture), ("page", self.page)):
            summary.add_row(name, escape(path))
        console.print(summary)
        training = "ensemble" if self.best.values.get("members", 1) > 1 else "train"
        following = f"export {self.run}" if self.run else f"{training} --from-trial {self.search} {self.best.trial}"
        console.print(f"next: tflbnn {escape(following)}", soft_wrap=True, style="dim")

    def _table(self, table_class: Any) -> Any:
        """The most accurate trials, then the baselines."""
        from rich.markup import escape

        from tflbnn.cli._search_screen import number_of
        from tflbnn.tuning.results import short_keys, text

        completed = [row for row in self.trials if row.val_accuracy is not None]
        shown = sorted(completed, key=lambda row: -row.val_accuracy)[:SHOWN]
        table = table_class(title=f"{self.recipe}: {len(self.trials)} trials, {self.tuner}", title_justify="left")
        names = short_keys(list(dict.fromkeys(key for row in self.trials for key in row.values)))
        timed = any(row.latency_ms is not None for row in completed)
        headings = ("trial", "epochs", *names.values(), f"val {self.score}", *(["ms"] if timed else []), "parameters")
        for heading in (*headings, "size kB", "s"):
            table.add_column(heading, justify="right")
        table.add_column("front", justify="center")
        for row in shown:
            table.add_row(
                number_of(row),
                str(row.epochs),
                *(escape(text(row.values.get(key, ""))) for key in names),
                f"{row.val_accuracy:.2%}",
                *([f"{row.latency_ms:.3f}"] if timed else []),
                f"{row.parameters:,}",
                f"{row.size_bytes / 1000:.1f}",
                f"{row.seconds:.1f}",
                "●" if row.pareto else "",
                style="bold green" if row.trial == self.best.trial else None,
            )
        if self.baselines:
            table.add_section()
        for row in self.baselines:
            latency = "" if row.latency_ms is None else f"{row.latency_ms:.3f}"
            cells = [f"{row.val_accuracy:.2%}", *([latency] if timed else []), "", f"{row.size_bytes / 1000:.1f}"]
            # Across the columns of the settings, none of which a baseline has.
            first, *rest = ["", *[""] * len(names)]
            table.add_row(row.name, first, *rest, *cells, style="dim")
        return table
