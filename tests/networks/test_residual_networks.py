"""What all networks with one convolution a shortcut do."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.residual_networks import (
    BINARIZATIONS,
    RESIDUAL_NETWORKS,
    WRONG_ARGUMENTS,
    loss_of_one_step,
    operators,
    probabilities,
    small,
    unmoved,
)
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError

# Each binarization with one of the networks; the full product is among the long tests.
IN_TURN = list(zip(itertools.cycle(RESIDUAL_NETWORKS), BINARIZATIONS))


@pytest.mark.parametrize("name", RESIDUAL_NETWORKS)
@settings(deadline=None, max_examples=3)
@given(
    layers=st.lists(st.integers(1, 2), min_size=1, max_size=3),
    filters=st.lists(st.sampled_from([1, 8, 33]), min_size=3, max_size=3),
    stem=st.sampled_from(["cifar", "imagenet"]),
    channels=st.sampled_from([1, 3]),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_any_network_gives_probabilities(name, layers, filters, stem, channels, extra) -> None:
    smallest = (4 if stem == "imagenet" else 1) * 2 ** (len(layers) - 1)
    shape = (smallest + extra[0], smallest + extra[1], channels)
    filters = filters[: len(layers)]
    if name == "quicknet":
        filters[0] *= 4
    y = probabilities(networks.get(name)(shape, 3, layers=tuple(layers), filters=tuple(filters), stem=stem))
    assert y.shape == (3, 3)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("name", "binarization"), IN_TURN, ids=repr)
def test_every_binarization_trains(name: str, binarization: Binarization) -> None:
    assert np.isfinite(loss_of_one_step(small(networks.get(name), binarization)))


@pytest.mark.parametrize("name", RESIDUAL_NETWORKS)
def test_gradients_reach_every_weight(name: str) -> None:
    assert unmoved(small(networks.get(name), filters=(16, 32))) == []


@pytest.mark.parametrize("binarization", [None, Binarization(pad_values=0, downsampling="binary")])
@pytest.mark.parametrize("name", [*RESIDUAL_NETWORKS, "quicknet_small", "quicknet_large", "resnet_e34"])
def test_inner_convolutions_become_binary_operations(name: str, binarization: Binarization | None) -> None:
    model = small(networks.get(name), binarization)
    loss_of_one_step(model)  # batch normalization is no identity any more
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == (4 if binarization else 3)
    assert all(became[name][-1] == "LceBconv2d" for name in inner)


@pytest.mark.parametrize("name", RESIDUAL_NETWORKS)
def test_the_width_multiplies_every_stage(name: str) -> None:
    model = small(networks.get(name), filters=(16, 40), width=0.5)
    assert [model.get_layer(f"stage{stage}_block1_conv").filters for stage in (1, 2)] == [8, 20]
    again = small(networks.get(name), filters=(8, 20))
    assert [tuple(w.shape) for w in model.weights] == [tuple(w.shape) for w in again.weights]


@pytest.mark.parametrize("name", RESIDUAL_NETWORKS)
def test_a_saved_network_is_the_same_network(name: str, tmp_path) -> None:
    model = small(networks.get(name))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(probabilities(again), probabilities(model))


@pytest.mark.parametrize(("knobs", "message"), WRONG_ARGUMENTS)
@pytest.mark.parametrize("name", RESIDUAL_NETWORKS)
def test_wrong_arguments_are_named(name: str, knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.get(name), **knobs)
