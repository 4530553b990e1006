"""The losses against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn._keras import tf
from tflbnn.detection import losses


def confidence_by_loops(classes, probabilities):
    total = 0.0
    for labels, image in zip(classes, probabilities, strict=True):
        each = [-np.log(row[label]) for label, row in zip(labels, image, strict=True)]
        positive = [loss for label, loss in zip(labels, each, strict=True) if label > 0]
        negative = sorted((loss for label, loss in zip(labels, each, strict=True) if label == 0), reverse=True)
        total += sum(positive) + sum(negative[: 3 * len(positive)])
    return total / max(1, (classes > 0).sum())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 3), st.integers(0, 2**31))
def test_confidence(batch, boxes, classes, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes + 1, (batch, boxes)) * (rng.random((batch, boxes)) < 0.3)
    probabilities = rng.dirichlet(np.ones(classes + 1) * 3, (batch, boxes)).astype(np.float32)
    found = losses.confidence(tf.constant(labels), tf.constant(probabilities)).numpy()
    assert found == pytest.approx(confidence_by_loops(labels, probabilities), rel=1e-3, abs=1e-5)


def test_localization_counts_matched_boxes_only():
    targets = np.zeros((2, 3, 5), np.float32)
    targets[0, 0] = [0.5, -2.0, 0.0, 0.0, 1]
    targets[1, 2] = [0.0, 0.0, 0.0, 1.0, 1]
    offsets = np.zeros((2, 3, 4), np.float32)
    offsets[0, 1] = 100  # no object there
    assert losses.localization(tf.constant(targets), tf.constant(offsets)).numpy() == pytest.approx(
        (0.125 + 1.5 + 0.5) / 2
    )


def test_without_objects_there_is_no_loss():
    assert losses.confidence(tf.zeros((2, 4), tf.int32), tf.fill((2, 4, 3), 1 / 3)).numpy() == 0
    assert losses.localization(tf.zeros((2, 4, 5)), tf.ones((2, 4, 4))).numpy() == 0
