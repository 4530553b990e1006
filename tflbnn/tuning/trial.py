"""One trial: what it costs, then its training in a folder of its own."""

from __future__ import annotations

import dataclasses
import gc
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tflbnn import training
from tflbnn._files import readable_errors
from tflbnn._keras import keras, tf
from tflbnn.analysis.counts import counts
from tflbnn.data import Dataset
from tflbnn.errors import UserError
from tflbnn.recipes.recipe import Recipe
from tflbnn.training.fit import build, fit
from tflbnn.training.scores import score_of
from tflbnn.tuning.latency import Latency
from tflbnn.tuning.objectives import Constraint

METRIC = "val_accuracy"
ENSEMBLE = "ensemble"  # the folder of one in a trial's


class AbortError(Exception):
    """What stops the whole search and not one trial alone, such as a full disk; its cause tells."""


class RejectedError(UserError):
    """A network that costs more than it may; `costs` has what is known of it."""

    def __init__(self, message: str, costs: dict[str, float]) -> None:
        super().__init__(message)
        self.costs = costs


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Trains the trials of a search.

    Attributes:
        dataset: of the recipe.
        constraints: what a trial may cost.
        latency: what tells latencies, where a search is about them.
        trained: told the progress of training.
    """

    dataset: Dataset
    constraints: tuple[Constraint, ...]
    latency: Latency | None
    trained: Callable[[training.Progress], None]

    def run(self, recipe: Recipe, first: int, last: int, folder: Path, earlier: Path | None) -> dict[str, float]:
        """The metrics of a trial that trains the epochs from `first` to `last` of a recipe, counted from 1.

        Args:
            folder: of the trial; a checkpoint in it is continued.
            earlier: folder of the trial that this one continues.

        Raises:
            RejectedError: the network costs more than it may; nothing is trained.
            AbortError: files cannot be written.
            UserError: this network cannot be built or trained.
        """
        start = time.perf_counter()
        if recipe.members > 1:
            return {**self._ensemble(recipe, folder), "seconds": time.perf_counter() - start}
        # Layers' names start anew and the previous trial's network leaves the memory.
        keras.backend.clear_session()
        gc.collect()
        try:
            costs = self.costs(recipe)
            model = build(recipe, self.dataset)
            if earlier is not None:
                _continue(earlier, folder)
            history = fit(model, recipe, self.dataset, folder, self.trained, until=last)
        except UserError as error:
            # Files are everyone's trouble, memory is this network's. An error's context and not its cause tells,
            # for Keras' fit raises what passes through it again, from None.
            files = str(error).startswith("Cannot ") and isinstance(error.__context__, (OSError, tf.errors.OpError))
            if files:
                raise AbortError from error
            raise
        return {
            METRIC: max(score_of(row, "val")[1] for row in history[first - 1 :]),
            **costs,
            "seconds": time.perf_counter() - start,
        }

    def _ensemble(self, recipe: Recipe, folder: Path) -> dict[str, float]:
        """The metrics of bagging as many networks as the recipe has members; a part that is trained is continued."""
        from tflbnn.ensembles.run import EnsembleRun
        from tflbnn.ensembles.settings import Settings
        from tflbnn.ensembles.train import train_ensemble

        costs, out, settings = self.costs(recipe), folder / ENSEMBLE, Settings(members=recipe.members)
        run = train_ensemble(
            recipe,
            settings,
            out,
            resume=EnsembleRun.is_one(out),
            dataset=self.dataset,
            progress=lambda _, state: self.trained(state),
        )
        return {METRIC: run.metrics[f"validation_{settings.voting}"][-1], **costs}

    def costs(self, recipe: Recipe) -> dict[str, float]:
        """Parameters, size_bytes and, where it is asked for, latency_ms of a recipe's network, before it is trained.

        What its weights are makes no difference to any of them. Those of an ensemble are its members' together.
        """
        keras.backend.clear_session()
        model = self._network(recipe, recipe.seed)
        total, members = counts(model), recipe.members
        costs: dict[str, float] = {"parameters": members * total.parameters, "size_bytes": members * total.size_bytes}
        self._check(costs, "counted")
        if self.latency is not None:
            from tflbnn.converter import convert
            from tflbnn.converter.merging import merge
            from tflbnn.ensembles.voting import rule_of

            flatbuffer = convert(model, verify=False).flatbuffer
            if members > 1:
                # Of different weights: what is equal is computed once.
                others = [self._network(recipe, recipe.seed + number) for number in range(1, members)]
                alone = [flatbuffer, *(convert(other, verify=False).flatbuffer for other in others)]
                flatbuffer = merge(alone, rule_of("bagging", "soft"), [1 / members] * members)
            costs["latency_ms"] = self.latency.of(flatbuffer)
            self._check(costs, self.latency.source)
        return costs

    def _network(self, recipe: Recipe, seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed % 2**32)
        return recipe.network.build(self.dataset.input_shape, self.dataset.classes, recipe.binarization)

    def _check(self, costs: Mapping[str, float], source: str) -> None:
        for constraint in self.constraints:
            if constraint.metric in costs:
                try:
                    constraint.check(costs, source)
                except UserError as error:
                    raise RejectedError(str(error), dict(costs)) from None


def _continue(earlier: Path, folder: Path) -> None:
    """Gives a trial the checkpoint of the one that it continues, unless it has one of its own already."""
    if (folder / "checkpoints").exists():
        return
    temporary = folder / ".checkpoints"
    with readable_errors("write", folder / "checkpoints"):
        shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
        shutil.copytree(earlier / "checkpoints", temporary)
        temporary.rename(folder / "checkpoints")


def epochs_of(drawn: Mapping[str, Any], longest: int) -> tuple[int, int]:
    """The first and the last epoch of a trial with these values, counted from 1."""
    return drawn.get("tuner/initial_epoch", 0) + 1, drawn.get("tuner/epochs", longest)
