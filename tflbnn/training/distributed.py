"""`train` on several devices or machines: the same recipe, the same run folder, written by the chief."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tflbnn import data
from tflbnn._keras import keras, tf
from tflbnn.data import Dataset
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training import environment, execution, folder, tasks
from tflbnn.training.callbacks import Recorder
from tflbnn.training.distribution import Distribution
from tflbnn.training.fit import build, finish
from tflbnn.training.progress import Progress
from tflbnn.training.run import Run
from tflbnn.training.smoke import smoke_recipe


def train_distributed(
    recipe: Recipe,
    out: str | os.PathLike[str],
    name: str,
    *,
    resume: bool = False,
    smoke: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Run | None:
    """Trains the recipe as `tflbnn.training.train` does, on what the distribution says.

    The batch is divided among devices or workers ("mirrored", "multi-worker"), or each worker of a parameter server
    takes its own.

    Args:
        out: the run folder; of several machines on a file system that they share.
        name: one of `tflbnn.training.distribution.NAMES`.

    Returns:
        The finished run; None in a process that is not the chief.

    Raises:
        UserError: as `train`; also a recipe of several stages or of detection, or TF_CONFIG is wrong.
    """
    recipe, out = smoke_recipe(recipe) if smoke else recipe, Path(out)
    if recipe.pretraining or recipe.loss.teacher:
        raise UserError(
            f"Training on several devices has one stage and no teacher. Received: {recipe.name}, which has more. "
            "Leave --distribute out."
        )
    distribution = Distribution(name)
    if distribution.serves:
        distribution.serve()
        return None
    if distribution.is_chief and folder.check(out, recipe, resume):
        return Run.open(out)
    dataset = data.load(recipe.data, data_dir)
    if dataset.task != "classification":
        raise UserError(f"Training on several devices is for classification. Received: {dataset.name}.")
    model = distribution.build(recipe, dataset)
    if not distribution.is_chief:
        with distribution.folder(out) as temporary:
            _fit(model, recipe, dataset, temporary, distribution, None)
            distribution.local(model, recipe, dataset)  # what the chief reads is read from all together
        return None
    with folder.claimed(out):
        if not resume:
            described = {**environment.describe(recipe.seed), "precision": execution.precision(recipe)}
            folder.start(out, recipe, dataset.labels, {**described, "distribute": name})
        _fit(model, recipe, dataset, out, distribution, progress)
        finish(distribution.local(model, recipe, dataset), recipe, dataset, out)
    return Run.open(out)


def _fit(
    model: Any,
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    distribution: Distribution,
    progress: Callable[[Progress], None] | None,
) -> None:
    from tflbnn.regularizers import RegularizationSchedule
    from tflbnn.training import checkpoint
    from tflbnn.training.batches import evaluation_batches, training_batches
    from tflbnn.training.schedules import learning_rate, regularization

    task = tasks.of(model, dataset, recipe)
    history = checkpoint.restore(out / "checkpoints", model)
    folder.write_history(out / "history.csv", history, task.columns)
    if len(history) >= recipe.epochs:
        return
    first = len(history)
    steps = training_batches(dataset, recipe, task, first)[1]

    def batches() -> tf.data.Dataset:
        made = training_batches(dataset, recipe, task, first)[0]
        if not distribution.is_asynchronous:
            return made
        # Each worker begins somewhere else; seeds of 0 are no seeds.
        scalar = tf.zeros((0,), tf.int32)
        low, high = tf.constant(0, tf.int64), tf.constant(steps, tf.int64)
        return made.skip(tf.raw_ops.RandomUniformInt(shape=scalar, minval=low, maxval=high)).repeat()

    validation = evaluation_batches(dataset.validation, dataset.normalization, task)
    recorder: keras.callbacks.Callback = Recorder(recipe, out, task.columns, history, progress)
    if distribution.is_asynchronous:
        local = build(recipe, dataset)
        recorder = EpochRecorder(local, validation, recipe, out, task.columns, history, progress)
    model.fit(
        distribution.data(batches),
        validation_data=None if distribution.is_asynchronous else validation,
        initial_epoch=first,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[
            keras.callbacks.LearningRateScheduler(lambda epoch, _: learning_rate(recipe, epoch)),
            RegularizationSchedule(lambda epoch: regularization(recipe, epoch)),
            recorder,
        ],
    )


class EpochRecorder(Recorder):
    """Records epochs alone, for what workers of a parameter server do in between is not known in its order.

    Args:
        local: the same model in this process, which the weights are validated in, all images once.
        validation: batches.
    """

    on_train_batch_end = keras.callbacks.Callback.on_train_batch_end

    def __init__(self, local: Any, validation: tf.data.Dataset, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.local, self.validation = local, validation

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {name: float(np.asarray(value)) for name, value in (logs or {}).items()}
        if not math.isfinite(logs["loss"]):
            raise UserError(
                f"The loss must stay a number. Received: {logs['loss']} in epoch {self.epoch}. "
                f"Lower optimizer.learning_rate, which is {self.recipe.optimizer.learning_rate:g}."
            )
        self.local.set_weights(self.model.get_weights())
        super().on_epoch_end(epoch, logs | self._validated())

    def _validated(self) -> dict[str, float]:
        """By hand, as Keras would evaluate on the workers here."""
        loss, right, number = 0.0, 0, 0
        for x, y in self.validation:
            probabilities, labels = self.local(x, training=False).numpy(), y.numpy()
            loss -= float(np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)).sum())
            right += int((probabilities.argmax(1) == labels).sum())
            number += len(labels)
        return {"val_loss": loss / number, "val_accuracy": right / number}
