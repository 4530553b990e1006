"""Weights as sums of planes, and activations as sums of signs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn import quantizers
from tflbnn._keras import tf
from tflbnn.converter.passes.report import NoMatchError
from tflbnn.converter.planes import MOST_PLANES, planes_of


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(48, 90), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_planes_add_up_to_the_weights(seed, filters, products, values):
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=(filters, values)).astype(np.float32)
    weights = np.take_along_axis(levels, rng.integers(0, values, (filters, products)), 1)
    planes = planes_of(weights)
    assert len(planes.negative) <= MOST_PLANES
    np.testing.assert_allclose(planes.weights(), weights, atol=1e-5 * np.abs(weights).max())


@pytest.mark.parametrize(
    ("quantizer", "count", "offset"),
    [
        (quantizers.SteSign(), 1, False),
        (quantizers.MagnitudeAwareSign(), 1, False),
        (quantizers.DoReFaWeights(1), 1, False),
        (quantizers.DoReFaWeights(2), 2, False),
        (quantizers.DoReFaWeights(3), 3, False),
        (quantizers.DoReFaWeights(4), 4, False),
        (quantizers.WeightBases(2), 2, False),
        (quantizers.WeightBases(5), 5, False),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_quantizer_takes_as_many_planes_as_bits(quantizer, count, offset):
    rng = np.random.default_rng(0)
    kernel = quantizer(tf.constant(rng.normal(size=(3, 3, 16, 32)).astype(np.float32))).numpy()
    # What a BatchNorm that is folded in does to it.
    weights = np.moveaxis(kernel * rng.normal(size=32).astype(np.float32), -1, 0)
    planes = planes_of(weights)
    assert len(planes.negative) == count
    assert np.abs(planes.offset).max() < 1e-5 * np.abs(weights).max() or offset
    np.testing.assert_allclose(planes.weights(), weights, atol=1e-5 * np.abs(weights).max())


def test_trained_ternary_weights_take_two_planes_and_an_offset():
    weights = np.random.default_rng(0).choice(np.float32([-0.3, 0, 1.7]), (8, 50))
    planes = planes_of(weights)
    assert len(planes.negative) == 2
    np.testing.assert_allclose(planes.offset, 0.7, rtol=1e-6)
    np.testing.assert_allclose(planes.weights(), weights, atol=1e-6)


def test_floats_are_no_planes():
    with pytest.raises(NoMatchError, match="more than 16 values"):
        planes_of(np.random.default_rng(0).normal(size=(64, 576)).astype(np.float32))
    with pytest.raises(NoMatchError, match="not finite"):
        planes_of(np.float32([[np.nan, 1, -1]]))


def test_short_sums_are_left_alone():
    with pytest.raises(NoMatchError, match="sums of 15 products are too short for 2 planes"):
        planes_of(np.random.default_rng(0).choice(np.float32([-1, 0, 1]), (8, 15)))


def test_weights_of_0():
    planes = planes_of(np.zeros((3, 5), np.float32))
    assert not planes.weights().any()


def test_nearly_equal_magnitudes_are_not_made_equal() -> None:
    weights = np.tile(np.float32([-0.94424576, 0.9442559]), (3, 32))
    np.testing.assert_allclose(planes_of(weights).weights(), weights, rtol=2.0**-20)


def test_values_that_cancel_to_rounding_are_left_alone() -> None:
    weights = np.tile(np.float32([-0.5, 0.5]), (2, 64))
    weights[1, :3] = 4e5, -4e5, 4e5
    with pytest.raises(NoMatchError, match="further apart"):
        planes_of(weights)
