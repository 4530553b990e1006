"""Every object gets a default box, and what the boxes should say is what the objects are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detection.test_boxes import boxes
from tflbnn.detection import decode, default_boxes, intersection_over_union
from tflbnn.detection.boxes import corners
from tflbnn.detection.matching import CLASS, match, targets

DEFAULTS = default_boxes([(4, 4), (2, 2)], (0.3, 0.6, 0.9), [(2.0, 0.5), ()])


@settings(deadline=None)
@given(boxes(smallest=2**-5))
def test_an_object_has_a_default_box_unless_others_took_all_of_its(objects):
    matches = match(DEFAULTS, objects)
    overlaps = intersection_over_union(corners(DEFAULTS), objects)
    # An object goes without only where others have every default box that it overlaps.
    for chosen in set(range(len(objects))) - set(matches):
        assert (matches[overlaps[:, chosen] > 0] >= 0).all()
    assert matches.min() >= -1
    assert matches.max() < len(objects)
    # Whatever overlaps an object by more than half answers for one.
    assert (matches[overlaps.max(axis=1) > 0.5] >= 0).all()
    # The default box with the largest overlap of all answers for that object.
    default, chosen = np.unravel_index(overlaps.argmax(), overlaps.shape)
    assert overlaps[default, chosen] == 0 or overlaps[default, matches[default]] == overlaps[default, chosen]


def test_two_objects_at_one_place_get_a_default_box_each():
    box = corners(DEFAULTS[:1])
    matches = match(DEFAULTS, np.concatenate([box, box + 0.01]))
    assert matches[0] == 0
    assert (matches == 1).sum() >= 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_targets_decode_to_the_objects(data):
    given_boxes = data.draw(boxes(smallest=2**-5))
    classes = np.arange(len(given_boxes))
    objects = np.column_stack([given_boxes, classes, np.zeros(len(classes))]).astype(np.float32)
    padded = np.concatenate([objects, np.full((2, 6), -1, np.float32)])
    labels, offsets = targets(DEFAULTS, padded)
    matched = offsets[:, 4] == 1
    assert np.array_equal(matched, labels > 0)
    assert not offsets[~matched].any()
    found = decode(offsets[matched, :4], DEFAULTS[matched])
    np.testing.assert_allclose(found, objects[labels[matched] - 1, :4], atol=1e-5)


def test_without_objects_everything_is_background():
    for objects in (np.zeros((0, 6), np.float32), np.full((3, 6), -1, np.float32)):
        labels, offsets = targets(DEFAULTS, objects)
        assert not labels.any()
        assert not offsets.any()


def test_more_objects_than_default_boxes():
    objects = np.tile(np.array([0, 0, 1, 1, 0, 0], np.float32), (5, 1))
    objects[:, CLASS] = range(5)
    labels, _ = targets(np.array([[0.5, 0.5, 1, 1]], np.float32), objects)
    assert labels.tolist() == [1]
