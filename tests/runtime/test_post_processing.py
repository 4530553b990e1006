"""TFLite's operator for detection: the same as NumPy, described in the metadata, checked before it runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.small_models import Builder
from tflbnn.analysis.counts_tflite import counts_tflite
from tflbnn.detection import PostProcessing, detect
from tflbnn.detection.suppression import difference
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.metadata import Metadata, add_metadata, read_metadata
from tflbnn.runtime.post_processing import NUMBER, OPERATOR, OUTPUTS, detections, is_detector, options


def detector(boxes: int, classes: int, post: PostProcessing, defaults: np.ndarray, **changes) -> bytes:
    """A model that is the operator alone."""
    builder = Builder()
    offsets = builder.tensor("offsets", (1, boxes, 4))
    probabilities = builder.tensor("probabilities", (1, boxes, classes + 1))
    constant = builder.constant("defaults", defaults.astype(np.float32))
    most = post.max_detections
    shapes = ((1, most, 4), (1, most), (1, most), (1,))
    outputs = [builder.tensor(name, shape) for name, shape in zip(OUTPUTS, shapes, strict=True)]
    given_options = {name: value for name, value in (options(classes, post) | changes).items() if value is not None}
    builder.operator(OPERATOR, [offsets, probabilities, constant], outputs, **given_options)
    return builder.finish([offsets, probabilities], outputs)


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.integers(1, 60),
    classes=st.integers(1, 5),
    most=st.integers(1, 30),
    score=st.sampled_from([0.01, 0.2, 0.5]),
    overlap=st.sampled_from([0.2, 0.45, 0.9]),
    threads=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
def test_is_numpys(boxes, classes, most, score, overlap, threads, seed):
    rng = np.random.default_rng(seed)
    defaults = rng.uniform(0.1, 0.9, (boxes, 4)).astype(np.float32)
    offsets = rng.normal(0, 2, (3, boxes, 4)).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(classes + 1), (3, boxes)).astype(np.float32)
    post = PostProcessing(score, overlap, most)
    with Model(detector(boxes, classes, post, defaults), threads, delegate=False) as model:
        assert is_detector(model.output_specs)
        outputs = model.predict({"offsets": offsets, "probabilities": probabilities})
    for image in range(3):
        expected = detect(probabilities[image], offsets[image], defaults, post)
        assert difference(detections(outputs, image), expected) <= 1e-5


def test_equal_scores_and_boxes_at_one_place():
    defaults = np.tile(np.array([0.5, 0.5, 0.4, 0.4], np.float32), (4, 1))
    probabilities = np.full((1, 4, 3), 1 / 3, np.float32)
    with Model(detector(4, 2, PostProcessing(), defaults), delegate=False) as model:
        outputs = model.predict({"offsets": np.zeros((1, 4, 4), np.float32), "probabilities": probabilities})
    found = detections(outputs)
    assert sorted(found.classes) == [0, 1]
    np.testing.assert_allclose(found.boxes, [[0.3, 0.3, 0.7, 0.7]] * 2, rtol=1e-6)


DEFAULTS = np.full((6, 4), 0.5, np.float32)


def test_default_boxes_are_no_parameters():
    assert counts_tflite(detector(6, 2, PostProcessing(), DEFAULTS)).parameters == 0


def test_metadata_as_tflites_object_detectors_have_it():
    file = add_metadata(detector(6, 2, PostProcessing(), DEFAULTS), Metadata(labels=("cat", "dog")))
    check_model(file)
    assert read_metadata(file).labels == ("cat", "dog")
    with Model(file, delegate=False) as model:
        assert model.labels == ["cat", "dog"]


def test_metadata_needs_a_label_a_class():
    with pytest.raises(UserError, match=r"a label for each of the 2 outputs. Received: 3"):
        add_metadata(detector(6, 2, PostProcessing(), DEFAULTS), Metadata(labels=("a", "b", "c")))


@pytest.mark.parametrize(
    "changes",
    [
        {"max_detections": 0},
        {"max_detections": -5},
        {"max_detections": 2**31 - 1},
        {"max_detections": 99},
        {"max_detections": 100.0},
        {"max_detections": None},
        {"max_classes_per_detection": 0},
        {"max_classes_per_detection": 2},
        {"detections_per_class": -1},
        {"num_classes": 0},
        {"num_classes": 1},
        {"num_classes": 4},
        {"num_classes": None},
        {"y_scale": 0.0},
        {"h_scale": -5.0},
        {"w_scale": float("nan")},
        {"x_scale": float("inf")},
        {"nms_iou_threshold": float("nan")},
        {"nms_score_threshold": None},
    ],
)
def test_wrong_options_are_refused(changes):
    with pytest.raises(UserError, match=r"The model file is damaged: .*TFLite_Detection_PostProcess"):
        check_model(detector(6, 2, PostProcessing(), DEFAULTS, **changes))


def test_default_boxes_of_another_number_are_refused():
    with pytest.raises(UserError, match="which do not fit it"):
        check_model(detector(6, 2, PostProcessing(), DEFAULTS[:5]))


def test_without_options_it_is_refused():
    builder = Builder()
    inputs = [builder.tensor("offsets", (1, 6, 4)), builder.tensor("probabilities", (1, 6, 3))]
    outputs = [builder.tensor(name, (1, 100)) for name in OUTPUTS]
    builder.operator(OPERATOR, [*inputs, builder.constant("defaults", DEFAULTS)], outputs)
    with pytest.raises(UserError, match="has no options"):
        check_model(builder.finish(inputs, outputs))


@pytest.mark.parametrize("number", [-3, 0, 7, np.nan, np.inf])
def test_a_strange_number_of_detections(number):
    rows = dict(zip(OUTPUTS, (np.zeros((1, 5, 4)), np.zeros((1, 5)), np.zeros((1, 5)), None), strict=True))
    rows[NUMBER] = np.array([number])
    assert len(detections(rows)) in (0, 5)
