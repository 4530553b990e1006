import numpy as np
import pytest

from tests.networks.residual_networks import BINARIZATIONS, loss_of_one_step, operators, unmoved
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.analysis.counts import Counts, counts
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError


def imagenet_counts(name: str, **knobs) -> Counts:
    return counts(networks.get(name)((224, 224, 3), **knobs))


def small(name: str, binarization: Binarization | None = None, **knobs) -> keras.Model:
    keras.utils.set_random_seed(1)
    arguments = {"input_shape": (6, 6, 3), "classes": 3, "layers": (2, 1), "growth_rate": 8, "reduction": (1.5,)}
    if binarization is not None:
        arguments["binarization"] = binarization
    return networks.get(name)(**{**arguments, "stem": "cifar", **knobs})


def test_densenet21_of_table_4_has_its_parameters_exactly() -> None:
    figure = next(figure for figure in networks.figures("densenet21") if figure.parameters)
    counted = imagenet_counts("densenet21", **figure.knobs)
    assert counted.parameters == figure.parameters == 11_498_086
    assert 4 * counted.parameters == pytest.approx(figure.size_bytes, rel=0.004)
    stem, convolutions = 6 + 49 * 3 * 280 + 2 * 280, 9 * 140 * sum(range(280, 1261, 140))
    transitions = 560**2 + 840**2 + 1120**2
    norms = 2 * (280 + 420 + 560 + 560 + 700 + 840 + 840 + 980 + 1120 + 1120 + 1260 + 1400)
    assert (stem, convolutions, transitions, norms) == (41_726, 7_761_600, 2_273_600, 20_160)
    assert counted.binary_weights == convolutions + transitions


@pytest.mark.parametrize(("name", "b"), [("densenet21", 2), ("densenet69", 8)])
def test_layers_are_8_b_and_5(name: str, b: int) -> None:
    model = networks.get(name)((32, 32, 3), width=1.0 if b == 2 else 0.25)
    inner = [layer for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert [layer.kernel_size for layer in inner].count((3, 3)) == 8 * b
    assert len(inner) + 2 == 8 * b + 5  # three transitions, the stem and the classifier
    if b == 2:
        assert model.get_layer("stem_conv").filters == 256
        assert counts(model).parameters == 12_978_478


def test_densenet69_is_31_percent_smaller_than_densenet13() -> None:
    """Figure 3, whose networks have half of 8·b convolutions and no reduction."""

    def size(name: str, b: int) -> int:
        counted = imagenet_counts(name, layers=(b,) * 4, reduction=(1, 1, 1))
        return counted.size_bytes + 4 * counted.moving_statistics

    assert 1 - size("densenet69", 8) / size("densenet13", 1) == pytest.approx(0.31, abs=0.005)


def test_transitions_multiply_by_one_over_the_reduction() -> None:
    model = small("densenet13", layers=(3, 1, 1), growth_rate=9, reduction=(2, 1))
    assert [model.get_layer(f"transition{index}_conv").filters for index in (1, 2)] == [22, 31]


@pytest.mark.parametrize("binarization", BINARIZATIONS[-5:], ids=repr)
def test_every_way_to_binarize_trains(binarization: Binarization) -> None:
    assert np.isfinite(loss_of_one_step(small("densenet37", binarization)))


def test_gradients_reach_every_weight() -> None:
    assert unmoved(small("densenet21", growth_rate=16)) == []


@pytest.mark.parametrize("stem", ["cifar", "imagenet", "grouped"])
def test_inner_convolutions_become_binary_operations(stem: str) -> None:
    model = small("densenet45", input_shape=(8, 8, 3), stem=stem)
    loss_of_one_step(model)
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == 4
    assert all(became[name][-1] == "LceBconv2d" for name in inner)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"growth_rate": 0}, "growth_rate must be an integer of at least 1. Received: 0. Use 1 or more"),
        ({"first_filters": -1}, "first_filters must be an integer of at least 0. Received: -1"),
        ({"stem": "group"}, "stem must be one of cifar, imagenet, grouped. Received: 'group'. Did you mean 'grouped'"),
        ({"stem": "grouped", "first_filters": 40}, "multiple of 16 filters.* Received: 40. Use 48"),
        ({"stem": "grouped", "first_filters": 7}, "multiple of 16 filters.* Received: 7. Use 16"),
        ({"reduction": (0.5,)}, "every reduction must be a number of at least 1. Received: 0.5"),
        ({"width": -1}, "width .* at least 0. Received: -1"),
        ({"input_shape": (7, 8, 3), "stem": "grouped"}, "at least 8×8 pixels.* Received: 7×8. Use 8×8"),
    ],
)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small("densenet21", **knobs)
