"""Detectors as files: raw outputs bit for bit, detections as NumPy has them, and what is wrong is noticed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.converter.models import randomized
from tests.runtimes import predict_lce
from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.analysis.counts import counts
from tflbnn.analysis.counts_tflite import counts_tflite
from tflbnn.converter import convert
from tflbnn.converter.detection import append_post_processing, raw_outputs
from tflbnn.converter.graph import Graph
from tflbnn.converter.verify import verify
from tflbnn.detection import PostProcessing, detect
from tflbnn.detection.suppression import difference
from tflbnn.errors import VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.post_processing import OPERATOR, OUTPUTS, detections

LABELS = ("circle", "square")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    builder = networks.get("ssd512_binary_densenet37")
    built = builder((64, 64, 3), 2, growth_rate=8, first_filters=8, extra_layers=1)
    return randomized(built)


@pytest.fixture(scope="module")
def conversion(model):
    return convert(model, labels=LABELS)


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(3).normal(size=(3, 64, 64, 3)).astype(np.float32)


def test_the_file_is_verified(model, conversion):
    found = conversion.report.verification
    assert found["verified"]
    assert found["binary_layers"] == 33
    assert found["detections"] > 10
    assert found["detections_max_abs_error"] <= found["tolerance"]
    assert Graph(conversion.flatbuffer).kind(Graph(conversion.flatbuffer).operators[-1]) == OPERATOR
    assert not [row.layer for row in conversion.report.explain if row.left_in_float]


def test_detections_are_keras_decoded_by_numpy(model, conversion, samples):
    with Model(conversion.flatbuffer) as file:
        assert file.labels == list(LABELS)
        outputs = file.predict(samples)
    assert tuple(outputs) == OUTPUTS
    for image, (probabilities, offsets) in enumerate(zip(*model.predict(samples, verbose=0), strict=True)):
        expected = detect(probabilities, offsets, model.default_boxes)
        assert difference(detections(outputs, image), expected) <= 1e-3


def test_runs_in_lces_interpreter(conversion, samples):
    with Model(conversion.flatbuffer) as file:
        ours = file.predict(samples)
    theirs = dict(zip(OUTPUTS, predict_lce(conversion.flatbuffer, samples, use_reference_bconv=True), strict=True))
    for image in range(len(samples)):
        assert difference(detections(ours, image), detections(theirs, image)) <= 1e-4


def test_without_the_operator_it_is_the_raw_model(model, conversion, samples):
    raw = raw_outputs(conversion.flatbuffer)
    assert raw_outputs(raw) is None
    assert verify(model, raw, samples)["verified"]


def test_counts_are_those_of_the_keras_model(model, conversion):
    keras_counts, file_counts = counts(model), counts_tflite(conversion.flatbuffer)
    assert file_counts.binary_weights == keras_counts.binary_weights
    assert file_counts.binary_macs == keras_counts.binary_macs
    assert file_counts.full_precision_macs == keras_counts.full_precision_macs
    # BatchNorm behind the stem's convolution, of 8 channels, is a bias there.
    assert file_counts.parameters == keras_counts.parameters - 8


def _changed(flatbuffer: bytes, change) -> bytes:
    graph = Graph(flatbuffer)
    change(graph, graph.of_kind(OPERATOR)[0])
    graph.model.metadata = None
    return graph.pack()


def _move_default_boxes(graph, operator):
    buffer = graph.model.buffers[graph.main.tensors[operator.inputs[2]].buffer]
    moved = np.frombuffer(bytes(buffer.data), "<f4").reshape(-1, 4) + np.float32([0.01, 0, 0, 0])
    buffer.data = np.frombuffer(moved.tobytes(), np.uint8)


def test_other_default_boxes_are_noticed(model, conversion, samples):
    with pytest.raises(VerificationError, match="detections must be those of its raw outputs"):
        verify(model, _changed(conversion.flatbuffer, _move_default_boxes), samples)


def test_other_thresholds_are_part_of_the_file(model, conversion, samples):
    post = PostProcessing(score_threshold=0.3, iou_threshold=0.2, max_detections=7)
    graph = Graph(raw_outputs(conversion.flatbuffer))
    append_post_processing(graph, model.default_boxes, post)
    found = verify(model, graph.pack(), samples)
    assert found["detections"] <= 7 * found["samples"]


def test_a_classifier_has_no_such_operator():
    classifier = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    found = convert(classifier)
    assert raw_outputs(found.flatbuffer) is None
    assert "detections" not in found.report.verification


def test_differences():
    base = detect(np.array([[0.1, 0.9]]), np.zeros((1, 4)), np.array([[0.5, 0.5, 0.5, 0.5]]))
    assert difference(base, base) == 0
    assert difference(base, base.take(np.zeros(1, bool))) == np.inf
    assert difference(base, dataclasses.replace(base, classes=base.classes + 1)) == np.inf
    assert difference(base, dataclasses.replace(base, boxes=base.boxes + 0.25)) == pytest.approx(0.25)
    two = base.take(np.array([0, 0]))
    other = dataclasses.replace(two, scores=np.array([0.9, 0.2]))
    assert difference(two, other) == np.inf
