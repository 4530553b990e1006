"""An ensemble in one file: which members it has, and asking them one by one until the vote is decided."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.errors import UserError
from tflbnn.runtime.metadata import entry

ENTRY = "TFLBNN_ENSEMBLE"

# What sums of float32 may differ by: a lead that is no larger is none.
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True)
class Ensemble:
    """How the members of a file vote.

    Attributes:
        rule: "hard", "mean", "geometric" or "additive"; see `tflbnn.ensembles.voting.vote`.
        weights: of the members' votes; they sum to 1.
        signatures: the members', in order.
    """

    rule: str
    weights: tuple[float, ...]
    signatures: tuple[str, ...]


def read_ensemble(file: bytes) -> Ensemble | None:
    """The ensemble in a model file; None where it is none.

    Raises:
        UserError: what the file says about it is damaged.
    """
    content = entry(file, ENTRY)
    if content is None:
        return None
    try:
        values = json.loads(content)
        weights, signatures = values["weights"], values["signatures"]
        found = Ensemble(values["rule"], tuple(map(float, weights)), tuple(map(str, signatures)))
        valid = found.rule in ("hard", "mean", "geometric", "additive") and len(found.weights) == len(found.signatures)
        if not valid or not np.isfinite(found.weights).all() or not 0.99 < sum(found.weights) < 1.01:
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError("The model's ensemble is damaged. Export the model again.") from error
    return found


def require_countable(ensemble: Ensemble | None) -> None:
    """Raises UserError where there is nothing that could be decided before all members have spoken."""
    if ensemble is None or ensemble.rule not in ("hard", "mean"):
        received = "a model that is no ensemble" if ensemble is None else f"votes that are {ensemble.rule}"
        raise UserError(
            "Early exit needs an ensemble whose votes are hard, or means of probabilities. "
            f"Received: {received}. Leave early_exit out."
        )


def vote_early(
    ensemble: Ensemble, predict: Callable[[str, NDArray[Any]], NDArray[Any]], images: NDArray[Any], classes: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Asks the members one after another, the heaviest first, each only about images that are not decided yet.

    Args:
        predict: what the member of a signature says about images, (images, classes).
        images: (number, ...), normalised.

    Returns:
        The votes that were counted, (images, classes), whose largest is that of all votes; how many members were asked
        about each image.
    """
    equal = len(set(ensemble.weights)) == 1
    # Equal votes are counted in integers, in which a draw is exact.
    weights = np.ones(len(ensemble.weights), np.int64) if equal else np.array(ensemble.weights)
    tally = np.zeros((len(images), classes), weights.dtype)
    asked = np.zeros(len(images), np.int64)
    left = np.arange(len(images))
    if ensemble.rule == "mean":
        tally = tally.astype(np.float64)
    if not len(images):
        return tally.astype(np.float32), asked
    remaining = weights.sum()
    for member in np.argsort(-weights, kind="stable"):
        said = predict(ensemble.signatures[member], images[left])
        votes = said if ensemble.rule == "mean" else np.eye(classes, dtype=weights.dtype)[said.argmax(axis=1)]
        tally[left] += votes * weights[member]
        asked[left] += 1
        remaining -= weights[member]
        left = left[undecided(tally[left], remaining)]
        if not len(left):
            break
    return (tally / weights.sum()).astype(np.float32), asked


def undecided(tally: NDArray[Any], remaining: float) -> NDArray[np.bool_]:
    """Which images' leader could still be overtaken by members of so much weight together.

    A vote, and a probability, gives a class at most a member's weight. Of classes that draw level the first wins, as in
    argmax; sums that are no integers may draw level by rounding, so a draw is not decided there.

    Args:
        tally: (images, classes), what has been counted.

    >>> undecided(np.array([[4, 2, 0], [2, 4, 0], [5, 2, 0]]), 2).tolist()
    [False, True, False]
    """
    leader = tally.argmax(axis=1)
    rows = np.arange(len(tally))
    lead = tally[rows, leader][:, np.newaxis] - tally
    level = np.arange(tally.shape[1]) < leader[:, np.newaxis]  # these win when they draw level
    if tally.dtype.kind == "f":
        open_ = lead <= remaining + _ROUNDING
    else:
        open_ = np.where(level, lead <= remaining, lead < remaining)
    open_[rows, leader] = False
    return open_.any(axis=1) & (remaining > (_ROUNDING if tally.dtype.kind == "f" else 0))
