import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.residual_networks import (
    BINARIZATIONS,
    WRONG_ARGUMENTS,
    imagenet_counts,
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


def test_parameters_are_larq_zoos() -> None:
    counted = imagenet_counts("real_to_binary_net")
    assert counted.parameters + counted.moving_statistics == 11_995_624
    assert counted.binary_weights == 10_985_472
    assert counted.size_bytes == pytest.approx(networks.figures("real_to_binary_net")[0].size_bytes, rel=0.001)


def test_operations_are_those_of_the_layers() -> None:
    counted = imagenet_counts("real_to_binary_net")
    plain = imagenet_counts("bi_real_net18")
    inputs = [64] * 5 + [128] * 4 + [256] * 4 + [512] * 3
    outputs = [*inputs[1:], 512]
    scales = sum(a // 8 * (a + b) for a, b in zip(inputs, outputs, strict=True))
    assert counted.binary_macs == plain.binary_macs
    assert counted.full_precision_macs == plain.full_precision_macs + scales


@pytest.mark.parametrize("reduction", [1, 3, 8, 100])
def test_the_reduction_decides_the_hidden_units(reduction: int) -> None:
    model = small(networks.real_to_binary_net, reduction=reduction)
    hidden = [model.get_layer(f"stage{stage}_block1_scale_reduce").units for stage in (1, 2)]
    assert hidden == [max(1, 8 // reduction)] * 2


def test_scales_come_from_the_input_before_its_sign() -> None:
    model = small(networks.real_to_binary_net)
    name = "stage2_block1"
    scales, norm, conv, scaled = (
        model.get_layer(f"{name}_{part}").output for part in ("scale_shape", "norm", "conv", "scale")
    )
    parts = keras.Model(model.input, [norm, scales, conv, scaled])
    norm, scales, conv, scaled = parts(np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32))
    reduce, expand = (model.get_layer(f"{name}_scale_{part}").kernel.numpy() for part in ("reduce", "expand"))
    hidden = np.maximum(norm.numpy().mean(axis=(1, 2)) @ reduce, 0)
    expected = 1 / (1 + np.exp(-hidden @ expand))
    np.testing.assert_allclose(scales[:, 0, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(scaled, conv * expected[:, None, None], rtol=1e-5, atol=1e-5)


@settings(deadline=None, max_examples=6)
@given(
    layers=st.lists(st.integers(1, 2), min_size=1, max_size=3),
    filters=st.lists(st.sampled_from([1, 8, 33]), min_size=3, max_size=3),
    stem=st.sampled_from(["cifar", "imagenet"]),
    channels=st.sampled_from([1, 3]),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_any_network_gives_probabilities(layers, filters, stem, channels, extra) -> None:
    smallest = (4 if stem == "imagenet" else 1) * 2 ** (len(layers) - 1)
    shape = (smallest + extra[0], smallest + extra[1], channels)
    y = probabilities(
        networks.real_to_binary_net(shape, 3, layers=tuple(layers), filters=tuple(filters[: len(layers)]), stem=stem)
    )
    assert y.shape == (3, 3)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("binarization", BINARIZATIONS, ids=repr)
def test_every_binarization_trains(binarization: Binarization) -> None:
    assert np.isfinite(loss_of_one_step(small(networks.real_to_binary_net, binarization)))


def test_gradients_reach_every_weight() -> None:
    assert unmoved(small(networks.real_to_binary_net, filters=(16, 32))) == []


@pytest.mark.parametrize("binarization", [None, Binarization(pad_values=0, downsampling="binary")])
def test_inner_convolutions_become_binary_operations(binarization: Binarization | None) -> None:
    model = small(networks.real_to_binary_net, binarization)
    loss_of_one_step(model)  # batch normalization is no identity any more
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == (4 if binarization else 3)
    assert all(became[name][-1] == "LceBconv2d" for name in inner)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        *WRONG_ARGUMENTS,
        ({"reduction": 0}, "reduction must be an integer of at least 1. Received: 0"),
        ({"reduction": 0.5}, "reduction must be an integer of at least 1. Received: 0.5"),
    ],
)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.real_to_binary_net, **knobs)
