"""Mean average precision: a case computed by hand, and what must hold whatever is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn.detection import Detections, mean_average_precision

A, B, C, D = [0, 0, 4, 4], [4, 4, 8, 8], [0, 0, 2, 8], [6, 0, 8, 8]
NOWHERE = [20, 20, 21, 21]


def found(*rows):
    """Detections of class 0 by box and score."""
    boxes, scores = zip(*rows, strict=True) if rows else ((), ())
    return Detections(np.array(boxes, float).reshape(-1, 4), np.zeros(len(boxes), int), np.array(scores, float))


def objects(*rows):
    """Objects by box, class, difficult."""
    return np.array([[*box, number, difficult] for box, number, difficult in rows], float).reshape(-1, 6)


def test_by_hand():
    # By falling score: A found, A again (wrong), C found, D (difficult: does not count), nothing there, B found.
    # Precision 1, 1/2, 2/3, 2/4, 3/5 at recall 1/3, 1/3, 2/3, 2/3, 1; best from there on: 1, 2/3, 2/3, 3/5, 3/5.
    detections = [
        found((A, 0.9), (A, 0.8), (B, 0.4)),
        found((C, 0.7), (D, 0.6), (NOWHERE, 0.5)),
    ]
    truth = [objects((A, 0, 0), (B, 0, 0)), objects((C, 0, 0), (D, 0, 1))]
    result = mean_average_precision(detections, truth, classes=1)
    assert result.mean == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    # 1 at the recalls 0 to 0.3, 2/3 at 0.4 to 0.6, 3/5 at 0.7 to 1.
    assert result.mean_eleven_point == pytest.approx((4 * 1 + 3 * 2 / 3 + 4 * 3 / 5) / 11)


def test_a_class_without_objects_is_left_out():
    both = Detections(np.array([A, B], float), np.array([0, 1]), np.array([0.5, 0.9]))
    result = mean_average_precision([both], [objects((A, 0, 0))], classes=3)
    assert result.all_point[0] == 1
    assert np.isnan(result.all_point[1:]).all()
    assert result.mean == 1


def test_an_overlap_of_exactly_one_half_is_enough():
    half = [0, 0, 4, 2]
    assert mean_average_precision([found((half, 0.5))], [objects((A, 0, 0))], 1).mean == 1
    assert mean_average_precision([found((half, 0.5))], [objects((A, 0, 0))], 1, iou_threshold=0.51).mean == 0


def test_the_class_must_be_right():
    assert mean_average_precision([found((A, 0.5))], [objects((A, 1, 0))], 2).mean == 0


def test_nothing_at_all():
    assert mean_average_precision([found()], [objects()], 2).mean == 0
    assert mean_average_precision([], [], 2).mean == 0


CELLS = st.lists(st.integers(0, 8), min_size=1, max_size=6, unique=True)


def cell(number):
    y, x = divmod(number, 3)
    return [y, x, y + 1, x + 1]


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=3), st.data())
def test_bounds_and_what_is_perfect(images, data):
    truth = [objects(*((cell(number), number % 2, 0) for number in numbers)) for numbers in images]
    perfect, some = [], []
    for there in truth:
        scores = np.array(data.draw(st.lists(st.floats(0.1, 1), min_size=len(there), max_size=len(there))))
        perfect.append(Detections(there[:, :4], there[:, 4].astype(int), scores))
        chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(there), max_size=len(there))))
        wrong = Detections(np.array([NOWHERE], float), np.array([0]), np.array([data.draw(st.floats(0, 1))]))
        kept = perfect[-1].take(chosen)
        some.append(
            Detections(*(np.concatenate(pair) for pair in zip(*(vars(d).values() for d in (kept, wrong)), strict=True)))
        )
    best = mean_average_precision(perfect, truth, 2)
    assert best.mean == pytest.approx(1)
    assert best.mean_eleven_point == pytest.approx(1)
    result = mean_average_precision(some, truth, 2)
    for values in (result.all_point, result.eleven_point):
        assert all(np.isnan(value) or -1e-9 <= value <= 1 + 1e-9 for value in values)
    # The share of a class's objects that are found bounds its precision.
    for number, value in enumerate(result.all_point):
        total = sum((there[:, 4] == number).sum() for there in truth)
        hits = sum(((d.classes == number) & (d.boxes[:, 0] < 20)).sum() for d in some)
        assert np.isnan(value) or value <= hits / total + 1e-9
