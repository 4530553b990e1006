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
from tflbnn._keras import lq
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError


def test_parameters_are_larq_zoos() -> None:
    counted = imagenet_counts("bi_real_net18")
    assert counted.parameters + counted.moving_statistics == 11_699_112
    assert counted.binary_weights == 10_985_472
    assert counted.size_bytes == pytest.approx(networks.figures("bi_real_net18")[0].size_bytes, rel=0.002)
    assert counted.size_bytes * 8 == pytest.approx(33.6e6, rel=0.003)  # the paper's


def test_operations_are_those_of_the_layers() -> None:
    counted = imagenet_counts("bi_real_net18")
    # Later stages have half the side and twice the channels, but begin with half of these.
    assert counted.binary_macs == 56**2 * 9 * 64**2 * (4 + 3 * 3.5)
    shortcuts = 28**2 * 64 * 128 + 14**2 * 128 * 256 + 7**2 * 256 * 512
    assert counted.full_precision_macs == 112**2 * 49 * 3 * 64 + shortcuts + 512_000


def test_its_own_binarization_is_the_default() -> None:
    layer = small(networks.bi_real_net18).get_layer("stage1_block1_conv")
    assert isinstance(layer.input_quantizer, lq.quantizers.ApproxSign)
    assert isinstance(layer.kernel_quantizer, lq.quantizers.MagnitudeAwareSign)
    assert layer.kernel_quantizer.clip_value == layer.kernel_constraint.clip_value == 1


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
        networks.bi_real_net18(shape, 3, layers=tuple(layers), filters=tuple(filters[: len(layers)]), stem=stem)
    )
    assert y.shape == (3, 3)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("binarization", BINARIZATIONS, ids=repr)
def test_every_binarization_trains(binarization: Binarization) -> None:
    assert np.isfinite(loss_of_one_step(small(networks.bi_real_net18, binarization)))


def test_gradients_reach_every_weight() -> None:
    assert unmoved(small(networks.bi_real_net18)) == []


@pytest.mark.parametrize("binarization", [None, Binarization(), Binarization(pad_values=0, downsampling="binary")])
def test_inner_convolutions_become_binary_operations(binarization: Binarization | None) -> None:
    model = small(networks.bi_real_net18, binarization)
    loss_of_one_step(model)  # batch normalization is no identity any more
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == (4 if binarization and binarization.downsampling == "binary" else 3)
    assert all(became[name][-1] == "LceBconv2d" for name in inner)


def test_a_shortcut_goes_around_every_convolution() -> None:
    names = [layer.name for layer in small(networks.bi_real_net18).layers]
    assert [name for name in names if name.endswith("_add")] == [
        "stage1_block1_add",
        "stage1_block2_add",
        "stage2_block1_add",
    ]
    assert [name for name in names if "shortcut" in name] == [
        f"stage2_block1_shortcut_{part}" for part in ("pool", "conv", "norm")
    ]


@pytest.mark.parametrize(("knobs", "message"), WRONG_ARGUMENTS)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.bi_real_net18, **knobs)
