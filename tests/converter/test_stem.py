"""A first convolution on blocks of pixels gives the integers of the convolution itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.converter.models import L
from tflbnn._keras import keras
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.rest.int8 import measured, quantize
from tflbnn.converter.rest.stem import gather_pixels
from tflbnn.runtime import Model

RANGE = (-1.0, 2.7)  # with a zero point that is none of the usual ones


def integer_stem(size, kernel, channels, padding, strides=2, filters=24) -> Graph:
    keras.utils.set_random_seed(0)
    image = L.Input((*size, channels), name="image")
    stem = L.Conv2D(filters, kernel, strides, padding, activation="relu", bias_initializer="random_normal", name="stem")
    graph = Graph(lower(keras.Model(image, stem(image))))
    quantize(graph, dict.fromkeys(measured(graph), RANGE))
    return graph


def require_equal(graph: Graph, batch: int = 1) -> list[str]:
    """The names of what was rewritten."""
    before = graph.pack()
    concerned = gather_pixels(graph)
    shape = (batch, *graph.shape(int(graph.main.inputs[0]))[1:])
    images = np.random.default_rng(1).uniform(*RANGE, shape).astype(np.float32)
    expected = Model(before).predict(images)
    assert np.ptp(expected) > 0
    np.testing.assert_array_equal(Model(graph.pack()).predict(images), expected)
    return concerned


@given(
    size=st.tuples(st.integers(4, 12), st.integers(4, 12)).map(lambda blocks: (2 * blocks[0], 2 * blocks[1])),
    kernel=st.tuples(st.integers(2, 8), st.integers(2, 8)),
    channels=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    batch=st.sampled_from([1, 3]),
)
@settings(max_examples=20, deadline=None)
def test_any_filter(size, kernel, channels, padding, batch):
    require_equal(integer_stem(size, kernel, channels, padding, filters=64), batch)


@pytest.mark.parametrize(
    ("kernel", "channels", "weights"),
    [((7, 7), 3, (24, 4, 2, 24)), ((7, 7), 1, (24, 4, 2, 8)), ((5, 5), 1, (24, 3, 2, 8)), ((3, 8), 2, (24, 2, 3, 16))],
)
def test_few_channels_become_many(kernel, channels, weights):
    graph = integer_stem((32, 30), kernel, channels, "same")
    assert len(require_equal(graph)) == 1
    (convolution,) = graph.of_kind("CONV_2D")
    assert graph.shape(int(convolution.inputs[1])) == weights


@pytest.mark.parametrize(
    ("size", "kernel", "channels", "strides"),
    [
        ((24, 24), (3, 3), 3, 2),
        ((24, 24), (5, 5), 3, 2),
        ((24, 24), (7, 7), 4, 2),
        ((24, 24), (7, 7), 3, 1),
        ((24, 24), (7, 7), 3, 3),
        ((24, 23), (7, 7), 3, 2),
    ],
)
def test_what_would_not_gain_stays(size, kernel, channels, strides):
    graph = integer_stem(size, kernel, channels, "same", strides)
    before = graph.text()
    assert gather_pixels(graph) == []
    assert graph.text() == before
