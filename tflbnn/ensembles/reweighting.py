"""How each member's mistakes become the next one's weights: SAMME, SAMME.R, LogitBoost, and the bootstrap. NumPy only.

Every function takes what a member said about ALL training examples, in their order, whatever it was trained on. Weights
of examples always sum to 1.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tflbnn.ensembles.voting import SMALLEST, softmax
from tflbnn.errors import UserError

Floats = NDArray[np.float64]

# What a working response may be at most: 2 to 4 in Friedman et al. (2000), section 4.3.
LARGEST_RESPONSE = 4.0


@dataclasses.dataclass(frozen=True)
class Round:
    """What a round of boosting comes to.

    Attributes:
        error: the member's share of mistakes by weight.
        weight: of the member's votes, alpha; 0 for a member that is no better than guessing.
        weights: of the examples, for the next member; they sum to 1.
    """

    error: float
    weight: float
    weights: Floats

    @property
    def guesses(self) -> bool:
        """The member is no better than guessing, 1 − 1/C wrong: it must be trained again, not voted against."""
        return self.weight == 0


def uniform(examples: int) -> Floats:
    """The weights that boosting starts with.

    >>> uniform(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return np.full(examples, 1 / examples)


def samme(y: NDArray[np.integer], predicted: NDArray[np.integer], weights: Floats, classes: int) -> Round:
    """A round of SAMME: alpha = log((1 − error)/error) + log(C − 1), mistakes weigh exp(alpha) times as much.

    A member without a mistake gets the weight 1 and leaves the examples' weights as they are, as in scikit-learn.

    Args:
        y: the labels (examples,), predicted: the member's.
        weights: of the examples.

    Source: Zhu, Zou, Rosset, Hastie, "Multi-class AdaBoost" (2009), algorithm 2.

    >>> found = samme(np.array([0, 1, 2, 0]), np.array([0, 1, 2, 1]), uniform(4), 3)
    >>> found.error, round(found.weight, 3), found.weights.round(3).tolist()
    (0.25, 1.792, [0.111, 0.111, 0.111, 0.667])
    """
    weights = _normalized(weights)
    wrong = np.asarray(predicted) != np.asarray(y)
    error = float(weights[wrong].sum())
    if error <= 0:
        return Round(0.0, 1.0, weights)
    if _guesses(error, classes):
        return Round(error, 0.0, weights)
    alpha = float(np.log((1 - error) / error) + np.log(classes - 1))
    return Round(error, alpha, _normalized(weights * np.exp(alpha * wrong)))


def samme_r(y: NDArray[np.integer], probabilities: NDArray[np.floating], weights: Floats) -> Round:
    """A round of SAMME.R: weights times exp(−(C − 1)/C · yᵀ log p), y being 1 at the label and −1/(C − 1) elsewhere.

    Every member has the weight 1; probabilities below 2.2e-16 count as that.

    Args:
        y: the labels (examples,), probabilities: the member's, (examples, classes).

    Source: Zhu, Zou, Rosset, Hastie, "Multi-class AdaBoost" (2009), algorithm 4.

    >>> said = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
    >>> samme_r(np.array([0, 0, 1]), said, uniform(3)).weights.round(3).tolist()
    [0.167, 0.167, 0.667]
    """
    weights = _normalized(weights)
    probabilities = np.asarray(probabilities, np.float64)
    classes = probabilities.shape[1]
    wrong = probabilities.argmax(axis=1) != y
    error = float(weights[wrong].sum())
    if _guesses(error, classes):
        return Round(error, 0.0, weights)
    if error <= 0:
        return Round(0.0, 1.0, weights)
    logarithms = np.log(np.maximum(probabilities, SMALLEST))
    coded = np.full((len(y), classes), -1 / (classes - 1))
    coded[np.arange(len(y)), y] = 1.0
    exponents = -(classes - 1) / classes * (coded * logarithms).sum(axis=1)
    return Round(error, 1.0, _normalized(weights * np.exp(exponents - exponents.max())))


def logitboost(y: NDArray[np.integer], scores: Floats) -> tuple[Floats, Floats]:
    """What the next member of LogitBoost regresses: working responses z and their weights w, (examples, classes) each.

    With p = softmax(F) and y coded as 0 and 1: w = p(1 − p), z = (y − p)/w, which is 1/p at the label and −1/(1 − p)
    elsewhere, at most 4 in magnitude; no w is below 4.4e-16.

    Args:
        y: the labels (examples,).
        scores: F (examples, classes), what the members so far come to; zeros before the first.

    Source: Friedman, Hastie, Tibshirani, "Additive Logistic Regression" (2000), algorithm 6.

    >>> z, w = logitboost(np.array([0]), np.zeros((1, 2)))
    >>> z.tolist(), w.tolist()
    ([[2.0, -2.0]], [[0.25, 0.25]])
    """
    p = softmax(scores)
    coded = np.zeros_like(p)
    coded[np.arange(len(y)), y] = 1.0
    w = np.maximum(p * (1 - p), 2 * SMALLEST)
    z = np.where(coded == 1, 1 / np.maximum(p, SMALLEST), -1 / np.maximum(1 - p, SMALLEST))
    return np.clip(z, -LARGEST_RESPONSE, LARGEST_RESPONSE), w


def centred(regressions: NDArray[np.floating]) -> Floats:
    """What a member of LogitBoost adds to F: (C − 1)/C · (f − mean of f), classes along the last axis.

    >>> centred(np.array([1.0, 3.0])).tolist()
    [-0.5, 0.5]
    """
    f = np.asarray(regressions, np.float64)
    classes = f.shape[-1]
    return (classes - 1) / classes * (f - f.mean(axis=-1, keepdims=True))


def draw(weights: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """As many examples as there are, drawn with replacement by their weights; with equal ones a bootstrap.

    >>> len(np.unique(draw(uniform(20_000), np.random.default_rng(0)))) / 20_000  # 1 − 1/e
    0.63...
    """
    weights = _normalized(weights)
    return rng.choice(len(weights), len(weights), p=weights)


def _normalized(weights: Floats) -> Floats:
    weights = np.asarray(weights, np.float64)
    total = weights.sum()
    if weights.ndim != 1 or not np.isfinite(total) or (weights < 0).any() or not total > 0:
        raise UserError(
            "Weights of examples must be one number each, at least 0, not all 0. Received: "
            f"{weights.shape} with the sum {total:g}. Start from equal ones."
        )
    return weights / total


def _guesses(error: float, classes: int) -> bool:
    """Whether a learner with this error is no better than guessing; rounded sums of weights may fall short of it."""
    return error >= (1 - 1 / classes) * (1 - 1e-12)
