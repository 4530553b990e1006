"""Trains an ensemble member by member into a folder; see `tflbnn.ensembles.run` for what is in it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn import data
from tflbnn._files import read_json, readable_errors, write_json
from tflbnn.ensembles import reweighting
from tflbnn.ensembles.diversity import diversity
from tflbnn.ensembles.member import LAST_STEPS, OUTPUTS, Lesson, digest, load_arrays, train_member
from tflbnn.ensembles.parallel import train_in_parallel
from tflbnn.ensembles.run import EnsembleRun, member_folder
from tflbnn.ensembles.settings import Settings
from tflbnn.ensembles.stability import deviation, step_accuracies
from tflbnn.ensembles.voting import rule_of, vote
from tflbnn.errors import UserError
from tflbnn.recipes import Pretraining, Recipe
from tflbnn.training import Progress, Run, environment, folder, stages
from tflbnn.training.smoke import smoke_recipe

if TYPE_CHECKING:
    from tflbnn.data import Dataset

# How often a member that is no better than guessing is trained anew, from another start.
RESTARTS = 2

# Told the member's number, 0 for the stage before, and how far it is.
Tell = Callable[[int, Progress], None]


def train_ensemble(
    recipe: Recipe,
    settings: Settings,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    smoke: bool = False,
    dataset: Dataset | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    n_jobs: int | None = 1,
    progress: Tell | None = None,
) -> EnsembleRun:
    """Trains an ensemble, or what is left of one, and writes its folder.

    The same recipe and settings give the same members on the same machine, however many are trained at a time, and
    also when the training was killed at any moment and resumed. Test images choose nothing.

    Args:
        recipe: of every member; its seed decides those of the members, `settings` their number. A stage before it is
            trained once, and all members start from it: the first one alone where they are sequential.
        out: the folder, new or empty.
        resume: continue the ensemble that is in `out`; a finished one is returned as it is, unless `settings` has more
            members: then it grows by those.
        smoke: train the recipe in its smallest form.
        dataset: in the place of the recipe's.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        n_jobs: how many independent members are trained at a time, as joblib counts them.
        progress: called after every step and every epoch of a member that is trained in this process.

    Raises:
        UserError: the folder is taken, a member's training failed, or a member's file is damaged. What was saved
            before stays and can be resumed.
    """
    recipe, out = smoke_recipe(recipe) if smoke else recipe, Path(out)
    recipe = dataclasses.replace(recipe, members=1)  # each of them is trained alone
    stages.check(recipe)
    dataset = dataset or data.load(recipe.data, data_dir)
    if dataset.task != "classification":
        raise UserError(f"Ensembles vote on labels. Received: {dataset.name}, for {dataset.task}. Use another recipe.")
    described = {"settings": settings.to_dict(), "recipe": recipe.to_dict(), "data_sha256": digest(dataset)}
    training = _Training(recipe, settings, out, dataset, data_dir, n_jobs, progress)
    _check(out, described, resume)
    with folder.claimed(out):
        _check(out, described, resume or EnsembleRun.is_one(out))  # again: another process may have been quicker
        if not EnsembleRun.is_one(out):
            with readable_errors("write", out / "labels.txt"):
                (out / "labels.txt").write_text("".join(f"{label}\n" for label in dataset.labels), encoding="utf-8")
            write_json(out / "environment.json", environment.describe(recipe.seed))
            write_json(out / "ensemble.json", described)
        if not (out / "metrics.json").exists():
            training.run()
    return EnsembleRun.open(out)


def _check(out: Path, described: dict[str, Any], resume: bool) -> None:
    with readable_errors("read the folder", out):
        content = [p for p in out.iterdir() if p.name[0] != "."] if out.is_dir() else [out] if out.exists() else []
    if not EnsembleRun.is_one(out):
        if resume:
            raise UserError(f"There is no ensemble to resume in {out}. Leave --resume out to start one there.")
        if content:
            raise UserError(f"A new ensemble needs a new or empty folder. Received: {out}. Choose another --out.")
        return
    if not resume:
        raise UserError(
            f"A new ensemble needs a new or empty folder. Received: {out}, which holds one. "
            "Add --resume to continue it, or choose another --out."
        )
    before = EnsembleRun.open(out)
    members = max(before.settings.members, described["settings"]["members"])
    old = {
        "settings": {**before.settings.to_dict(), "members": members},
        "recipe": before.recipe.to_dict(),
        "data_sha256": read_json(out / "ensemble.json", "ensemble").get("data_sha256"),
    }
    if old != described:
        raise UserError(
            "An ensemble is resumed with what it was started with, or with more members. Received: "
            f"{folder.difference(old, described)}. Leave that out, or choose another --out."
        )
    if before.settings.members < members:  # it grows: the votes are counted again
        write_json(out / "ensemble.json", described)
        (out / "metrics.json").unlink(missing_ok=True)


class _Training:
    """One ensemble in the making."""

    def __init__(
        self,
        recipe: Recipe,
        settings: Settings,
        out: Path,
        dataset: Dataset,
        data_dir: str | os.PathLike[str] | None,
        n_jobs: int | None,
        progress: Tell | None,
    ) -> None:
        self.recipe, self.settings, self.out, self.dataset = recipe, settings, out, dataset
        self.data_dir, self.n_jobs, self.progress = data_dir, n_jobs, progress
        self.start: Path | None = None
        self.weights = reweighting.uniform(len(dataset.train))
        images = sum(len(split) for split in (dataset.train, dataset.validation, dataset.test))
        self.scores = np.zeros((images, dataset.classes))
        self.stopped = False

    def run(self) -> None:
        if self.recipe.pretraining:
            self._pretrain()
        numbers = range(1, self.settings.members + 1)
        if not self.settings.ordered:
            left = [number for number in numbers if not self._done(number)]
            jobs = [self._job(number, 0) for number in left]
            if self.progress:
                for job, number in zip(jobs, left, strict=True):
                    job["progress"] = self._tell(number)
            train_in_parallel(jobs, [f"member {number}" for number in left], self.n_jobs)
        for number in numbers:
            if not self.stopped:
                self._member(number)
        self._finish()

    def _pretrain(self) -> None:
        before, path = stages.before(self.recipe), self.out / stages.FOLDER
        if before is None:
            self.start = Path(self.recipe.pretraining.run)
            return
        if before.pretraining:
            from tflbnn.training import train

            resume = (path / "recipe.json").is_file()
            train(before, path, resume=resume, data_dir=self.data_dir, progress=self._tell(0))
        else:
            train_member(before, self.dataset, path, Settings(best=False), progress=self._tell(0))
        self.start = path

    def _tell(self, number: int) -> Callable[[Progress], None] | None:
        tell = self.progress
        return (lambda state: tell(number, state)) if tell else None

    def _done(self, number: int) -> bool:
        return (member_folder(self.out, number) / "member.json").is_file()

    def _seed(self, number: int, attempt: int) -> int:
        return int(np.random.SeedSequence([self.recipe.seed, number, attempt]).generate_state(1)[0] >> 1)

    def _job(self, number: int, attempt: int) -> dict[str, Any]:
        """What `train_member` takes for a member."""
        start = member_folder(self.out, number - 1) if self.settings.sequential and number > 1 else self.start
        seed = self._seed(number, attempt)
        return {
            "recipe": dataclasses.replace(self.recipe, seed=seed, pretraining=Pretraining()),
            "dataset": self.dataset,
            "out": member_folder(self.out, number),
            "settings": self.settings,
            "lesson": self._lesson(np.random.default_rng(seed)),
            "start": None if attempt else start,  # what guesses is left behind
        }

    def _lesson(self, rng: np.random.Generator) -> Lesson:
        regresses = self.settings.method == "logitboost"
        weights = self.weights
        if regresses:
            _, w = reweighting.logitboost(self.dataset.train.y, self.scores[: len(self.dataset.train)])
            weights = w.sum(axis=1) / w.sum()
        scores = self.scores if regresses else None
        if self.settings.reweighting == "sampling":
            return Lesson(rows=reweighting.draw(weights, rng), scores=scores)
        if self.settings.method == "bagging":  # a bootstrap's repetitions as weights
            weights = np.bincount(reweighting.draw(weights, rng), minlength=len(weights)) / len(weights)
        return Lesson(weights=None if regresses else weights, scores=scores)

    def _member(self, number: int) -> None:
        """Trains a member where it is not done, and hands its mistakes on."""
        path = member_folder(self.out, number)
        if not self._done(number):
            for attempt in range(self._attempt(number), RESTARTS + 1):
                train_member(**self._job(number, attempt), progress=self._tell(number))
                found = self._round(path)
                if not found.guesses:
                    break
                if attempt < RESTARTS:
                    shutil.rmtree(path)
            if found.guesses:
                self._stop(number, found)
                return
            history = Run.open(path).history
            best = read_json(path / "best" / "best.json", "best epoch")["epoch"] if self.settings.best else len(history)
            member = {
                "number": number,
                "attempt": attempt,
                "weight": found.weight,
                "error": found.error if self.settings.boosts else None,
                "best_epoch": best,
                "outputs_sha256": hashlib.sha256((path / OUTPUTS).read_bytes()).hexdigest(),
            }
            write_json(path / "member.json", member)
        self._hand_on(path)

    def _attempt(self, number: int) -> int:
        """Which attempt a member's folder is of, by its seed; the first where there is none."""
        path = member_folder(self.out, number) / "recipe.json"
        if not path.is_file():
            return 0
        seed = read_json(path, "member's recipe").get("seed")
        seeds = [self._seed(number, attempt) for attempt in range(RESTARTS + 1)]
        return seeds.index(seed) if seed in seeds else 0

    def _round(self, path: Path) -> reweighting.Round:
        """What a member's mistakes on the training images come to; nothing where they do not count."""
        if self.settings.method not in ("samme", "samme.r"):
            return reweighting.Round(0.0, 1.0, self.weights)
        said, y = load_arrays(path / OUTPUTS)["train"], self.dataset.train.y
        if self.settings.method == "samme":
            return reweighting.samme(y, said.argmax(axis=1), self.weights, self.dataset.classes)
        return reweighting.samme_r(y, said, self.weights)

    def _hand_on(self, path: Path) -> None:
        found = self._round(path)
        self.weights = found.weights
        if self.settings.method == "logitboost":
            said = load_arrays(path / OUTPUTS)
            self.scores = self.scores + reweighting.centred(
                np.concatenate([said[part] for part in ("train", "validation", "test")])
            )
        # Without a mistake there is nothing that another member could learn.
        self.stopped = self.settings.method in ("samme", "samme.r") and found.error <= 0

    def _stop(self, number: int, found: reweighting.Round) -> None:
        shutil.rmtree(member_folder(self.out, number))
        if number == 1:
            raise UserError(
                "A member must be better than guessing. Received: member 1, which is wrong on "
                f"{found.error:.1%} of the training images by weight, after {RESTARTS + 1} attempts. Train for more "
                "epochs, or lower optimizer.learning_rate."
            )
        self.stopped = True

    def _finish(self) -> None:
        """Counts the votes of one, two, ... members; metrics.json makes the ensemble a finished one."""
        ensemble = EnsembleRun.open(self.out)
        metrics: dict[str, Any] = {"members": len(ensemble.members), "weights": ensemble.weights.tolist()}
        splits = {"validation": self.dataset.validation, "test": self.dataset.test}
        for part, split in splits.items():
            outputs = ensemble.outputs(part)
            for voting in ("hard", "soft"):
                rule = rule_of(self.settings.method, voting)
                metrics[f"{part}_{voting}"] = [
                    float((vote(outputs[:k], rule, ensemble.weights[:k]).argmax(axis=1) == split.y).mean())
                    for k in range(1, len(outputs) + 1)
                ]
            metrics[f"{part}_members"] = (outputs.argmax(axis=2) == split.y).mean(axis=1).tolist()
            metrics[f"{part}_diversity"] = dataclasses.asdict(diversity(outputs.argmax(axis=2), split.y))
        if self.settings.step_images:
            metrics["test_deviation"] = self._deviations(ensemble)
        metrics["test_accuracy"] = metrics[f"test_{self.settings.voting}"][-1]
        write_json(self.out / "metrics.json", metrics)

    def _deviations(self, ensemble: EnsembleRun) -> dict[str, list[float]]:
        """How much the accuracy of 1 to K members oscillates over their last training steps."""
        steps = np.stack([load_arrays(member.run.path / LAST_STEPS)["outputs"] for member in ensemble.members])
        images = min(self.settings.step_images, len(self.dataset.test))
        tested, y = steps[:, :, -images:], self.dataset.test.y[:images]
        return {
            voting: [
                deviation(step_accuracies(tested[:k], y, rule_of(self.settings.method, voting), ensemble.weights[:k]))
                for k in range(1, len(steps) + 1)
            ]
            for voting in ("hard", "soft")
        }
