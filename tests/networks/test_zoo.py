"""Every network, in its smallest form, trains a step, converts, verifies and runs on the delegate."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

from tests.networks.residual_networks import BINARIZATIONS, loss_of_one_step
from tests.networks.smallest import CLASSES, smallest
from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.binarization import Binarization
from tflbnn.converter import Conversion, convert
from tflbnn.runtime import Model

# What each of Larq's layers on 1-bit inputs and weights becomes.
OPERATORS = {"QuantConv2D": "LceBconv2d", "QuantDense": "LceBconv2d"}

# Those that detect are trained on boxes and have tests of their own.
CLASSIFIERS = [name for name in networks.NAMES if networks.task(name) == "classification"]

# A plain, a residual and a dense network of two stages each.
KINDS = {
    "lenet": {},
    "resnet18": {"blocks": (1, 1), "filters": (64, 64, 128), "stem": "cifar"},
    "binary_densenet": {},
}

# One quantizer beside the plain sign, and the float twin; all pairs are what takes minutes.
ONE_AT_A_TIME = [
    binarization
    for binarization in BINARIZATIONS
    if "ste_sign" in (binarization.input_quantizer, binarization.kernel_quantizer)
    or binarization == Binarization.float32()
]


@dataclasses.dataclass(frozen=True)
class Outcome:
    loss: float
    conversion: Conversion
    keras: np.ndarray
    delegate: np.ndarray
    one_sign: list[str]


_OUTCOMES: dict[str, Outcome] = {}


def outcome(model: keras.Model) -> Outcome:
    """Of training, converting and running; the same networks, as some are in their smallest form, are run once."""
    key = model.to_json()
    if key not in _OUTCOMES:
        loss = loss_of_one_step(model)  # batch normalization is no identity any more
        shift_norms(model)
        conversion = convert(model)
        images = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
        with Model(conversion.flatbuffer) as runtime:
            probabilities = runtime.predict(images)
        expected = model(images, training=False).numpy()
        _OUTCOMES[key] = Outcome(loss, conversion, expected, probabilities, one_sign(model))
    return _OUTCOMES[key]


def shift_norms(model: keras.Model) -> None:
    """Gives every BatchNorm offsets as long training does: sums of 0 with offsets of next to 0 have either sign."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign_add(rng.normal(scale=0.1, size=layer.beta.shape))


def one_sign(model: keras.Model) -> list[str]:
    """Binary layers whose inputs all have the same sign, from which they cannot tell one image from another."""
    inner = binary_layers(model)
    images = np.random.default_rng(0).normal(size=(8, *model.input_shape[1:])).astype(np.float32)
    inputs = keras.Model(model.input, [layer.input for layer in inner])(images, training=True)
    return [layer.name for layer, x in zip(inner, inputs, strict=True) if np.ptp(np.sign(x)) == 0]


def binary_layers(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if type(layer).__name__ in OPERATORS]


def check(model: keras.Model, binarization: Binarization) -> None:
    found = outcome(model)
    assert np.isfinite(found.loss)
    assert found.conversion.report.verification["verified"]
    assert found.delegate.shape == (2, CLASSES)
    np.testing.assert_allclose(found.delegate.sum(axis=1), 1, rtol=1e-5)
    # A sum of scaled signs may be 0 in exact arithmetic only, and then have either sign.
    if binarization.kernel_quantizer != "magnitude_aware_sign":
        np.testing.assert_allclose(found.delegate, found.keras, rtol=1e-3, atol=1e-5)
    if binarization.is_binary:
        became = {row.layer: row.operators for row in found.conversion.report.explain}
        inner = binary_layers(model)
        assert len(inner) > 1
        assert [la.name for la in inner if OPERATORS[type(la).__name__] not in became[la.name]] == []
        assert found.one_sign == []


def own_binarization(name: str) -> Binarization:
    return inspect.signature(networks.get(name)).parameters["binarization"].default


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_network_runs_in_its_smallest_form(name: str) -> None:
    check(smallest(name), own_binarization(name))


@pytest.mark.parametrize("binarization", ONE_AT_A_TIME, ids=repr)
@pytest.mark.parametrize("name", KINDS)
def test_every_binarization_runs_on_a_plain_a_residual_and_a_dense_network(
    name: str, binarization: Binarization
) -> None:
    check(smallest(name, binarization, **KINDS[name]), binarization)


@pytest.mark.long
@pytest.mark.parametrize("binarization", BINARIZATIONS, ids=repr)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_network_runs_with_every_binarization(name: str, binarization: Binarization) -> None:
    check(smallest(name, binarization), binarization)
