"""What training does differently for one task or another: `Classification` here, `Detection` beside it.

A data set says what its task is, and so does a network; `of` gives what they agree on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tflbnn import networks
from tflbnn._keras import keras, tf
from tflbnn.data.augmentation import augment, mixup
from tflbnn.errors import UserError
from tflbnn.training import losses
from tflbnn.training.batches import evaluation_batches
from tflbnn.training.scores import SCORES, Score

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.recipes import Augmentation, Execution, Loss, Recipe


class Task(Protocol):
    """Losses, targets and scores.

    Attributes:
        score: what a run is judged by.
        columns: what an epoch's row of history has of Keras's logs.
    """

    score: Score
    columns: tuple[str, ...]

    def compile(self, model: keras.Model, optimizer: Any, execution: Execution) -> None:
        """Compiles the model, with everything made that holds variables."""

    def augment(
        self, images: tf.Tensor, y: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Changes a batch of a split, pixels and what they show alike, by the seed alone."""

    def targets(self, y: tf.Tensor) -> Any:
        """What the model's outputs are compared with."""

    def training_pair(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, Any]:
        """A normalized batch and its targets in training, mixed by the seed alone where the recipe says so."""

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
    for key, default in _FOR_CLASSIFICATION.items():
        if dataset.task != "classification" and recipe.get(key) != default:
            raise UserError(
                f"{key} is for classification. Received: {recipe.get(key)} for {dataset.name}. Leave it out."
            )


_MANY = 100  # classes
_FOR_CLASSIFICATION = {"augmentation.mixup": 0, "loss.label_smoothing": 0, "loss.teacher": ""}


def of(model: keras.Model, dataset: Dataset, recipe: Recipe) -> Task:
    """The task of a model that was built for these data."""
    from tflbnn.training.detection import Detection

    if dataset.task == "detection":
        return Detection(model, dataset.classes)
    return Classification(dataset.classes, recipe.loss, recipe.augmentation.mixup)


class Classification:
    """One label an image. Of 100 classes or more, the five likeliest count as well: top5_accuracy.

    Args:
        classes: their number.
        loss: what the labels become.
        mixup: alpha of the distribution of weights that pairs of images are mixed with; 0 mixes none.
    """

    score = SCORES["classification"]

    def __init__(self, classes: int, loss: Loss, mixup: float = 0.0) -> None:
        self.classes, self.loss, self.mixup = classes, loss, mixup
        self.top5 = classes >= _MANY
        self.columns = ("loss", "accuracy", "val_loss", "val_accuracy") + ("val_top5_accuracy",) * self.top5
        self.soft = bool(loss.label_smoothing or loss.teacher or mixup)

    def compile(self, model: keras.Model, optimizer: Any, execution: Execution) -> None:
        loss = losses.cross_entropy(self.loss) if self.soft else "sparse_categorical_crossentropy"
        accuracy = losses.accuracy if self.soft else "accuracy"
        model.compile(
            optimizer=optimizer,
            loss=loss,
            metrics=[accuracy, losses.top5_accuracy] if self.top5 else [accuracy],
            jit_compile=execution.jit_compile,
            steps_per_execution=execution.steps_per_execution,
        )
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

    def training_pair(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if not self.soft:
            return x, y
        targets = losses.smoothed(y, self.classes, self.loss.label_smoothing)
        return mixup(x, targets, self.mixup, seed) if self.mixup else (x, targets)

    def callbacks(self, dataset: Dataset) -> Sequence[keras.callbacks.Callback]:
        return ()

    def test(self, model: keras.Model, dataset: Dataset) -> dict[str, Any]:
        batches = evaluation_batches(dataset.test, dataset.normalization, self)
        found = model.evaluate(batches, verbose=0, return_dict=True)
        return {f"test_{name}": float(value) for name, value in found.items()}
