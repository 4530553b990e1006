"""Every kind of layer in random models: converted, nothing left in float, the same everywhere."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.converter.models import L, binary_conv, binary_dense, randomized
from tests.converter.random_layers import RandomModel, models
from tests.runtimes import LCE_SETTINGS, RefusedError, predict_lce
from tflbnn._keras import keras, lq
from tflbnn.converter import convert
from tflbnn.runtime import Model

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# A model takes a second: to make a failing one smaller takes longer than to look at it.
_PHASES = (Phase.explicit, Phase.generate)


def agree(network: RandomModel) -> None:
    """Keras against the reference kernels and the best ones (verification), and LCE's interpreter against these."""
    conversion = convert(network.model, samples=network.samples)
    found = conversion.report.verification
    # A depthwise layer stays float, and one whose sums are too short for planes, but not one of signs.
    left = [row for row in conversion.report.explain if row.left_in_float]
    assert not [row for row in left if "too short" not in row.why and "has no 1-bit operator" not in row.why]
    expected = Model(conversion.flatbuffer, kernel="reference").predict(network.samples)
    try:
        given = predict_lce(conversion.flatbuffer, network.samples, **LCE_SETTINGS["reference"])[0]
    except RefusedError as refusal:
        if "Zero-padding is only supported by the reference kernel with an even number" not in str(refusal):
            raise
        return  # a limit of LCE's, whoever wrote the file
    if found["ties"] == 0:  # where rounding turned a sign, it may have turned others there
        scale = max(1e-6, float(np.abs(expected).max()))
        assert np.abs(given - expected).max() <= max(1e-4, found["tolerance"]) * scale


@given(models())
@settings(max_examples=6, deadline=None, derandomize=True, phases=_PHASES, suppress_health_check=_CHECKS)
def test_some(network):
    agree(network)


@pytest.mark.long
@given(models())
@settings(max_examples=300, deadline=None, derandomize=True, phases=_PHASES, suppress_health_check=_CHECKS)
def test_300(network):
    agree(network)


def _transposed(kernel):
    signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    return lq.layers.QuantConv2DTranspose(5, kernel, strides=2, padding="same", **signs)


# What random models have found: the shape of the input, and the layers.
FOUND = {
    "a transposed layer of bits": ((6, 7, 17), [binary_conv(40), L.BatchNormalization(), _transposed(3)]),
    "a transposed layer of pooled bits": (
        (6, 7, 17),
        [binary_conv(40), L.BatchNormalization(), L.MaxPool2D(2), _transposed(3)],
    ),
    "a dense layer of bits": ((6, 7, 17), [binary_conv(40), L.BatchNormalization(), L.Flatten(), binary_dense(9)]),
    "rows of a sequence beside the samples": (
        (9, 33),
        [binary_dense(35), L.Flatten(), binary_dense(24, input_quantizer=lq.quantizers.DoReFa(2))],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    shape, layers = FOUND[name]
    keras.utils.set_random_seed(0)
    model = randomized(keras.Sequential([L.Input(shape), *layers, L.BatchNormalization()]))
    agree(RandomModel(model, np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32), ()))
