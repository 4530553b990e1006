"""Mean average precision, as PASCAL VOC defines it.

Source: Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge" (2010), section 4.2, and the challenge's
development kit: eleven points until 2009, all points from 2010 on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tflbnn.detection.boxes import Array, intersection_over_union
from tflbnn.detection.matching import CLASS, DIFFICULT
from tflbnn.detection.suppression import Detections

_ELEVEN = np.linspace(0, 1, 11)


@dataclasses.dataclass(frozen=True)
class AveragePrecision:
    """Average precision of each class, NaN for a class without objects, and their mean, from 0 to 1.

    Attributes:
        all_point: the area under the precision that falls with recall (VOC 2010 to 2012).
        eleven_point: the mean of that precision at the recalls 0, 0.1, ..., 1 (VOC 2005 to 2009).
    """

    all_point: tuple[float, ...]
    eleven_point: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of `all_point`; 0 where no class has an object."""
        return _mean(self.all_point)

    @property
    def mean_eleven_point(self) -> float:
        return _mean(self.eleven_point)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else 0.0


def mean_average_precision(
    detections: Sequence[Detections], objects: Sequence[Array], classes: int, iou_threshold: float = 0.5
) -> AveragePrecision:
    """How well detections in many images are the objects there.

    A detection is right if it overlaps an object of its class by `iou_threshold` or more, no likelier detection is
    right about the same object, and it overlaps no other of the class more. What is right about a difficult object
    does not count, and neither do difficult objects that are not found.

    Args:
        detections: of each image.
        objects: of each image, (objects, 6): corners, class, difficult; rows of class -1 are none.

    >>> found = Detections(np.array([[0, 0, 1, 1]]), np.array([0]), np.array([0.9]))
    >>> mean_average_precision([found], [np.array([[0, 0, 1, 0.8, 0, 0], [0, 0, 0.1, 0.1, 0, 0]])], 1).mean
    0.5
    """
    precise = [_of_class(number, detections, objects, iou_threshold) for number in range(classes)]
    return AveragePrecision(tuple(all_ for all_, _ in precise), tuple(eleven for _, eleven in precise))


def _of_class(
    number: int, detections: Sequence[Detections], objects: Sequence[Array], iou_threshold: float
) -> tuple[float, float]:
    scores, right, counted = [], [], []
    total = 0
    for found, there in zip(detections, objects, strict=True):
        own, wanted = found.take(found.classes == number), there[there[:, CLASS] == number]
        total += int((wanted[:, DIFFICULT] == 0).sum())
        hits, counts = _assign(own, wanted, iou_threshold)
        scores.append(own.scores)
        right.append(hits)
        counted.append(counts)
    if not total:
        return float("nan"), float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = np.concatenate(right)[order][np.concatenate(counted)[order]]
    recall = np.cumsum(hits) / total
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return average_precision(recall, precision)


def _assign(found: Detections, wanted: Array, iou_threshold: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which detections of one class in one image are right, and which count."""
    right, counts = np.zeros(len(found), bool), np.ones(len(found), bool)
    if not len(wanted):
        return right, counts
    taken = np.zeros(len(wanted), bool)
    overlaps = intersection_over_union(found.boxes, wanted[:, :4])
    for index in np.argsort(-found.scores, kind="stable"):
        best = int(overlaps[index].argmax())
        if overlaps[index, best] < iou_threshold:
            continue
        if wanted[best, DIFFICULT]:
            counts[index] = False
        else:
            right[index], taken[best] = not taken[best], True
    return right, counts


def average_precision(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> tuple[float, float]:
    """All-point and eleven-point average precision of points in the order of falling score.

    >>> all_point, eleven_point = average_precision(np.array([0.5, 0.5, 1.0]), np.array([1.0, 0.5, 2 / 3]))
    >>> round(all_point, 4), round(eleven_point, 4)
    (0.8333, 0.8485)
    """
    # The precision at a recall is the best one at this recall or a higher one.
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    eleven = float(best[np.searchsorted(recall, _ELEVEN - 1e-9)].mean())
    return float(np.sum(np.diff(recall, prepend=0.0) * best[:-1])), eleven
