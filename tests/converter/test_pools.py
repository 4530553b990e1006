"""A ReLU between a max pooling and a sign is kept; a file without it is refused."""

import numpy as np
import pytest

from tests.converter.models import L, binary_conv, randomized
from tests.runtimes import equal, predict_delegate, predict_keras
from tflbnn._keras import keras, lq, tf
from tflbnn.converter import convert
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.pools import poolings_to_keep
from tflbnn.converter.verify import verify
from tflbnn.errors import VerificationError

SAMPLES = np.random.default_rng(0).normal(size=(3, 8, 8, 8)).astype(np.float32)
CLAMPS = {
    "relu": L.ReLU(),
    "relu6": L.ReLU(6.0),
    "relu up to 3": L.ReLU(3.0),
    "dropout": keras.Sequential([L.Dropout(0.1), L.ReLU(), L.Dropout(0.1)]),
    "activation": L.Activation("relu"),
    "maximum": lambda x: tf.maximum(0.0, x),
    "clip": lambda x: tf.clip_by_value(x, 0.0, 6.0),
    "pooled again": lambda x: L.MaxPool2D(2)(L.ReLU()(x)),
    "reshaped": lambda x: L.ReLU()(L.Reshape((16, 1, 8))(x)),
}


def pooled(clamp, binary: bool, sign_alone: bool = False) -> keras.Model:
    """Convolution, max pooling, clamp, sign."""
    keras.utils.set_random_seed(0)
    image = L.Input((8, 8, 8))
    x = binary_conv(8, name="first") if binary else L.Conv2D(8, 3, padding="same", name="first")
    x = clamp(L.MaxPool2D(2, name="pool")(x(image)))
    x = lq.quantizers.SteSign(name="sign")(x) if sign_alone else binary_conv(4, 1, name="second")(x)
    return randomized(keras.Model(image, x))


@pytest.mark.parametrize("binary", [False, True], ids=["float", "binary"])
@pytest.mark.parametrize("clamp", CLAMPS)
def test_it_is_kept(clamp, binary):
    model = pooled(CLAMPS[clamp], binary)
    conversion = convert(model, samples=SAMPLES)
    assert conversion.report.verification["ties"] == 0
    assert len(Graph(conversion.flatbuffer).main.outputs) == 1
    assert equal(predict_delegate(conversion.flatbuffer, [SAMPLES]), predict_keras(model, SAMPLES))


def test_before_a_sign_of_its_own():
    model = pooled(L.ReLU(), binary=True, sign_alone=True)
    assert equal(predict_delegate(convert(model).flatbuffer, [SAMPLES]), [np.ones((3, 4, 4, 8), np.float32)])


def test_two_that_read_it():
    image = L.Input((8, 8, 8))
    x = L.MaxPool2D(2)(image)
    model = keras.Model(image, [binary_conv(4)(L.ReLU()(x)), binary_conv(4)(L.ReLU()(x)), binary_conv(4)(x), x])
    assert equal(predict_delegate(convert(model).flatbuffer, [SAMPLES]), predict_keras(model, SAMPLES))


@pytest.mark.parametrize("signs_stay", [lambda x: x, lambda x: tf.clip_by_value(x, -1.0, 1.0)], ids=["none", "tanh"])
def test_where_signs_stay_bits_are_pooled(signs_stay):
    assert len(Graph(lower(pooled(signs_stay, binary=True))).of_kind("LceBMaxPool2d")) == 1


def test_before_anything_but_a_sign_it_becomes_one_operator():
    image = L.Input((8, 8, 8))
    model = keras.Model(image, L.Conv2D(4, 1)(L.ReLU()(L.MaxPool2D(2)(image))))
    graph = Graph(lower(model))
    assert [graph.kind(operator) for operator in graph.operators] == ["MAX_POOL_2D", "CONV_2D"]
    assert poolings_to_keep(tf.Graph().as_graph_def()) == []


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("binary", [False, True], ids=["float", "binary"])
def test_a_file_without_it_is_refused(binary, number):
    without = lower(pooled(lambda x: x, binary))
    model = pooled(L.ReLU(), binary)
    assert verify(pooled(lambda x: x, binary), without, SAMPLES[:number])["verified"]
    with pytest.raises(VerificationError, match=r"first at .*inputs of second are on the other side"):
        verify(model, without, SAMPLES[:number])


def test_one_product_is_refused_too():
    """Its two sums both lie next to the threshold."""

    def one(*clamps) -> keras.Model:
        keras.utils.set_random_seed(0)
        x = image = L.Input((8, 8, 1))
        for layer in (binary_conv(1, 1, name="first"), L.MaxPool2D(2, name="pool"), *clamps):
            x = layer(x)
        return keras.Model(image, binary_conv(4, 1, name="second")(x))

    without = lower(one())
    assert Graph(without).of_kind("LceBMaxPool2d")
    samples = np.concatenate([SAMPLES[..., :1], -np.ones_like(SAMPLES[..., :1]), np.ones_like(SAMPLES[..., :1])])
    assert verify(one(), without, samples)["ties"] == 0
    with pytest.raises(VerificationError, match="inputs of second are on the other side"):
        verify(one(L.ReLU()), without, samples)
