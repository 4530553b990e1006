"""A smaller rest: half precision, integers, pixels as input; what is verified and reported."""

import numpy as np
import pytest

from tests.converter.models import L, binary_conv, randomized, small
from tests.runtimes import LCE_SETTINGS, predict_lce
from tflbnn._keras import keras
from tflbnn.converter import convert, rest
from tflbnn.converter.graph import Graph
from tflbnn.converter.verify import verify
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.metadata import Metadata, seal

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 12, 12, 3)).astype(np.uint8)
UNIFORM, BY_CHANNEL = ((127.5,), (70.0,)), ((120.0, 110.0, 130.0), (60.0, 70.0, 65.0))


def classifier() -> keras.Model:
    """A stem with its pooling, a transition behind a ReLU, a classifier: what is left in float around binary layers."""
    keras.utils.set_random_seed(0)
    image = x = L.Input((12, 12, 3), name="image")
    x = L.Conv2D(32, 3, padding="same", use_bias=False, name="stem")(x)
    x = L.ReLU(name="stem_relu")(L.BatchNormalization(name="stem_norm")(x))
    x = L.MaxPool2D(2, name="stem_pool")(x)
    y = binary_conv(32, name="first")(L.BatchNormalization(name="first_norm")(x))
    x = L.Concatenate(name="joined")([x, y])
    x = L.ReLU(name="down_relu")(L.MaxPool2D(name="down_pool")(L.BatchNormalization(name="down_norm")(x)))
    x = L.Conv2D(48, 1, use_bias=False, name="down")(x)
    x = L.ReLU(name="last_relu")(L.BatchNormalization(name="last_norm")(x))
    x = L.GlobalAveragePooling2D(name="mean")(x)
    return randomized(keras.Model(image, L.Dense(10, activation="softmax", name="classes")(x), name="classifier"))


@pytest.fixture(scope="module")
def model():
    return classifier()


def converted(model, kind, normalization=UNIFORM, **arguments):
    mean, std = normalization
    samples = ((PIXELS - np.asarray(mean)) / np.asarray(std)).astype(np.float32)
    return convert(model, rest=kind, samples=samples, metadata=Metadata(mean=mean, std=std), **arguments), samples


def inputs(conversion, samples):
    return PIXELS if conversion.report.rest.input == "uint8" else samples


@pytest.mark.parametrize("kind", rest.RESTS[1:])
@pytest.mark.parametrize("normalization", [UNIFORM, BY_CHANNEL], ids=["uniform", "by channel"])
def test_it_is_smaller_verified_and_runs_everywhere(model, kind, normalization):
    plain = convert(model, verify=False).flatbuffer
    conversion, samples = converted(model, kind, normalization, sample_labels=np.zeros(24, np.int32))
    report = conversion.report
    assert report.verification["verified"]
    assert report.verification["binary_layers"] == 1
    assert len(report.rest.products) == 3
    assert report.rest.outputs.agreement >= 0.8
    assert abs(report.rest.outputs.accuracy_before - report.rest.outputs.accuracy_after) <= 0.2
    assert len(conversion.flatbuffer) < len(plain)
    fed = inputs(conversion, samples)
    expected = Model(conversion.flatbuffer).predict(fed)
    assert np.abs(expected - Model(conversion.flatbuffer, kernel="reference").predict(fed)).max() < 1e-2
    for settings in LCE_SETTINGS.values():
        assert np.abs(predict_lce(conversion.flatbuffer, fed, **settings)[0] - expected).max() < 0.05


def test_integers_take_pixels_and_pooling_takes_integers(model):
    conversion, _ = converted(model, "int8")
    graph = Graph(conversion.flatbuffer)
    assert conversion.report.rest.input == "uint8"
    (given,) = graph.main.inputs
    assert graph.main.tensors[given].type == schema.TensorType.UINT8
    assert Model(conversion.flatbuffer).metadata.mean == (0.0,)  # pixels are not normalized by who feeds them
    assert graph.kind(graph.operators[0]) == "QUANTIZE"
    types = {graph.kind(op): graph.main.tensors[op.inputs[0]].type for op in graph.operators}
    for kind in ("CONV_2D", "FULLY_CONNECTED"):
        assert types[kind] == schema.TensorType.INT8
    pools = [graph.main.tensors[op.inputs[0]].type for op in graph.of_kind("MAX_POOL_2D")]
    assert pools == [schema.TensorType.INT8, schema.TensorType.FLOAT32]
    assert [graph.name(op.outputs[0]) for op in graph.of_kind("RELU")] == []  # the integers clamp


def test_pixels_are_the_normalized_image(model):
    """Without integers behind it, an input of pixels changes nothing but rounding."""
    for mean, std in (UNIFORM, BY_CHANNEL):
        graph = Graph(convert(model, verify=False).flatbuffer)
        graph.model.metadata = None
        plain = graph.pack()
        rest.take_pixels(graph, mean, std)
        normalized = ((PIXELS - np.asarray(mean)) / np.asarray(std)).astype(np.float32)
        given = Model(graph.pack()).predict(PIXELS)
        assert np.abs(given - Model(plain).predict(normalized)).max() < 0.02


def test_without_a_normalization_the_input_stays_float(model):
    samples = np.random.default_rng(0).normal(size=(8, 12, 12, 3)).astype(np.float32)
    conversion = convert(model, rest="int8", samples=samples)
    assert conversion.report.rest.input == "float32"
    assert Model(conversion.flatbuffer).predict(samples).shape == (8, 10)


def test_random_samples_are_said_to_be(model):
    assert convert(model, rest="int8").report.rest.samples_are_random


@pytest.mark.parametrize("kind", rest.RESTS[1:])
def test_a_file_is_verified_again(model, kind):
    conversion, samples = converted(model, kind)
    found = verify(model, conversion.flatbuffer, samples, *UNIFORM)
    assert found["rest"] == kind
    assert found["binary_layers"] == 1
    assert 0 < found["rest_largest_difference"] < 0.1


def test_a_wrong_scale_is_found(model):
    conversion, samples = converted(model, "int8")
    graph = Graph(conversion.flatbuffer)
    weights = int(graph.of_kind("CONV_2D")[1].inputs[1])
    graph.main.tensors[weights].quantization.scale = graph.main.tensors[weights].quantization.scale * np.float32(1.5)
    with pytest.raises(VerificationError, match="first at down;"):
        verify(model, seal(graph.pack()), samples, *UNIFORM)


def test_values_beyond_the_range_of_integers_end_there(model):
    conversion, samples = converted(model, "int8")
    graph = Graph(conversion.flatbuffer)
    (classes,) = graph.of_kind("FULLY_CONNECTED")
    kept = graph.main.tensors[int(classes.outputs[0])].quantization
    kept.scale = kept.scale / np.float32(4)  # what was measured on samples of a quarter
    verify(model, seal(graph.pack()), samples, *UNIFORM)


def test_an_unknown_rest():
    with pytest.raises(UserError, match=r"float32, float16, int8, int8-dynamic\. Received: 'int4'"):
        convert(small(), rest="int4")
