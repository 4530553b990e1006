"""Bagging: members that are trained on bootstraps and vote alike."""

from __future__ import annotations

import os
from typing import Literal

from tflbnn.ensembles._estimator import Ensemble
from tflbnn.ensembles.settings import Settings
from tflbnn.recipes import Recipe


class Bagging(Ensemble):
    """BENN-Bagging (Zhu et al., 2019, section 4.1), in scikit-learn's manner, over a recipe's network.

    Each member sees as many examples as there are, drawn with replacement: 63 % of them at least once.

    Args:
        recipe: of every member; its `data` is what `fit()` takes without arrays.
        n_estimators: K.
        sequential: a member starts from the last one's weights.
        reweighting: "sampling" draws the examples; "loss" weighs their losses by how often they would be drawn.
        voting: "soft", the mean of the probabilities, or "hard", most votes.
        best: of every member the epoch with the best validation accuracy.
        random_state: the recipe's seed when left out; with the same one all members are the same.
        n_jobs: how many independent members are trained at a time, through joblib; None is 1, -1 all cores.
        out: the folder; one that goes with the object when left out.
        resume: continue what is in `out`.

    >>> from tflbnn import recipes
    >>> Bagging(recipes.get("digits"), 3).get_params()["n_estimators"]
    3
    """

    def __init__(
        self,
        recipe: Recipe,
        n_estimators: int = 10,
        *,
        sequential: bool = False,
        reweighting: Literal["sampling", "loss"] = "sampling",
        voting: Literal["soft", "hard"] = "soft",
        best: bool = True,
        random_state: int | None = None,
        n_jobs: int | None = None,
        out: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ) -> None:
        self.recipe, self.n_estimators, self.sequential = recipe, n_estimators, sequential
        self.reweighting, self.voting, self.best = reweighting, voting, best
        self.random_state, self.n_jobs, self.out, self.resume = random_state, n_jobs, out, resume

    def _settings(self) -> Settings:
        return Settings("bagging", self.n_estimators, self.sequential, self.reweighting, self.voting, self.best)
