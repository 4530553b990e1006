"""Trains a recipe with keras fit."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tflbnn import data
from tflbnn._files import atomic_write, readable_errors, write_json
from tflbnn.analysis.counts import counts
from tflbnn.data import Dataset
from tflbnn.recipes import Recipe
from tflbnn.training import environment, folder
from tflbnn.training.progress import Progress
from tflbnn.training.run import Run
from tflbnn.training.schedules import learning_rate

SMOKE_SAMPLES = 64


def smoke_recipe(recipe: Recipe) -> Recipe:
    """The recipe cut down to what shows that it runs: 64 images, one epoch, four steps.

    >>> from tflbnn import recipes
    >>> smoke_recipe(recipes.get("cifar10")).epochs
    1
    """
    samples = min(recipe.data.samples or SMOKE_SAMPLES, SMOKE_SAMPLES)
    return dataclasses.replace(
        recipe, epochs=1, batch_size=min(recipe.batch_size, 16), data=dataclasses.replace(recipe.data, samples=samples)
    )


def build(recipe: Recipe, dataset: Dataset) -> Any:
    """The recipe's network for these images, compiled; its first weights depend on the recipe's seed alone.

    Raises:
        UserError: the network is for another task, cannot be built for these images, or not in this memory.
    """
    from tflbnn._keras import keras
    from tflbnn.training import tasks
    from tflbnn.training.resources import readable_tensorflow_errors

    tasks.require_same(recipe, dataset)
    keras.utils.set_random_seed(recipe.seed)
    with readable_tensorflow_errors():
        model = recipe.network.build(dataset.input_shape, dataset.classes, recipe.binarization)
    options = {"momentum": recipe.optimizer.momentum} if recipe.optimizer.name == "sgd" else {}
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[recipe.optimizer.name]
    tasks.of(model, dataset).compile(model, optimizer(learning_rate=recipe.optimizer.learning_rate, **options))
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
        smoke: train `smoke_recipe(recipe)`.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        progress: called after every step and every epoch.
        callbacks: further Keras callbacks; those that have a state of their own start anew when a run is resumed.

    Raises:
        UserError: the folder is taken, the data are missing, the network does not fit the images, the loss is no
            longer a number, or the disk is full. What was saved before stays and can be resumed.
    """
    recipe, out = smoke_recipe(recipe) if smoke else recipe, Path(out)
    if folder.check(out, recipe, resume):
        return Run.open(out)
    dataset = data.load(recipe.data, data_dir)
    model = build(recipe, dataset)
    with folder.claimed(out):
        if not folder.check(out, recipe, resume):  # again: another process may have been quicker
            if not resume:
                folder.start(out, recipe, dataset.labels, environment.describe(recipe.seed))
            fit(model, recipe, dataset, out, progress, callbacks)
            _finish(model, dataset, out)
    return Run.open(out)


def fit(
    model: Any,
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    progress: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
    until: int | None = None,
) -> list[dict[str, float]]:
    """Trains a model that `build` made, from the checkpoint in `out` where there is one, with a checkpoint an epoch.

    Args:
        until: the last epoch to train; the recipe's last one when left out. The schedule is the recipe's either way.

    Returns:
        The history, a row an epoch, from the first epoch on.

    Raises:
        UserError: the loss is no longer a number, a checkpoint is damaged, or the disk is full.
    """
    from tflbnn._keras import keras
    from tflbnn.training import checkpoint, tasks
    from tflbnn.training.batches import evaluation_batches, training_batches
    from tflbnn.training.callbacks import Recorder
    from tflbnn.training.resources import readable_tensorflow_errors

    task = tasks.of(model, dataset)
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
                keras.callbacks.TensorBoard(str(out / "logs"), write_graph=False),
                Recorder(recipe, out, task.columns, history, progress),
                *callbacks,
            ],
        )
    return history


def _finish(model: Any, dataset: Dataset, out: Path) -> None:
    """Saves the weights, then the metrics, which make the run a finished one."""
    from tflbnn._keras import keras
    from tflbnn.training import tasks

    metrics = tasks.of(model, dataset).test(model, dataset)
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
            "normalization": dataclasses.asdict(dataset.normalization),
            "weights_sha256": hashlib.sha256(content).hexdigest(),
        },
    )
