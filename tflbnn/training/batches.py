"""Batches of a data set. Those for training are a pure function of (seed, epoch, step), so a run can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tflbnn._keras import tf
from tflbnn.data.augmentation import random_window
from tflbnn.data.images import Files

if TYPE_CHECKING:
    from tflbnn.data import Dataset, Normalization, Split
    from tflbnn.recipes import Recipe
    from tflbnn.training.tasks import Task

EVALUATION_BATCH = 256
# Bytes of a batch of floats: fewer large images make one.
_EVALUATION_ROOM = 1 << 28
# Bytes of photographs that are decoded once and kept.
_DECODED_ROOM = 1 << 30


def _normalized(images: tf.Tensor, normalization: Normalization) -> tf.Tensor:
    mean, std = tf.constant(normalization.mean, tf.float32), tf.constant(normalization.std, tf.float32)
    return (tf.cast(images, tf.float32) - mean) / std


def _gather(images: np.ndarray | Files) -> Callable[[tf.Tensor], tf.Tensor]:
    """What gives the images of a batch by their numbers."""
    if isinstance(images, Files):
        pixels_of = _decoder(images)

        def decode(row: tf.Tensor) -> tf.Tensor:
            pixels = tf.numpy_function(pixels_of, [row], tf.uint8, stateful=False)
            return tf.ensure_shape(pixels, (*row.shape, *images.shape[1:]))

        return decode
    # The images stay the bytes they are until their batch is due: a quarter of the memory of floats.
    constant = tf.constant(images)
    return lambda row: tf.gather(constant, row)


def _decoder(images: Files) -> Callable[[np.ndarray], np.ndarray]:
    """What gives the pixels of files by their numbers; each file is decoded once if there is room for all."""
    if np.prod(images.shape) > _DECODED_ROOM:
        return lambda numbers: np.asarray(images[numbers])
    pixels, decoded = np.empty(images.shape, np.uint8), np.zeros(len(images), bool)

    def pixels_of(numbers: np.ndarray) -> np.ndarray:
        new = numbers[~decoded[numbers]]
        pixels[new] = np.asarray(images[new])
        decoded[new] = True
        return pixels[numbers]

    return pixels_of


def training_batches(dataset: Dataset, recipe: Recipe, task: Task, first_epoch: int = 0) -> tuple[tf.data.Dataset, int]:
    """Batches of all epochs from `first_epoch` (counted from 0) on, one after another, and the steps of one epoch.

    Every epoch has its own order and its own augmentation. All batches have the same size, so the last few images
    of an epoch's order, fewer than a batch, are left out of that epoch.
    """
    number = len(dataset.train)
    size = min(recipe.batch_size, number)
    steps = number // size
    images_of, y = _gather(dataset.train.x), tf.constant(dataset.train.y)

    def epoch_of(epoch: tf.Tensor) -> tf.data.Dataset:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(tf.range(number), seed)
        rows = tf.data.Dataset.from_tensor_slices(tf.reshape(order[: steps * size], (steps, size)))
        return rows.enumerate().map(lambda step, row: (seed, step, row))

    def batch_of(seed: tf.Tensor, step: tf.Tensor, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seed, images = tf.random.fold_in(seed, step), images_of(row)
        if tuple(images.shape[1:]) != dataset.input_shape:
            images = random_window(images, *dataset.input_shape[:2], tf.random.fold_in(seed, 0))
        images, shown = task.augment(images, tf.gather(y, row), recipe.augmentation, seed)
        return task.training_pair(_normalized(images, dataset.normalization), shown, tf.random.fold_in(seed, 1))

    batches = tf.data.Dataset.range(first_epoch, recipe.epochs).flat_map(epoch_of)
    return batches.map(batch_of, num_parallel_calls=2, deterministic=True).prefetch(2), steps


def evaluation_batches(split: Split, normalization: Normalization, task: Task) -> tf.data.Dataset:
    """All images of a part, in their order, as they are."""
    images_of, y = _gather(split.x), tf.constant(split.y)
    room = _EVALUATION_ROOM // (4 * int(np.prod(split.x.shape[1:])))
    rows = tf.data.Dataset.range(len(split)).batch(max(1, min(EVALUATION_BATCH, room)))

    def batch_of(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _normalized(images_of(row), normalization), task.targets(tf.gather(y, row))

    return rows.map(batch_of).prefetch(1)
