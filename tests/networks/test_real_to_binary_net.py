import numpy as np
import pytest

from tests.networks.residual_networks import imagenet_counts, small
from tflbnn import networks
from tflbnn._keras import keras
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


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"reduction": 0}, "reduction must be an integer of at least 1. Received: 0"),
        ({"reduction": 0.5}, "reduction must be an integer of at least 1. Received: 0.5"),
    ],
)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.real_to_binary_net, **knobs)
