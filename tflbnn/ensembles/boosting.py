"""Boosting: each member attends to what those before it got wrong."""

from __future__ import annotations

import os
from typing import Literal

from tflbnn.ensembles._estimator import Ensemble
from tflbnn.ensembles.settings import METHODS, Settings
from tflbnn.errors import UserError, nearest
from tflbnn.recipes import Recipe


class Boosting(Ensemble):
    """BENN-Boosting (Zhu et al., 2019, section 4.2), in scikit-learn's manner, over a recipe's network.

    A member that is no better than guessing is trained again from another start, twice at most; then boosting ends with
    the members before it. It also ends with a member that makes no mistake.

    Args:
        recipe: of every member; its `data` is what `fit()` takes without arrays.
        n_estimators: K, at most.
        algorithm: "samme" (hard) and "samme.r" (soft) are multi-class AdaBoost (Zhu et al., 2009); in "logitboost"
            (Friedman et al., 2000) members regress what is left of the labels.
        sequential: a member starts from the last one's weights.
        reweighting: "sampling" draws a member's examples by their weights; "loss" multiplies their losses by them.
        voting: "soft": with "samme" the mean of probabilities by the members' weights, else what the algorithm says;
            "hard": votes by the members' weights.
        best: of every member the epoch with the best validation accuracy.
        random_state: the recipe's seed when left out.
        out: the folder; one that goes with the object when left out.
        resume: continue what is in `out`.

    >>> from tflbnn import recipes
    >>> Boosting(recipes.get("digits"), 3, algorithm="samme.r")
    Boosting(algorithm='samme.r', n_estimators=3, ...
    """

    def __init__(
        self,
        recipe: Recipe,
        n_estimators: int = 10,
        *,
        algorithm: Literal["samme", "samme.r", "logitboost"] = "samme",
        sequential: bool = False,
        reweighting: Literal["sampling", "loss"] = "sampling",
        voting: Literal["soft", "hard"] = "soft",
        best: bool = True,
        random_state: int | None = None,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> None:
        self.recipe, self.n_estimators, self.algorithm = recipe, n_estimators, algorithm
        self.sequential, self.reweighting, self.voting, self.best = sequential, reweighting, voting, best
        self.random_state, self.out, self.resume = random_state, out, resume

    def _settings(self) -> Settings:
        known = [method for method in METHODS if method != "bagging"]
        if self.algorithm not in known:
            raise UserError(f"There is no boosting '{self.algorithm}'. {nearest(str(self.algorithm), known)}")
        return Settings(self.algorithm, self.n_estimators, self.sequential, self.reweighting, self.voting, self.best)
