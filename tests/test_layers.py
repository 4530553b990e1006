"""The oracle is TensorFlow's own convolution on signs that NumPy computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn import layers
from tflbnn._keras import keras, lq, tf
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError


def sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1, -1).astype(np.float32)


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


@settings(deadline=None, max_examples=40)
@given(
    batch=st.sampled_from([1, 3]),
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    group_channels=st.sampled_from([1, 2, 31, 33]),
    groups=st.sampled_from([1, 1, 2]),
    filters=st.sampled_from([2, 4, 34]),
    kernel=st.sampled_from([1, 2, 3]),
    stride_or_dilation=st.sampled_from([(1, 1), (2, 1), (3, 1), (1, 2)]),
    pad_values=st.sampled_from([0, 1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_conv2d_is_a_convolution_of_signs(
    batch, height, width, group_channels, groups, filters, kernel, stride_or_dilation, pad_values, seed
) -> None:
    stride, dilation = stride_or_dilation
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, height, width, group_channels * groups)).astype(np.float32)
    layer = layers.conv2d(
        Binarization(pad_values=pad_values), filters, kernel, strides=stride, dilation_rate=dilation, groups=groups
    )
    y = layer(x).numpy()

    padding = [(0, 0), *(same_padding(side, kernel, stride, dilation) for side in (height, width)), (0, 0)]
    padded = np.pad(sign(x), padding, constant_values=pad_values)
    weights = sign(layer.kernel.latent_variable.numpy())
    each = filters // groups
    expected = np.concatenate(
        [
            tf.nn.conv2d(
                padded[..., g * group_channels : (g + 1) * group_channels],
                weights[..., g * each : (g + 1) * each],
                stride,
                "VALID",
                dilations=dilation,
            ).numpy()
            for g in range(groups)
        ],
        axis=-1,
    )
    np.testing.assert_array_equal(y, expected)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([1, 31, 32, 33, 65]), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_dense_is_a_product_of_signs(channels: int, units: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, channels)).astype(np.float32)
    layer = layers.dense(Binarization(), units)
    y = layer(x).numpy()
    np.testing.assert_array_equal(y, sign(x) @ sign(layer.kernel.latent_variable.numpy()))
    np.testing.assert_array_equal(y % 2, channels % 2)


def test_the_float_twin_is_a_relu_and_a_plain_convolution() -> None:
    x = np.random.default_rng(0).normal(size=(3, 6, 5, 33)).astype(np.float32)
    layer = layers.conv2d(Binarization.float32(), 8, 3, strides=2)
    y = layer(x)
    expected = tf.nn.conv2d(np.maximum(x, 0), layer.kernel, 2, "SAME")
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert layer.kernel_constraint is None


@pytest.mark.parametrize("binarization", [Binarization(), Binarization.float32()])
def test_gradients_reach_inputs_and_weights(binarization: Binarization) -> None:
    layer = layers.conv2d(binarization, 4, 3)
    x = tf.random.stateless_normal((2, 5, 5, 3), (0, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x) ** 2)
    for slope in tape.gradient(loss, [x, *layer.trainable_variables]):
        assert np.any(slope.numpy() != 0)


@pytest.mark.parametrize("t_clip", [0.5, 1.3])
def test_weights_stay_within_t_clip(t_clip: float) -> None:
    model = keras.Sequential([keras.Input((4, 4, 2)), layers.conv2d(Binarization(t_clip=t_clip), 3, 3)])
    model.compile(keras.optimizers.SGD(100.0), "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 4, 4, 2)), 9 * rng.normal(size=(8, 4, 4, 3)), verbose=0)
    largest = np.abs(model.layers[0].get_weights()[0]).max()
    assert largest == pytest.approx(t_clip)


def test_the_regularizer_enters_the_loss_of_binary_weights_only() -> None:
    layer = layers.conv2d(Binarization(regularizer="r2", regularization=0.5), 3, 3)
    layer(np.zeros((1, 4, 4, 2), np.float32))
    weights = layer.kernel.latent_variable.numpy()
    np.testing.assert_allclose(layer.losses, [0.5 * ((1 - np.abs(weights)) ** 2).sum()], rtol=1e-5)
    twin = layers.conv2d(Binarization(input_quantizer="relu", kernel_quantizer="float32", regularizer="r2"), 3, 3)
    twin(np.zeros((1, 4, 4, 2), np.float32))
    assert twin.losses == []


@pytest.mark.parametrize("field", ["first", "last", "downsampling"])
def test_edge_layers_follow_their_field(field: str) -> None:
    make = {
        "first": lambda b: layers.first_conv2d(b, 4, 3),
        "last": lambda b: layers.classifier(b, 4),
        "downsampling": lambda b: layers.downsample(b, 4),
    }[field]
    assert type(make(Binarization())) in (keras.layers.Conv2D, keras.layers.Dense)
    assert type(make(Binarization(**{field: "binary"}))) in (lq.layers.QuantConv2D, lq.layers.QuantDense)


def test_every_layer_has_quantizers_of_its_own() -> None:
    first, second = (layers.conv2d(Binarization(), 4, 3) for _ in range(2))
    made = [first.input_quantizer, first.kernel_quantizer, second.input_quantizer, second.kernel_quantizer]
    assert len({id(quantizer) for quantizer in made}) == 4


def test_groups_divide_filters() -> None:
    with pytest.raises(UserError, match=r"groups=4 must divide filters. Received: filters=33. Use 32 or groups=1."):
        layers.conv2d(Binarization(), 33, 3, groups=4)
