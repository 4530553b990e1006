"""LeNet, AlexNet, InceptionBN, VGG and Network-in-Network, and what BNN+ and BENN have of their own."""

import numpy as np
import pytest

from tests.networks.counted import counted
from tests.networks.residual_networks import probabilities, unmoved
from tests.networks.smallest import smallest, smallest_input
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError

NAMES = ["lenet", "alexnet", "inception_bn", "bnnplus_alexnet", "bnnplus_vgg", "benn_nin", "benn_alexnet"]

FLOAT = Binarization.float32()


def test_resnet18_is_everybodys() -> None:
    for name in ("bnnplus_resnet18", "benn_resnet18"):
        assert counted(name).parameters == 11_689_512


def test_operations_of_alexnet_are_those_of_its_layers() -> None:
    found = counted("alexnet")
    convolutions = 27**2 * 25 * 96 * 256 + 13**2 * 9 * (256 * 384 + 384 * 384 + 384 * 256)
    assert found.binary_macs == convolutions + 9216 * 4096 + 4096 * 4096
    assert found.full_precision_macs == 56**2 * 121 * 3 * 96 + 4_096_000
    halves = counted("alexnet", groups=2)
    assert halves.binary_macs == found.binary_macs - 27**2 * 25 * 96 * 128 - 13**2 * 9 * (384 * 192 + 384 * 128)


def test_sizes_of_alexnet_in_groups_are_nearer_the_papers() -> None:
    assert counted("alexnet", groups=2).size_bytes / 2**20 == pytest.approx(22.6, abs=0.05)
    assert counted("alexnet", binarization=FLOAT, groups=2).size_bytes / 2**20 == pytest.approx(232.6, abs=0.05)


def test_projections_behind_poolings_decide_the_size_of_inception_bn() -> None:
    binary = counted("inception_bn", binarization=Binarization(downsampling="binary"))
    mixed = counted("inception_bn")
    assert mixed.size_bytes - binary.size_bytes == 587_776 * (4 - 1 / 8)
    assert binary.size_bytes == pytest.approx(5.5e6, abs=5e4)


def test_table_8() -> None:
    rows = {row.name: row for row in counted("benn_nin", (32, 32, 3), 10).layers}
    sides = [rows[f"conv{number}"].output_shape[0] for number in range(1, 8)]
    channels = [rows[f"conv{number}"].output_shape[-1] for number in range(1, 8)]
    assert sides == [32, 32, 16, 16, 8, 8, 8]
    assert channels == [192, 96, 192, 192, 192, 192, 192]
    pools = [name for name, row in rows.items() if "Pooling" in row.type]
    assert pools == ["pool2", "pool4", "head_pool"]
    assert [name for name, row in rows.items() if row.type == "Dropout"] == [f"conv{n}_dropout" for n in (2, 3, 4, 5)]


def test_table_9() -> None:
    rows = {row.name: row for row in counted("benn_alexnet", (227, 227, 3)).layers}
    sides = [rows[name].output_shape[0] for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "conv5", "pool5")]
    assert sides == [55, 27, 27, 13, 13, 13, 6]
    assert rows["flatten"].output_shape == (9216,)
    assert [name for name, row in rows.items() if row.type == "Dropout"] == ["dense6_dropout", "dense7_dropout"]


def test_table_10() -> None:
    rows = [row for row in counted("benn_resnet18").layers if "Conv2D" in row.type]
    depths = [row.output_shape[-1] for row in rows]
    assert depths == [64] * 5 + [128] * 5 + [256] * 5 + [512] * 5
    projections = [row for row in rows if row.name.endswith("shortcut_conv")]
    assert [row.output_shape for row in projections] == [(28, 28, 128), (14, 14, 256), (7, 7, 512)]


@pytest.mark.parametrize(("width", "share"), [(0.5, 0.25), (0.1, 0.01)])
@pytest.mark.parametrize("name", ["benn_nin", "benn_alexnet", "benn_resnet18"])
def test_tiny_and_nano_have_the_share_of_the_parameters_of_table_2(name: str, width: float, share: float) -> None:
    shape = (67, 67, 3) if name == "benn_alexnet" else (32, 32, 3)
    whole, less = counted(name, shape, 10), counted(name, shape, 10, width=width)
    assert less.binary_weights / whole.binary_weights == pytest.approx(share, rel=0.06)


def test_vgg_pools_after_every_second_convolution() -> None:
    rows = {row.name: row for row in counted("bnnplus_vgg", (32, 32, 3), 10).layers}
    sides = [rows[f"conv{number}"].output_shape[0] for number in range(1, 7)]
    assert sides == [32, 32, 16, 16, 8, 8]
    assert rows["flatten"].output_shape == (4 * 4 * 1024,)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_and_the_last_layer_stay_full_precision(name: str) -> None:
    model = smallest(name)
    multiply = [layer for layer in model.layers if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))]
    kinds = [type(layer) for layer in multiply]
    assert (kinds[0], kinds[-1]) == (keras.layers.Conv2D, keras.layers.Dense)
    inner = {lq.layers.QuantConv2D, lq.layers.QuantDense}
    projections = [layer for layer in multiply[1:-1] if type(layer) not in inner]
    assert len(projections) == (8 if name == "inception_bn" else 0)


@pytest.mark.parametrize("name", ["lenet", "alexnet", "bnnplus_vgg", "benn_nin", "benn_resnet18"])
def test_gradients_reach_every_weight(name: str) -> None:
    assert unmoved(smallest(name, Binarization(), width=0.15)) == []


@pytest.mark.parametrize("name", NAMES)
def test_odd_images_of_one_channel(name: str) -> None:
    side = smallest_input(name)[0]
    y = probabilities(networks.get(name)((side, side + 3, 1), 2, Binarization(last="binary"), width=0.05))
    assert y.shape == (3, 2)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "side", "knobs"),
    [
        ("lenet", 16, {}),
        ("alexnet", 57, {}),
        ("alexnet", 15, {"stem": "cifar"}),
        ("bnnplus_alexnet", 15, {"stem": "cifar"}),
        ("inception_bn", 8, {"stem": "cifar"}),
        ("bnnplus_vgg", 8, {}),
        ("benn_nin", 4, {}),
        ("benn_alexnet", 67, {}),
    ],
)
def test_an_image_has_a_smallest_size(name: str, side: int, knobs: dict) -> None:
    builder = networks.get(name)
    assert builder((side, side, 3), 2, width=0.05, **knobs).output_shape == (None, 2)
    for shape in [(side - 1, side, 3), (side, side - 1, 3)]:
        with pytest.raises(UserError, match=rf"at least {side}×{side} pixels.*Received: .* Use {side}×{side}"):
            builder(shape, 2, **knobs)


def test_a_twentieth_of_the_channels_leaves_one_at_least() -> None:
    model = smallest("benn_nin", width=0.001)
    assert {layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)} == {1}


@pytest.mark.parametrize(
    ("name", "knobs", "message"),
    [
        ("alexnet", {"groups": 5}, "groups=5 must divide every number of filters. Received: 96. Use 95, or groups=1"),
        ("bnnplus_alexnet", {"groups": 0}, "groups must be an integer of at least 1. Received: 0"),
        ("alexnet", {"filters": (8, 8)}, r"filters \(one a convolution\) must hold 5 numbers. Received: 2"),
        ("alexnet", {"units": (8, 0)}, "every number of units must be an integer of at least 1. Received: 0"),
        ("alexnet", {"stem": "cifr"}, "stem must be one of cifar, imagenet.*Did you mean 'cifar'"),
        ("benn_nin", {"dropout": 1}, "dropout must be below 1. Received: 1"),
        ("benn_alexnet", {"dropout": -0.1}, "dropout must be a number of at least 0. Received: -0.1"),
        ("benn_nin", {"filters": (8,) * 6}, "must hold 7 numbers. Received: 6 .* Add 1"),
        ("lenet", {"units": 0}, "units must be an integer of at least 1. Received: 0"),
        ("lenet", {"width": float("nan")}, "width .* must be a number of at least 0. Received: nan"),
        ("lenet", {"classes": 1}, "classes must be an integer of at least 2. Received: 1"),
        ("bnnplus_vgg", {"filters": 64}, "filters .* must be a list of numbers. Received: 64"),
        ("benn_resnet18", {"filters": (8,)}, r"filters \(one number a stage\) must hold 4 numbers. Received: 1"),
        (
            "bnnplus_resnet18",
            {"blocks": (1, 0)},
            "every number of blocks must be an integer of at least 1. Received: 0",
        ),
        ("inception_bn", {"width": 0}, "width .* must be above 0. Received: 0"),
        ("inception_bn", {"input_shape": (64, 64)}, "input_shape must hold 3 numbers. Received: 2"),
    ],
)
def test_wrong_arguments_are_named(name: str, knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        networks.get(name)(**{"input_shape": (224, 224, 3), "classes": 10, **knobs})


def test_groups_survive_the_multiplier() -> None:
    model = smallest("alexnet", groups=2)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [10, 26, 38, 38, 26]
    assert [layer.groups for layer in convolutions] == [1, 2, 1, 2, 2]
