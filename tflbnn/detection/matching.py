"""Which default box answers for which object, and what the network should say there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflbnn.detection.boxes import Array, corners, encode, intersection_over_union

# A default box that overlaps an object by this much answers for it (SSD section 2.2).
MATCHED = 0.5

# Columns of an object: its box, its class, whether it is too difficult to count. Class -1 fills a row up.
CLASS, DIFFICULT = 4, 5
COLUMNS = 6


def match(defaults: Array, boxes: Array) -> NDArray[np.intp]:
    """The object that each default box answers for, -1 for none (SSD section 2.2).

    Every object gets the default box that it overlaps most, the object with the largest overlap choosing first; then
    every other default box gets the object that it overlaps most, if by more than half. An object goes without where
    others have chosen every default box that it overlaps.

    Args:
        defaults: (boxes, 4), centers and extents.
        boxes: (objects, 4), corners.

    >>> match(np.array([[0.5, 0.25, 1, 0.5], [0.5, 0.75, 1, 0.5]]), np.array([[0, 0, 1, 0.6]])).tolist()
    [0, -1]
    """
    matches = np.full(len(defaults), -1)
    if not len(boxes):
        return matches
    overlaps = intersection_over_union(corners(defaults), boxes)
    matched = overlaps.max(axis=1) > MATCHED
    matches[matched] = overlaps.argmax(axis=1)[matched]
    free = overlaps.copy()
    for _ in range(min(free.shape)):
        default, chosen = np.unravel_index(free.argmax(), free.shape)
        if free[default, chosen] <= 0:
            break
        matches[default] = chosen
        free[default], free[:, chosen] = -1, -1
    return matches


def targets(defaults: Array, objects: Array) -> tuple[NDArray[np.int32], Array]:
    """What the network should say about one image.

    Args:
        defaults: (boxes, 4), centers and extents.
        objects: (objects, 6): corners, class, difficult; rows of class -1 are none.

    Returns:
        The class of each default box, (boxes,): 0 is the background, class c is c + 1; and (boxes, 5): the offsets of
        its object, and 1 where it has one, else all 0.

    >>> classes, offsets = targets(np.array([[0.5, 0.5, 1.0, 1.0]]), np.array([[0.0, 0.0, 1.0, 1.0, 2, 0]]))
    >>> classes.tolist(), offsets.tolist()
    ([3], [[0.0, 0.0, 0.0, 0.0, 1.0]])
    """
    objects = objects[objects[:, CLASS] >= 0]
    matches = match(defaults, objects[:, :4])
    matched = matches >= 0
    classes = np.zeros(len(defaults), np.int32)
    offsets = np.zeros((len(defaults), 5), np.float32)
    found = objects[matches[matched]]
    classes[matched] = found[:, CLASS].astype(np.int32) + 1
    offsets[matched, :4] = encode(found[:, :4], defaults[matched])
    offsets[matched, 4] = 1
    return classes, offsets
