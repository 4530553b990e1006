"""The cross-entropy of a classifier whose targets are more than labels: smoothed, mixed, or a teacher's outputs."""

from __future__ import annotations

from collections.abc import Callable

from tflbnn._keras import keras, tf
from tflbnn.recipes import Loss

LossFunction = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def smoothed(y: tf.Tensor, classes: int, label_smoothing: float) -> tf.Tensor:
    """Labels (number,) as targets (number, classes): 1 - ε for the class, and ε in equal shares for all.

    Source: Szegedy et al., "Rethinking the Inception Architecture" (2016), section 7.

    >>> smoothed(tf.constant([1]), 4, 0.2).numpy().round(2)
    array([[0.05, 0.85, 0.05, 0.05]], dtype=float32)
    """
    return tf.one_hot(y, classes) * (1 - label_smoothing) + label_smoothing / classes


def softened(probabilities: tf.Tensor, temperature: float) -> tf.Tensor:
    """softmax(logits / T), from softmax(logits).

    >>> softened(tf.constant([[0.8, 0.2]]), 2.0).numpy().round(3)
    array([[0.667, 0.333]], dtype=float32)
    """
    logits = tf.math.log(tf.maximum(probabilities, keras.backend.epsilon()))
    return tf.nn.softmax(logits / temperature)


def cross_entropy(loss: Loss) -> LossFunction:
    """The loss of a batch, an entry an image.

    The targets are labels (number, 1), as in evaluation: the plain cross-entropy; or what each class should have
    (number, classes); or that and a teacher's softened outputs beside it (number, 2 · classes):

        (1 - w) · H(targets, p) + w · T² · H(q_T, p_T),   w = teacher_weight, T = temperature

    T² keeps the gradients of both parts in proportion. Source: Hinton et al., "Distilling the Knowledge in a Neural
    Network" (2015), section 2, https://arxiv.org/abs/1503.02531.

    >>> p = tf.constant([[0.5, 0.25, 0.25]])
    >>> float(cross_entropy(Loss())(tf.constant([[1]]), p)[0]) == float(-tf.math.log(0.25))
    True
    """

    def of(y: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        classes = p.shape[-1]
        if y.shape[-1] == 1:
            return keras.losses.sparse_categorical_crossentropy(y, p)
        labels = keras.losses.categorical_crossentropy(y[:, :classes], p)
        if y.shape[-1] == classes:
            return labels
        taught = keras.losses.categorical_crossentropy(y[:, classes:], softened(p, loss.temperature))
        return (1 - loss.teacher_weight) * labels + loss.teacher_weight * loss.temperature**2 * taught

    return of


def accuracy(y: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """1 where the likeliest class is the label, or the class that a target has most of.

    >>> accuracy(tf.constant([[0.0, 0.6, 0.4]]), tf.constant([[0.2, 0.5, 0.3]])).numpy().tolist()
    [1.0]
    """
    return tf.cast(_labels(y, p) == tf.argmax(p, axis=-1), tf.float32)


def top5_accuracy(y: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """1 where fewer than five classes are likelier than that of `accuracy`.

    >>> top5_accuracy(tf.constant([[0], [1]]), tf.constant([[0.1, 0.0, 0.2, 0.2, 0.2, 0.3]] * 2)).numpy().tolist()
    [1.0, 0.0]
    """
    likelier = p > tf.gather(p, _labels(y, p), axis=1, batch_dims=1)[:, tf.newaxis]
    return tf.cast(tf.reduce_sum(tf.cast(likelier, tf.int32), axis=-1) < 5, tf.float32)


def _labels(y: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """The class of each image, int64: its label, or what its targets have most of."""
    labels = y[:, 0] if y.shape[-1] == 1 else tf.argmax(y[:, : p.shape[-1]], axis=-1)
    return tf.cast(labels, tf.int64)
