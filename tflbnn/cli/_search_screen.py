"""What tflbnn tune shows while it searches."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflbnn import training
    from tflbnn.tuning import Plan, Row


def number_of(row: Row) -> str:
    return f"{row.trial} from {row.continues}" if row.continues else str(row.trial)


def settings_of(values: dict[str, Any]) -> str:
    from tflbnn.tuning.results import short_keys, text

    names = short_keys(list(values))
    return " ".join(f"{names[key]}={text(value)}" for key, value in values.items())


class Screen:
    """Shows a search on standard error: a line for each trial that ended, then a table of what is under way.

    It has a bar of all trials, and one of epochs for each network in training, with its worker. It is told what
    `tflbnn.tuning.Progress` lists: `with Screen() as screen: search(..., progress=screen)`.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from tflbnn.cli._command import console

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[values]}"),
            TimeElapsedColumn(),
            console=console(stderr=True),
        )
        self.trials: Any = None
        # By worker; "" is this process.
        self.epochs: dict[str, Any] = {}
        self.started: dict[int, tuple[dict[str, Any], int, int]] = {}
        self.ended: set[int] = set()
        self.lock = threading.RLock()

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.trials is not None:
            self.bars.stop()

    def _print(self, text: str) -> None:
        self.bars.console.print(text, soft_wrap=True)

    def planned(self, plan: Plan) -> None:
        self.bars.start()
        self._print(f"{plan.trials} trials, {plan.epochs} epochs altogether, the longest training {plan.longest}")
        self.trials = self.bars.add_task("trials", total=plan.trials, values="")

    def trial_started(self, number: int, values: dict[str, Any], first: int, last: int) -> None:
        with self.lock:
            self.started[number] = values, first, last
            self.current = number

    def trained(self, state: training.Progress) -> None:
        self._advance("", self.current, state)

    def worker_trained(self, worker: str, number: int, state: training.Progress | None) -> None:
        if state is None:
            self._print(f"[yellow]{worker} was lost with trial {number}[/]")
            self._drop(worker)
        else:
            self._advance(worker, number, state)

    def _advance(self, worker: str, number: int, state: training.Progress) -> None:
        from rich.markup import escape

        with self.lock:
            values, first, last = self.started[number]
            known = self.epochs.get(worker)
            if known is None or known[0] != number:
                self._drop(worker)
                description = f"{worker}  trial {number}".strip() if number else self.doing
                bar = self.bars.add_task(description, total=last - first + 1, values=escape(settings_of(values)))
                known = self.epochs[worker] = number, bar
            self.bars.update(known[1], completed=state.epoch - first + state.step / state.steps)

    def _drop(self, worker: str) -> None:
        with self.lock:
            known = self.epochs.pop(worker, None)
            if known is not None:
                self.bars.remove_task(known[1])

    def trial_ended(self, row: Row, best: Row | None) -> None:
        from rich.markup import escape

        with self.lock:
            for worker in [worker for worker, known in self.epochs.items() if known[0] == row.trial]:
                self._drop(worker)
            self.ended.add(row.trial)
        if row.reason is None:
            latency = "" if row.latency_ms is None else f"  {row.latency_ms:8.3f} ms"
            epochs = f"{row.epochs} epoch{'s' if row.epochs > 1 else ''}"
            reached = f"{row.val_accuracy:7.2%}{latency}  {row.size_bytes / 1000:8.1f} kB  {epochs:>9}"
            text = f"{reached}  {escape(settings_of(row.values))}"
        else:
            text = f"[yellow]failed[/]  {escape(settings_of(row.values))}  {escape(row.reason)}"
        self._print(f"{'trial ' + number_of(row):<16}{text}")
        so_far = f"best {best.val_accuracy:.2%}, trial {best.trial}" if best else ""
        self.bars.update(self.trials, completed=max(row.trial, len(self.ended)), values=so_far)

    def _finally(self, doing: str, values: dict[str, Any], epochs: int) -> None:
        """One more network is trained, behind the trials."""
        self.bars.update(self.trials, completed=self.bars.tasks[0].total)
        self._drop("")
        self.doing, self.current, self.started[0] = doing, 0, (values, 1, epochs)

    def baseline_started(self, name: str, epochs: int) -> None:
        self._finally(f"baseline {name}", {}, epochs)

    def best_started(self, best: Row, epochs: int) -> None:
        self._finally(f"trial {best.trial} in full", best.values, epochs)
