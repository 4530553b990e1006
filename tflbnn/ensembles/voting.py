"""How members decide together: hard and soft votes, and those that the boosting methods prescribe. NumPy only.

Zhu et al., "Binary Ensemble Neural Network" (2019), section 4. Outputs are arrays (members, images, classes).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn.errors import UserError, nearest

Rule = Literal["hard", "mean", "geometric", "additive"]
RULES: tuple[Rule, ...] = ("hard", "mean", "geometric", "additive")

# What "soft" means to a method: the probabilities' mean, SAMME.R's sum of centred logarithms (Zhu et al., 2009,
# algorithm 4), LogitBoost's sum of regressions (Friedman et al., 2000, algorithm 6).
SOFT: dict[str, Rule] = {"bagging": "mean", "samme": "mean", "samme.r": "geometric", "logitboost": "additive"}

# Of float64: a probability of 0 has no logarithm. As scikit-learn had it in SAMME.R.
SMALLEST = float(np.finfo(np.float64).eps)


def rule_of(method: str, voting: str) -> Rule:
    """The rule that `voting`, "hard" or "soft", means to a method.

    >>> rule_of("samme.r", "soft"), rule_of("samme.r", "hard")
    ('geometric', 'hard')
    """
    return "hard" if voting == "hard" else SOFT[method]


def vote(outputs: ArrayLike, rule: Rule, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """What the members say together, (images, classes); every row sums to 1.

    Args:
        outputs: probabilities (members, images, classes); for "additive", regressions, before any softmax.
        rule: "hard": the share of the members' weight that votes for a class, each for its most probable one, the
            first of equal ones. "mean": the weighted mean of probabilities. "geometric": softmax of the weighted mean
            of their logarithms. "additive": softmax of (C − 1)/C times the sum of the regressions; unweighted.
        weights: one a member, at least 0; equal ones when left out.

    Raises:
        UserError: no such rule, or shapes or weights that do not fit.

    >>> outputs = [[[0.9, 0.1]], [[0.4, 0.6]], [[0.4, 0.6]]]
    >>> vote(outputs, "hard").round(3).tolist(), vote(outputs, "mean").round(3).tolist()
    ([[0.333, 0.667]], [[0.567, 0.433]])
    """
    outputs = np.asarray(outputs, np.float64)
    if rule not in RULES:
        raise UserError(f"There is no vote '{rule}'. {nearest(str(rule), list(RULES))}")
    if outputs.ndim != 3 or not len(outputs):
        raise UserError(f"Votes need outputs (members, images, classes). Received: the shape {outputs.shape}.")
    shares = member_weights(len(outputs), weights)
    if rule == "additive":
        return softmax((outputs.shape[2] - 1) / outputs.shape[2] * outputs.sum(axis=0))
    if rule == "hard":
        outputs = ballots(outputs)
    elif rule == "geometric":
        outputs = np.log(np.maximum(outputs, SMALLEST))
    combined = np.einsum("k,knc->nc", shares, outputs)
    return softmax(combined) if rule == "geometric" else combined


def member_weights(members: int, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Weights that sum to 1.

    Raises:
        UserError: not one for each member, or negative, or all 0.

    >>> member_weights(2, [1, 3]).tolist()
    [0.25, 0.75]
    """
    shares = np.ones(members) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (members,) or not np.isfinite(shares).all() or (shares < 0).any() or not shares.sum() > 0:
        raise UserError(f"Each of {members} members needs a weight of at least 0, not all 0. Received: {weights}.")
    return shares / shares.sum()


def ballots(outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 for each member's most probable class, the first of equal ones, 0 elsewhere.

    >>> ballots(np.array([[[0.5, 0.5]]])).tolist()
    [[[1.0, 0.0]]]
    """
    return np.eye(outputs.shape[-1])[outputs.argmax(axis=-1)]


def softmax(scores: ArrayLike) -> NDArray[np.float64]:
    """Along the last axis.

    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    scores = np.asarray(scores, np.float64)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
