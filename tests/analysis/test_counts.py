import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.random_networks import random_network
from tflbnn import layers, networks
from tflbnn._keras import keras, lq
from tflbnn.analysis.counts import counts
from tflbnn.analysis.counts_tflite import counts_tflite, input_shape, stored_as_floats
from tflbnn.binarization import Binarization
from tflbnn.converter import convert
from tflbnn.converter.lower import lower
from tflbnn.errors import UserError
from tflbnn.runtime.check import check_model

NORMS = keras.layers.BatchNormalization
FLOAT_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)

SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
DEPTHWISE_SIGNS = {
    "input_quantizer": "ste_sign",
    "depthwise_quantizer": "ste_sign",
    "depthwise_constraint": "weight_clip",
}
SEPARABLE_SIGNS = {**DEPTHWISE_SIGNS, "pointwise_quantizer": "ste_sign", "pointwise_constraint": "weight_clip"}


def lowered(model: keras.Model) -> bytes:
    """The model's file; its weights are random, so that no two layers share a constant."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        positive = "variance" in variable.name
        value = rng.normal(size=variable.shape)
        variable.assign(np.abs(value) + 0.5 if positive else value)
    return convert(model, verify=False).flatbuffer


def of_layer(layer: keras.layers.Layer, shape: tuple[int, ...]) -> keras.Model:
    return keras.Sequential([keras.Input(shape), layer])


@pytest.mark.parametrize(
    ("layer", "shape", "full_precision", "binary", "parameters"),
    [
        (keras.layers.Conv2D(5, 3, padding="same"), (7, 6, 4), 7 * 6 * 5 * 9 * 4, 0, 9 * 4 * 5 + 5),
        (keras.layers.Conv2D(6, 3, groups=2, strides=2), (7, 7, 4), 3 * 3 * 6 * 9 * 2, 0, 9 * 2 * 6 + 6),
        (keras.layers.Conv1D(5, 3, padding="same"), (8, 4), 8 * 5 * 3 * 4, 0, 3 * 4 * 5 + 5),
        (keras.layers.Conv3D(2, 2), (3, 3, 3, 2), 8 * 2 * 8 * 2, 0, 8 * 2 * 2 + 2),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 3), 9 * 6 * 9, 0, 9 * 6 + 6),
        (keras.layers.SeparableConv2D(8, 3), (5, 5, 3), 9 * (27 + 24), 0, 27 + 24 + 8),
        (keras.layers.Conv2DTranspose(4, 2, strides=2), (3, 3, 5), 9 * 4 * 5 * 4, 0, 80 + 4),
        (keras.layers.Dense(7), (3, 5), 3 * 5 * 7, 0, 42),
        (layers.conv2d(Binarization(), 33, 3, strides=2), (7, 5, 33), 0, 4 * 3 * 33 * 9 * 33, 9 * 33 * 33),
        (layers.dense(Binarization(), 7), (33,), 0, 231, 231),
        (lq.layers.QuantConv2D(4, 3, kernel_quantizer="ste_sign", use_bias=False), (5, 5, 2), 9 * 72, 0, 72),
        (lq.layers.QuantSeparableConv2D(4, 3, use_bias=False, **SEPARABLE_SIGNS), (5, 5, 2), 9 * 8, 9 * 18, 26),
        (lq.layers.QuantDense(4, input_quantizer="dorefa_quantizer", use_bias=False), (5,), 20, 0, 20),
        (keras.layers.BatchNormalization(), (5, 5, 3), 0, 0, 6),
        (keras.layers.MaxPool2D(), (4, 4, 3), 0, 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.layers.Layer) else "",
)
def test_one_layer(layer, shape, full_precision: int, binary: int, parameters: int) -> None:
    counted = counts(of_layer(layer, shape))
    assert (counted.full_precision_macs, counted.binary_macs) == (full_precision, binary)
    assert counted.operations == full_precision + binary / 32
    assert counted.parameters == parameters
    assert counted.parameters + counted.moving_statistics == layer.count_params()


def test_bits_of_weights_make_the_size() -> None:
    model = keras.Sequential(
        [
            keras.Input((33,)),
            lq.layers.QuantDense(3, kernel_quantizer="ste_sign", kernel_constraint="weight_clip"),  # 99 bits, 3 floats
            lq.layers.QuantDense(
                4, kernel_quantizer=lq.quantizers.DoReFa(3, mode="weights"), use_bias=False
            ),  # 36 bits
            keras.layers.Dense(2, use_bias=False),  # 8 floats
        ]
    )
    counted = counts(model)
    assert [row.size_bytes for row in counted.layers] == [13 + 12, 5, 32]
    assert [row.weight_bits for row in counted.layers] == [1, 3, 32]
    assert counted.binary_weights == 99
    assert counted.size_bytes == 62


def test_a_layer_called_twice_works_twice_but_is_stored_once() -> None:
    image = keras.Input((4, 4, 8))
    shared = keras.layers.Conv2D(8, 1, use_bias=False)
    counted = counts(keras.Model(image, shared(shared(image))))
    assert counted.parameters == 64
    assert counted.full_precision_macs == 2 * 16 * 64


def test_layers_of_inner_models_count() -> None:
    inner = of_layer(keras.layers.Dense(4, use_bias=False), (5,))
    counted = counts(keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(3, use_bias=False)]))
    assert counted.parameters == 20 + 12
    assert counted.full_precision_macs == 32


def test_totals_are_the_sums_of_the_layers_and_json() -> None:
    counted = counts(networks.binary_densenet((8, 8, 1), 10))
    for field in ("parameters", "binary_weights", "size_bytes", "full_precision_macs", "binary_macs"):
        assert getattr(counted, field) == sum(getattr(row, field) for row in counted.layers)
    assert counted.size_bytes == counted.binary_weights / 8 + 4 * (counted.parameters - counted.binary_weights)
    assert len(json.loads(json.dumps(counted.to_dict()))["layers"]) == len(counted.layers)


def test_a_size_that_is_not_fixed_is_refused() -> None:
    with pytest.raises(UserError, match=r"a fixed image size only\. Received: conv"):
        counts(of_layer(keras.layers.Conv2D(2, 3, name="conv"), (None, None, 3)))


def test_a_model_without_shapes_is_refused() -> None:
    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(3)

        def call(self, x):
            return self.inner(x)

    with pytest.raises(UserError, match=r"built from keras\.Input"):
        counts(Subclassed())


@settings(deadline=None, max_examples=8)
@given(
    layers=st.lists(st.integers(1, 2), min_size=1, max_size=3),
    growth_rate=st.sampled_from([1, 31, 32, 33]),
    first_filters=st.sampled_from([1, 33]),
    side=st.integers(4, 9),
    stem=st.sampled_from(["cifar", "imagenet"]),
    binarization=st.sampled_from([Binarization(), Binarization(downsampling="binary", pad_values=0)]),
)
def test_a_converted_network_agrees(layers, growth_rate, first_filters, side, stem, binarization) -> None:
    side *= 4 if stem == "imagenet" else 1
    model = networks.binary_densenet(
        (side, side + 1, 3),
        3,
        binarization,
        layers=tuple(layers),
        growth_rate=growth_rate,
        first_filters=first_filters,
        reduction=(2.0,) * (len(layers) - 1),
        stem=stem,
    )
    flatbuffer = lowered(model)
    ours, theirs = counts(model), counts_tflite(flatbuffer)
    assert input_shape(flatbuffer) == (side, side + 1, 3)
    for field in ("full_precision_macs", "binary_macs", "binary_weights", "operations"):
        assert getattr(theirs, field) == getattr(ours, field), field
    folded = first_filters if stem == "imagenet" else 0  # of the stem's BatchNorm one number a channel is left
    assert theirs.parameters == ours.parameters - folded
    assert theirs.size_bytes == ours.size_bytes - 4 * folded < len(flatbuffer)
    rows = [row for row in theirs.layers if row.binary_macs]
    expected = [row for row in ours.layers if row.binary_macs]
    assert [row.binary_macs for row in rows] == [row.binary_macs for row in expected]
    assert [row.output_shape for row in rows] == [row.output_shape for row in expected]


def test_the_float_twin_agrees_layer_by_layer() -> None:
    model = networks.binary_densenet((8, 8, 1), 10, Binarization.float32())
    ours, theirs = counts(model), counts_tflite(lowered(model))
    macs = [row.full_precision_macs for row in ours.layers if row.full_precision_macs]
    assert [row.full_precision_macs for row in theirs.layers if row.full_precision_macs] == macs
    assert theirs.binary_weights == 0
    assert all(row.input_bits == row.weight_bits == 32 for row in theirs.layers if row.full_precision_macs)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), (5, 6, 3)),
        (keras.layers.SeparableConv2D(8, 3), (5, 6, 3)),
        (keras.layers.Conv2DTranspose(4, 3, strides=2), (3, 4, 5)),
        (keras.layers.Conv1DTranspose(4, 3), (4, 5)),
        (keras.layers.Conv1D(5, 3, padding="same"), (8, 4)),
        (keras.layers.Conv1D(6, 3, groups=2), (8, 4)),
        (keras.layers.Conv2D(5, 3, dilation_rate=2), (8, 9, 4)),
        (keras.layers.Conv2D(6, 3, groups=2), (8, 9, 4)),
        (keras.layers.Dense(5, use_bias=False), (6, 4)),
        (keras.layers.BatchNormalization(), (5, 5, 3)),
        (keras.layers.PReLU(shared_axes=[1, 2]), (5, 5, 3)),
        (keras.layers.PReLU(), (5, 5, 3)),
        (keras.layers.AveragePooling2D(2, padding="same"), (5, 5, 3)),
        (layers.blur_pool(), (5, 5, 3)),
        (layers.conv2d(Binarization(), 64, 3, groups=2), (5, 5, 128)),
        (layers.conv2d(Binarization(pad_values=0), 33, 3, strides=2), (7, 5, 33)),
        (layers.dense(Binarization(), 7, use_bias=True), (33,)),
        (lq.layers.QuantConv1D(5, 3, padding="same", pad_values=1.0, **SIGNS), (8, 33)),
        (lq.layers.QuantDepthwiseConv2D(3, **DEPTHWISE_SIGNS), (5, 6, 3)),
        (lq.layers.QuantSeparableConv2D(8, 3, **SEPARABLE_SIGNS), (5, 6, 3)),
        (
            lq.layers.QuantConv2D(4, 3, kernel_quantizer="ste_sign", kernel_constraint="weight_clip"),
            (5, 5, 2),
        ),
        (lq.layers.QuantConv2D(4, 3, input_quantizer="ste_sign"), (5, 5, 2)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.layers.Layer) else "",
)
def test_every_layer_counts_the_same_in_a_file(layer, shape) -> None:
    model = of_layer(layer, shape)
    ours, theirs = counts(model), counts_tflite(lowered(model))
    for field in ("parameters", "binary_weights", "size_bytes", "full_precision_macs", "binary_macs"):
        assert getattr(theirs, field) == getattr(ours, field), field
    products = [row for row in theirs.layers if row.full_precision_macs or row.binary_macs]
    bits = [(row.input_bits, row.weight_bits) for row in ours.layers if row.input_bits]
    assert [(row.input_bits, row.weight_bits) for row in products][: len(bits)] == bits


def test_magnitudes_that_keras_computes_are_one_number_a_filter_in_a_file() -> None:
    model = of_layer(layers.dense(Binarization(kernel_quantizer="magnitude_aware_sign"), 7), (33,))
    ours, theirs = counts(model), counts_tflite(lowered(model))
    assert theirs.parameters == ours.parameters + 7
    assert (theirs.binary_weights, theirs.binary_macs) == (ours.binary_weights, ours.binary_macs) == (231, 231)


def test_a_transposed_convolution_is_counted_as_the_convolutions_that_it_becomes() -> None:
    model = of_layer(lq.layers.QuantConv2DTranspose(4, 3, strides=2, **SIGNS), (3, 4, 33))
    ours, theirs = counts(model), counts_tflite(lowered(model))
    weights = 9 * 33 * 4
    assert ours.binary_weights == weights
    # Twice, for images surrounded with 1 and with -1, which leave zeros around them; stored once.
    assert theirs.binary_weights == 2 * weights
    assert weights / 8 <= theirs.size_bytes - 4 * 4 * 2 < weights / 8 + 4
    # All four phases of a stride of 2 see 4 × 5 pixels.
    assert theirs.binary_macs == 2 * weights * 4 * 5


def test_binary_weights_that_the_runtime_multiplies_as_floats_are_told() -> None:
    model = keras.Sequential(
        [
            keras.Input((5, 5, 33)),
            layers.conv2d(Binarization(), 32, 3),
            keras.layers.Flatten(),
            lq.layers.QuantDense(7, kernel_quantizer="ste_sign", use_bias=False),  # with inputs that are floats
        ]
    )
    counted = counts_tflite(lowered(model))
    assert counted.binary_weights == 9 * 33 * 32 + 25 * 32 * 7
    assert stored_as_floats(counted.layers) == 25 * 32 * 7


@pytest.mark.parametrize(
    ("kernel", "binary"),
    [
        ([[1, -1], [-1, 1]], True),
        ([[0.5, -2], [-0.5, 2]], True),  # a column is a filter
        ([[0.5, -2], [-0.5, 1]], False),
        ([[1, 1], [1, 1]], False),  # no signs: a sum, or a kernel that has not been trained
        ([[0, 0], [0, 0]], False),
        ([[0, -2], [0, 2]], True),  # a BatchNorm whose gamma is 0
        ([[1, -1]], False),  # every filter of one weight has but one value
        ([[np.nan, -1], [1, 1]], False),
    ],
)
def test_what_is_a_binary_weight(kernel: list[list[float]], binary: bool) -> None:
    layer = keras.layers.Dense(2, use_bias=False)
    model = of_layer(layer, (len(kernel),))
    layer.set_weights([np.array(kernel, np.float32)])
    assert counts_tflite(convert(model, verify=False).flatbuffer).binary_weights == binary * 4


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_random_networks_count_the_same_in_a_file(seed: int) -> None:
    model = random_network(seed).model
    ours, theirs = counts(model), counts_tflite(lowered(model))
    for field in ("binary_weights", "full_precision_macs", "binary_macs", "operations"):
        assert getattr(theirs, field) == getattr(ours, field), field
    channels = sum(layer.gamma.shape[0] for layer in model.layers if isinstance(layer, NORMS))
    biases = sum(layer.bias.shape[0] for layer in model.layers if getattr(layer, "use_bias", False))
    magnitudes = sum(layer.filters for layer in model.layers if getattr(layer, "kernel_quantizer", None) is not None)
    assert ours.parameters - channels - biases <= theirs.parameters <= ours.parameters + magnitudes


@pytest.mark.parametrize("name", ["bi_real_net18", "quicknet_small"])
def test_batch_norm_after_full_precision_is_half_of_its_parameters(name: str) -> None:
    model = networks.get(name)((32, 32, 3), 10, layers=(1, 1), filters=(8, 16))
    folded = sum(
        layer.gamma.shape[0]
        for layer in model.layers
        if isinstance(layer, NORMS) and type(layer.inbound_nodes[0].inbound_layers) in FLOAT_CONVOLUTIONS
    )
    ours, theirs = counts(model), counts_tflite(lowered(model))
    assert folded > 0
    assert theirs.parameters == ours.parameters - folded
    assert theirs.size_bytes == ours.size_bytes - 4 * folded


def test_the_batch_does_not_count() -> None:
    model = networks.binary_densenet((8, 8, 1), 10)
    row = counts_tflite(lowered(model)).layers[-2]
    assert math.prod(row.output_shape) == 10
    assert row.full_precision_macs == counts(model).layers[-2].full_precision_macs


def test_damaged_files_are_refused_in_one_line_or_counted() -> None:
    flatbuffer = lower(networks.binary_densenet((8, 8, 1), 10, layers=(1,), reduction=()))
    rng = np.random.default_rng(0)
    outcomes = set()
    for _ in range(300):
        damaged = np.frombuffer(flatbuffer, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 3)] = rng.integers(0, 256, 3)
        damaged[-rng.integers(1, 4000)] ^= 1 << rng.integers(0, 8)  # the operators lie at the end
        content = damaged[: rng.integers(0, len(damaged))] if rng.random() < 0.1 else damaged
        try:
            check_model(content.tobytes())
            outcomes.add(counts_tflite(content.tobytes()).binary_macs >= 0)
        except UserError as error:
            outcomes.add("\n" in str(error))
    assert outcomes == {True, False}
