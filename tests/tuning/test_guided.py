"""The search for a front on functions whose front is known."""

import math

import numpy as np
import pytest

from tflbnn import recipes
from tflbnn.tuning import Settings, drawn, parse_constraints, parse_space
from tflbnn.tuning._keras_tuner import keras_tuner
from tflbnn.tuning.hypervolume import hypervolume
from tflbnn.tuning.plans import plan_of
from tflbnn.tuning.tuner import register

TrialStatus = keras_tuner.engine.trial.TrialStatus
WORDS = ["growth_rate=4,8,16,32,64", "t_clip=0.25..2.0", "network.layers=1,1,1/2,2,2/4,4,4"]


def outcome(values):
    """Accuracy grows with the network and is best at a t_clip of 0.7; latency grows with the network alone."""
    growth, depth, t_clip = values["network.growth_rate"], values["network.layers"][0], values["binarization.t_clip"]
    latency = 0.02 + 0.001 * growth * depth
    return {"val_accuracy": 1 - 0.5 / math.sqrt(growth * depth) - 0.3 * (t_clip - 0.7) ** 2, "latency_ms": latency}


def searched(tuner, tmp_path, seed, trials=24, constraints=()):
    """The points (−accuracy, log latency) of a search; those that cost more than allowed fail."""
    space = parse_space(recipes.get("digits"), [f"seed={seed}", *WORDS])
    settings = Settings(space, tuner, trials=trials, objectives=("accuracy", "latency"), constraints=constraints)
    oracle, _ = plan_of(settings)
    oracle._set_project_dir(str(tmp_path), f"{tuner}{seed}")
    oracle.verbose = 0
    points, refused = [], 0
    while (trial := oracle.create_trial("only")).status == TrialStatus.RUNNING:
        metrics = outcome(drawn.values(space, trial.hyperparameters.values))
        if all(constraint.allows(metrics) for constraint in constraints):
            oracle.update_trial(trial.trial_id, metrics)
            trial.status = TrialStatus.COMPLETED
            points.append((-metrics["val_accuracy"], math.log(metrics["latency_ms"])))
        else:
            register(trial, {"latency_ms": metrics["latency_ms"]})
            trial.status = TrialStatus.INVALID
            refused += 1
        oracle.end_trial(trial)
    assert len(points) + refused == trials
    assert len(oracle._tried_so_far) == trials
    return np.array(points), refused


def test_it_finds_more_than_random_search(tmp_path):
    volumes = {
        tuner: [hypervolume(searched(tuner, tmp_path, seed)[0], (-0.5, 0.0)) for seed in range(2)]
        for tuner in ("bayesian", "random")
    }
    assert np.mean(volumes["bayesian"]) > np.mean(volumes["random"])


def test_it_learns_what_is_too_slow(tmp_path):
    constraints = parse_constraints("latency<=0.05ms")
    points, refused = searched("bayesian", tmp_path, 0, constraints=constraints)
    assert len(points) > refused
    assert points[:, 1].max() <= math.log(0.05)


@pytest.mark.parametrize("objectives", [("accuracy", "size"), ("accuracy", "latency", "size")])
def test_trials_under_way_are_not_tried_again(tmp_path, objectives):
    space = parse_space(recipes.get("digits"), WORDS)
    oracle, _ = plan_of(Settings(space, "bayesian", trials=30, objectives=objectives))
    oracle._set_project_dir(str(tmp_path), "several")
    oracle.verbose = 0
    started = []
    for number in range(14):
        trial = oracle.create_trial(f"worker{number}")
        started.append(tuple(trial.hyperparameters.values.values()))
        if number < 9:
            metrics = outcome(drawn.values(space, trial.hyperparameters.values))
            oracle.update_trial(trial.trial_id, {**metrics, "size_bytes": 1e5 * metrics["latency_ms"]})
            trial.status = TrialStatus.COMPLETED
            oracle.end_trial(trial)
    assert len(set(started)) == len(started)
