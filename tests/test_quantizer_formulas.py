"""Every quantizer against its paper's closed form, at 10,000 random points and at the edges, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tflbnn import quantizers
from tflbnn._keras import keras, tf
from tflbnn.errors import UserError
from tflbnn.quantizers.scaled import start_of

POINTS = 10_000
DOUBLE = {"dtype": "float64"}


def points(*edges: float) -> np.ndarray:
    """Random points, the edges, their neighbours, and zeros of both signs; an odd number of columns."""
    inner = [edge for magnitude in edges for edge in (magnitude, -magnitude)]
    near = [np.nextafter(edge, direction) for edge in inner for direction in (-np.inf, np.inf)]
    x = np.concatenate([np.random.default_rng(0).normal(0, 1, POINTS), [0.0, -0.0], inner, near])
    return x[: len(x) // 4 * 4].reshape(-1, 4)


def weights() -> np.ndarray:
    """A kernel of 3×3×40 products for 32 filters: 11,520 points, both zeros among them."""
    w = np.random.default_rng(1).normal(0, 0.6, (3, 3, 40, 32))
    w[0, 0, 0, :2] = 0.0, -0.0
    w[0, 0, 1, :2] = 1.0, -1.0
    return w


def sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1.0, -1.0)


def inside(x: np.ndarray, limit: float = 1.0) -> np.ndarray:
    return (np.abs(x) <= limit).astype(float)


def require(quantizer, x: np.ndarray, expected: np.ndarray, slope: np.ndarray, trained: dict | None = None) -> None:
    """Output and gradients to a relative 1e-6, for an incoming gradient that differs from point to point.

    `trained` maps the names of the quantizer's weights to their expected gradients, functions of the incoming one.
    """
    upstream = np.random.default_rng(2).normal(size=x.shape)
    value = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(value)
        y = quantizer(value)
    variables = quantizer.trainable_weights
    slopes = tape.gradient(y, [value, *variables], output_gradients=tf.constant(upstream))
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(slopes[0], upstream * slope, rtol=1e-6, atol=1e-12)
    found = {variable.name.split("/")[-1].split(":")[0]: g.numpy() for variable, g in zip(variables, slopes[1:])}  # noqa: B905
    assert set(found) == set(trained or {})
    for name, formula in (trained or {}).items():
        np.testing.assert_allclose(found[name], formula(upstream), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("t_clip", [0.1, 0.5, 1.25, 1.3, 2.0])
def test_ste_sign(t_clip: float) -> None:
    x = points(t_clip)
    require(quantizers.SteSign(t_clip, **DOUBLE), x, sign(x), inside(x, t_clip))


def test_approx_sign() -> None:
    x = points(1.0)
    require(quantizers.ApproxSign(**DOUBLE), x, sign(x), np.where(np.abs(x) <= 1, 2 - 2 * np.abs(x), 0))


def swish_slope(x: np.ndarray, beta: float) -> np.ndarray:
    return beta * (2 - beta * x * np.tanh(beta * x / 2)) / (1 + np.cosh(beta * x))


@pytest.mark.parametrize("beta", [0.5, 5.0, 10.0, 20.0])
def test_sign_swish(beta: float) -> None:
    x = points(2.4 / beta, 1 / beta)
    require(quantizers.SignSwish(beta, **DOUBLE), x, sign(x), swish_slope(x, beta))
    quantizer = quantizers.SignSwish(beta, trainable_beta=True, **DOUBLE)
    trained = {"beta": lambda upstream: (upstream * x / beta * swish_slope(x, beta)).sum()}
    require(quantizer, x, sign(x), swish_slope(x, beta), trained)


def test_the_gradient_of_sign_swish_is_that_of_equation_2() -> None:
    def smooth(x: np.ndarray, beta: float) -> np.ndarray:
        s = 1 / (1 + np.exp(-beta * x))
        return 2 * s * (1 + beta * x * (1 - s)) - 1

    x, beta, step = np.linspace(-2, 2, 1001), 5.0, 1e-5
    numeric = (smooth(x + step, beta) - smooth(x - step, beta)) / (2 * step)
    np.testing.assert_allclose(swish_slope(x, beta), numeric, rtol=1e-6, atol=1e-8)


def test_the_gradient_of_sign_swish_vanishes_near_2_4_over_beta() -> None:
    for beta in (5.0, 10.0, 20.0):
        below, above = swish_slope(np.array([2.39, 2.41]) / beta, beta)
        assert below > 0 > above


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_sign_swish_has_a_gradient_everywhere(dtype: str) -> None:
    x = tf.constant([-np.inf, -6e4, -50, 50, 6e4, np.inf], dtype)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        beta = tf.constant(20.0, dtype)
        tape.watch(beta)
        y = quantizers.sign_swish(x, beta)
    np.testing.assert_allclose(tape.gradient(y, x), np.zeros(6), atol=1e-6)
    np.testing.assert_allclose(tape.gradient(y, beta), 0, atol=1e-6)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("per", ["filter", "layer"])
@pytest.mark.parametrize("scaling", ["none", "backward", "both", "xnor", "trained"])
@pytest.mark.parametrize("swish", [False, True])
def test_scaled_sign(scaling: str, per: str, centred: bool, swish: bool) -> None:
    given = weights()
    w = given - given.mean(axis=2, keepdims=True) if centred else given
    axes = (0, 1, 2) if per == "filter" else (0, 1, 2, 3)
    alpha, number = np.abs(w).mean(axis=axes, keepdims=True), np.prod([w.shape[axis] for axis in axes])
    wrapped = quantizers.SignSwish(5.0, **DOUBLE) if swish else quantizers.SteSign(0.5, **DOUBLE)
    quantizer = quantizers.ScaledSign(wrapped, scaling, per, centred, "mean", **DOUBLE)
    quantizer.build(given.shape)
    quantizer.start_from(given)
    slope = swish_slope(w, 5.0) if swish else inside(w, 0.5)
    slope = {"none": slope, "xnor": alpha * slope + 1 / number}.get(scaling, alpha * slope)
    expected = sign(w) * (1 if scaling in ("none", "backward") else alpha)
    trained = {"alpha": lambda upstream: (upstream * sign(w)).sum(axis=axes)} if scaling == "trained" else {}
    if not centred:
        require(quantizer, given, expected, slope, trained)
        return
    upstream = np.random.default_rng(2).normal(size=w.shape)
    value = tf.constant(given)
    with tf.GradientTape() as tape:
        tape.watch(value)
        y = quantizer(value)
    through = upstream * slope
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(y, value, output_gradients=tf.constant(upstream)),
        through - through.mean(axis=2, keepdims=True),
        rtol=1e-6,
        atol=1e-12,
    )


def test_magnitude_aware_sign() -> None:
    w = weights()
    alpha = np.abs(w).mean(axis=(0, 1, 2))
    require(quantizers.MagnitudeAwareSign(0.7, **DOUBLE), w, alpha * sign(w), alpha * inside(w, 0.7))


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_dorefa_inputs(k: int) -> None:
    n = 2**k - 1
    x = points(1.0)
    slope = ((x >= 0) & (x <= 1)).astype(float)
    require(quantizers.DoReFaInputs(k, **DOUBLE), x, np.round(n * np.clip(x, 0, 1)) / n, slope)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_dorefa_weights(k: int) -> None:
    w, n = weights(), 2**k - 1
    largest = np.abs(np.tanh(w)).max()
    expected = 2 * np.round(n * (np.tanh(w) / (2 * largest) + 0.5)) / n - 1
    require(quantizers.DoReFaWeights(k, **DOUBLE), w, expected, (1 - np.tanh(w) ** 2) / largest)


def test_dorefa_weights_of_1_bit() -> None:
    w = weights()
    require(quantizers.DoReFaWeights(1, **DOUBLE), w, np.abs(w).mean() * sign(w), np.ones_like(w))


@pytest.mark.parametrize(("threshold", "t_clip"), [(0.4, 1.0), (0.7, 0.5), (0.0, 1.3)])
def test_ternary_inputs(threshold: float, t_clip: float) -> None:
    x = points(t_clip)
    delta = threshold * np.abs(x).mean(axis=1, keepdims=True)
    expected = np.where(x > delta, 1.0, np.where(x < -delta, -1.0, 0.0))
    require(quantizers.TernaryInputs(threshold, t_clip, **DOUBLE), x, expected, inside(x, t_clip))


def test_a_ternary_input_at_the_threshold_is_0() -> None:
    np.testing.assert_array_equal(
        quantizers.TernaryInputs(1.0)(tf.constant([[1.0, -1.0], [0.0, 0.0]])), np.zeros((2, 2))
    )


def test_trained_ternary() -> None:
    w = weights()
    quantizer = quantizers.TrainedTernary(0.05, **DOUBLE)
    quantizer.build(w.shape)
    quantizer.positive.assign(0.75)
    quantizer.negative.assign(1.5)
    delta = 0.05 * np.abs(w).max()
    above, below = w > delta, w < -delta
    require(
        quantizer,
        w,
        np.select([above, below], [0.75, -1.5], 0.0),
        np.select([above, below], [0.75, 1.5], 1.0),
        {
            "positive": lambda upstream: upstream[above].sum(),
            "negative": lambda upstream: -upstream[below].sum(),
        },
    )


@pytest.mark.parametrize("bases", [1, 2, 3, 5])
def test_weight_bases(bases: int) -> None:
    w = weights()
    shifts = [-1 + 2 * i / (bases - 1) for i in range(bases)] if bases > 1 else [0.0]
    signs = np.stack([sign(w - w.mean() + u * w.std()).ravel() for u in shifts], axis=1)
    alpha = np.linalg.lstsq(signs, w.ravel(), rcond=None)[0]
    require(quantizers.WeightBases(bases, **DOUBLE), w, (signs @ alpha).reshape(w.shape), np.full_like(w, alpha.sum()))


def test_weight_bases_that_are_the_same() -> None:
    w = tf.constant([[1.0, 1.0], [1.0, 1.0]])  # no deviation: all bases are one
    np.testing.assert_allclose(quantizers.WeightBases(3)(w), w, rtol=1e-6)
    np.testing.assert_allclose(quantizers.WeightBases(3)(tf.zeros((2, 2))), np.zeros((2, 2)), atol=1e-12)


@pytest.mark.parametrize("bases", [1, 3])
def test_activation_bases(bases: int) -> None:
    quantizer = quantizers.ActivationBases(bases, **DOUBLE)
    rng = np.random.default_rng(3)
    v, beta = np.linspace(-0.5, 0.75, bases), rng.uniform(0.5, 1.5, bases)
    x = points(*(abs(0.5 - shift) for shift in v))
    quantizer.build(x.shape)
    quantizer.set_weights([v, beta])
    planes = np.stack([sign(np.clip(x + shift, 0, 1) - 0.5) for shift in v])
    windows = np.stack([((x + shift >= 0) & (x + shift <= 1)).astype(float) for shift in v])
    require(
        quantizer,
        x,
        np.tensordot(beta, planes, 1),
        np.tensordot(beta, windows, 1),
        {
            "shifts": lambda upstream: beta * (upstream * windows).sum(axis=(1, 2)),
            "scales": lambda upstream: (upstream * planes).sum(axis=(1, 2)),
        },
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_residual_signs(order: int) -> None:
    x = points(1.0)
    expected, slope, residual = np.zeros_like(x), np.zeros_like(x), x
    for _ in range(order):
        beta = np.abs(residual).mean(axis=1, keepdims=True)
        expected, slope = expected + beta * sign(residual), slope + beta * inside(residual)
        residual = residual - beta * sign(residual)
    require(quantizers.ResidualSigns(order, **DOUBLE), x, expected, slope)


def test_htanh_and_relu() -> None:
    x = points(1.0)
    require(quantizers.HTanh(**DOUBLE), x, np.clip(x, -1, 1), inside(x))
    require(quantizers.InputReLU(**DOUBLE), x, np.maximum(x, 0), (x > 0).astype(float))


@pytest.mark.parametrize("start", ["mean", "median", "percentile75"])
def test_a_trained_scale_starts_at_a_statistic_of_its_weights(start: str) -> None:
    w = weights()
    quantizer = quantizers.ScaledSign("ste_sign", "trained", start=start)
    quantizer.build(w.shape)
    quantizer.start_from(w)
    statistic = {"mean": np.mean, "median": np.median, "percentile75": lambda a: np.percentile(a, 75)}[start]
    expected = [statistic(np.abs(w[..., filter])) for filter in range(w.shape[-1])]
    np.testing.assert_allclose(quantizer.alpha, expected, rtol=1e-6)
    np.testing.assert_allclose(start_of(w, start, "layer"), statistic(np.abs(w)), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(
    "quantizer",
    [
        lambda: quantizers.SignSwish(5.0, trainable_beta=True, dtype="mixed_float16"),
        lambda: quantizers.ScaledSign(quantizers.SteSign(), "xnor", dtype="mixed_float16"),
        lambda: quantizers.ScaledSign(quantizers.SteSign(), "trained", dtype="mixed_float16"),
        lambda: quantizers.DoReFaInputs(4),
        lambda: quantizers.DoReFaWeights(1),
        lambda: quantizers.TernaryInputs(),
        lambda: quantizers.TrainedTernary(dtype="mixed_float16"),
        lambda: quantizers.WeightBases(3),
        lambda: quantizers.ActivationBases(3, dtype="mixed_float16"),
        lambda: quantizers.ResidualSigns(2),
    ],
)
def test_half_precision_comes_near_single(quantizer, dtype: str) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (64, 64)).astype(np.float16).astype(np.float32)
    value = tf.constant(x, dtype)
    made = quantizer()
    with tf.GradientTape() as tape:
        tape.watch(value)
        y = made.call(value) if made.built else made(value)
    exact = quantizer()
    with tf.GradientTape() as other:
        reference = tf.constant(x.astype(np.float64))
        other.watch(reference)
        exact.build(x.shape)
        z = exact.call(reference)
    close = np.isclose(tf.cast(y, tf.float64), z, rtol=2e-2, atol=2e-2)
    assert close.mean() > 0.99  # a value at a threshold may fall on either side
    close = np.isclose(tf.cast(tape.gradient(y, value), tf.float64), other.gradient(z, reference), rtol=2e-2, atol=2e-2)
    assert close.mean() > 0.99


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: quantizers.SignSwish(0), "beta must be above 0"),
        (lambda: quantizers.SignSwish(float("nan")), "beta must be above 0"),
        (lambda: quantizers.ScaledSign("ste_sign", "bth"), "scaling must be one of.*Did you mean 'both'"),
        (lambda: quantizers.ScaledSign("ste_sign", per="channel"), "per must be one of filter, layer"),
        (lambda: quantizers.DoReFaInputs(0), "k_bit must be an integer from 1 to 8. Received: 0"),
        (lambda: quantizers.WeightBases(2.0), "bases must be an integer"),
        (lambda: quantizers.ResidualSigns(True), "order must be an integer"),
        (lambda: quantizers.TernaryInputs(-1), "threshold must be at least 0"),
        (lambda: quantizers.TernaryInputs(t_clip=0), "t_clip must be above 0"),
        (lambda: quantizers.TrainedTernary(float("nan")), "threshold must be at least 0"),
    ],
)
def test_wrong_settings_are_refused(make, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


@pytest.mark.parametrize(
    "quantizer",
    [
        quantizers.SignSwish(10.0, trainable_beta=True),
        quantizers.ScaledSign(quantizers.SignSwish(7.0), "trained", "layer", True, "median"),
        quantizers.DoReFaInputs(3),
        quantizers.DoReFaWeights(1),
        quantizers.TernaryInputs(0.3, 0.5),
        quantizers.TrainedTernary(0.1),
        quantizers.WeightBases(4),
        quantizers.ActivationBases(3),
        quantizers.ResidualSigns(3, 0.5),
        quantizers.HTanh(),
    ],
    ids=lambda quantizer: type(quantizer).__name__,
)
def test_settings_survive_serialization(quantizer) -> None:
    again = keras.utils.deserialize_keras_object(keras.utils.serialize_keras_object(quantizer))
    assert type(again) is type(quantizer)
    assert again.get_config() == quantizer.get_config()
