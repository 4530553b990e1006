"""Preactivation residual networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.counted import counted
from tests.networks.residual_networks import probabilities, unmoved
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError

# One of each kind of block; the others differ in their defaults only.
NAMES = ["resnet18", "resnet26_bottleneck"]


def small(name: str = "resnet18", binarization: Binarization | None = None, **knobs) -> keras.Model:
    keras.utils.set_random_seed(1)
    arguments = {"input_shape": (8, 8, 3), "classes": 3, "blocks": (2, 1), "filters": (8, 8, 16), "stem": "cifar"}
    if binarization is not None:
        arguments["binarization"] = binarization
    return networks.get(name)(**{**arguments, **knobs})


def test_parameters_are_those_of_the_layers() -> None:
    found = counted("resnet18")
    stages = [(64, 64), (64, 128), (128, 256), (256, 512)]
    units = sum(9 * a * b + 3 * 9 * b * b + a * b + 2 * (a + 3 * b) for a, b in stages)
    assert found.parameters == 2 * 3 + 49 * 3 * 64 + 2 * 64 + units + 2 * 512 + 513_000 == 11_691_950


def test_biases_make_up_for_what_resnet34_wide_comes_short_of() -> None:
    blocks, widths = (3, 4, 6, 3), (128, 256, 512, 1024)
    convolutions = sum(2 * depth * width for depth, width in zip(blocks, widths, strict=True))
    assert counted("resnet34_wide").parameters + convolutions + sum(widths[1:]) == 86_049_198


def test_operations_are_those_of_the_layers() -> None:
    found = counted("resnet18")
    # Later stages have half the side and twice the channels, but begin with half of these.
    shortcuts = 56**2 * 64 * 64 + 28**2 * 64 * 128 + 14**2 * 128 * 256 + 7**2 * 256 * 512
    assert found.binary_macs == 56**2 * 9 * 64**2 * (4 + 3 * 3.5) + shortcuts
    assert found.full_precision_macs == 112**2 * 49 * 3 * 64 + 512_000


def test_full_precision_shortcuts_take_their_bits() -> None:
    weights = 64 * 64 + 64 * 128 + 128 * 256 + 256 * 512
    binary, mixed = counted("resnet18"), counted("resnet18", binarization=Binarization(downsampling="float32"))
    assert mixed.binary_weights == binary.binary_weights - weights
    assert mixed.size_bytes == binary.size_bytes + weights * (4 - 1 / 8)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_block_of_every_stage_has_a_projection(name: str) -> None:
    names = [layer.name for layer in small(name).layers]
    assert [name for name in names if name.endswith("shortcut")] == [
        "stage1_block1_shortcut",
        "stage2_block1_shortcut",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_convolution_follows_a_batch_normalization(name: str) -> None:
    model = small(name)
    before = [
        type(layer.inbound_nodes[0].inbound_layers)
        for layer in model.layers
        if isinstance(layer, lq.layers.QuantConv2D)
    ]
    assert len(before) == (11 if name == "resnet26_bottleneck" else 8)
    assert set(before) == {keras.layers.BatchNormalization}


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_weight(name: str) -> None:
    assert unmoved(small(name, Binarization(t_clip=1.3, downsampling="binary"), filters=(8, 16, 32))) == []


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=4)
@given(
    blocks=st.lists(st.integers(1, 2), min_size=1, max_size=3),
    filters=st.lists(st.sampled_from([1, 8, 33]), min_size=4, max_size=4),
    stem=st.sampled_from(["cifar", "imagenet"]),
    channels=st.sampled_from([1, 3]),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    downsampling=st.sampled_from(["binary", "float32"]),
)
def test_any_network_gives_probabilities(name, blocks, filters, stem, channels, extra, downsampling) -> None:
    smallest = (4 if stem == "imagenet" else 1) * 2 ** (len(blocks) - 1)
    y = probabilities(
        networks.get(name)(
            (smallest + extra[0], smallest + extra[1], channels),
            3,
            Binarization(downsampling=downsampling),
            blocks=tuple(blocks),
            filters=tuple(filters[: len(blocks) + 1]),
            stem=stem,
        )
    )
    assert y.shape == (3, 3)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"blocks": ()}, "blocks must hold at least one number"),
        ({"blocks": (1, 0)}, "every number of blocks must be an integer of at least 1. Received: 0"),
        ({"filters": (8, 8)}, r"filters \(the stem's, then one a stage\) must hold 3 numbers. Received: 2 .* Add 1"),
        ({"filters": (8, 8, -8)}, "every number of filters must be an integer of at least 1. Received: -8. Use 1"),
        ({"width": 0}, "width .* must be above 0. Received: 0. Use 0.1 or more"),
        ({"stem": "imgenet"}, "stem must be one of cifar, imagenet. Received: 'imgenet'. Did you mean 'imagenet'"),
        ({"classes": 1}, "classes must be an integer of at least 2. Received: 1"),
        ({"input_shape": (32, 32)}, "input_shape must hold 3 numbers. Received: 2"),
        ({"input_shape": (8, 7, 3), "stem": "imagenet"}, "at least 8×8 pixels.*Received: 8×7. Use 8×8"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments_are_named(name: str, knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(name, **knobs)
