"""Random changes of training images, each a pure function of its seed, so that a resumed run sees the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflbnn._keras import tf

if TYPE_CHECKING:
    from tflbnn.recipes import Augmentation


def augment(images: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Crops and flips every image of a batch by its own draw.

    Args:
        images: (number, height, width, channels), any type.
        augmentation: what to do.
        seed: two integers; the same ones give the same result.

    Returns:
        Images of the same shape and type.

    >>> from tflbnn.recipes import Augmentation
    >>> images = tf.reshape(tf.range(4), (1, 2, 2, 1))
    >>> augment(images, Augmentation(), tf.constant([0, 0]))[0, :, :, 0].numpy().tolist()
    [[0, 1], [2, 3]]
    """
    crop_seed, flip_seed = tf.unstack(tf.random.split(seed, 2))
    if augmentation.padding:
        images = random_crop(images, augmentation.padding, crop_seed)
    if augmentation.flip:
        images = random_flip(images, flip_seed)
    return images


def random_crop(images: tf.Tensor, padding: int, seed: tf.Tensor) -> tf.Tensor:
    """Surrounds each image by `padding` zeros and cuts out a window of the old size anywhere."""
    number, height, width, _ = tf.unstack(tf.shape(images))
    shift = tf.random.stateless_uniform((2, number, 1), seed, 0, 2 * padding + 1, tf.int32)
    padded = tf.pad(images, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    rows = tf.gather(padded, shift[0] + tf.range(height), axis=1, batch_dims=1)
    window = tf.gather(rows, shift[1] + tf.range(width), axis=2, batch_dims=1)
    return tf.ensure_shape(window, images.shape)


def random_flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors each image left to right with probability one half."""
    flipped = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed) < 0.5
    return tf.where(flipped, images[:, :, ::-1], images)
