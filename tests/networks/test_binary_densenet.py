import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.analysis.counts import counts
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError


def test_binary_densenet28_has_the_operations_of_its_layers() -> None:
    counted = counts(networks.binary_densenet28((224, 224, 3)))
    # The 7×7 stem, and 1×1 transitions of 448, 544 and 576 channels after pooling; the classifier.
    stem = 112 * 112 * 49 * 3 * 64
    transitions = 28 * 28 * 448 * 160 + 14 * 14 * 544 * 192 + 7 * 7 * 576 * 256
    assert counted.full_precision_macs == stem + transitions + 576 * 1000
    sides_and_channels = [(56, 64, 6), (28, 160, 6), (14, 192, 6), (7, 256, 5)]
    binary = sum(
        side * side * 9 * (start + 64 * layer) * 64
        for side, start, depth in sides_and_channels
        for layer in range(depth)
    )
    assert counted.binary_macs == binary
    assert counted.operations == counted.full_precision_macs + binary / 32


@settings(deadline=None, max_examples=15)
@given(
    layers=st.lists(st.integers(1, 2), min_size=1, max_size=3),
    growth_rate=st.sampled_from([1, 8, 33]),
    first_filters=st.sampled_from([1, 16]),
    rate=st.floats(1, 4),
    dilations=st.lists(st.sampled_from([1, 1, 2]), min_size=3, max_size=3),
    stem=st.sampled_from(["cifar", "imagenet"]),
    channels=st.sampled_from([1, 3]),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    binarization=st.sampled_from(
        [
            Binarization(),
            Binarization(downsampling="binary", pad_values=0),
            Binarization(first="binary", last="binary"),
            Binarization.float32(),
        ]
    ),
)
def test_any_network_gives_probabilities(
    layers, growth_rate, first_filters, rate, dilations, stem, channels, extra, binarization
) -> None:
    dilations = dilations[: len(layers)]
    pools = sum(dilation == 1 for dilation in dilations[1:])
    smallest = (4 if stem == "imagenet" else 1) * 2**pools
    shape = (smallest + extra[0], smallest + extra[1], channels)
    model = networks.binary_densenet(
        shape,
        3,
        binarization,
        layers=tuple(layers),
        growth_rate=growth_rate,
        first_filters=first_filters,
        reduction=(rate,) * (len(layers) - 1),
        dilations=tuple(dilations),
        stem=stem,
    )
    y = model(np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)).numpy()
    assert y.shape == (2, 3)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("stem", "layers", "side"), [("cifar", (1, 1, 1), 4), ("imagenet", (1, 1), 8)])
def test_an_image_is_as_large_as_the_strides(stem: str, layers: tuple[int, ...], side: int) -> None:
    knobs = {"layers": layers, "reduction": (2.0,) * (len(layers) - 1), "stem": stem}
    assert networks.binary_densenet((side, side, 3), 2, **knobs).output_shape == (None, 2)
    for shape in [(side - 1, side, 3), (side, side - 1, 3)]:
        with pytest.raises(UserError, match=rf"at least {side}×{side} pixels.*Use {side}×{side}, or"):
            networks.binary_densenet(shape, 2, **knobs)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"growth_rate": 0}, "growth_rate must be an integer of at least 1. Received: 0"),
        ({"growth_rate": 1.5}, "growth_rate must be an integer of at least 1. Received: 1.5"),
        ({"growth_rate": True}, "growth_rate must be an integer of at least 1. Received: True"),
        ({"first_filters": -1}, "first_filters must be an integer of at least 1. Received: -1"),
        ({"layers": ()}, "layers must hold at least one number"),
        ({"layers": (1, 0)}, "every number of layers must be an integer of at least 1. Received: 0"),
        ({"layers": "22"}, "layers must be a list of numbers. Received: '22'"),
        ({"reduction": (2.0, 2.0)}, r"must hold 1 number. Received: 2 \(2.0, 2.0\). Remove 1"),
        ({"reduction": ()}, r"must hold 1 number. Received: 0 \(\). Add 1"),
        ({"reduction": (0.5,)}, "every reduction must be a number of at least 1. Received: 0.5"),
        ({"reduction": (float("nan"),)}, "every reduction must be a number of at least 1. Received: nan"),
        ({"dilations": (1,)}, "must hold 2 numbers"),
        ({"stem": "imgenet"}, "one of cifar, imagenet, grouped. Received: 'imgenet'. Did you mean 'imagenet'"),
        ({"stem": "grouped", "first_filters": 24}, "multiple of 16 filters.* Received: 24. Use 32"),
        ({"classes": 1}, "classes must be an integer of at least 2. Received: 1"),
        ({"input_shape": (32, 32)}, "input_shape must hold 3 numbers. Received: 2"),
        ({"input_shape": (32, None, 3)}, "every part of input_shape must be an integer of at least 1. Received: None"),
    ],
)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        networks.binary_densenet(**{"input_shape": (32, 32, 3), "classes": 10, **knobs})


def test_dilated_stages_keep_the_resolution() -> None:
    model = networks.binary_densenet37_dilated((224, 224, 3))
    sides = [model.get_layer(f"stage{stage}_layer1_conv").output_shape[1] for stage in (1, 2, 3, 4)]
    rates = [model.get_layer(f"stage{stage}_layer1_conv").dilation_rate[0] for stage in (1, 2, 3, 4)]
    assert sides == [56, 28, 28, 28]
    assert rates == [1, 1, 2, 4]


def test_transitions_pool_first_when_they_are_float_and_last_when_binary() -> None:
    def order(binarization: Binarization) -> list[str]:
        names = [layer.name for layer in networks.binary_densenet((8, 8, 1), 2, binarization).layers]
        return [name.removeprefix("transition1_") for name in names if name.startswith("transition1")]

    assert order(Binarization()) == ["norm", "pool", "relu", "conv"]
    assert order(Binarization(downsampling="binary")) == ["norm", "conv", "pool"]


def test_the_first_and_the_last_layer_stay_full_precision() -> None:
    model = networks.binary_densenet28((224, 224, 3))
    kinds = {layer.name: type(layer) for layer in model.layers}
    assert kinds["stem_conv"] is keras.layers.Conv2D
    assert kinds["logits"] is keras.layers.Dense
    assert sum(kind is lq.layers.QuantConv2D for kind in kinds.values()) == 23


def test_the_softmax_is_float32_in_mixed_precision() -> None:
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = networks.binary_densenet((8, 8, 1), 2)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("logits").compute_dtype == "bfloat16"
    assert model(np.zeros((1, 8, 8, 1), np.float32)).dtype == "float32"


def test_gradients_reach_every_weight() -> None:
    keras.utils.set_random_seed(1)
    model = networks.binary_densenet((8, 8, 1), 3, layers=(2, 2), growth_rate=8)
    before = [weight.numpy() for weight in model.trainable_variables]
    model.compile("adam", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(32, 8, 8, 1)), rng.integers(0, 3, 32), epochs=2, verbose=0)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert np.any(weight.numpy() != old), weight.name


def test_names_are_looked_up() -> None:
    assert networks.get("binary_densenet45") is networks.binary_densenet45
    with pytest.raises(UserError, match=r"no network 'binary_densenet46'. Did you mean 'binary_densenet45'\?"):
        networks.get("binary_densenet46")


def test_every_builder_has_the_same_first_arguments_and_typed_knobs() -> None:
    for name in networks.NAMES:
        parameters = list(inspect.signature(networks.get(name), eval_str=True).parameters.values())
        assert [p.name for p in parameters[:3]] == ["input_shape", "classes", "binarization"]
        for knob in parameters[3:]:
            assert knob.kind is knob.KEYWORD_ONLY
            assert knob.annotation is not knob.empty
            assert knob.default is not knob.empty


def test_the_table_has_a_row_a_network() -> None:
    rows = networks.table()
    assert [row["name"] for row in rows] == networks.NAMES
    assert next(row for row in rows if row["name"] == "binary_densenet45")["published size"] == "7.4 MiB"


def test_full_precision_twins_have_a_column_of_their_own() -> None:
    row = next(row for row in networks.table() if row["name"] == "resnet34_thin")
    assert row["published size"] == "4.8 MB"
    assert row["in float32"] == "84 MiB, 78.2 % ImageNet"
