"""The tuner "bayesian" with several objectives: the trial that promises the most hypervolume.

Each objective has a Gaussian process of its own over the space, of what costs on a logarithmic scale. A candidate's
worth is the expected growth of the front's hypervolume when its accuracy is drawn from its process; its costs, which
hardly vary beside that, count as what theirs say.

Source: Emmerich et al., "Hypervolume-based Expected Improvement: Monotonicity Properties and Exact Computation"
(CEC 2011); trials that are still running count with their expected values (kriging believer, Ginsbourger et al. 2010).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflbnn.tuning import hypervolume
from tflbnn.tuning._keras_tuner import keras_tuner
from tflbnn.tuning.objectives import OBJECTIVES, Constraint
from tflbnn.tuning.oracles import Durable

CANDIDATES = 400
NEIGHBOURS = 8  # of each trial on the front
# Five equally likely values of a normal distribution.
QUANTILES = np.array([-1.2816, -0.5244, 0.0, 0.5244, 1.2816])
TrialStatus = keras_tuner.engine.trial.TrialStatus


class HypervolumeSearch(Durable, keras_tuner.Oracle):
    """Random trials first, two for each field and two more; then those of the largest expected improvement.

    Args:
        objectives: "accuracy" and costs.
        constraints: what a candidate may cost; one that is expected to cost more is not tried.
    """

    def __init__(self, objectives: Sequence[str], constraints: Sequence[Constraint], **options: Any) -> None:
        super().__init__(**options)
        self.objectives, self.constraints = tuple(objectives), tuple(constraints)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        completed = [trial for trial in self.trials.values() if trial.status == TrialStatus.COMPLETED]
        if len(self.trials) < self.initial or len(completed) < 3:
            return self._as_response(self._random_values())
        # Seeded by the trial, so that a resumed search continues as an uninterrupted one.
        rng = np.random.default_rng([self.seed, len(self.trials)])
        candidates = self._candidates(rng, completed)
        if not candidates:
            return self._as_response(self._random_values())
        return self._as_response(candidates[int(np.argmax(self._worth(candidates, completed)))])

    @property
    def initial(self) -> int:
        """How many random trials come first."""
        return 2 * len(self.hyperparameters.space) + 2

    def _as_response(self, values: dict[str, Any] | None) -> dict[str, Any]:
        if values is None:
            return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED, "values": None}
        return {"status": TrialStatus.RUNNING, "values": values}

    def _candidates(self, rng: np.random.Generator, completed: Sequence[Any]) -> list[dict[str, Any]]:
        """Points of the space that were not tried: random ones, and neighbours of the front."""
        drawn = [self._sampled(rng, {}) for _ in range(CANDIDATES)]
        points = np.array([self._minimised(trial) for trial in completed])
        for trial, member in zip(completed, hypervolume.non_dominated(points), strict=True):
            if member:
                values = trial.hyperparameters.values
                for _ in range(NEIGHBOURS):
                    changed = rng.choice([hp.name for hp in self.hyperparameters.space])
                    drawn.append(self._sampled(rng, {key: v for key, v in values.items() if key != changed}))
        unique = {self._compute_values_hash(values): values for values in drawn}
        return [values for key, values in unique.items() if key not in self._tried_so_far]

    def _sampled(self, rng: np.random.Generator, kept: dict[str, Any]) -> dict[str, Any]:
        """Values of the fields that are active, drawn where they are not kept."""
        hps = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            hps.merge([hp])
            if hps.is_active(hp):
                seed = int(rng.integers(2**31))
                hps.values[hp.name] = kept[hp.name] if hp.name in kept else hp.random_sample(seed)
        return hps.values

    def _minimised(self, trial: Any) -> list[float]:
        """A trial's objectives, all the better the smaller; costs on a logarithmic scale."""
        found = []
        for name in self.objectives:
            metric, less_is_better = OBJECTIVES[name]
            value = trial.metrics.get_last_value(metric)
            found.append(math.log(value) if less_is_better else -value)
        return found

    def _vector(self, values: dict[str, Any]) -> list[float]:
        """A point of the space in the unit cube: words one by one, numbers by their place in their range."""
        vector: list[float] = []
        for hp in self.hyperparameters.space:
            value = values.get(hp.name, hp.default)
            if isinstance(value, (str, bool)):
                vector += [float(value == choice) for choice in hp.values]
            else:
                vector.append(float(hp.value_to_prob(value)))
        return vector

    def _worth(self, candidates: list[dict[str, Any]], completed: Sequence[Any]) -> np.ndarray:
        x = np.array([self._vector(trial.hyperparameters.values) for trial in completed])
        y = np.array([self._minimised(trial) for trial in completed])
        at = np.array([self._vector(values) for values in candidates])
        running = [trial for trial in self.ongoing_trials.values() if trial.status == TrialStatus.RUNNING]
        both = (
            np.concatenate([at, [self._vector(trial.hyperparameters.values) for trial in running]]) if running else at
        )
        means, deviations = zip(*(_process(x, column, both) for column in y.T), strict=True)
        mean = np.array(means).T
        front = np.concatenate([y, mean[len(at) :]])
        front = front[hypervolume.non_dominated(front)]
        # A unit of each objective is what the trials spread over; the reference lies a tenth beyond the worst.
        low, spread = y.min(0), np.maximum(np.ptp(y, 0), 1e-9)
        front, mean = (front - low) / spread, (mean[: len(at)] - low) / spread
        deviation = deviations[0][: len(at)] / spread[0]
        reference = np.full(len(self.objectives), 1.1)
        worth = np.zeros(len(at))
        for index in range(len(at)):
            for quantile in QUANTILES:
                point = mean[index].copy()
                point[0] += quantile * deviation[index]
                worth[index] += hypervolume.improvement(point, front, reference)
        # What looks as good to the front is told apart by what is not known of it yet.
        worth = worth / len(QUANTILES) + 1e-6 * deviation
        return np.where(self._allowed(x, completed, at), worth, worth - worth.max() - 1)

    def _allowed(self, x: np.ndarray, completed: Sequence[Any], at: np.ndarray) -> np.ndarray:
        """Which candidates are expected to cost no more than they may."""
        allowed = np.ones(len(at), bool)
        for constraint in self.constraints:
            known = [trial for trial in self.trials.values() if trial.metrics.exists(constraint.metric)]
            costs = [math.log(trial.metrics.get_last_value(constraint.metric)) for trial in known]
            points = np.array([self._vector(trial.hyperparameters.values) for trial in known])
            allowed &= _process(points, np.array(costs), at)[0] <= math.log(constraint.limit)
        return allowed


def _process(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation at `at` of a Gaussian process through (x, y)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    scales = np.full(x.shape[1], 0.5)
    kernel = Matern(scales, [(0.05, 20.0)] * x.shape[1], nu=2.5) + WhiteKernel(1e-2, (1e-5, 0.3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0)
        mean, deviation = process.fit(x, y).predict(at, return_std=True)
    return mean, deviation
