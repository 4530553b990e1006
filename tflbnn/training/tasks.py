"""What training does differently for one task or another: `Classification` here, `Detection` beside it.

A data set says what its task is, and so does a network; `of` gives what they agree on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tflbnn import networks
from tflbnn._keras import keras, tf
from tflbnn.data.augmentation import augment
from tflbnn.errors import UserError
from tflbnn.training.batches import evaluation_batches
from tflbnn.training.scores import SCORES, Score

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.recipes import Augmentation, Recipe


class Task(Protocol):
    """Losses, targets and scores.

    Attributes:
        score: what a run is judged by.
        columns: what an epoch's row of history has of Keras's logs.
    """

    score: Score
    columns: tuple[str, ...]

    def compile(self, model: keras.Model, optimizer: Any) -> None:
        """Compiles the model, with everything made that holds variables."""

    def augment(
        self, images: tf.Tensor, y: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Changes a batch of a split, pixels and what they show alike, by the seed alone."""

    def targets(self, y: tf.Tensor) -> Any:
        """What the model's outputs are compared with."""

    def callbacks(self, dataset: Dataset) -> Sequence[keras.callbacks.Callback]:
        """What puts those columns into the logs that Keras does not."""

    def test(self, model: keras.Model, dataset: Dataset) -> dict[str, Any]:
        """The metrics of the test images, test_loss and the score among them."""


def require_same(recipe: Recipe, dataset: Dataset) -> None:
    """Raises UserError where the recipe's network is for another task than its data."""
    task = networks.task(recipe.network.name)
    if task != dataset.task:
        names = [name for name in networks.NAMES if networks.task(name) == dataset.task]
        raise UserError(
            f"A network must be for its data's task. Received: {recipe.network.name} for {task}, {dataset.name} for "
            f"{dataset.task}. Use another data set, or for example network.name={names[0]}."
        )


def of(model: keras.Model, dataset: Dataset) -> Task:
    """The task of a model that was built for these data."""
    from tflbnn.training.detection import Detection

    return Detection(model, len(dataset.labels)) if dataset.task == "detection" else Classification()


class Classification:
    """One label an image."""

    score = SCORES["classification"]
    columns = ("loss", "accuracy", "val_loss", "val_accuracy")

    def compile(self, model: keras.Model, optimizer: Any) -> None:
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        # What holds variables makes them here: a step that makes them is traced twice, a third of a small trial.
        outputs, labels = tf.zeros((1, *model.output_shape[1:])), tf.zeros((1,), tf.int32)
        model.optimizer.build(model.trainable_variables)
        model.compiled_loss.build(outputs)
        model.compiled_metrics.build(outputs, labels)

    def augment(
        self, images: tf.Tensor, y: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return augment(images, augmentation, seed), y

    def targets(self, y: tf.Tensor) -> tf.Tensor:
        return y

    def callbacks(self, dataset: Dataset) -> Sequence[keras.callbacks.Callback]:
        return ()

    def test(self, model: keras.Model, dataset: Dataset) -> dict[str, Any]:
        loss, accuracy = model.evaluate(evaluation_batches(dataset.test, dataset.normalization, self), verbose=0)
        return {"test_accuracy": float(accuracy), "test_loss": float(loss)}
