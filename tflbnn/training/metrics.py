"""What tells how binary training goes, for TensorBoard: flips, saturated inputs, weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn._keras import keras, tf
from tflbnn.quantizer_facts import QUANTIZERS
from tflbnn.training.optimizers import is_binary_kernel, latent

if TYPE_CHECKING:
    from tflbnn.binarization import Binarization

IMAGES = 64


def window(binarization: Binarization) -> float:
    """What |x| of an input must not exceed for its gradient to have the right sign; infinite if there is no such bound.

    The half-width of the window of a straight-through estimator; the zero of SignSwish's gradient (BNN+ 3.1).

    >>> from tflbnn import Binarization
    >>> window(Binarization(t_clip=0.5)), window(Binarization.preset("bnn_plus", beta=10.0))
    (0.5, 0.24)
    """
    quantizer = binarization.input_quantizer
    facts = QUANTIZERS[quantizer]
    if quantizer == "sign_swish":
        return 2.4 / binarization.beta
    if facts.inputs and "t_clip" in facts.inputs.arguments:
        return binarization.t_clip
    return 1.0 if quantizer in ("approx_sign", "htanh") else float("inf")


class BinaryMetrics(keras.callbacks.Callback):
    """Writes into logs/binary after every epoch, for each layer with binary weights:

        flip_ratio          the share of its weights whose sign changed in the epoch
        saturated_inputs    the share of its inputs beyond `window`, on the first images for validation
        weights             a histogram of the float weights, which gather at ±alpha (BNN+ figure 1)

    Args:
        folder: the logs.
        images: normalized, a few.
        limit: the window.
    """

    def __init__(self, folder: Path, images: tf.Tensor, limit: float) -> None:
        super().__init__()
        self.folder, self.images, self.limit = folder, images, limit

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.layers = [layer for layer in self.model.layers if is_binary_kernel(layer) and hasattr(layer, "kernel")]
        self.writer = tf.summary.create_file_writer(str(self.folder / "binary"))
        self.signs = [latent(layer).numpy() >= 0 for layer in self.layers]
        self.inputs = None
        if self.layers and np.isfinite(self.limit):
            self.inputs = keras.Model(self.model.inputs, [layer.get_input_at(0) for layer in self.layers])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with self.writer.as_default(step=epoch):
            for number, layer in enumerate(self.layers):
                weights = latent(layer).numpy()
                flipped = np.mean((weights >= 0) != self.signs[number])
                self.signs[number] = weights >= 0
                tf.summary.scalar(f"flip_ratio/{layer.name}", flipped)
                tf.summary.histogram(f"weights/{layer.name}", weights)
            if self.inputs is not None:
                values = self.inputs(self.images, training=False)
                for layer, inputs in zip(self.layers, values if len(self.layers) > 1 else [values], strict=True):
                    beyond = tf.reduce_mean(tf.cast(tf.abs(inputs) > self.limit, tf.float32))
                    tf.summary.scalar(f"saturated_inputs/{layer.name}", beyond)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.writer.close()
