"""From a network's raw outputs to detections: decoding and non-maximum suppression."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tflbnn.detection.boxes import Array, decode, intersection_over_union


@dataclasses.dataclass(frozen=True)
class PostProcessing:
    """What decides which boxes stay. The defaults are Gluon-CV's for SSD, with as many boxes as its evaluation keeps.

    Attributes:
        score_threshold: less likely boxes are dropped.
        iou_threshold: of two boxes of a class that overlap more than this, the less likely one is dropped.
        max_detections: of an image.
    """

    score_threshold: float = 0.01
    iou_threshold: float = 0.45
    max_detections: int = 100


@dataclasses.dataclass(frozen=True)
class Detections:
    """What was found in one image, the likeliest first.

    Attributes:
        boxes: (detections, 4), corners in shares of the image.
        classes: (detections,), without the background: 0 is the first label.
        scores: (detections,), probabilities.
    """

    boxes: Array
    classes: NDArray[np.int64]
    scores: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        return Detections(self.boxes[chosen], self.classes[chosen], self.scores[chosen])


def non_max_suppression(boxes: Array, scores: Array, iou_threshold: float, most: int) -> NDArray[np.intp]:
    """The numbers of the boxes that stay, the likeliest first: each overlaps none before it by more than the threshold.

    Of equal scores the first box wins, as in TFLite.

    >>> boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 2.2], [4, 4, 5, 5]])
    >>> non_max_suppression(boxes, np.array([0.8, 0.9, 0.5]), 0.45, 10).tolist()
    [1, 2]
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[intersection_over_union(boxes[best : best + 1], boxes[left])[0] <= iou_threshold]
    return np.array(kept, np.intp)


def detect(probabilities: Array, offsets: Array, defaults: Array, post: PostProcessing | None = None) -> Detections:
    """What a network's raw outputs for one image say, as TFLite_Detection_PostProcess has it with regular suppression.

    Args:
        probabilities: (boxes, classes + 1), the background first.
        offsets: (boxes, 4), to the default boxes.
        defaults: (boxes, 4), centers and extents.

    >>> found = detect(np.array([[0.1, 0.9], [0.7, 0.3]]), np.zeros((2, 4)), np.array([[0.5, 0.5, 1, 1]] * 2))
    >>> found.classes.tolist(), found.scores.tolist(), found.boxes.tolist()
    ([0], [0.9], [[0.0, 0.0, 1.0, 1.0]])
    """
    post = post or PostProcessing()
    boxes = decode(offsets, defaults)
    kept, classes = [], []
    for number in range(probabilities.shape[1] - 1):
        scores = probabilities[:, number + 1]
        likely = np.flatnonzero(scores >= post.score_threshold)
        chosen = likely[non_max_suppression(boxes[likely], scores[likely], post.iou_threshold, post.max_detections)]
        kept.append(chosen)
        classes.append(np.full(len(chosen), number))
    chosen, numbers = np.concatenate(kept), np.concatenate(classes)
    found = Detections(boxes[chosen], numbers, probabilities[chosen, numbers + 1])
    return found.take(np.argsort(-found.scores, kind="stable")[: post.max_detections])


def difference(found: Detections, expected: Detections) -> float:
    """The largest difference of a box or score, whatever the order of equal scores; infinite where a class or the
    number differs. Borders far outside of the image are compared by their ratio.

    >>> one, other = (Detections(np.zeros((1, 4)), np.zeros(1, int), np.array([score])) for score in (0.5, 0.25))
    >>> difference(one, other)
    0.25
    """
    if len(found) != len(expected):
        return np.inf
    if not len(found):
        return 0.0
    boxes = np.abs(found.boxes[:, np.newaxis].astype(np.float64) - expected.boxes)
    boxes = (boxes / np.maximum(1, np.abs(expected.boxes))).max(axis=-1)
    distance = np.maximum(boxes, np.abs(found.scores[:, np.newaxis].astype(np.float64) - expected.scores))
    distance = np.where(found.classes[:, np.newaxis] == expected.classes, distance, np.inf)
    nearest = distance.argmin(axis=1)
    return float(distance.min(axis=1).max()) if len(set(nearest)) == len(nearest) else np.inf
