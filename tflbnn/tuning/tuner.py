"""Keras Tuner's loop with the trials of a recipe: `run_trial` trains a variant of it in a folder of its own."""

from __future__ import annotations

import gc
import re
import shutil
import time
from pathlib import Path

from tflbnn._files import readable_errors, write_json
from tflbnn._keras import keras, tf
from tflbnn.analysis.counts import counts
from tflbnn.data import Dataset
from tflbnn.errors import UserError
from tflbnn.training.fit import build, fit
from tflbnn.training.scores import score_of
from tflbnn.tuning import oracles, results
from tflbnn.tuning._keras_tuner import keras_tuner
from tflbnn.tuning.progress import Progress
from tflbnn.tuning.results import Row
from tflbnn.tuning.space import Space

PROJECT = "trials"
Trial = keras_tuner.engine.trial.Trial
TrialStatus = keras_tuner.engine.trial.TrialStatus


class Aborted(keras_tuner.errors.FatalError):
    """What stops the whole search and not one trial alone, such as a full disk; its cause tells."""


class RecipeTuner(keras_tuner.Tuner):
    """Trains each trial for the epochs that the oracle asks, and reports its best epoch's validation accuracy.

    Every trial is the beginning of one training of `epochs` epochs, its schedule included. So a trial that continues
    another one (Hyperband) starts from that one's checkpoint, optimizer and all, and becomes what it would have
    been in one go; and so does a trial that was killed.
    """

    def __init__(
        self, oracle: keras_tuner.Oracle, space: Space, dataset: Dataset, epochs: int, out: Path, progress: Progress
    ):
        self.space, self.dataset, self.epochs, self.progress = space, dataset, epochs, progress
        super().__init__(oracle, directory=str(out), project_name=PROJECT)
        self.oracle.verbose = 0

    def save(self) -> None:
        self.oracle.save()
        write_json(self._get_tuner_fname(), self.get_state())

    def on_trial_begin(self, trial: Trial) -> None:
        values = oracles.values(self.space, trial.hyperparameters.values)
        self.progress.trial_started(self._number(trial.trial_id), values, *self._epochs(trial))

    def run_trial(self, trial: Trial) -> dict[str, float]:
        start = time.perf_counter()
        # Layers' names start anew and the previous trial's network leaves the memory.
        keras.backend.clear_session()
        gc.collect()
        recipe = self.space.variant(oracles.values(self.space, trial.hyperparameters.values))
        recipe = recipe.replace("epochs", self.epochs)
        first, last = self._epochs(trial)
        folder = Path(self.get_trial_dir(trial.trial_id))
        try:
            model = build(recipe, self.dataset)
            self._continue(trial, folder)
            history = fit(model, recipe, self.dataset, folder, self.progress.trained, until=last)
        except UserError as error:
            # Files are everyone's trouble, memory is this network's. An error's context and not its cause tells,
            # for Keras' fit raises what passes through it again, from None.
            files = str(error).startswith("Cannot ") and isinstance(error.__context__, (OSError, tf.errors.OpError))
            if files:
                raise Aborted from error
            raise
        total = counts(model)
        return {
            oracles.OBJECTIVE: max(score_of(row, "val")[1] for row in history[first - 1 :]),
            "parameters": total.parameters,
            "size_bytes": total.size_bytes,
            "seconds": time.perf_counter() - start,
        }

    def on_trial_end(self, trial: Trial) -> None:
        super().on_trial_end(trial)
        rows = self.rows()
        self.progress.trial_ended(rows[self._number(trial.trial_id) - 1], results.best(rows))

    def check(self) -> None:
        """Raises some error of Python's if the trials that were loaded are not of this search."""
        for trial in self.oracle.trials.values():
            self.space.variant(oracles.values(self.space, trial.hyperparameters.values))
            range(*self._epochs(trial))
        self.rows()

    def rows(self) -> tuple[Row, ...]:
        """The trials that have ended, in the order in which they started."""
        ended = (TrialStatus.COMPLETED, TrialStatus.FAILED)
        trials = [self.oracle.trials[trial_id] for trial_id in self.oracle.start_order]
        return results.with_front([self._row(trial) for trial in trials if trial.status in ended])

    def drop_checkpoints(self) -> None:
        """Removes what only a continued search needs."""
        for folder in (Path(self.project_dir) / f"trial_{trial_id}" for trial_id in self.oracle.start_order):
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)

    def _number(self, trial_id: str) -> int:
        return self.oracle.start_order.index(trial_id) + 1

    def _epochs(self, trial: Trial) -> tuple[int, int]:
        """The first and the last epoch of a trial, counted from 1."""
        drawn = trial.hyperparameters.values
        return drawn.get("tuner/initial_epoch", 0) + 1, drawn.get("tuner/epochs", self.epochs)

    def _continue(self, trial: Trial, folder: Path) -> None:
        """Gives a trial the checkpoint of the one that it continues, unless it has one of its own already."""
        earlier = trial.hyperparameters.values.get("tuner/trial_id")
        if earlier is None or (folder / "checkpoints").exists():
            return
        temporary = folder / ".checkpoints"
        with readable_errors("write", folder / "checkpoints"):
            shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
            shutil.copytree(Path(self.get_trial_dir(earlier)) / "checkpoints", temporary)
            temporary.rename(folder / "checkpoints")

    def _row(self, trial: Trial) -> Row:
        drawn = trial.hyperparameters.values
        earlier = drawn.get("tuner/trial_id")
        row = {
            "trial": self._number(trial.trial_id),
            "values": oracles.values(self.space, drawn),
            "continues": None if earlier is None else self._number(earlier),
        }
        if trial.status != TrialStatus.COMPLETED:
            return Row(status=results.FAILED, reason=reason(trial.message), **row)
        reported = {name: trial.metrics.get_last_value(name) for name in trial.metrics.metrics}
        return Row(
            status=results.COMPLETED,
            epochs=self._epochs(trial)[1],
            val_accuracy=float(reported[oracles.OBJECTIVE]),
            parameters=int(reported["parameters"]),
            size_bytes=int(reported["size_bytes"]),
            seconds=round(float(reported["seconds"]), 2),
            **row,
        )


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
    return text if name == UserError.__name__ else f"{name}: {text}" if text else name
