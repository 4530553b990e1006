"""Whether a flatbuffer computes what its Keras model does: the binary part bit for bit, the rest within rounding.

Every tensor of the flatbuffer is looked at on samples, and each layer is judged on the inputs that it really had:

1. The signs of the Keras kernels are the bits of the flatbuffer's filters.
2. Every LceBconv2d gives, bit for bit, what exact integer arithmetic gives for its input bits and the Keras kernel,
   with the reference kernel and with the one that will run.
3. Keras, fed with the flatbuffer's input bits at each binary layer, gives that layer's output within rounding. That
   is where multiplier, bias and threshold are checked against BatchNorm, scales and biases.
4. Keras's own input bits differ from the flatbuffer's only where rounding explains it (ties, which are counted).
5. The outputs agree within rounding, those of the unchanged file with the kernel that will run included.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras, tf
from tflbnn.converter.exact import BinaryConvolution, unpack_bits
from tflbnn.converter.explain import leaves
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.converter.probe import Probe
from tflbnn.converter.synchronized import SynchronizedModel, is_quantizer
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model, delegate
from tflbnn.runtime.flatbuffer import schema

# Largest difference of a float value, as a share of the largest value of its tensor.
TOLERANCE = 1e-4
SEED = 0
# Values of all tensors that the samples made up here may take.
_ROOM = 1 << 26

_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "LceBconv2d")
_SAME_VALUES = ("PAD", "PADV2", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "LceDequantize")

Samples = NDArray[Any] | Sequence[NDArray[Any]]


def verify(model: keras.Model, flatbuffer: bytes, samples: Samples | None = None) -> dict[str, Any]:
    """Compares a flatbuffer with its Keras model.

    Args:
        samples: inputs (number, ...); of several inputs, a list in the model's order. Random ones when left out.

    Returns:
        The content of verification.json: verified, samples, kernels, binary_layers, mismatches (always 0), ties,
        max_abs_error, layers (one entry a binary layer).

    Raises:
        VerificationError: they differ; the message says at which layer that starts.
        UserError: the samples do not fit the model, or the delegate is missing.
    """
    return _Verification(model, flatbuffer, samples).result()


@dataclasses.dataclass(frozen=True)
class _Binary:
    """An LceBconv2d with the Keras layer that it comes from."""

    position: int
    operator: schema.OperatorT
    convolution: BinaryConvolution
    path: str


class _Verification:
    def __init__(self, model: keras.Model, flatbuffer: bytes, samples: Samples | None) -> None:
        self.model, self.flatbuffer = model, flatbuffer
        self.graph = Graph(flatbuffer)
        self.layers = dict(leaves(model))
        self.producers = {int(index): op for op in self.graph.operators for index in op.outputs}
        if not self.graph.model.signatureDefs:
            raise UserError("A model to verify needs a signature. Received: none. Make it with tflbnn export.")
        self.names = [entry.name.decode() for entry in self.graph.model.signatureDefs[0].inputs]
        self._require_same_interface()
        self.runner = Model(flatbuffer)  # refuses what the delegate cannot run, before anything here relies on it
        self.samples = self._samples(samples)

    def _require_same_interface(self) -> None:
        signature = self.graph.model.signatureDefs[0]
        for kind, entries, tensors in (
            ("inputs", signature.inputs, self.model.inputs),
            ("outputs", signature.outputs, self.model.outputs),
        ):
            given = [self.graph.shape(entry.tensorIndex)[1:] for entry in entries]
            wanted = [tuple(tensor.shape[1:]) for tensor in tensors]
            if not _same_shapes(given, wanted):
                raise VerificationError(f"The model's {kind} have the shapes {wanted}, the flatbuffer's {given}.")

    def result(self) -> dict[str, Any]:
        binaries = [
            _Binary(position, operator, BinaryConvolution.of(self.graph, operator), self._layer_of(operator))
            for position, operator in enumerate(self.graph.operators)
            if self.graph.kind(operator) == "LceBconv2d"
        ]
        exact = [self._with_keras_weights(binary) for binary in binaries]
        kernels = list(dict.fromkeys(["reference", delegate.kernels()[0]]))
        values = {}
        for kernel in kernels:
            values = Probe(self.flatbuffer, kernel).run(self.samples)
            for binary, convolution in zip(binaries, exact, strict=True):
                self._require_exact(binary, convolution, values, kernel)
        entries, outputs, ties = self._compare_with_keras(binaries, values)
        errors = self._compare_outputs(outputs, values)
        return {
            "verified": True,
            "samples": len(next(iter(self.samples.values()))),
            "kernels": kernels,
            "binary_layers": len(binaries),
            "mismatches": 0,
            "ties": ties,
            "max_abs_error": max(errors, default=0.0),
            "tolerance": TOLERANCE,
            "layers": entries,
        }

    # Samples.

    def _samples(self, samples: Samples | None) -> dict[str, NDArray[Any]]:
        tensors = self.model.inputs
        if samples is None:
            return self._random_samples()
        arrays = [samples] if isinstance(samples, np.ndarray) else [np.asarray(array) for array in samples]
        if len(arrays) != len(tensors):
            raise UserError(f"The model has {len(tensors)} inputs. Received: samples for {len(arrays)}.")
        for array, tensor in zip(arrays, tensors, strict=True):
            if array.ndim != tensor.shape.rank or array.shape[1:] != tuple(tensor.shape[1:]) or not len(array):
                raise UserError(f"Samples must have the shape {tuple(tensor.shape)}. Received: {array.shape}.")
        typed = [array.astype(tensor.dtype.as_numpy_dtype) for array, tensor in zip(arrays, tensors, strict=True)]
        return dict(zip(self.names, typed, strict=True))

    def _random_samples(self) -> dict[str, NDArray[Any]]:
        rng = np.random.default_rng(SEED)
        values = sum(int(np.prod(self.graph.shape(index))) for index in self.producers)
        number = int(np.clip(_ROOM // max(1, values), 1, 8))
        samples = {}
        for name, tensor in zip(self.names, self.model.inputs, strict=True):
            shape = (tensor.shape[0] or number, *tensor.shape[1:])
            whole = tensor.dtype.is_integer
            array = rng.integers(0, 2, shape) if whole else rng.standard_normal(shape)
            samples[name] = array.astype(tensor.dtype.as_numpy_dtype)
        return samples

    # 1. and 2. Bits.

    def _layer_of(self, operator: schema.OperatorT) -> str:
        """The path of the Keras layer whose product an operator computes."""
        name = self.graph.name(operator.outputs[0])
        path = layers_of(name)[0]
        if path not in self.layers:
            raise VerificationError(
                f"Every binary layer of the flatbuffer must be one of the model's. Received: {name}, which is not. "
                "Verify the file against the model that it was made from, with tflbnn export."
            )
        return path

    def _with_keras_weights(self, binary: _Binary) -> BinaryConvolution:
        """The convolution with the signs of the Keras kernel in the place of the flatbuffer's filter."""
        layer, packed = self.layers[binary.path], binary.convolution.filter
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            raise VerificationError(
                f"{binary.path} ({type(layer).__name__}) has no kernel to compare with the flatbuffer's."
            )
        quantizer = getattr(layer, "kernel_quantizer", None)
        values = keras.backend.get_value(kernel)
        if quantizer is not None:
            values = quantizer(values).numpy()
        signs = np.moveaxis(values, -1, 0) < 0
        if signs.shape != packed.shape:
            raise VerificationError(
                f"{binary.path} differs: its kernel is {signs.shape}, the flatbuffer's filter {packed.shape}."
            )
        # Where a channel's multiplier is below 0, LCE turns the weights of a bit output around, and the threshold.
        if binary.convolution.threshold is not None:
            turned = (signs != packed).all(axis=(1, 2, 3))
            signs = np.where(turned[:, None, None, None], ~signs, signs)
        wrong = int((signs != packed).sum())
        if wrong:
            channel = int(np.argwhere(signs != packed)[0, 0])
            raise VerificationError(
                f"The flatbuffer differs from the Keras model, first at {binary.path}: {wrong} of {signs.size} weights "
                f"have the other sign, the first in output channel {channel}."
            )
        return dataclasses.replace(binary.convolution, filter=signs)

    def _require_exact(
        self, binary: _Binary, convolution: BinaryConvolution, values: Mapping[int, NDArray[Any]], kernel: str
    ) -> None:
        bits = unpack_bits(values[int(binary.operator.inputs[0])], convolution.channels)
        expected, given = convolution.output(bits), values[int(binary.operator.outputs[0])]
        if expected.dtype == bool:
            given = unpack_bits(given, expected.shape[-1])
        equal = (expected == given) | ((expected != expected) & (given != given))
        if not equal.all():
            raise VerificationError(
                f"The kernel {kernel} differs from exact arithmetic, first at {binary.path}: "
                f"{int((~equal).sum())} of {equal.size} outputs. Report this, with the output of tflbnn doctor."
            )

    # 3. and 4. Keras, layer by layer.

    def _compare_with_keras(
        self, binaries: list[_Binary], values: Mapping[int, NDArray[Any]]
    ) -> tuple[list[dict[str, Any]], list[NDArray[Any]], int]:
        feeds = self._feeds(binaries, values)
        number = len(next(iter(self.samples.values())))
        batch = self.model.inputs[0].shape[0] or number
        parts = []
        for start in range(0, number, batch):
            part = slice(start, start + batch)
            synchronized = SynchronizedModel(
                self.model, {path: [array[part] for array in arrays] for path, arrays in feeds.items()}
            )
            outputs = synchronized.run([array[part] for array in self.samples.values()])
            # In this order, so that a wrong multiplier is found at its own layer, not at the next one's sign.
            errors = [self._layer_error(binary, synchronized, values, part) for binary in binaries]
            self._require_ties(synchronized, values, part)
            parts.append((synchronized, outputs, errors))
        entries = []
        for index, binary in enumerate(binaries):
            found = [s for run, _, _ in parts for s in run.synchronizations if s.layer == binary.path]
            errors = [errors[index] for _, _, errors in parts if errors[index] is not None]
            entries.append(
                {
                    "layer": binary.path,
                    "products": binary.convolution.products,
                    "output": "float32" if binary.convolution.threshold is None else "bits",
                    "mismatches": 0,
                    "ties": sum(s.ties for s in found),
                    "max_abs_error": max(errors, default=None),
                }
            )
        ties = sum(s.ties for run, _, _ in parts for s in run.synchronizations)
        outputs = [np.concatenate(arrays) for arrays in zip(*(outputs for _, outputs, _ in parts), strict=True)]
        return entries, outputs, ties

    def _feeds(self, binaries: list[_Binary], values: Mapping[int, NDArray[Any]]) -> dict[str, list[NDArray[Any]]]:
        """What the flatbuffer fed to every quantized layer, as Keras has it: signs in float32."""
        feeds: dict[str, list[NDArray[Any]]] = {}
        channels = {int(b.operator.inputs[0]): b.convolution.channels for b in binaries}
        for operator in self.graph.operators:
            kind = self.graph.kind(operator)
            path = layers_of(self.graph.name(operator.outputs[0]))[0]
            if kind == "LceQuantize" and path in self.layers and is_quantizer(self.layers[path]):
                index = int(operator.outputs[0])
                count = self.graph.shape(int(operator.inputs[0]))[-1]
            elif kind in _PRODUCTS and path in self.layers:
                index = self._quantized_input(int(operator.inputs[0]))
                count = channels.get(index)
            else:
                continue
            if index in values:
                value = values[index]
                if value.dtype == np.int32:
                    if count is None:
                        continue
                    value = np.where(unpack_bits(value, count), np.float32(-1), np.float32(1))
                feeds.setdefault(path, []).append(value)
        return feeds

    def _quantized_input(self, index: int) -> int:
        """Back through what only moves values, to the tensor that was quantized."""
        while index in self.producers and self.graph.kind(self.producers[index]) in _SAME_VALUES:
            if self.graph.kind(self.producers[index]) == "LceDequantize":
                break
            index = int(self.producers[index].inputs[0])
        return index

    def _require_ties(self, synchronized: SynchronizedModel, values: Mapping[int, NDArray[Any]], part: slice) -> None:
        for found in synchronized.synchronizations:
            if found.differences:
                start = self._first_difference(synchronized, values, part) or self._bits_from(found.layer)
                raise VerificationError(
                    f"The flatbuffer differs from the Keras model, first at {start}: "
                    f"{found.differences} of {found.values} inputs of {found.layer} are on the other "
                    "side of the quantizer's threshold, more than rounding explains."
                )

    def _layer_error(
        self, binary: _Binary, synchronized: SynchronizedModel, values: Mapping[int, NDArray[Any]], part: slice
    ) -> float | None:
        """Largest difference of a float output from Keras's; None where Keras has no such tensor."""
        if binary.convolution.threshold is not None:
            return None
        error = self._tensor_error(int(binary.operator.outputs[0]), synchronized, values, part)
        if error is not None and not error[1] <= TOLERANCE:
            raise VerificationError(
                f"The flatbuffer differs from the Keras model, first at {binary.path}: with the same input bits its "
                f"output differs by {error[0]:.3g}, a share of {error[1]:.3g} (at most {TOLERANCE} is rounding)."
            )
        return error[0] if error else None

    def _tensor_error(
        self, index: int, synchronized: SynchronizedModel, values: Mapping[int, NDArray[Any]], part: slice
    ) -> tuple[float, float] | None:
        """The difference, absolute and as a share, from the nearest output of the Keras layers in a tensor's name."""
        value = values[index][part]
        errors = []
        for path in layers_of(self.graph.name(index)):
            # A layer's own activation may be the next operator.
            activation = getattr(self.layers.get(path), "activation", None)
            values_after = [value] if activation is None else [value, np.asarray(activation(tf.constant(value)))]
            outputs = [output for output in synchronized.outputs.get(path, []) if output.shape == value.shape]
            errors += [_difference(given, output) for given in values_after for output in outputs]
        return min(errors, key=lambda error: error[1], default=None)

    def _first_difference(
        self, synchronized: SynchronizedModel, values: Mapping[int, NDArray[Any]], part: slice
    ) -> str | None:
        """The layer of the first operator whose output Keras does not have."""
        last = {self.graph.name(index).partition("#")[0]: index for index in self.producers}
        for operator in self.graph.operators:
            index = int(operator.outputs[0])
            name = self.graph.name(index).partition("#")[0]
            # A layer may become several operators; only the last of them gives its output.
            if index not in values or values[index].dtype != np.float32 or last[name] != index:
                continue
            error = self._tensor_error(index, synchronized, values, part)
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
                    return self._layer_of(source)
        return path

    # 5. Outputs.

    def _compare_outputs(self, outputs: list[NDArray[Any]], values: Mapping[int, NDArray[Any]]) -> list[float]:
        predicted = self.runner.predict(self.samples)
        entries = self.graph.model.signatureDefs[0].outputs
        errors = []
        for entry, expected in zip(entries, outputs, strict=True):
            name = entry.name.decode()
            probed = values[int(entry.tensorIndex)]
            given = predicted[name] if isinstance(predicted, dict) else predicted
            for what, value in (("the flatbuffer", probed), (f"the kernel {self.runner.kernel}", given)):
                error, share = _difference(value, expected)
                if not share <= TOLERANCE:
                    raise VerificationError(
                        f"The output {name} of {what} differs from the Keras model's by {error:.3g}, a share of "
                        f"{share:.3g} (at most {TOLERANCE} is rounding); no binary layer does."
                    )
                errors.append(error)
        return errors


def _same_shapes(given: list[tuple[int, ...]], wanted: list[tuple[int | None, ...]]) -> bool:
    """Whether sizes agree where both are known."""
    return len(given) == len(wanted) and all(
        len(sizes) == len(known) and all(k in (None, size) for size, k in zip(sizes, known, strict=True))
        for sizes, known in zip(given, wanted, strict=True)
    )


def _difference(value: NDArray[Any], expected: NDArray[Any]) -> tuple[float, float]:
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
