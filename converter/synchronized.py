"""A Keras model run in step with a flatbuffer, so that one rounding does not become a different prediction.

Where a value lies within rounding of a quantizer's threshold, Keras and TensorFlow Lite may fall on different sides,
and everything behind differs. So Keras runs layer by layer: at each quantized layer its own input is compared with
what the flatbuffer fed to that layer, and the layer then gets the flatbuffer's. Every layer is thus judged on inputs
that both share.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras, lq, tf
from tflbnn.converter.explain import leaves

# Rounding may move a value by this share of the largest of its tensor: 128 units in the last place of float32.
TIE = 2.0**-16


@dataclasses.dataclass(frozen=True)
class Synchronization:
    """One layer's quantized input, Keras's against the flatbuffer's.

    Attributes:
        ties: values on the other side of a threshold that rounding explains.
        differences: those that it does not explain.
    """

    layer: str
    values: int
    ties: int
    differences: int


def is_quantizer(layer: keras.layers.Layer) -> bool:
    """A layer that does nothing but quantize."""
    return isinstance(layer, lq.quantizers.Quantizer) or isinstance(
        getattr(layer, "activation", None) if isinstance(layer, keras.layers.Activation) else None,
        lq.quantizers.Quantizer,
    )


class SynchronizedModel:
    """Runs a Keras model on the quantized inputs that a flatbuffer had.

    Args:
        feeds: what the flatbuffer fed to each layer by the layer's path, an array for each time it is used.
    """

    def __init__(self, model: keras.Model, feeds: dict[str, list[NDArray[Any]]]) -> None:
        self.model = model
        self.feeds = {path: list(arrays) for path, arrays in feeds.items()}
        self.synchronizations: list[Synchronization] = []
        self.outputs: dict[str, list[NDArray[Any]]] = {}

    def run(self, samples: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """The model's outputs in order; `outputs` and `synchronizations` then tell of every layer."""
        tensors = [tf.constant(sample) for sample in samples]
        with self._listening():
            result = self.model(tensors[0] if len(tensors) == 1 else tensors, training=False)
        return [output.numpy() for output in tf.nest.flatten(result)]

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Puts a listener in the place of every layer's `call`."""
        paths: dict[int, list[str]] = {}
        layers = {}
        for path, layer in leaves(self.model):
            paths.setdefault(id(layer), []).append(path)
            layers[id(layer)] = layer
        own = {key: layer.__dict__.get("call") for key, layer in layers.items()}
        try:
            for key, layer in layers.items():
                layer.__dict__["call"] = self._listener(layer, paths[key])
            yield
        finally:
            for key, layer in layers.items():
                del layer.__dict__["call"]
                if own[key] is not None:
                    layer.__dict__["call"] = own[key]

    def _listener(self, layer: keras.layers.Layer, paths: list[str]) -> Callable[..., Any]:
        call = layer.call

        def listen(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            fed = [path for path in paths if self.feeds.get(path) and tf.is_tensor(inputs)]
            if fed and is_quantizer(layer):
                result = self._synchronize(fed[0], call, inputs)
            elif fed and getattr(layer, "input_quantizer", None):
                result = call(self._synchronize(fed[0], layer.input_quantizer, inputs), *args, **kwargs)
            else:
                result = call(inputs, *args, **kwargs)
            if tf.is_tensor(result) and result.dtype == tf.float32:
                for path in paths:
                    self.outputs.setdefault(path, []).append(result.numpy())
            return result

        return listen

    def _synchronize(self, path: str, quantizer: Callable[..., tf.Tensor], inputs: tf.Tensor) -> tf.Tensor:
        """The flatbuffer's quantized values in the place of Keras's, after comparing them."""
        ours = quantizer(inputs).numpy()
        candidates = [array for array in self.feeds[path] if array.size == ours.size]
        if not candidates:
            return quantizer(inputs)
        fed = min((array.reshape(ours.shape) for array in candidates), key=lambda array: (array != ours).sum())
        if not np.array_equal(quantizer(tf.constant(fed)).numpy(), fed):
            return tf.constant(ours)  # quantized twice is not quantized once: Keras keeps its own
        # Quantizers are monotone: what lies between the quantized ends of the rounding error is a tie.
        slack = TIE * float(np.abs(inputs.numpy()).max(initial=0))
        low, high = (quantizer(inputs + shift).numpy() for shift in (-slack, slack))
        different = fed != ours
        explained = different & (np.minimum(low, high) <= fed) & (fed <= np.maximum(low, high))
        ties = int(explained.sum())
        self.synchronizations.append(Synchronization(path, fed.size, ties, int(different.sum()) - ties))
        return tf.constant(fed)
