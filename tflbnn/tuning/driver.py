"""Searches a recipe's space: for the best accuracy, trained in full at the end, or for a front with what it costs."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn import data, training
from tflbnn._files import atomic_write, read_json, readable_errors, write_json
from tflbnn.errors import UserError
from tflbnn.recipes.recipe import Recipe
from tflbnn.training.folder import claimed
from tflbnn.training.run import Run
from tflbnn.training.smoke import smoke_recipe
from tflbnn.tuning import latency, results
from tflbnn.tuning.front_page import write_front
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.plans import plan_of
from tflbnn.tuning.plot import scatter
from tflbnn.tuning.progress import Progress
from tflbnn.tuning.results import Baseline, Row
from tflbnn.tuning.settings import FILE, Settings
from tflbnn.tuning.space import Space

if TYPE_CHECKING:
    from tflbnn.ensembles.run import EnsembleRun
    from tflbnn.tuning.oracles import Durable
    from tflbnn.tuning.tuner import RecipeTuner


@dataclasses.dataclass(frozen=True)
class Search:
    """A finished search.

    Attributes:
        path: its folder: search.json, trials.csv, trials.png, front.csv, front.html, trials/ (Keras Tuner's), and
            best/ (a run folder) where accuracy alone was searched.
        settings: what was searched.
        rows: the trials, in their order.
        best: the most accurate one.
        baselines: what the front is compared with.
        run: the best one's training in full, in `path`/best, of an ensemble where it has members; None where a front
            was searched, from which the user chooses: `tflbnn train --from-trial`.
    """

    path: Path
    settings: Settings
    rows: tuple[Row, ...]
    best: Row
    baselines: tuple[Baseline, ...]
    run: Run | EnsembleRun | None

    @property
    def space(self) -> Space:
        return self.settings.space


def search(
    settings: Settings,
    out: str | os.PathLike[str],
    *,
    latency_table: LatencyTable | None = None,
    workers: int = 0,
    data_dir: str | os.PathLike[str] | None = None,
    resume: bool = False,
    smoke: bool = False,
    progress: Progress | None = None,
) -> Search:
    """Searches with one of Keras Tuner's tuners, or with "bayesian" for a front.

    A search that was killed at any moment resumes with the trials it would have had. A trial that fails, by an error,
    by a loss that is no number or by a constraint, is recorded with its reason and the search goes on.

    Args:
        settings: what is searched for, where, and how long.
        out: the search's folder, new or empty.
        latency_table: what latencies are predicted by where the settings say so; to resume, the search's own.
        workers: processes that train trials; 0 trains them in this one.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        resume: continue the search that is in `out`; a finished one is returned as it is.
        smoke: search with two trials of `smoke_recipe`.
        progress: is told what happens.

    Raises:
        UserError: settings that do not fit together, a folder that is taken or damaged, missing data, a full disk, or
            no trial that completed.
    """
    if smoke:
        space = dataclasses.replace(settings.space, recipe=smoke_recipe(settings.space.recipe))
        budget = {"max_epochs": 2, "trials": None} if settings.tuner == "hyperband" else {"trials": 2}
        settings = dataclasses.replace(settings, space=space, **budget)
    out, progress = Path(out), progress or Progress()
    settings.check(out, resume)
    if settings.needs_latency and settings.latency == "predicted" and latency_table is None and not resume:
        raise UserError(
            "Latencies are predicted by a table. Received: none. Make one with: tflbnn calibrate --out table.csv"
        )
    dataset = data.load(settings.space.recipe.data, data_dir)
    oracle, plan = plan_of(settings)
    with claimed(out):
        settings.check(out, resume)  # again: another process may have been quicker
        if settings.needs_latency and not (out / FILE).exists():
            latency.prepare(out, latency_table)
        write_json(out / FILE, settings.to_dict())
        progress.planned(plan)
        clock = latency.opened(out) if settings.needs_latency else None
        searched = _search(oracle, settings, dataset, plan.longest, out, progress, clock, workers, data_dir)
        rows = searched.rows()
        atomic_write(out / "trials.csv", results.to_csv(rows, list(settings.space.tunables)))
        best = results.best(rows)
        if best is None:
            raise UserError(
                f"At least one trial must succeed. Received: {len(rows)} failures, the first: {rows[0].reason}"
            )
        baselines: tuple[Baseline, ...] = ()
        if settings.baselines and dataset.task == "classification":
            recipe = settings.space.variant(best.values).replace("epochs", plan.longest).replace("members", 1)
            baselines = _baselines(recipe, dataset, clock, out, progress)
        _draw(rows, baselines, settings, out)
        run = None
        if len(settings.objectives) == 1:
            progress.best_started(best, settings.space.recipe.epochs)
            run = _train(settings.space.variant(best.values), out / "best", data_dir, progress)
        searched.drop_checkpoints()
    return Search(out, settings, rows, best, baselines, run)


def _search(
    oracle: Durable,
    settings: Settings,
    dataset: data.Dataset,
    longest: int,
    out: Path,
    progress: Progress,
    clock: latency.Latency | None,
    workers: int,
    data_dir: str | os.PathLike[str] | None,
) -> RecipeTuner:
    """Runs the trials that are left; all of them where there is no state of an earlier search."""
    from tflbnn._keras import tf
    from tflbnn.tuning import chief, tuner
    from tflbnn.tuning.trial import Trainer

    project = out / tuner.PROJECT
    with readable_errors("write the search folder", project):
        project.mkdir(exist_ok=True)
    states = sorted(project.glob("**/*.json"))
    for file in states:
        read_json(file, "search's state")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Keras Tuner prints that it reloads
            searching = tuner.RecipeTuner(oracle, settings, longest, out, progress)
        searching.check()
        if workers or chief.is_remote():
            chief.serve(searching, workers, data_dir)
        else:
            searching.train_with(Trainer(dataset, settings.constraints, clock, progress.trained))
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


def _train(recipe: Recipe, out: Path, data_dir: str | os.PathLike[str] | None, progress: Progress) -> Run | EnsembleRun:
    """The best configuration, in full, as an ordinary run or ensemble; one that was killed is resumed."""
    if recipe.members > 1:
        from tflbnn.ensembles.run import EnsembleRun
        from tflbnn.ensembles.settings import Settings as Voting
        from tflbnn.ensembles.train import train_ensemble

        return train_ensemble(
            recipe,
            Voting(members=recipe.members),
            out,
            resume=EnsembleRun.is_one(out),
            data_dir=data_dir,
            progress=lambda _, state: progress.trained(state),
        )
    begun = (out / "recipe.json").exists()
    if not begun:
        shutil.rmtree(out, ignore_errors=True)  # killed before it was a run
    return training.train(recipe, out, resume=begun, data_dir=data_dir, progress=progress.trained)


def _baselines(
    recipe: Recipe, dataset: data.Dataset, clock: latency.Latency | None, out: Path, progress: Progress
) -> tuple[Baseline, ...]:
    from tflbnn.tuning.baselines import train_baselines

    return train_baselines(recipe, dataset, clock, out, progress.baseline_started, progress.trained)


def _draw(rows: tuple[Row, ...], baselines: tuple[Baseline, ...], settings: Settings, out: Path) -> None:
    """The pictures, coloured by t_clip where that was searched, else by the last numeric field; and front.csv."""
    space, completed = settings.space, [row for row in rows if row.status == results.COMPLETED]
    numeric = [key for key in space.tunables if all(type(row.values.get(key)) in (int, float) for row in completed)]
    key = next((key for key in numeric if key == "binarization.t_clip"), numeric[-1] if numeric else None)
    title = f"{space.recipe.name}: {len(rows)} trials, {settings.tuner}"
    atomic_write(out / "front.csv", results.front_csv(rows, baselines))
    scatter(rows, baselines, settings.objectives, title, out / "trials.png", key)
    write_front(rows, baselines, settings.objectives, title, out / "front.html")
