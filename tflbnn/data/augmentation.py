"""Random changes of training images, each a pure function of its seed, so that a resumed run sees the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    shift = _shifts(number, padding, seed)
    padded = tf.pad(images, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    return tf.ensure_shape(_windows(padded, shift, height, width), images.shape)


def random_window(images: tf.Tensor, height: int, width: int, seed: tf.Tensor) -> tf.Tensor:
    """Cuts a window of that size out of each image anywhere: 224×224 of 256×256 pixels (BNN+ 4.2).

    >>> random_window(tf.zeros((5, 9, 8, 3)), 4, 8, (0, 0)).shape
    TensorShape([5, 4, 8, 3])
    """
    number, old_height, old_width, _ = tf.unstack(tf.shape(images))
    most = tf.stack([old_height - height, old_width - width])[:, tf.newaxis, tf.newaxis]
    drawn = tf.random.stateless_uniform((2, number, 1), seed)
    shift = tf.minimum(tf.cast(drawn * tf.cast(most + 1, tf.float32), tf.int32), most)
    return tf.ensure_shape(_windows(images, shift, height, width), (images.shape[0], height, width, images.shape[3]))


def _windows(images: tf.Tensor, shift: tf.Tensor, height: Any, width: Any) -> tf.Tensor:
    """The window of each image that begins `shift`, (2, number, 1), below and right of its corner."""
    rows = tf.gather(images, shift[0] + tf.range(height), axis=1, batch_dims=1)
    return tf.gather(rows, shift[1] + tf.range(width), axis=2, batch_dims=1)


def random_flip(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors each image left to right with probability one half."""
    flipped = _flipped(tf.shape(images)[0], seed)[:, tf.newaxis, tf.newaxis, tf.newaxis]
    return tf.where(flipped, images[:, :, ::-1], images)


def mixup(images: tf.Tensor, targets: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixes each image of a batch, and its target, with its counterpart from the batch's other end.

        x ← λ·x + (1 - λ)·x',  y ← λ·y + (1 - λ)·y',  λ drawn from Beta(alpha, alpha) for each image

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2018), https://arxiv.org/abs/1710.09412.

    >>> images, targets = mixup(tf.ones((4, 2, 2, 1)), tf.eye(4), 0.2, (0, 0))
    >>> images.numpy().min().round(5), targets.numpy().sum(axis=1).round(5).tolist()
    (1.0, [1.0, 1.0, 1.0, 1.0])
    """
    one, other = tf.unstack(tf.random.stateless_gamma((2, tf.shape(images)[0]), seed, alpha))
    # Of two tiny numbers both may be drawn as 0.
    weight = tf.math.divide_no_nan(one, one + other)[:, tf.newaxis]
    pixels = weight[..., tf.newaxis, tf.newaxis]
    return pixels * images + (1 - pixels) * images[::-1], weight * targets + (1 - weight) * targets[::-1]


def _shifts(number: tf.Tensor, padding: int, seed: tf.Tensor) -> tf.Tensor:
    """(2, number, 1): rows and columns of zeros that each image loses above and on its left."""
    return tf.random.stateless_uniform((2, number, 1), seed, 0, 2 * padding + 1, tf.int32)


def _flipped(number: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """(number,): whether each image is mirrored."""
    return tf.random.stateless_uniform((number, 1, 1, 1), seed)[:, 0, 0, 0] < 0.5


def augment_objects(
    images: tf.Tensor, objects: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `augment`, and the objects with the images: an object whose centre is cut off is one no longer.

    Args:
        objects: (number, objects, 6), as in `tflbnn.detection.matching`.

    >>> from tflbnn.recipes import Augmentation
    >>> objects = tf.constant([[[0.0, 0.0, 0.5, 0.25, 1.0, 0.0]]])
    >>> flips = [augment_objects(tf.zeros((1, 4, 4, 1)), objects, Augmentation(flip=True), (0, s)) for s in range(9)]
    >>> sorted({tuple(moved.numpy()[0, 0].tolist()) for _, moved in flips})
    [(0.0, 0.0, 0.5, 0.25, 1.0, 0.0), (0.0, 0.75, 0.5, 1.0, 1.0, 0.0)]
    """
    crop_seed, flip_seed = tf.unstack(tf.random.split(seed, 2))
    if augmentation.padding:
        objects = _shift(objects, images.shape, augmentation.padding, crop_seed)
        images = random_crop(images, augmentation.padding, crop_seed)
    if augmentation.flip:
        flipped = _flipped(tf.shape(images)[0], flip_seed)
        ymin, xmin, ymax, xmax, *rest = tf.unstack(objects, axis=2)
        mirrored = tf.stack([ymin, 1 - xmax, ymax, 1 - xmin, *rest], axis=2)
        objects = tf.where(flipped[:, tf.newaxis, tf.newaxis], mirrored, objects)
        images = random_flip(images, flip_seed)
    return images, objects


def _shift(objects: tf.Tensor, shape: tf.TensorShape, padding: int, seed: tf.Tensor) -> tf.Tensor:
    """Boxes in the window that `random_crop` cuts out with this seed."""
    shift = tf.cast(_shifts(tf.shape(objects)[0], padding, seed) - padding, tf.float32)
    by = shift / tf.constant([[[shape[1]]], [[shape[2]]]], tf.float32)
    boxes = objects[..., :4] - tf.transpose(tf.concat([by, by], axis=0), (1, 2, 0))
    ymin, xmin, ymax, xmax = tf.unstack(boxes, axis=2)
    y, x = (ymin + ymax) / 2, (xmin + xmax) / 2
    inside = (y > 0) & (y < 1) & (x > 0) & (x < 1)
    classes = tf.where(inside, objects[..., 4], -1.0)
    return tf.concat([tf.clip_by_value(boxes, 0, 1), classes[..., tf.newaxis], objects[..., 5:]], axis=2)
