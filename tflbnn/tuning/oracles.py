"""Keras Tuner's oracles, made to survive a kill at any moment, and the search space in its terms.

Keras Tuner 1.4 writes its state in place, so a kill can leave half a file, and in two steps, so a kill can leave a
trial that the oracle does not know or has seen end twice. It forgets a grid search's place and the random state
of a Bayesian one. `Durable` and the classes below mend exactly that; what is tried next is Keras Tuner's choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tflbnn._files import write_json
from tflbnn.tuning._keras_tuner import keras_tuner

OBJECTIVE = "val_accuracy"


class Durable(keras_tuner.Oracle):
    """An oracle whose files are whole at any moment and whose reloaded state is that of the moment of the kill."""

    def save(self) -> None:
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial: Any) -> None:
        write_json(f"{self._project_dir}/trial_{trial.trial_id}/trial.json", trial.get_state())

    def reload(self) -> None:
        super().reload()
        # A trial is written before the oracle's state. One that the state does not know will be created again,
        # with the same values. Files are read in any order; the Gaussian process wants one order.
        self.trials = {trial_id: self.trials[trial_id] for trial_id in self.start_order}
        running = [
            trial for trial in self.trials.values() if trial.status == keras_tuner.engine.trial.TrialStatus.RUNNING
        ]
        for trial in running:
            trial.metrics = type(trial.metrics)()  # those of the run that was killed
        # A trial that ended just before the state was written needs no second run.
        self._retry_queue = [trial.trial_id for trial in running]
        self.end_order = [trial_id for trial_id in self.start_order if trial_id not in self._retry_queue]


class Hyperband(Durable, keras_tuner.oracles.HyperbandOracle):
    """Successive halving in several brackets (Li et al., JMLR 18, 2018)."""

    def trials_planned(self) -> int:
        """How many trials all brackets run together."""
        return sum(
            self._get_size(bracket, number)
            for bracket in range(self._get_num_brackets())
            for number in range(self._get_num_rounds(bracket))
        )

    def epochs_planned(self) -> int:
        """How many epochs all trials train together; one that continues another trains the difference."""
        total = 0
        for bracket in range(self._get_num_brackets()):
            for number in range(self._get_num_rounds(bracket)):
                done = self._get_epochs(bracket, number - 1) if number else 0
                total += self._get_size(bracket, number) * (self._get_epochs(bracket, number) - done)
        return total

    def configurations_planned(self) -> int:
        """How many different configurations they draw; the other trials train one of these further."""
        return sum(self._get_size(bracket, 0) for bracket in range(self._get_num_brackets()))


class RandomSearch(Durable, keras_tuner.oracles.RandomSearchOracle):
    """Independent random trials."""


class BayesianOptimization(Durable, keras_tuner.oracles.BayesianOptimizationOracle):
    """A Gaussian process of the accuracy, and the trial with the best upper confidence bound."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        # Seeded by the trial, so that a resumed search continues as an uninterrupted one.
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        response = super().populate_space(trial_id)
        if response["values"] and self._duplicate(response["values"]):
            return self._random_populate_space()  # the same training would give the same accuracy again
        return response


class GridSearch(Durable, keras_tuner.oracles.GridSearchOracle):
    """Every combination; a float range counts with its default and ten values spread over it."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        response = super().populate_space(trial_id)
        if response["status"] == keras_tuner.engine.trial.TrialStatus.RUNNING:
            # The space is known, so the next combination need not wait for this one's end: workers share the grid.
            self._populate_next.append(trial_id)
        return response

    def reload(self) -> None:
        super().reload()
        # With one worker the trials were started in the grid's order, and the last one leads to the next.
        for trial_id in self.start_order:
            self._ordered_ids.insert(trial_id)
        self._populate_next = self.start_order[-1:]
