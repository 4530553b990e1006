"""Keras against a flatbuffer, layer by layer, each on the inputs that it really had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras, tf
from tflbnn.converter.binary import Binary, by_result, layer_of
from tflbnn.converter.explain import leaves
from tflbnn.converter.feeds import fed_to_layers
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import is_part, layers_of
from tflbnn.converter.synchronized import SynchronizedModel
from tflbnn.errors import VerificationError

# Largest difference of a float value, as a share of the largest value of its tensor.
TOLERANCE = 1e-4

# An output may differ by so many times what rounding at random changed it by, the most in so many runs.
_AMPLIFIED = 8
_DISTURBED_RUNS = 4
# Beyond this share no comparison says anything.
_LARGEST_TOLERANCE = 1e-2


class Comparison:
    """A Keras model beside the values of a flatbuffer's tensors.

    Args:
        binaries: the flatbuffer's binary layers.
        samples: inputs by name, in the model's order.
        values: what the flatbuffer's tensors have on these, by index.
    """

    def __init__(
        self,
        model: keras.Model,
        graph: Graph,
        binaries: list[Binary],
        samples: Mapping[str, NDArray[Any]],
        values: Mapping[int, NDArray[Any]],
    ) -> None:
        self.model, self.graph, self.samples, self.values = model, graph, samples, values
        self.groups = by_result(binaries)
        self.layers = dict(leaves(model))
        self.producers = {int(index): operator for operator in graph.operators for index in operator.outputs}

    def run(self) -> tuple[list[dict[str, Any]], list[NDArray[Any]], int]:
        """An entry for each binary layer, Keras's outputs, and the number of ties.

        Raises:
            VerificationError: a binary layer's output, or a sign, differs by more than rounding explains.
        """
        parts = []
        for part, synchronized, outputs in self._runs():
            # In this order, so that a wrong multiplier is found at its own layer, not at the next one's sign.
            errors = [self._layer_error(group[0], synchronized, part) for group in self.groups]
            self._require_ties(synchronized, part)
            parts.append((synchronized, outputs, errors))
        entries = []
        for index, (binary, *others) in enumerate(self.groups):
            found = [s for run, _, _ in parts for s in run.synchronizations if s.layer == binary.path]
            errors = [errors[index] for _, _, errors in parts if errors[index] is not None]
            entries.append(
                {
                    "layer": binary.path,
                    "products": binary.convolution.products,
                    "convolutions": 1 + len(others),
                    "output": "float32" if binary.convolution.threshold is None else "bits",
                    "mismatches": 0,
                    "ties": sum(s.ties for s in found),
                    "max_abs_error": max(errors, default=None),
                }
            )
        ties = sum(s.ties for run, _, _ in parts for s in run.synchronizations)
        outputs = [np.concatenate(arrays) for arrays in zip(*(outputs for _, outputs, _ in parts), strict=True)]
        return entries, outputs, ties

    def tolerances(self, outputs: list[NDArray[Any]]) -> list[float]:
        """How far each output may be from Keras's, as a share: TOLERANCE, or more where the model amplifies rounding.

        Values in the hundreds before a sigmoid or a softmax, as untrained networks may have, turn the last bits of
        float32 into the first digits of what comes out, and then Keras is no closer to exact arithmetic than the
        flatbuffer is. How much that is for this model and these samples is measured.
        """
        rng = np.random.default_rng(0)
        shares = [0.0] * len(outputs)
        for _ in range(_DISTURBED_RUNS):
            disturbed = [np.concatenate(arrays) for arrays in zip(*(o for *_, o in self._runs(rng)), strict=True)]
            found = [difference(given, output)[1] for given, output in zip(disturbed, outputs, strict=True)]
            shares = [max(pair) for pair in zip(shares, found, strict=True)]
        return [min(max(TOLERANCE, _AMPLIFIED * share), _LARGEST_TOLERANCE) for share in shares]

    def _runs(
        self, disturbance: np.random.Generator | None = None
    ) -> Iterator[tuple[slice, SynchronizedModel, list[NDArray[Any]]]]:
        """Runs Keras in step with the flatbuffer on as many samples at a time as the model takes."""
        feeds = fed_to_layers(self.graph, self.groups, self.layers, self.samples, self.values)
        number = len(next(iter(self.samples.values())))
        batch = self.model.inputs[0].shape[0] or number
        for start in range(0, number, batch):
            part = slice(start, start + batch)
            fed = {path: [fed.part(part) for fed in found] for path, found in feeds.items()}
            synchronized = SynchronizedModel(self.model, fed, disturbance)
            yield part, synchronized, synchronized.run([array[part] for array in self.samples.values()])

    def _require_ties(self, synchronized: SynchronizedModel, part: slice) -> None:
        for found in synchronized.synchronizations:
            if found.differences:
                start = self._first_difference(synchronized, part) or self._bits_from(found.layer)
                raise VerificationError(
                    f"The flatbuffer differs from the Keras model, first at {start}: "
                    f"{found.differences} of {found.values} inputs of {found.layer} are on the other "
                    "side of the quantizer's threshold, more than rounding explains."
                )

    def _layer_error(self, binary: Binary, synchronized: SynchronizedModel, part: slice) -> float | None:
        """Largest difference of a float output from Keras's; None where Keras has no such tensor."""
        if binary.convolution.threshold is not None:
            return None
        error = self._tensor_error(binary.result, synchronized, part)
        if error is not None and not error[1] <= TOLERANCE:
            raise VerificationError(
                f"The flatbuffer differs from the Keras model, first at {binary.path}: with the same input bits its "
                f"output differs by {error[0]:.3g}, a share of {error[1]:.3g} (at most {TOLERANCE} is rounding)."
            )
        return error[0] if error else None

    def _tensor_error(self, index: int, synchronized: SynchronizedModel, part: slice) -> tuple[float, float] | None:
        """The difference, absolute and as a share, from the nearest output of the Keras layers in a tensor's name.

        None where Keras has no such tensor: a quantizer that begins by adding a constant has it in the layer before.
        """
        if index not in self.values:  # a reshape has put the rows of a sequence beside the samples
            value = self.values[int(self.producers[index].inputs[0])][part]
        else:
            value = self.values[index][part]
        paths = layers_of(self.graph.name(index))
        if any(getattr(self.layers.get(path), "input_quantizer", None) for path in paths[1:]):
            return None
        errors = []
        for path in paths:
            # A layer's own activation may be the next operator.
            activation = getattr(self.layers.get(path), "activation", None)
            values_after = [value] if activation is None else [value, np.asarray(activation(tf.constant(value)))]
            # Axes of 1 may be put in between, as by a convolution of one dimension.
            outputs = [o for o in synchronized.outputs.get(path, []) if _without_ones(o) == _without_ones(value)]
            errors += [difference(given.reshape(o.shape), o) for given in values_after for o in outputs]
        return min(errors, key=lambda error: error[1], default=None)

    def _first_difference(self, synchronized: SynchronizedModel, part: slice) -> str | None:
        """The layer of the first operator whose output Keras does not have."""
        last = {self.graph.name(index).partition("#")[0]: index for index in self.producers}
        for operator in self.graph.operators:
            index = int(operator.outputs[0])
            if is_part(self.graph.name(index)):
                continue
            name = self.graph.name(index).partition("#")[0]
            # A layer may become several operators; only the last of them gives its output.
            if index not in self.values or self.values[index].dtype != np.float32 or last[name] != index:
                continue
            error = self._tensor_error(index, synchronized, part)
            if error is not None and not error[1] <= TOLERANCE:
                return layers_of(name)[0]
        return None

    def _bits_from(self, path: str) -> str:
        """The binary layer that gives a layer its input bits, if one does; else the layer itself."""
        for operator in self.graph.of_kind("LceBconv2d"):
            if layers_of(self.graph.name(operator.outputs[0]))[0] == path:
                source = self.producers.get(int(operator.inputs[0]))
                while source is not None and self.graph.kind(source) == "LceBMaxPool2d":
                    source = self.producers.get(int(source.inputs[0]))
                if source is not None and self.graph.kind(source) == "LceBconv2d":
                    return layer_of(self.graph, self.layers, source)
        return path


def _without_ones(value: NDArray[Any]) -> tuple[int, ...]:
    return (len(value), *(size for size in value.shape[1:] if size != 1))


def difference(value: NDArray[Any], expected: NDArray[Any]) -> tuple[float, float]:
    """The largest difference, absolute and as a share of the largest value; infinite where one is not a number."""
    if value.shape != expected.shape:
        return np.inf, np.inf
    if not value.size:
        return 0.0, 0.0
    finite = np.isfinite(value).all() and np.isfinite(expected).all()
    if not finite:
        return (0.0, 0.0) if np.array_equal(value, expected) else (np.inf, np.inf)
    error = float(np.abs(value.astype(np.float64) - expected.astype(np.float64)).max())
    return error, error / max(float(np.abs(expected).max()), 1e-6)
