"""How much members differ: the less two of them make the same mistakes, the more their votes gain. NumPy only.

Source: Kuncheva and Whitaker, "Measures of Diversity in Classifier Ensembles" (2003).
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Diversity:
    """Of all pairs of members.

    Attributes:
        disagreement: the share of images of which one member of a pair is right and the other wrong, the mean pair's.
        q_statistic: Yule's Q of being right, 0 for independent members, 1 where the same images are right, the mean
            pair's; pairs that leave it undefined do not count, and without any other it is NaN.
        different_labels: the share of images that a pair labels differently, the mean pair's.
    """

    disagreement: float
    q_statistic: float
    different_labels: float


def diversity(predicted: NDArray[np.integer], y: NDArray[np.integer]) -> Diversity:
    """How different members are.

    Args:
        predicted: labels (members, images), y: the true ones (images,).

    Returns:
        All NaN for a single member.

    >>> diversity(np.array([[0, 0, 1, 1], [0, 1, 1, 0]]), np.array([0, 0, 1, 1]))
    Diversity(disagreement=0.5, q_statistic=nan, different_labels=0.5)
    """
    right = predicted == y
    disagreements, statistics, different = [], [], []
    for a, b in itertools.combinations(range(len(predicted)), 2):
        both, neither = (right[a] & right[b]).sum(), (~right[a] & ~right[b]).sum()
        one, other = (right[a] & ~right[b]).sum(), (~right[a] & right[b]).sum()
        disagreements.append((one + other) / len(y))
        different.append(float((predicted[a] != predicted[b]).mean()))
        if (products := both * neither + one * other) > 0:
            statistics.append((both * neither - one * other) / products)

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float("nan")

    return Diversity(mean(disagreements), mean(statistics), mean(different))
