"""Batches of a data set. Those for training are a pure function of (seed, epoch, step), so a run can be resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflbnn._keras import tf
from tflbnn.data.augmentation import augment

if TYPE_CHECKING:
    from tflbnn.data import Dataset, Normalization, Split
    from tflbnn.recipes import Recipe

EVALUATION_BATCH = 256


def _normalized(images: tf.Tensor, normalization: Normalization) -> tf.Tensor:
    mean, std = tf.constant(normalization.mean, tf.float32), tf.constant(normalization.std, tf.float32)
    return (tf.cast(images, tf.float32) - mean) / std


def training_batches(dataset: Dataset, recipe: Recipe, first_epoch: int = 0) -> tuple[tf.data.Dataset, int]:
    """Batches of all epochs from `first_epoch` (counted from 0) on, one after another, and the steps of one epoch.

    Every epoch has its own order and its own augmentation. All batches have the same size, so the last few images
    of an epoch's order, fewer than a batch, are left out of that epoch.
    """
    number = len(dataset.train)
    size = min(recipe.batch_size, number)
    steps = number // size
    # The images stay the bytes they are until their batch is due: a quarter of the memory of floats.
    x, y = tf.constant(dataset.train.x), tf.constant(dataset.train.y)

    def epoch_of(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(number), seed)
        rows = tf.data.Dataset.from_tensor_slices(tf.reshape(order[: steps * size], (steps, size)))
        return rows.enumerate().map(lambda step, row: (seed, step, row))

    def batch_of(seed: tf.Tensor, step: tf.Tensor, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = augment(tf.gather(x, row), recipe.augmentation, tf.random.fold_in(seed, step))
        return _normalized(images, dataset.normalization), tf.gather(y, row)

    batches = tf.data.Dataset.range(first_epoch, recipe.epochs).flat_map(epoch_of)
    return batches.map(batch_of, num_parallel_calls=2, deterministic=True).prefetch(2), steps


def evaluation_batches(split: Split, normalization: Normalization) -> tf.data.Dataset:
    """All images of a part, in their order, as they are."""
    batches = tf.data.Dataset.from_tensor_slices((split.x, split.y)).batch(EVALUATION_BATCH)
    return batches.map(lambda x, y: (_normalized(x, normalization), y)).prefetch(1)
