"""Boxes: what is encoded is decoded, overlaps are shares, default boxes cover the image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tflbnn.detection import decode, default_boxes, encode, intersection_over_union
from tflbnn.detection.boxes import corners

NUMBERS = st.floats(0, 1, width=32)


@st.composite
def boxes(draw, number=None, smallest=2**-10):
    """float32 (number, 4): corners, each side at least `smallest`."""
    count = draw(st.integers(1, 6)) if number is None else number
    low = draw(arrays.arrays(np.float32, (count, 2), elements=NUMBERS))
    size = draw(arrays.arrays(np.float32, (count, 2), elements=st.floats(smallest, 1, width=32)))
    return np.concatenate([low, low + size], axis=1)


@settings(deadline=None)
@given(st.data(), st.integers(1, 6))
def test_what_is_encoded_is_decoded(data, number):
    given_boxes, defaults = data.draw(boxes(number)), data.draw(boxes(number))
    centers = np.concatenate([(defaults[:, :2] + defaults[:, 2:]) / 2, defaults[:, 2:] - defaults[:, :2]], axis=1)
    decoded = decode(encode(given_boxes, centers), centers)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, given_boxes, atol=1e-5)


def test_offsets_of_zero_are_the_default_box():
    defaults = default_boxes([(3, 5)], (0.2, 0.4), [(2.0, 0.5)])
    np.testing.assert_allclose(decode(np.zeros_like(defaults), defaults), corners(defaults), rtol=1e-6)


@settings(deadline=None)
@given(boxes(), boxes())
def test_overlaps_are_shares_and_symmetric(first, second):
    overlaps = intersection_over_union(first, second)
    assert overlaps.shape == (len(first), len(second))
    assert ((overlaps >= 0) & (overlaps <= 1 + 1e-6)).all()
    np.testing.assert_array_equal(overlaps, intersection_over_union(second, first).T)
    np.testing.assert_allclose(np.diag(intersection_over_union(first, first)), 1, rtol=1e-5)


@settings(deadline=None)
@given(boxes(), st.tuples(NUMBERS, NUMBERS))
def test_overlaps_stay_when_both_are_moved(given_boxes, by):
    exact = given_boxes.astype(np.float64)
    moved = exact + np.array([*by, *by])
    expected = intersection_over_union(exact, exact)
    np.testing.assert_allclose(intersection_over_union(moved, moved), expected, atol=1e-9)


@pytest.mark.parametrize("empty", [[0.5, 0.5, 0.5, 0.9], [0.9, 0.1, 0.1, 0.9]])
def test_an_empty_box_overlaps_nothing(empty):
    everything = np.array([[0.0, 0.0, 1.0, 1.0], empty])
    assert intersection_over_union(np.array([empty]), everything).tolist() == [[0.0, 0.0]]


@settings(deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 6), st.floats(0.05, 0.5), st.sampled_from([(), (2.0,), (2.0, 0.5, 3.0, 1 / 3)])
)
def test_default_boxes(height, width, size, ratios):
    found = default_boxes([(height, width), (1, 1)], (size, 0.6, 0.8), [ratios, ()])
    per_cell = 2 + len(ratios)
    assert found.shape == (height * width * per_cell + 2, 4)
    cells = found[: height * width * per_cell].reshape(height, width, per_cell, 4)
    # A cell's boxes lie around its centre; those of a ratio have the first one's area.
    np.testing.assert_allclose(
        cells[..., 0], np.broadcast_to((np.arange(height)[:, None, None] + 0.5) / height, cells.shape[:3]), rtol=1e-6
    )
    np.testing.assert_allclose(
        cells[..., 1], np.broadcast_to((np.arange(width)[None, :, None] + 0.5) / width, cells.shape[:3]), rtol=1e-6
    )
    areas = cells[..., 2] * cells[..., 3]
    np.testing.assert_allclose(areas[..., 2:], np.broadcast_to(size**2, areas[..., 2:].shape), rtol=1e-5)
    np.testing.assert_allclose((cells[..., 3] / cells[..., 2])[0, 0], [1, 1, *ratios], rtol=1e-5)
