"""R1 and R2 of BNN+: values, derivatives to weights and alpha, where they are smallest, the tie to a layer's scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tflbnn import layers, regularizers, scaling
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError

KINDS = [regularizers.R1, regularizers.R2]
WEIGHTS = np.random.default_rng(0).normal(0, 0.6, (10_001, 3))


def tied(kind: type, alpha: np.ndarray, strength: float = 1.0) -> tuple:
    regularizer, variable = kind(strength, "trained"), tf.Variable(alpha, dtype=tf.float64)
    regularizer.tie(variable)
    return regularizer, variable


@settings(deadline=None)
@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=4), elements=st.floats(-4, 4, width=32)),
    st.floats(0, 1, width=32),
    st.floats(0.125, 2, width=32),
)
def test_they_are_the_papers_formulas(w: np.ndarray, strength: float, alpha: float) -> None:
    r1 = np.abs(alpha - np.abs(w, dtype=np.float64)).sum()
    r2 = ((alpha - np.abs(w, dtype=np.float64)) ** 2).sum()
    np.testing.assert_allclose(regularizers.R1(strength, alpha)(w), strength * r1, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(regularizers.R2(strength, alpha)(w), strength * r2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("per", ["filter", "layer"])
def test_gradients_are_the_derivatives(kind: type, per: str) -> None:
    alpha = np.array([0.3, 0.5, 1.0]) if per == "filter" else np.array(0.5)
    w = np.concatenate([WEIGHTS, [[0.3, -0.5, 1.0], [0, 0, 0]]])
    regularizer, variable = tied(kind, alpha, 1e-3)
    value = tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch(value)
        loss = regularizer(value)
    to_weights, to_alpha = tape.gradient(loss, [value, variable])
    inside = alpha - np.abs(w)
    slope = np.sign(inside) if kind is regularizers.R1 else 2 * inside
    np.testing.assert_allclose(to_weights, -1e-3 * slope * np.sign(w), rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(to_alpha, 1e-3 * slope.sum(axis=0 if per == "filter" else None), rtol=1e-6)


@pytest.mark.parametrize(("kind", "statistic"), [(regularizers.R1, np.median), (regularizers.R2, np.mean)])
def test_alpha_is_the_median_at_the_minimum_of_r1_and_the_mean_at_that_of_r2(kind: type, statistic) -> None:
    best = statistic(np.abs(WEIGHTS), axis=0)

    def slope_at(alpha: np.ndarray) -> np.ndarray:
        regularizer, variable = tied(kind, alpha)
        with tf.GradientTape() as tape:
            loss = regularizer(WEIGHTS)
        return tape.gradient(loss, variable).numpy()

    np.testing.assert_allclose(slope_at(best), 0, atol=1e-8)
    assert (slope_at(best - 0.01) < 0).all()
    assert (slope_at(best + 0.01) > 0).all()


@pytest.mark.parametrize(("kind", "statistic"), [("r1", np.median), ("r2", np.mean), ("none", np.mean)])
@pytest.mark.parametrize("dense", [False, True])
def test_the_scale_of_a_layer_starts_at_the_minimum_of_its_regularizer(kind: str, statistic, dense: bool) -> None:
    binarization = Binarization.preset("bnn_plus", regularizer=kind, alpha_start="minimum")
    layer = layers.dense(binarization, 5) if dense else layers.conv2d(binarization, 5, 3)
    layer(np.zeros((1, 7) if dense else (1, 4, 4, 2), np.float32))
    magnitudes = np.abs(layer.kernel.latent_variable.numpy())
    alpha = layer.kernel_quantizer.alpha
    np.testing.assert_allclose(alpha, statistic(magnitudes.reshape(-1, 5), axis=0), rtol=1e-6)
    assert layer.kernel_constraint is None


@pytest.mark.parametrize("per", ["filter", "layer"])
def test_the_loss_of_a_layer_moves_its_weights_and_its_scale(per: str) -> None:
    layer = layers.conv2d(Binarization.preset("bnn_plus", regularizer="r2", scaling_per=per, regularization=0.5), 3, 3)
    layer(np.zeros((1, 4, 4, 2), np.float32))
    w, alpha = layer.kernel.latent_variable, layer.kernel_quantizer.alpha
    with tf.GradientTape() as tape:
        (loss,) = layer.losses
    inside = alpha.numpy() - np.abs(w.numpy())
    np.testing.assert_allclose(loss, 0.5 * (inside**2).sum(), rtol=1e-5)
    to_weights, to_alpha = tape.gradient(loss, [w, alpha])
    np.testing.assert_allclose(to_weights, -inside * np.sign(w.numpy()), rtol=1e-5)
    np.testing.assert_allclose(to_alpha, inside.sum(axis=(0, 1, 2) if per == "filter" else None), rtol=1e-4)


def test_a_trained_alpha_needs_a_layer() -> None:
    with pytest.raises(UserError, match="needs a layer that trains it"):
        regularizers.R1(alpha="trained")(WEIGHTS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [2.0, "trained"])
def test_they_survive_serialization(kind: type, alpha: float | str) -> None:
    again = keras.regularizers.deserialize(keras.regularizers.serialize(kind(0.5, alpha)))
    assert type(again) is kind
    assert (again.strength, again.alpha) == (0.5, alpha)


@pytest.mark.parametrize(("strength", "alpha"), [(-1, 1), (float("nan"), 1), (1, 0), (1, -1), (1, "trian")])
def test_what_has_no_minimum_is_refused(strength: float, alpha: float) -> None:
    with pytest.raises(UserError, match="strength ≥ 0 and alpha > 0"):
        regularizers.R2(strength, alpha)


def model(binarization: Binarization) -> keras.Model:
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((4,)), layers.dense(binarization, 3)])
    return keras.Sequential([keras.Input((4,)), layers.dense(binarization, 4), inner])


def test_a_schedule_changes_the_loss_of_a_compiled_model() -> None:
    network = model(Binarization.preset("bnn_plus"))
    network.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.zeros((8, 4))
    losses = []
    schedule = regularizers.RegularizationSchedule(lambda epoch: float(epoch))
    history = network.fit(x, network.predict(x, verbose=0), epochs=3, verbose=0, callbacks=[schedule]).history
    losses = history["loss"]
    assert losses[0] == pytest.approx(0, abs=1e-9)
    assert losses[1] > 0.01
    assert losses[2] == pytest.approx(2 * losses[1], rel=1e-5)


def test_a_checkpoint_keeps_strength_and_scales(tmp_path) -> None:
    network = model(Binarization.preset("bnn_plus"))
    for regularizer in regularizers.regularizers_of(network):
        regularizer.strength = 0.25
    network.layers[0].kernel_quantizer.alpha.assign([1, 2, 3, 4])
    tf.train.Checkpoint(model=network).write(str(tmp_path / "state"))
    again = model(Binarization.preset("bnn_plus"))
    tf.train.Checkpoint(model=again).read(str(tmp_path / "state")).assert_consumed()
    assert [regularizer.strength for regularizer in regularizers.regularizers_of(again)] == [0.25, 0.25]
    assert again.layers[0].kernel_quantizer.alpha.numpy().tolist() == [1, 2, 3, 4]
    network.save(tmp_path / "saved")  # a SavedModel traces the losses
    assert (tmp_path / "saved" / "saved_model.pb").exists()


def test_scales_start_anew_from_the_weights_that_were_loaded() -> None:
    network = model(Binarization.preset("bnn_plus", alpha_start="mean"))
    for layer in (network.layers[0], network.layers[1].layers[0]):
        layer.kernel.latent_variable.assign(tf.fill(layer.kernel.shape, -0.125))
    scaling.start_scales(network)
    for layer in (network.layers[0], network.layers[1].layers[0]):
        np.testing.assert_array_equal(layer.kernel_quantizer.alpha, np.full(layer.units, 0.125))
