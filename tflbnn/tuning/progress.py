"""What a running search tells about itself."""

from __future__ import annotations

import dataclasses
from typing import Any

from tflbnn import training
from tflbnn.tuning.results import Row


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a search will do, known before it starts.

    Attributes:
        trials: how many; a space that is exhausted earlier ends the search earlier.
        epochs: those of all trials together.
        longest: those of the network that is trained longest.
    """

    trials: int
    epochs: int
    longest: int


class Progress:
    """Is told each step of a search; a subclass shows it. Where workers train, from several threads."""

    def planned(self, plan: Plan) -> None:
        """Before the first trial."""

    def trial_started(self, number: int, values: dict[str, Any], first: int, last: int) -> None:
        """A trial, counted from 1, trains the epochs from `first` to `last`, counted from 1."""

    def trained(self, state: training.Progress) -> None:
        """A step or an epoch of the trial, or of the best run, is done."""

    def trial_ended(self, row: Row, best: Row | None) -> None:
        """A trial has completed or failed; `best` is the best one so far."""

    def worker_trained(self, worker: str, number: int, state: training.Progress | None) -> None:
        """A worker's trial is so far; None when the worker was lost with it, and it will be tried again."""

    def baseline_started(self, name: str, epochs: int) -> None:
        """All trials are done; a baseline is trained."""

    def best_started(self, best: Row, epochs: int) -> None:
        """All trials are done; the best configuration is trained in full."""
