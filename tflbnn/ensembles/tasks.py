"""What a member's training does differently where its examples weigh differently, or where it regresses.

Labels are replaced by the numbers of the examples, so that a batch finds what belongs to each of its images, whatever
the order and however full the batch is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras, tf
from tflbnn.errors import UserError
from tflbnn.training.tasks import Classification

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.recipes import Execution, Recipe


def numbered(dataset: Dataset, train_only: bool) -> Dataset:
    """The data with examples' numbers in the place of labels: training images first, then validation, then test."""
    if train_only:
        return dataclasses.replace(dataset, train=_numbered(dataset.train, 0))
    first, second = len(dataset.train), len(dataset.train) + len(dataset.validation)
    return dataclasses.replace(
        dataset,
        train=_numbered(dataset.train, 0),
        validation=_numbered(dataset.validation, first),
        test=_numbered(dataset.test, second),
    )


def _numbered(split: Any, first: int) -> Any:
    return dataclasses.replace(split, y=np.arange(first, first + len(split), dtype=np.int32))


class Plain(Classification):
    """One label an image.

    Attributes:
        first: callbacks that come before an epoch's checkpoint.
    """

    def __init__(self, recipe: Recipe, classes: int) -> None:
        super().__init__(classes, recipe.loss, recipe.augmentation.mixup)
        self.first: list[keras.callbacks.Callback] = []

    def callbacks(self, dataset: Dataset) -> Sequence[keras.callbacks.Callback]:
        return self.first


class Weighted(Plain):
    """Classification in which every example's loss is multiplied by a weight.

    Args:
        recipe: without what mixes labels.
        dataset: with its labels.
        weights: of the training examples; those that sum to 1 are scaled to a mean of 1.

    Raises:
        UserError: the recipe mixes images, or has a teacher.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, weights: NDArray[np.floating]) -> None:
        super().__init__(recipe, dataset.classes)
        if recipe.augmentation.mixup or recipe.loss.teacher:
            raise UserError(
                "Weights of the loss go with neither mixup nor a teacher. Received: the recipe "
                f"{recipe.name} with one of them. Draw the examples by their weights instead (sampling)."
            )
        self._labels = tf.constant(dataset.train.y)
        self._weights = tf.constant(np.asarray(weights) / np.mean(weights), tf.float32)

    def training_pair(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> Any:
        x, targets = super().training_pair(x, tf.gather(self._labels, y), seed)
        return x, targets, tf.gather(self._weights, y)


class Regression(Plain):
    """A member of LogitBoost: its logits regress working responses by weighted least squares, Σ w·(z − f)².

    Its accuracy is that of all members so far, itself included.

    Args:
        recipe: without what changes labels.
        labels: of all examples, training, validation and test, one after another.
        responses: z, weights: w, scores: F so far; (examples, classes) each.
        by_example: the training examples are drawn by the sums of their weights already.

    Raises:
        UserError: the recipe mixes images, smooths labels, or has a teacher.
    """

    def __init__(
        self,
        recipe: Recipe,
        labels: NDArray[np.integer],
        responses: NDArray[np.floating],
        weights: NDArray[np.floating],
        scores: NDArray[np.floating],
        by_example: bool,
    ) -> None:
        super().__init__(recipe, scores.shape[1])
        if self.soft:
            raise UserError(
                "LogitBoost regresses, without mixup, smoothed labels or a teacher. Received: the recipe "
                f"{recipe.name} with one of them. Leave it out."
            )
        totals = weights.sum(axis=1, keepdims=True)
        scaled = weights / (totals if by_example else totals.mean())
        coded = np.eye(self.classes)[labels]
        self._table = tf.constant(np.concatenate([responses, scaled, coded, scores], axis=1), tf.float32)

    def compile(self, model: keras.Model, optimizer: Any, execution: Execution) -> None:
        model.compile(
            optimizer=optimizer,
            loss=weighted_squares,
            metrics=[boosted_accuracy],
            jit_compile=execution.jit_compile,
            steps_per_execution=execution.steps_per_execution,
        )
        outputs = tf.zeros((1, self.classes))
        model.optimizer.build(model.trainable_variables)
        model.compiled_loss.build(outputs)
        model.compiled_metrics.build(outputs, tf.zeros((1, 4 * self.classes)))

    def training_pair(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> Any:
        return x, self.targets(y)

    def targets(self, y: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._table, y)


def weighted_squares(targets: tf.Tensor, f: tf.Tensor) -> tf.Tensor:
    """Σ over the classes of w·(z − f)², (batch,); targets hold z, w, the labels as 0 and 1, and F, classes of each."""
    z, w, _, _ = tf.split(targets, 4, axis=1)
    return tf.reduce_sum(w * (z - f) ** 2, axis=1)


def boosted_accuracy(targets: tf.Tensor, f: tf.Tensor) -> tf.Tensor:
    """Whether F with this member added is largest at the label, (batch,)."""
    _, _, coded, scores = tf.split(targets, 4, axis=1)
    classes = f.shape[1]
    boosted = scores + (classes - 1) / classes * (f - tf.reduce_mean(f, axis=1, keepdims=True))
    return tf.cast(tf.argmax(boosted, axis=1) == tf.argmax(coded, axis=1), tf.float32)


boosted_accuracy.__name__ = "accuracy"
