import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tflbnn import quantizers
from tflbnn._keras import keras, lq, tf
from tflbnn.binarization import QUANTIZERS, Binarization
from tflbnn.errors import UserError

# TensorFlow may take subnormal numbers for zero, whose sign is +1.
numbers = st.floats(allow_nan=False, width=32, allow_subnormal=False)
arrays = hnp.arrays(np.float32, hnp.array_shapes(min_dims=1, max_dims=4, max_side=5), elements=numbers)
clips = st.floats(0.0625, 8, width=32)


def gradient(quantizer, x: np.ndarray, upstream: np.ndarray | None = None) -> np.ndarray:
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quantizer(x)
    return tape.gradient(y, x, output_gradients=None if upstream is None else tf.constant(upstream)).numpy()


@settings(deadline=None)
@given(arrays, clips)
def test_ste_sign_gives_plus_and_minus_one(x: np.ndarray, t_clip: float) -> None:
    y = quantizers.SteSign(t_clip)(x).numpy()
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, np.where(x >= 0, 1, -1))


@settings(deadline=None)
@given(arrays, clips, st.floats(-4, 4, width=32))
def test_ste_sign_passes_the_gradient_inside_its_window(x: np.ndarray, t_clip: float, scale: float) -> None:
    upstream = np.full_like(x, scale)
    expected = np.where(np.abs(x) <= t_clip, upstream, 0)
    np.testing.assert_array_equal(gradient(quantizers.SteSign(t_clip), x, upstream), expected)


@settings(deadline=None)
@given(clips)
def test_both_ends_of_the_window_belong_to_it(t_clip: float) -> None:
    edge = np.float32(t_clip)
    x = np.array([-edge, edge, np.nextafter(edge, np.float32(np.inf)), np.nextafter(-edge, np.float32(-np.inf))])
    np.testing.assert_array_equal(gradient(quantizers.SteSign(t_clip), x), [1, 1, 0, 0])


def test_zero_of_either_sign_is_plus_one() -> None:
    np.testing.assert_array_equal(quantizers.SteSign()(np.array([0.0, -0.0], np.float32)), [1, 1])


def test_nan_stays_nan_and_passes_no_gradient() -> None:
    x = np.array([np.nan, 1.0], np.float32)
    np.testing.assert_array_equal(quantizers.SteSign()(x), x)
    np.testing.assert_array_equal(gradient(quantizers.SteSign(), x), [0, 1])


@settings(deadline=None)
@given(arrays, st.floats(-4, 4, width=32))
def test_approx_sign_is_the_papers_triangle(x: np.ndarray, scale: float) -> None:
    quantizer = quantizers.ApproxSign()
    np.testing.assert_array_equal(quantizer(x), np.where(x >= 0, 1, -1))
    inside = np.abs(x) <= 1
    expected = np.where(inside, (2 - 2 * np.abs(np.where(inside, x, 0).astype(np.float64))) * scale, 0)
    np.testing.assert_allclose(gradient(quantizer, x, np.full_like(x, scale)), expected, rtol=1e-5, atol=1e-5)


@settings(deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=5),
        elements=st.floats(-4, 4, width=32, allow_subnormal=False),
    ),
    clips,
)
def test_magnitude_aware_sign_scales_each_filter_by_its_mean(w: np.ndarray, t_clip: float) -> None:
    quantizer = quantizers.MagnitudeAwareSign(t_clip)
    alpha = np.abs(w, dtype=np.float64).mean(axis=tuple(range(w.ndim - 1)))
    signs = np.where(w >= 0, 1, -1)
    np.testing.assert_allclose(quantizer(w), alpha * signs, rtol=1e-5, atol=1e-30)
    inside = np.abs(w) <= t_clip
    np.testing.assert_allclose(gradient(quantizer, w), np.where(inside, alpha, 0), rtol=1e-5, atol=1e-30)


def test_infinities_are_large_numbers() -> None:
    x = np.array([-np.inf, np.inf], np.float32)
    np.testing.assert_array_equal(quantizers.SteSign()(x), [-1, 1])
    np.testing.assert_array_equal(gradient(quantizers.SteSign(), x), [0, 0])


@pytest.mark.parametrize("t_clip", [0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("kind", [quantizers.SteSign, quantizers.MagnitudeAwareSign])
def test_t_clip_is_above_0(kind: type, t_clip: float) -> None:
    with pytest.raises(UserError, match="t_clip must be above 0"):
        kind(t_clip)


@pytest.mark.parametrize("kind", [quantizers.SteSign, quantizers.MagnitudeAwareSign])
@settings(deadline=None)
@given(t_clip=clips)
def test_t_clip_survives_serialization(kind: type, t_clip: float) -> None:
    quantizer = kind(t_clip)
    for again in (
        lq.quantizers.get(lq.quantizers.serialize(quantizer)),
        kind.from_config(quantizer.get_config()),
    ):
        assert type(again) is kind
        assert again.clip_value == t_clip


def test_ste_sign_has_a_name_of_its_own() -> None:
    layer = lq.layers.QuantDense(4, input_quantizer="tflbnn>SteSign")
    assert type(layer.input_quantizer) is quantizers.SteSign
    assert type(lq.quantizers.get("ste_sign")) is lq.quantizers.SteSign


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize(
    "binarization",
    [
        Binarization(t_clip=0.7),
        Binarization("approx_sign", "magnitude_aware_sign", t_clip=0.7),
        Binarization.float32(),
    ],
)
def test_models_are_saved_and_loaded(binarization: Binarization, suffix: str, tmp_path) -> None:
    from tflbnn import layers

    model = keras.Sequential([keras.Input((5, 5, 3)), layers.conv2d(binarization, 4, 3)])
    model.save(tmp_path / f"model{suffix}")
    again = keras.models.load_model(tmp_path / f"model{suffix}")
    x = np.random.default_rng(0).normal(size=(3, 5, 5, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(x), model(x))
    np.testing.assert_array_equal(gradient(again, x), gradient(model, x))


@pytest.mark.parametrize(("name", "side"), [(name, side) for name in QUANTIZERS for side in QUANTIZERS[name].quantizes])
def test_the_declared_facts_hold(name: str, side: str) -> None:
    facts = QUANTIZERS[name]
    field = "input_quantizer" if side == "inputs" else "kernel_quantizer"
    quantizer = quantizers.build(Binarization(**{field: name}, t_clip=0.5, input_bits=3, kernel_bits=3), side)
    assert quantizers.bits(quantizer) == (3 if facts.bits is None else facts.bits)
    x = np.random.default_rng(0).normal(size=(10, 1000)).astype(np.float32)
    if facts.bits == 1:
        assert set(np.unique(np.sign(quantizer(x)))) == {-1.0, 1.0}
    elif facts.bits != 32:
        values = quantizer(x).numpy()
        rows = values if name == "horq" else values.reshape(1, -1)  # levels of its own for each example
        # Equal levels may be rounded differently.
        assert all(2 <= len(np.unique(row.round(4))) <= 2 ** quantizers.bits(quantizer) for row in rows)
    arguments = (facts.inputs if side == "inputs" else facts.weights).arguments
    if "t_clip" in arguments:
        assert getattr(quantizer, "clip_value", getattr(quantizer, "t_clip", None)) == 0.5


@pytest.mark.parametrize(
    ("quantizer", "bits"),
    [
        (None, 32),
        (lq.quantizers.SteSign(), 1),
        (lq.quantizers.ApproxSign(), 1),
        (lq.quantizers.SteTern(), 2),
        (lq.quantizers.DoReFa(3), 3),
        (lq.quantizers.NoOp(1), 32),
    ],
)
def test_bits_of_larqs_quantizers(quantizer, bits: int) -> None:
    assert quantizers.bits(quantizer) == bits
