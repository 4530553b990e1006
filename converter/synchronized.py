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

# What a disturbed run moves every layer's values by, of each value at most: 4 units in the last place.
DISTURBANCE = 2.0**-22


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


@dataclasses.dataclass(frozen=True)
class Fed:
    """What the flatbuffer fed to a quantized layer.

    Attributes:
        values: as Keras has them: signs in float32.
        near: where rounding may have turned a sign in the flatbuffer, of the same size; None where it is not known.
        coded: the values are numbers of levels; what they stand for, Keras says.
    """

    values: NDArray[Any]
    near: Callable[[], NDArray[np.bool_] | None] = lambda: None
    coded: bool = False

    def levels(self, ours: NDArray[Any]) -> NDArray[Any]:
        """The values by Keras's own: a level is what it is there at most places, in each sample by itself."""
        values = self.values.reshape(ours.shape)
        if not self.coded:
            return values
        result = np.empty_like(ours)
        for sample, codes, theirs in zip(result, values, ours, strict=True):
            for code in np.unique(codes):
                sample[codes == code] = np.median(theirs[codes == code])
        return result

    def part(self, samples: slice) -> Fed:
        def near() -> NDArray[np.bool_] | None:
            whole = self.near()
            return None if whole is None else whole[samples]

        return Fed(self.values[samples], near, self.coded)


def is_quantizer(layer: keras.layers.Layer) -> bool:
    """A layer that does nothing but quantize."""
    return isinstance(layer, lq.quantizers.Quantizer) or isinstance(
        getattr(layer, "activation", None) if isinstance(layer, keras.layers.Activation) else None,
        lq.quantizers.Quantizer,
    )


class SynchronizedModel:
    """Runs a Keras model on the quantized inputs that a flatbuffer had.

    Args:
        feeds: what the flatbuffer fed to each layer by the layer's path, one for each time it is used.
        disturbance: where given, moves every float value that a layer gives by as much as rounding may, at random, so
            that the outputs show what becomes of rounding in this model.
    """

    def __init__(
        self,
        model: keras.Model,
        feeds: dict[str, list[Fed]],
        disturbance: np.random.Generator | None = None,
    ) -> None:
        self.model = model
        self.disturbance = disturbance
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
            quantizer = call if is_quantizer(layer) else getattr(layer, "input_quantizer", None)
            quantized = self._synchronize(fed[0], quantizer, inputs) if fed and quantizer else None
            if quantized is None:
                result = call(inputs, *args, **kwargs)
            elif quantizer is call:
                result = quantized
            else:
                with _already_quantized(layer):
                    result = call(quantized, *args, **kwargs)
            if tf.is_tensor(result) and result.dtype == tf.float32:
                if self.disturbance is not None:
                    shares = self.disturbance.uniform(-DISTURBANCE, DISTURBANCE, result.shape)
                    result = result * (1 + shares).astype(np.float32)
                for path in paths:
                    self.outputs.setdefault(path, []).append(result.numpy())
            return result

        return listen

    def _synchronize(self, path: str, quantizer: Callable[..., tf.Tensor], inputs: tf.Tensor) -> tf.Tensor | None:
        """The flatbuffer's quantized values in the place of Keras's, after comparing them; None if it has none."""
        ours = quantizer(inputs).numpy()
        candidates = [fed for fed in self.feeds[path] if fed.values.size == ours.size]
        if not candidates:
            return None
        source = min(candidates, key=lambda fed: (fed.levels(ours) != ours).sum())
        fed = source.levels(ours)
        # Quantizers are monotone: what lies between the quantized ends of the rounding error is a tie.
        numbers = inputs.numpy()
        slack = TIE * float(np.abs(numbers).max(initial=0))
        low, high = (quantizer(inputs + shift).numpy() for shift in (-slack, slack))
        # Levels that are computed, such as sums of scaled signs, are themselves rounded.
        computed = not np.array_equal(quantizer(tf.constant(fed)).numpy(), fed)
        rounding = TIE * float(np.abs(ours).max(initial=0)) if computed else 0
        different = np.abs(fed - ours) > rounding
        explained = different & (np.minimum(low, high) - rounding <= fed) & (fed <= np.maximum(low, high) + rounding)
        if explained.any():
            # Zeros come from a clamp, such as a ReLU, where nothing is below: rounding does not move them.
            explained &= (numbers != 0) | (numbers.min() < 0)
            if (near := source.near()) is not None:
                explained &= near.reshape(ours.shape)
        ties = int(explained.sum())
        differences = int(different.sum()) - ties
        if computed and differences:
            return None  # these are no quantized values of this layer: Keras keeps its own
        self.synchronizations.append(Synchronization(path, fed.size, ties, differences))
        return tf.constant(fed)


@contextlib.contextmanager
def _already_quantized(layer: keras.layers.Layer) -> Iterator[None]:
    """A layer that takes its inputs as they are."""
    quantizer = layer.__dict__["input_quantizer"]
    layer.__dict__["input_quantizer"] = None
    try:
        yield
    finally:
        layer.__dict__["input_quantizer"] = quantizer
