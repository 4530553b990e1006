import numpy as np
import pytest

from tests.networks.residual_networks import BINARIZATIONS, loss_of_one_step, operators, unmoved
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.analysis.counts import counts
from tflbnn.binarization import Binarization


def small(binarization: Binarization | None = None, **knobs) -> keras.Model:
    keras.utils.set_random_seed(1)
    arguments = {"input_shape": (8, 8, 3), "classes": 3, "layers": (2, 1), "growth_rate": 8, "first_filters": 16}
    if binarization is not None:
        arguments["binarization"] = binarization
    return networks.meliusnet22(**{**arguments, "reduction": (2,), "stem": "cifar", **knobs})


def test_meliusnet22_is_larq_zoos() -> None:
    model = networks.meliusnet22((224, 224, 3))
    counted = counts(model)
    assert counted.parameters == 6_944_584
    assert [model.get_layer(f"transition{index}_conv").filters for index in (1, 2, 3)] == [160, 224, 256]
    # Published without the classifier.
    assert counted.full_precision_macs - 512_000 + counted.binary_macs / 64 == pytest.approx(2.08e8, abs=0.005e8)


def test_an_improvement_block_changes_the_newest_channels_only() -> None:
    model = small()
    tensors = [
        model.get_layer("stage1_layer1_concat").output,
        model.get_layer("stage1_improvement1_add").output,
        model.get_layer("stage1_improvement1_conv").output,
    ]
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    before, after, added = keras.Model(model.input, tensors)(images)
    assert before.shape == after.shape == (2, 8, 8, 24)
    np.testing.assert_array_equal(after[..., :16], before[..., :16])
    np.testing.assert_array_equal(after[..., 16:], before[..., 16:] + added)


@pytest.mark.parametrize("binarization", BINARIZATIONS[-5:], ids=repr)
def test_every_way_to_binarize_trains(binarization: Binarization) -> None:
    assert np.isfinite(loss_of_one_step(small(binarization)))


def test_gradients_reach_every_weight() -> None:
    assert unmoved(small(growth_rate=16)) == []


@pytest.mark.parametrize("stem", ["cifar", "imagenet", "grouped"])
def test_inner_convolutions_become_binary_operations(stem: str) -> None:
    model = small(stem=stem)
    loss_of_one_step(model)
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == 6
    assert all(became[name][-1] == "LceBconv2d" for name in inner)
