"""Keras Tuner's loop with the trials of a recipe: `run_trial` trains a variant of it in a folder of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tflbnn._files import write_json
from tflbnn.errors import UserError
from tflbnn.tuning import drawn, results
from tflbnn.tuning._keras_tuner import keras_tuner
from tflbnn.tuning.hparams import write_hparams
from tflbnn.tuning.progress import Progress
from tflbnn.tuning.results import Row
from tflbnn.tuning.settings import Settings
from tflbnn.tuning.trial import ENSEMBLE, METRIC, AbortError, RejectedError, Trainer, epochs_of

PROJECT = "trials"
Trial = keras_tuner.engine.trial.Trial
TrialStatus = keras_tuner.engine.trial.TrialStatus


class Aborted(keras_tuner.errors.FatalError):
    """What Keras Tuner lets stop a search; its cause tells."""


class RecipeTuner(keras_tuner.Tuner):
    """Trains each trial for the epochs that the oracle asks, and reports its best epoch's validation accuracy.

    Every trial is the beginning of one training of `longest` epochs, its schedule included. So a trial that continues
    another one (Hyperband) starts from that one's checkpoint, optimizer and all, and becomes what it would have
    been in one go; and so does a trial that was killed.
    """

    def __init__(
        self, oracle: keras_tuner.Oracle, settings: Settings, longest: int, out: Path, progress: Progress
    ) -> None:
        self.settings, self.longest, self.progress = settings, longest, progress
        self.space, self.trainer = settings.space, None
        super().__init__(oracle, directory=str(out), project_name=PROJECT)
        self.oracle.verbose = 0

    def save(self) -> None:
        self.oracle.save()
        write_json(self._get_tuner_fname(), self.get_state())

    def train_with(self, trainer: Trainer) -> None:
        """Searches in this process."""
        self.trainer = trainer
        self.search()

    def on_trial_begin(self, trial: Trial) -> None:
        values = drawn.values(self.space, trial.hyperparameters.values)
        self.progress.trial_started(self.number(trial.trial_id), values, *self._epochs(trial))

    def run_trial(self, trial: Trial) -> dict[str, float]:
        values = trial.hyperparameters.values
        recipe = self.space.variant(drawn.values(self.space, values)).replace("epochs", self.longest)
        earlier = values.get("tuner/trial_id")
        folder = Path(self.get_trial_dir(trial.trial_id))
        earlier = None if earlier is None else Path(self.get_trial_dir(earlier))
        try:
            return self.trainer.run(recipe, *self._epochs(trial), folder, earlier)
        except RejectedError as error:
            register(trial, error.costs)
            raise
        except AbortError as error:
            raise Aborted from error.__cause__

    def on_trial_end(self, trial: Trial) -> None:
        super().on_trial_end(trial)
        self.tell_ended(trial.trial_id)

    def tell_ended(self, trial_id: str) -> None:
        """Tells the progress that a trial has ended, and TensorBoard what came of it."""
        rows = {row.trial: row for row in self.rows()}
        row = rows[self.number(trial_id)]
        write_hparams(self.folder(trial_id), row)
        self.progress.trial_ended(row, results.best(list(rows.values())))

    def folder(self, trial_id: str) -> Path:
        """A trial's folder."""
        return Path(self.project_dir) / f"trial_{trial_id}"

    def check(self) -> None:
        """Raises some error of Python's if the trials that were loaded are not of this search."""
        for trial in self.oracle.trials.values():
            self.space.variant(drawn.values(self.space, trial.hyperparameters.values))
            range(*self._epochs(trial))
        self.rows()

    def rows(self) -> tuple[Row, ...]:
        """The trials that have ended, in the order in which they started."""
        ended = (TrialStatus.COMPLETED, TrialStatus.FAILED)
        trials = [self.oracle.trials[trial_id] for trial_id in self.oracle.start_order]
        rows = [self._row(trial) for trial in trials if trial.status in ended]
        return results.with_front(rows, self.settings.objectives)

    def drop_checkpoints(self) -> None:
        """Removes what only a continued search needs."""
        for trial_id in self.oracle.start_order:
            for name in ("checkpoints", ENSEMBLE):
                shutil.rmtree(self.folder(trial_id) / name, ignore_errors=True)

    def number(self, trial_id: str) -> int:
        """A trial's place in the order of the search, from 1."""
        return self.oracle.start_order.index(trial_id) + 1

    def _epochs(self, trial: Trial) -> tuple[int, int]:
        return epochs_of(trial.hyperparameters.values, self.longest)

    def _row(self, trial: Trial) -> Row:
        values = trial.hyperparameters.values
        earlier = values.get("tuner/trial_id")
        reported = {name: trial.metrics.get_last_value(name) for name in trial.metrics.metrics}
        row = {
            "trial": self.number(trial.trial_id),
            "values": drawn.values(self.space, values),
            "continues": None if earlier is None else self.number(earlier),
            **{name: int(reported[name]) for name in ("parameters", "size_bytes") if name in reported},
            **({"latency_ms": float(reported["latency_ms"])} if "latency_ms" in reported else {}),
        }
        if trial.status != TrialStatus.COMPLETED:
            return Row(status=results.FAILED, reason=reason(trial.message), **row)
        return Row(
            status=results.COMPLETED,
            epochs=self._epochs(trial)[1],
            val_accuracy=float(reported[METRIC]),
            seconds=round(float(reported["seconds"]), 2),
            **row,
        )


def register(trial: Trial, costs: Mapping[str, float]) -> None:
    """Notes what is known of a trial that will have no accuracy."""
    for name, value in costs.items():
        if not trial.metrics.exists(name):
            trial.metrics.register(name, direction="min")
        trial.metrics.update(name, value)


def reason(message: str | None) -> str:
    """The line of a traceback that says what went wrong.

    >>> reason("Traceback (most recent call last):\\n  File ...\\ntflbnn.errors.UserError: No such layer.\\n")
    'No such layer.'
    >>> reason("Traceback (most recent call last):\\n  File ...\\nMemoryError\\n")
    'MemoryError'
    """
    last = (message or "").rpartition("Traceback (most recent call last):\n")[2]
    line = next((line for line in last.splitlines() if re.match(r"\w", line)), "no reason was recorded")
    name, _, text = line.partition(": ")
    name = name.rpartition(".")[2]
    own = (UserError.__name__, RejectedError.__name__)
    return text if name in own else f"{name}: {text}" if text else name
