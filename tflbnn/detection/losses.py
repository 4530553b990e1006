"""What an SSD is trained on: cross-entropy with hard negative mining, and smooth L1 of the offsets (SSD eq. 1 to 3).

Both are sums over a batch divided by the default boxes in it that have an object, and add up.
"""

from __future__ import annotations

from tflbnn._keras import keras, tf

# Negatives a positive, the hardest of an image (SSD section 2.2).
NEGATIVES = 3


def confidence(classes: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the boxes with an object, and of the three times as many without that are worst in their image.

    An image without objects has no loss: nothing says how many of its boxes should count.

    Args:
        classes: (batch, boxes), 0 for the background.
        probabilities: (batch, boxes, classes + 1); where they come from a softmax in the same graph, its inputs are
            used, which is exact for small probabilities too.

    >>> confidence(tf.constant([[1, 0, 0]]), tf.constant([[[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]])).numpy().round(4)
    1.3863
    """
    classes = tf.cast(classes, tf.int32)
    losses = keras.losses.sparse_categorical_crossentropy(classes, probabilities)
    positive = classes > 0
    wanted = NEGATIVES * tf.reduce_sum(tf.cast(positive, tf.int32), axis=1, keepdims=True)
    difficulty = tf.where(positive, -1.0, losses)
    rank = tf.argsort(tf.argsort(difficulty, axis=1, direction="DESCENDING", stable=True), axis=1, stable=True)
    counted = positive | (rank < wanted)
    return tf.reduce_sum(tf.where(counted, losses, 0.0)) / _number(positive)


def localization(targets: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
    """Smooth L1 of the offsets, for the boxes with an object.

    Args:
        targets: (batch, boxes, 5): offsets, and 1 where the box has an object.
        offsets: (batch, boxes, 4).

    >>> localization(tf.constant([[[3.0, 0.0, 0.5, 0.0, 1.0]]]), tf.zeros((1, 1, 4))).numpy()
    2.625
    """
    distance = tf.abs(targets[..., :4] - offsets)
    losses = tf.where(distance < 1, distance**2 / 2, distance - 0.5)
    positive = targets[..., 4] > 0
    return tf.reduce_sum(tf.where(positive, tf.reduce_sum(losses, axis=-1), 0.0)) / _number(positive)


def _number(positive: tf.Tensor) -> tf.Tensor:
    return tf.maximum(1.0, tf.reduce_sum(tf.cast(positive, tf.float32)))
