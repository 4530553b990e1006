"""Boxes: default boxes, their offsets to what they stand for, how far two overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Offsets are multiplied by these so that they vary about as much as a normalised output: the "variances" 0.1 and 0.2
# of SSD's implementations, (ycenter, xcenter, height, width).
SCALES = (10.0, 10.0, 5.0, 5.0)


def default_boxes(maps: Sequence[tuple[int, int]], sizes: Sequence[float], ratios: Sequence[Sequence[float]]) -> Array:
    """The boxes that a network's predictions are offsets to, map by map, row by row, cell by cell.

    A cell of map k has a square of sizes[k], one of sqrt(sizes[k] · sizes[k + 1]), and for every further ratio r a box
    of the first one's area, r times as wide as high (SSD section 2.2).

    Args:
        maps: (height, width) of every feature map.
        sizes: of every map, in shares of the image, and one more.
        ratios: width / height of every map's boxes, besides 1.

    Returns:
        (boxes, 4): ycenter, xcenter, height, width, in shares of the image; not cut at its borders.

    >>> default_boxes([(1, 2)], [0.25, 1.0], [(4.0,)]).tolist()[:3]
    [[0.5, 0.25, 0.25, 0.25], [0.5, 0.25, 0.5, 0.5], [0.5, 0.25, 0.125, 0.5]]
    """
    parts = []
    for (height, width), size, following, shapes in zip(maps, sizes[:-1], sizes[1:], ratios, strict=True):
        middle = (size * following) ** 0.5
        extents = [(size, size), (middle, middle), *((size / r**0.5, size * r**0.5) for r in shapes)]
        y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
        centers = np.repeat(np.stack([y, x], axis=-1).reshape(-1, 1, 2), len(extents), axis=1)
        shapes_of_all = np.broadcast_to(np.array(extents), centers.shape)
        parts.append(np.concatenate([centers, shapes_of_all], axis=-1).reshape(-1, 4))
    return np.concatenate(parts).astype(np.float32)


def corners(boxes: Array) -> Array:
    """(ymin, xmin, ymax, xmax) of boxes given as (ycenter, xcenter, height, width).

    >>> corners(np.array([[0.5, 0.5, 0.5, 1.0]])).tolist()
    [[0.25, 0.0, 0.75, 1.0]]
    """
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def encode(boxes: Array, defaults: Array) -> Array:
    """What a network should predict at `defaults` for `boxes` (SSD eq. 2), times SCALES.

    Args:
        boxes: (boxes, 4), corners, of a height and width above 0.
        defaults: (boxes, 4), centers and extents.

    >>> encode(np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[0.25, 0.5, 0.5, 1.0]])).round(3).tolist()
    [[5.0, 0.0, 3.466, 0.0]]
    """
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2
    offsets = (centers - defaults[..., :2]) / defaults[..., 2:]
    extents = np.log((boxes[..., 2:] - boxes[..., :2]) / defaults[..., 2:])
    return np.concatenate([offsets, extents], axis=-1) * np.asarray(SCALES, boxes.dtype)


def decode(offsets: Array, defaults: Array) -> Array:
    """The opposite of `encode`: corners; not cut at the image's borders.

    >>> decode(np.array([[5.0, 0.0, 3.4657359, 0.0]]), np.array([[0.25, 0.5, 0.5, 1.0]])).round(3).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    scaled = offsets / np.asarray(SCALES, offsets.dtype)
    centers = scaled[..., :2] * defaults[..., 2:] + defaults[..., :2]
    return corners(np.concatenate([centers, np.exp(scaled[..., 2:]) * defaults[..., 2:]], axis=-1))


def intersection_over_union(boxes: Array, others: Array) -> Array:
    """(boxes, others): the area that two boxes share, as a share of the area that they cover; 0 for an empty box.

    >>> intersection_over_union(np.array([[0, 0, 2, 2]]), np.array([[0, 1, 2, 3], [5, 5, 6, 6]])).tolist()
    [[0.3333333333333333, 0.0]]
    """
    low = np.maximum(boxes[:, np.newaxis, :2], others[np.newaxis, :, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], others[np.newaxis, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas, other_areas = (np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=-1) for b in (boxes, others))
    covered = areas[:, np.newaxis] + other_areas[np.newaxis] - shared
    return np.divide(shared, covered, out=np.zeros(shared.shape, np.result_type(shared, 0.0)), where=shared > 0)
