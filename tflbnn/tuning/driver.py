"""Searches a recipe's space and trains the best configuration in full."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn import data, training
from tflbnn._files import atomic_write, read_json, readable_errors, write_json
from tflbnn.errors import UserError
from tflbnn.recipes.recipe import Recipe
from tflbnn.training.folder import claimed
from tflbnn.training.run import Run
from tflbnn.training.smoke import smoke_recipe
from tflbnn.tuning import results
from tflbnn.tuning.plot import scatter
from tflbnn.tuning.progress import Plan, Progress
from tflbnn.tuning.results import Row
from tflbnn.tuning.settings import FILE, Settings
from tflbnn.tuning.space import Space

if TYPE_CHECKING:
    from tflbnn.tuning.oracles import Durable
    from tflbnn.tuning.tuner import RecipeTuner

TRIALS = 10  # of a random or Bayesian search


@dataclasses.dataclass(frozen=True)
class Search:
    """A finished search.

    Attributes:
        path: its folder: search.json, trials.csv, trials.png, trials/ (Keras Tuner's), best/ (a run folder).
        space: what was searched.
        rows: the trials, in their order.
        best: the one whose configuration was trained in full.
        run: that training, in `path`/best.
    """

    path: Path
    space: Space
    rows: tuple[Row, ...]
    best: Row
    run: Run


def search(
    space: Space,
    out: str | os.PathLike[str],
    *,
    tuner: str = "hyperband",
    max_epochs: int | None = None,
    trials: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    resume: bool = False,
    smoke: bool = False,
    progress: Progress | None = None,
) -> Search:
    """Searches with one of Keras Tuner's tuners for the best validation accuracy, then trains the best in full.

    A search that was killed at any moment resumes with the trials it would have had. A trial that fails, by an error
    or by a loss that is no number, is recorded with its reason and the search goes on.

    Args:
        space: the recipe and what varies; see `parse_space`.
        out: the search's folder, new or empty.
        tuner: "hyperband": many short trainings, the best of them continued (Li et al., JMLR 18, 2018); "random";
            "bayesian": a Gaussian process; "grid": every combination, a float range counted with ten values.
        max_epochs: hyperband's longest training, which decides the number of trials; the recipe's epochs by default.
        trials: of the other tuners, all of them of the recipe's epochs; 10 by default, for grid all.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        resume: continue the search that is in `out`; a finished one is returned as it is.
        smoke: search with two trials of `smoke_recipe`.
        progress: is told what happens.

    Raises:
        UserError: settings that do not fit together, a folder that is taken or damaged, missing data, a full disk, or
            no trial that completed.
    """
    if smoke:
        space = dataclasses.replace(space, recipe=smoke_recipe(space.recipe))
        max_epochs, trials = (2, None) if tuner == "hyperband" else (None, 2)
    out, progress = Path(out), progress or Progress()
    settings = Settings(space, tuner, max_epochs, trials)
    settings.check(out, resume)
    dataset = data.load(space.recipe.data, data_dir)
    oracle, plan = _plan(settings)
    with claimed(out):
        settings.check(out, resume)  # again: another process may have been quicker
        write_json(out / FILE, settings.to_dict())
        progress.planned(plan)
        searched = _search(oracle, space, dataset, plan.longest, out, progress)
        rows = searched.rows()
        atomic_write(out / "trials.csv", results.to_csv(rows, list(space.tunables)))
        best = results.best(rows)
        if best is None:
            raise UserError(
                f"At least one trial must succeed. Received: {len(rows)} failures, the first: {rows[0].reason}"
            )
        _draw(rows, space, tuner, out / "trials.png")
        progress.best_started(best, space.recipe.epochs)
        run = _train(space.variant(best.values), out / "best", data_dir, progress)
        searched.drop_checkpoints()
    return Search(out, space, rows, best, run)


def _plan(settings: Settings) -> tuple[Durable, Plan]:
    """Keras Tuner's oracle and what it will do."""
    from tflbnn.tuning import oracles
    from tflbnn.tuning._keras_tuner import keras_tuner

    space, tuner, max_epochs, trials = settings.space, settings.tuner, settings.max_epochs, settings.trials
    size, epochs = space.size(), space.recipe.epochs
    options = {
        "objective": keras_tuner.Objective(oracles.OBJECTIVE, "max"),
        "hyperparameters": oracles.hyperparameters(space),
        "seed": space.recipe.seed + 2,  # never 0, which means a random one
        "max_consecutive_failed_trials": sys.maxsize,
    }
    if tuner == "hyperband":
        oracle = oracles.Hyperband(max_epochs=max_epochs, **options)
        needed = oracle.configurations_planned()
        if size is not None and size < needed:
            raise UserError(
                f"Hyperband with max_epochs={max_epochs} compares {needed} configurations. "
                f"Received: a space of {size}. Use the grid tuner, give a field a range, or lower max_epochs."
            )
        plan = Plan(oracle.trials_planned(), oracle.epochs_planned(), max_epochs)
    elif tuner == "grid":
        oracle = oracles.GridSearch(max_trials=trials, **options)
        number = min(trials or sys.maxsize, oracle.trials_planned())
        plan = Plan(number, number * epochs, epochs)
    else:
        number = min(trials or TRIALS, size or sys.maxsize)
        classes = {"random": oracles.RandomSearch, "bayesian": oracles.BayesianOptimization}
        oracle = classes[tuner](max_trials=number, **options)
        plan = Plan(number, number * epochs, epochs)
    if size is not None:
        # Random draws of a small space repeat; so many in a row leave out a configuration once in a million searches.
        oracle._max_collisions = 20 * size
    return oracle, plan


def _search(
    oracle: Durable, space: Space, dataset: data.Dataset, epochs: int, out: Path, progress: Progress
) -> RecipeTuner:
    """Runs the trials that are left; all of them where there is no state of an earlier search."""
    from tflbnn._keras import tf
    from tflbnn.tuning import tuner

    project = out / tuner.PROJECT
    with readable_errors("write the search folder", project):
        project.mkdir(exist_ok=True)
    states = sorted(project.glob("**/*.json"))
    for file in states:
        read_json(file, "search's state")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Keras Tuner prints that it reloads
            searching = tuner.RecipeTuner(oracle, space, dataset, epochs, out, progress)
        searching.check()
        searching.search()
    except tuner.Aborted as error:
        raise error.__cause__ from None
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
        tf.errors.OpError,
    ) as error:
        if not states:
            raise
        # The trials' own errors are recorded with them; what is left comes of what was loaded.
        raise UserError(
            f"The search's state must be as it was written. Received: {project}, which does not load "
            f"({type(error).__name__}). Choose another --out and search again."
        ) from error
    return searching


def _train(recipe: Recipe, out: Path, data_dir: str | os.PathLike[str] | None, progress: Progress) -> Run:
    """The best configuration, in full, as an ordinary run; one that was killed is resumed."""
    begun = (out / "recipe.json").exists()
    if not begun:
        shutil.rmtree(out, ignore_errors=True)  # killed before it was a run
    return training.train(recipe, out, resume=begun, data_dir=data_dir, progress=progress.trained)


def _draw(rows: tuple[Row, ...], space: Space, tuner: str, path: Path) -> None:
    """trials.png, coloured by t_clip where that was searched, else by the last numeric field."""
    numeric = [key for key in space.tunables if all(type(row.values[key]) in (int, float) for row in rows)]
    key = next((key for key in numeric if key == "binarization.t_clip"), numeric[-1] if numeric else None)
    scatter(rows, f"{space.recipe.name}: {len(rows)} trials, {tuner}", path, key)
