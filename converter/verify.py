"""Whether a flatbuffer computes what its Keras model does: the binary part bit for bit, the rest within rounding.

Every tensor of the flatbuffer is looked at on samples, and each layer is judged on the inputs that it really had:

1. The signs of the Keras kernels are the bits of the flatbuffer's filters.
2. Every LceBconv2d gives, bit for bit, what exact integer arithmetic gives for its input bits and the Keras kernel,
   with the reference kernel and with the one that will run.
3. Keras, fed with the flatbuffer's input bits at each binary layer, gives that layer's output within rounding. That
   is where multiplier, bias and threshold are checked against BatchNorm, scales and biases.
4. Keras's own input bits differ from the flatbuffer's only where rounding explains it (ties, which are counted): where
   the number before the sign is next to 0 in Keras and in the flatbuffer, and not an exact 0 that a ReLU gave.
5. The outputs agree within rounding, those of the unchanged file with the kernel that will run included. Where they
   differ by more than a model usually makes of rounding, what this one makes of it is measured, by disturbing Keras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter import passes
from tflbnn.converter.binary import by_result, find, require_exact, same_bits, with_keras_weights
from tflbnn.converter.comparison import TOLERANCE, Comparison, difference
from tflbnn.converter.detection import raw_outputs, verify_post_processing
from tflbnn.converter.explain import leaves
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.probe import Probe
from tflbnn.converter.rest import kind_of
from tflbnn.converter.rest import verify as verify_rest
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model, delegate

SEED = 0
# Values of all tensors that the samples made up here may take: one image for a network of ImageNet's size.
_ROOM = 1 << 24

Samples = NDArray[Any] | Sequence[NDArray[Any]]


def verify(
    model: keras.Model,
    flatbuffer: bytes,
    samples: Samples | None = None,
    mean: Sequence[float] = (0.0,),
    std: Sequence[float] = (1.0,),
) -> dict[str, Any]:
    """Compares a flatbuffer with its Keras model.

    One whose rest is smaller than float32 is compared, product by product, with the flatbuffer that the model makes
    with float32, and that with the model.

    Args:
        samples: inputs (number, ...); of several inputs, a list in the model's order. Random ones when left out.
        mean, std: by which the samples are normalized; looked at where the flatbuffer takes pixels.

    Returns:
        The content of verification.json: verified, samples, kernels, binary_layers, mismatches (always 0), ties,
        max_abs_error, layers (one entry a binary layer). Of a detector, its raw outputs are compared so, and then what
        the file detects with what NumPy makes of them: detections, detections_max_abs_error.

    Raises:
        VerificationError: they differ; the message says at which layer that starts.
        UserError: the samples do not fit the model, or the delegate is missing.
    """
    if kind_of(Graph(flatbuffer)) != "float32":
        return _verify_rest(model, flatbuffer, samples, mean, std)
    raw = raw_outputs(flatbuffer)
    if raw is None:
        return _Verification(model, flatbuffer, samples).result()
    verification = _Verification(model, raw, samples)
    result = verification.result()
    return result | verify_post_processing(flatbuffer, raw, model.default_boxes, verification.samples)


def _verify_rest(
    model: keras.Model, flatbuffer: bytes, samples: Samples | None, mean: Sequence[float], std: Sequence[float]
) -> dict[str, Any]:
    graph = Graph(lower(model))
    passes.run(graph)
    plain = graph.pack()
    verification = _Verification(model, plain, samples)
    result = verification.result()
    detecting = raw_outputs(flatbuffer) or flatbuffer
    return result | verify_rest(plain, detecting, list(verification.samples.values()), mean, std)


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
        binaries = find(self.graph, self.layers)
        groups = by_result(binaries)
        binaries = [binary for group in groups for binary in group]
        exact = [convolution for group in groups for convolution in with_keras_weights(group, self.layers)]
        kernels = list(dict.fromkeys(["reference", delegate.kernels()[0]]))
        values: dict[int, NDArray[Any]] = {}
        for kernel in kernels:
            found = Probe(self.flatbuffer, kernel).run(self.samples)
            for binary, convolution in zip(binaries, exact, strict=True):
                ends = (int(binary.operator.inputs[0]), int(binary.operator.outputs[0]))
                # What the kernel before was given, and gave, needs no second calculation.
                if not values or not all(same_bits(values[index], found[index]) for index in ends):
                    require_exact(binary, convolution, found, kernel)
            values = found
        comparison = Comparison(self.model, self.graph, binaries, self.samples, values)
        entries, outputs, ties = comparison.run()
        errors, tolerance = self._compare_outputs(comparison, outputs, values)
        return {
            "verified": True,
            "samples": len(next(iter(self.samples.values()))),
            "kernels": kernels,
            "binary_layers": len(groups),
            "mismatches": 0,
            "ties": ties,
            "max_abs_error": max(errors, default=0.0),
            "tolerance": tolerance,
            "layers": entries,
        }

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

    def _compare_outputs(
        self, comparison: Comparison, outputs: list[NDArray[Any]], values: Mapping[int, NDArray[Any]]
    ) -> tuple[list[float], float]:
        """The largest difference of each output, and the share that was allowed."""
        predicted = self.runner.predict(self.samples)
        tolerances = [TOLERANCE] * len(outputs)
        entries = self.graph.model.signatureDefs[0].outputs
        errors = []
        for number, (entry, expected) in enumerate(zip(entries, outputs, strict=True)):
            name = entry.name.decode()
            probed = values[int(entry.tensorIndex)]
            given = predicted[name] if isinstance(predicted, dict) else predicted
            for what, value in (("the flatbuffer", probed), (f"the kernel {self.runner.kernel}", given)):
                error, share = difference(value, expected)
                if not share <= tolerances[number]:
                    tolerances = comparison.tolerances(outputs)
                if not share <= tolerances[number]:
                    raise VerificationError(
                        f"The output {name} of {what} differs from the Keras model's by {error:.3g}, a share of "
                        f"{share:.3g} (at most {tolerances[number]:.3g} is rounding); no binary layer does."
                    )
                errors.append(error)
        return errors, max(tolerances, default=TOLERANCE)


def _same_shapes(given: list[tuple[int, ...]], wanted: list[tuple[int | None, ...]]) -> bool:
    """Whether sizes agree where both are known."""
    return len(given) == len(wanted) and all(
        len(sizes) == len(known) and all(k in (None, size) for size, k in zip(sizes, known, strict=True))
        for sizes, known in zip(given, wanted, strict=True)
    )
