"""Trains a recipe with keras fit."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn import data
from tflbnn._files import atomic_write, readable_errors, write_json
from tflbnn.analysis.counts import counts
from tflbnn.data import Dataset
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training import environment, execution, folder, stages
from tflbnn.training.progress import Progress
from tflbnn.training.run import Run
from tflbnn.training.schedules import learning_rate, regularization
from tflbnn.training.smoke import smoke_recipe

if TYPE_CHECKING:
    from tflbnn.training.tasks import Task


def build(recipe: Recipe, dataset: Dataset) -> Any:
    """The recipe's network for these images, compiled; its first weights depend on the recipe's seed alone.

    Raises:
        UserError: the network is for another task, cannot be built for these images, or not in this memory.
    """
    from tflbnn._keras import keras
    from tflbnn.training import distillation, optimizers, tasks
    from tflbnn.training.resources import readable_tensorflow_errors

    tasks.require_same(recipe, dataset)
    keras.utils.set_random_seed(recipe.seed)
    with readable_tensorflow_errors(), execution.policy(execution.precision(recipe)):
        model = recipe.network.build(dataset.input_shape, dataset.classes, recipe.binarization)
    if recipe.loss.teacher:
        model = distillation.student(model, recipe.loss, dataset)
    task, optimizer = tasks.of(model, dataset, recipe), optimizers.make(recipe.optimizer, model)
    task.compile(model, optimizer, recipe.execution)
    return model


def train(
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    resume: bool = False,
    smoke: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
) -> Run:
    """Trains the recipe and writes a run folder; the test images are used once, at the end.

    The same recipe gives the same weights on the same machine, also when the run was killed at any moment and
    resumed. Every epoch ends with a checkpoint.

    Args:
        recipe: what to train.
        out: the run folder, new or empty.
        resume: continue the run that is in `out`; a finished one is returned as it is.
        smoke: train `smoke_recipe(recipe)`, and so the stages before it.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        progress: called after every step and every epoch.
        callbacks: further Keras callbacks; those that have a state of their own start anew when a run is resumed.

    Raises:
        UserError: the folder is taken, the data are missing, the network does not fit the images, the loss is no
            longer a number, or the disk is full. What was saved before stays and can be resumed.
    """
    recipe, out = smoke_recipe(recipe) if smoke else recipe, Path(out)
    stages.check(recipe)
    if recipe.members > 1:
        raise UserError(
            f"One network is trained at a time. Received: a recipe of members={recipe.members}. "
            "Write tflbnn ensemble in the place of tflbnn train, or set members=1."
        )
    if folder.check(out, recipe, resume):
        return Run.open(out)
    dataset = data.load(recipe.data, data_dir)
    model = build(recipe, dataset)
    with folder.claimed(out):
        if not folder.check(out, recipe, resume):  # again: another process may have been quicker
            if not resume:
                described = {**environment.describe(recipe.seed), "precision": execution.precision(recipe)}
                folder.start(out, recipe, dataset.labels, described)
            if recipe.pretraining:
                _begin(model, recipe, out, smoke, data_dir, progress)
            fit(model, recipe, dataset, out, progress, [*_binary_metrics(recipe, dataset, out), *callbacks])
            finish(model, recipe, dataset, out)
    return Run.open(out)


def _begin(
    model: Any,
    recipe: Recipe,
    out: Path,
    smoke: bool,
    data_dir: str | os.PathLike[str] | None,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Trains the stage before, or what is left of it, and gives the model its weights: the same at every resumption."""
    from tflbnn._keras import keras

    path = stages.folder_of(recipe, out)
    if stage := stages.before(recipe):
        resume = (path / "recipe.json").is_file()
        # What was begun is ended as it was begun.
        stage = Run.open(path).recipe if resume else smoke_recipe(stage) if smoke else stage

        def tell(state: Progress) -> None:
            progress(dataclasses.replace(state, stage=state.stage + 1))

        train(stage, path, resume=resume, data_dir=data_dir, progress=tell if progress else None)
    source = recipe.pretraining.run or stages.FOLDER
    write_json(out / "pretraining.json", stages.begin(model, Run.open(path), source).to_dict())
    keras.utils.set_random_seed(recipe.seed)  # as without a stage before


def _binary_metrics(recipe: Recipe, dataset: Dataset, out: Path) -> list[Any]:
    """The callback for TensorBoard where there are binary layers."""
    from tflbnn.training.metrics import IMAGES, BinaryMetrics, window

    if not recipe.binarization.is_binary:
        return []
    images = dataset.normalization.apply(np.asarray(dataset.validation.x[:IMAGES]))
    return [BinaryMetrics(out / "logs", images, window(recipe.binarization))]


def fit(
    model: Any,
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    progress: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
    until: int | None = None,
    task: Task | None = None,
) -> list[dict[str, float]]:
    """Trains a model that `build` made, from the checkpoint in `out` where there is one, with a checkpoint an epoch.

    Args:
        until: the last epoch to train; the recipe's last one when left out. The schedule is the recipe's either way.
        task: what the model was compiled for, where that is not what `build` compiled it for.

    Returns:
        The history, a row an epoch, from the first epoch on.

    Raises:
        UserError: the loss is no longer a number, a checkpoint is damaged, or the disk is full.
    """
    from tflbnn._keras import keras
    from tflbnn.regularizers import RegularizationSchedule
    from tflbnn.training import checkpoint, tasks
    from tflbnn.training.batches import evaluation_batches, training_batches
    from tflbnn.training.callbacks import Recorder
    from tflbnn.training.resources import readable_tensorflow_errors

    task = task or tasks.of(model, dataset, recipe)
    history = checkpoint.restore(out / "checkpoints", model)
    folder.write_history(out / "history.csv", history, task.columns)
    last = recipe.epochs if until is None else until
    if len(history) >= last:
        return history
    batches, steps = training_batches(dataset, recipe, task, first_epoch=len(history))
    with readable_tensorflow_errors(out):
        model.fit(
            batches,
            validation_data=evaluation_batches(dataset.validation, dataset.normalization, task),
            initial_epoch=len(history),
            epochs=last,
            steps_per_epoch=steps,
            verbose=0,
            callbacks=[
                *task.callbacks(dataset),
                keras.callbacks.LearningRateScheduler(lambda epoch, _: learning_rate(recipe, epoch)),
                RegularizationSchedule(lambda epoch: regularization(recipe, epoch)),
                keras.callbacks.TensorBoard(str(out / "logs"), write_graph=False),
                Recorder(recipe, out, task.columns, history, progress),
                *callbacks,
            ],
        )
    return history


def finish(model: Any, recipe: Recipe, dataset: Dataset, out: Path, metrics: dict[str, Any] | None = None) -> None:
    """Saves the weights, then the metrics, which make the run a finished one; those of the test where left out."""
    from tflbnn._keras import keras

    metrics = metrics or _test(model, recipe, dataset)
    weights = out / "model.weights.h5"
    # Keras chooses the format by the whole name, so the temporary file has it too, in a folder of its own.
    with readable_errors("write", weights), tempfile.TemporaryDirectory(prefix=".", dir=out) as temporary:
        written = Path(temporary) / weights.name
        # Of the same layers, but without the optimizer, whose moments would be saved too.
        keras.Model(model.inputs, model.outputs).save_weights(written)
        content = written.read_bytes()
    atomic_write(weights, content)
    write_json(
        out / "metrics.json",
        {
            **metrics,
            "parameters": counts(model).parameters,
            "input_shape": list(dataset.input_shape),
            "resized": list(dataset.resized),
            "normalization": dataclasses.asdict(dataset.normalization),
            "weights_sha256": hashlib.sha256(content).hexdigest(),
        },
    )


def _test(model: Any, recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """The metrics of the test images, computed in float32 as those of the exported model are."""
    from tflbnn._keras import keras
    from tflbnn.training import tasks

    task = tasks.of(model, dataset, recipe)
    if execution.precision(recipe) != "float32":
        trained = model
        model = recipe.network.build(dataset.input_shape, dataset.classes, recipe.binarization)
        model.set_weights(trained.get_weights())
        task.compile(model, keras.optimizers.SGD(), recipe.execution)
    return task.test(model, dataset)
