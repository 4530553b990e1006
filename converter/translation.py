"""Whether a rewritten graph computes what the old one did, piece by piece.

Tensors that both have, by their names, must have the same values. Each is judged on the inputs that it really had in
the new graph: the old graph's operators between it and the nearest tensors that both have run by themselves, on the
values from the new one. So one rounding that turns a sign does not spread, and a wrong rewrite shows where it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.exact import unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.probe import Probe
from tflbnn.errors import VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.flatbuffer import schema

TOLERANCE = 1e-4  # of float values, as a share of the largest
_TIES = 1e-3  # share of bits that rounding may turn


@dataclasses.dataclass(frozen=True)
class Translation:
    """What was compared: how many rewritten tensors, and the largest difference, as a share of the tensor's largest."""

    compared: int
    largest: float


def require_same(
    before: Graph,
    after: Graph,
    samples: Mapping[str, NDArray],
    tolerance: float = TOLERANCE,
    samples_after: Mapping[str, NDArray] | None = None,
) -> Translation:
    """Compares two graphs with the same inputs, by name.

    Args:
        tolerance: the largest difference of a float tensor, as a share of its largest value.
        samples_after: the same samples as the new graph takes them, where that differs.

    Raises:
        VerificationError: they differ; the message names the first tensor.
    """
    old, new = _computed(before), _computed(after)
    common = [name for name in old if name in new]
    if missing := [name for name in map(before.name, map(int, before.main.outputs)) if name not in new]:
        raise VerificationError(f"A pass must keep the outputs. Received: a graph without {', '.join(missing)}.")
    changed = [name for name in common if not _same_operator(before, after, old[name], new[name])]
    pieces = {name: _Piece(before, name, old, set(common)) for name in changed}
    wanted = {name for name, piece in pieces.items() for name in (name, *piece.inputs) if name in new}
    values = dict(samples)
    if wanted:
        found = Probe(after.pack(), "reference", [new[name] for name in wanted]).run(samples_after or samples)
        values |= {after.name(index): value for index, value in found.items()}
    largest = 0.0
    for name in changed:
        expected = pieces[name].run({source: values[source] for source in pieces[name].inputs})
        if (held := _range_of_integers(after, new[name])) is not None:
            expected = np.clip(expected, *held)
        share = _difference(before, old[name], values[name], expected)
        if not share <= (_TIES if expected.dtype == np.int32 else tolerance):
            raise VerificationError(
                f"A pass changed what the model computes, first at {name}: of the same inputs it differs by a share of "
                f"{share:.3g} (at most {tolerance:.3g} is rounding). Report this, with the model."
            )
        largest = max(largest, share)
    return Translation(len(changed), largest)


def _computed(graph: Graph) -> dict[str, int]:
    """The tensors with the batch in front that operators give, by name."""
    return {
        graph.name(int(index)): int(index)
        for operator in graph.operators
        for index in operator.outputs
        if Probe.wanted(graph, int(index)) or int(index) in graph.main.outputs
    }


def _range_of_integers(graph: Graph, index: int) -> tuple[float, float] | None:
    """What a tensor can hold that was integers; it was chosen on samples, and what lies beyond ends there."""
    producer = graph.producers()[index]
    if graph.kind(producer) != "DEQUANTIZE":
        return None
    integers = graph.main.tensors[int(producer.inputs[0])]
    if integers.type != schema.TensorType.INT8:
        return None
    scale, zero = float(integers.quantization.scale[0]), int(integers.quantization.zeroPoint[0])
    return scale * (-128 - zero), scale * (127 - zero)


def _same_operator(before: Graph, after: Graph, old: int, new: int) -> bool:
    """Whether a tensor comes from the same operator with the same inputs and constants in both."""
    left, right = before.producers()[old], after.producers()[new]
    if before.kind(left) != after.kind(right) or len(left.inputs) != len(right.inputs):
        return False
    if before.options(left) != after.options(right):
        return False
    if getattr(left.builtinOptions, "__dict__", None) != getattr(right.builtinOptions, "__dict__", None):
        return False
    for a, b in zip(map(int, left.inputs), map(int, right.inputs), strict=True):
        constants = before.constant(a), after.constant(b)
        if any(one is not None for one in constants):
            if not all(one is not None for one in constants) or constants[0].tobytes() != constants[1].tobytes():
                return False
        elif (a < 0) != (b < 0) or (a >= 0 and before.name(a) != after.name(b)):
            return False
    return True


class _Piece:
    """The operators of a graph between a tensor and the nearest common ones, as a model of its own."""

    def __init__(self, graph: Graph, name: str, computed: Mapping[str, int], common: set[str]) -> None:
        copy = Graph(graph.pack())
        producers = copy.producers()
        inputs: dict[str, int] = {}
        kept: dict[int, schema.OperatorT] = {}
        pending = [computed[name]]
        while pending:
            index = pending.pop()
            operator = producers.get(index)
            known = copy.name(index) in common and index != computed[name]
            if index in copy.main.inputs or known:
                inputs[copy.name(index)] = index
            elif operator is not None and id(operator) not in kept:
                kept[id(operator)] = operator
                pending += [int(i) for i in operator.inputs if i >= 0 and copy.constant(int(i)) is None]
        copy.model.metadata = None
        copy.main.operators = [operator for operator in copy.operators if id(operator) in kept]
        copy.main.inputs = np.array(list(inputs.values()), np.int32)
        copy.main.outputs = np.array([computed[name]], np.int32)
        copy.model.signatureDefs = None
        self.inputs = list(inputs)
        self.flatbuffer = copy.pack()

    def run(self, values: Mapping[str, NDArray]) -> NDArray:
        with Model(self.flatbuffer, kernel="reference") as model:
            return model.predict(values if len(values) > 1 else next(iter(values.values())))


def _difference(graph: Graph, index: int, given: NDArray, expected: NDArray) -> float:
    """The largest difference as a share of the largest value; of bits, the share that differs."""
    if given.shape != expected.shape:
        return np.inf
    if expected.dtype == np.int32:
        channels = 32 * given.shape[-1]
        return float((unpack_bits(given, channels) != unpack_bits(expected, channels)).mean())
    if not np.isfinite(expected).all():
        return 0.0 if np.array_equal(given, expected, equal_nan=True) else np.inf
    return float(np.abs(given - expected).max(initial=0)) / max(float(np.abs(expected).max(initial=0)), 1e-6)
