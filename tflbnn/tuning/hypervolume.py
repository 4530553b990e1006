"""The hypervolume of a Pareto front: how much of the space of objectives it beats. All objectives are minimised here.

Source: Zitzler and Thiele, "Multiobjective Optimization Using Evolutionary Algorithms" (PPSN V, 1998).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Which of the points (number, objectives) no other beats in one objective without losing in another.

    >>> non_dominated([[1, 2], [2, 1], [2, 2]]).tolist()
    [True, True, False]
    """
    points = np.asarray(points, float)
    no_worse = (points[:, None] <= points[None]).all(-1)
    better = (points[:, None] < points[None]).any(-1)
    return ~(no_worse & better).any(0)


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume between the points (number, objectives) and a reference point that is worse than all that counts.

    Points that are not better than the reference in every objective add nothing.

    >>> hypervolume([[0, 1], [1, 0]], [2, 2])
    3.0
    """
    reference = np.asarray(reference, float)
    points = np.asarray(points, float).reshape(-1, len(reference))
    return _volume(points[(points < reference).all(-1)], reference)


def _volume(points: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """By slices along the last objective, each with the volume of the others."""
    if not len(points):
        return 0.0
    if len(reference) == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    if len(reference) == 2:
        best = np.minimum.accumulate(points[:, 0])
        heights = np.diff(np.append(points[:, 1], reference[1]))
        return float(((reference[0] - best) * heights).sum())
    ends = np.append(points[1:, -1], reference[-1])
    total = 0.0
    for number, (start, end) in enumerate(zip(points[:, -1], ends, strict=True), start=1):
        if end > start:
            total += (end - start) * _volume(points[:number, :-1], reference[:-1])
    return total


def improvement(point: ArrayLike, front: ArrayLike, reference: ArrayLike) -> float:
    """How much the hypervolume of a front grows by a point.

    >>> improvement([0, 0], [[0, 1], [1, 0]], [2, 2])
    1.0
    """
    point, reference = np.asarray(point, float), np.asarray(reference, float)
    if (point >= reference).any():
        return 0.0
    covered = np.maximum(np.asarray(front, float).reshape(-1, len(reference)), point)
    return float(np.prod(reference - point)) - hypervolume(covered, reference)
