"""Optimizers by role against their papers' algorithms in NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.tiny import RECIPE
from tflbnn import data
from tflbnn._keras import lq, tf
from tflbnn.analysis.summary import summarize
from tflbnn.errors import UserError
from tflbnn.training import fit, train
from tflbnn.training.bop import Bop
from tflbnn.training.optimizers import ByRole, binary_kernels
from tflbnn.training.radam import RAdam


def _steps(optimizer, start, gradients):
    variable = tf.Variable(start)
    if hasattr(optimizer, "build"):
        optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
    return variable.numpy()


def test_radam_is_algorithm_2():
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=5).astype(np.float32), rng.normal(size=(12, 5)).astype(np.float32)
    w, m, v = start.astype(float), np.zeros(5), np.zeros(5)
    longest = 2 / (1 - 0.999) - 1
    for t, g in enumerate(gradients.astype(float), start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        length = longest - 2 * t * 0.999**t / (1 - 0.999**t)
        step = m / (1 - 0.9**t)
        if length > 4:
            r = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
            step = r * step / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        w = w - 0.1 * step
    np.testing.assert_allclose(_steps(RAdam(0.1), start, gradients), w, rtol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.floats(1e-3, 0.5), st.floats(0, 0.1))
def test_bop_is_larqs(seed, gamma, threshold):
    rng = np.random.default_rng(seed)
    start = rng.choice([-1, 1], size=20).astype(np.float32)
    gradients = rng.normal(size=(6, 20)).astype(np.float32)
    ours = _steps(Bop(gamma, threshold), start, gradients)
    np.testing.assert_array_equal(ours, _steps(lq.optimizers.Bop(threshold, gamma), start, gradients))


def test_roles_have_their_own_rates_and_one_schedule():
    recipe = RECIPE.override({"optimizer.binary": "sgd", "binary_learning_rate": "0.5", "learning_rate": "0.1"})
    model = fit.build(recipe, data.load(recipe.data))
    kernels = {kernel.ref() for kernel in binary_kernels(model)}
    assert len(kernels) == 1
    assert isinstance(model.optimizer, ByRole)
    model.optimizer.lr.assign(0.01)
    before = [variable.numpy() for variable in model.trainable_variables]
    model.optimizer.apply_gradients(
        [(tf.ones_like(variable) * 0.1, variable) for variable in model.trainable_variables]
    )
    for variable, old in zip(model.trainable_variables, before, strict=True):
        # sgd with the ratio of both rates; adam, whose first step is its rate
        step = 0.05 * 0.1 if variable.ref() in kernels else 0.01
        np.testing.assert_allclose(old - variable.numpy(), step, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("binary", ["bop", "radam"])
def test_an_interrupted_run_with_two_optimizers_is_resumed_to_the_same(tmp_path, binary):
    recipe = RECIPE.override({"optimizer.binary": binary, "epochs": "2"})
    whole = train(recipe, tmp_path / "whole")

    def stop(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "run", progress=stop)
    run = train(recipe, tmp_path / "run", resume=True)
    assert (run.history, run.metrics) == (whole.history, whole.metrics)
    if binary == "bop":
        kernel = run.load_model().get_layer("stage1_layer1_conv").kernel.latent_variable.numpy()
        assert set(np.unique(kernel)) <= {-1.0, 1.0}


def test_no_binary_kernels():
    recipe = RECIPE.override({"binarization": "float32", "optimizer.binary": "bop"})
    with pytest.raises(UserError, match=r"needs some.*Set optimizer\.binary=same"):
        fit.build(recipe, data.load(recipe.data))


def test_a_summary_says_what_trains_what():
    by_role = summarize("digits", {"optimizer.binary": "bop"})
    assert (
        by_role.optimizers == f"bop of 6 binary kernels ({by_role.binary_weights:,} weights), adam of everything else"
    )
    assert summarize("digits").optimizers == "adam of everything"
