"""Suppression against a brute-force oracle, in exact fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn.detection import PostProcessing, default_boxes, detect, non_max_suppression

SIDES = st.integers(0, 6)
BOXES = st.lists(st.tuples(SIDES, SIDES, st.integers(1, 5), st.integers(1, 5)), max_size=12)


def overlap(a, b) -> Fraction:
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(height, 0) * max(width, 0)
    return Fraction(shared, sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


def oracle(boxes, scores, threshold, most):
    """The likeliest box that is left, again and again, each driving out what it overlaps too much."""
    left, kept = set(range(len(boxes))), []
    while left and len(kept) < most:
        best = min(left, key=lambda box: (-scores[box], box))
        kept.append(best)
        left = {box for box in left if box != best and overlap(boxes[best], boxes[box]) <= threshold}
    return kept


@settings(deadline=None)
@given(BOXES, st.data(), st.fractions(0, 1, max_denominator=4), st.integers(1, 15))
def test_is_the_oracles(corners, data, threshold, most):
    boxes = [(y, x, y + height, x + width) for y, x, height, width in corners]
    scores = data.draw(st.lists(st.sampled_from([0.25, 0.5, 0.75]), min_size=len(boxes), max_size=len(boxes)))
    found = non_max_suppression(np.array(boxes, float).reshape(-1, 4), np.array(scores), float(threshold), most)
    assert found.tolist() == oracle(boxes, scores, threshold, most)


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 10), st.integers(0, 2**31), st.integers(1, 12))
def test_detections_are_likely_sorted_apart_and_few(classes, side, seed, most):
    rng = np.random.default_rng(seed)
    defaults = default_boxes([(side, 2)], (0.2, 0.4), [()])
    probabilities = rng.dirichlet(np.ones(classes + 1), len(defaults)).astype(np.float32)
    post = PostProcessing(score_threshold=0.2, iou_threshold=0.3, max_detections=most)
    found = detect(probabilities, rng.normal(size=(len(defaults), 4)).astype(np.float32), defaults, post)
    assert len(found) <= most
    assert (found.scores >= 0.2).all()
    assert (np.diff(found.scores) <= 0).all()
    assert set(found.classes) <= set(range(classes))
    again = [found.take(found.classes == number) for number in range(classes)]
    assert all(len(non_max_suppression(one.boxes, one.scores, 0.3, most)) == len(one) for one in again)


def test_nothing_likely_is_nothing_found():
    found = detect(np.array([[1.0, 0.0, 0.0]]), np.zeros((1, 4)), np.array([[0.5, 0.5, 1, 1]]))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
