"""Between which numbers the values of a tensor lie, by the operators that give them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

Interval = tuple[float, float]

_ANY = (-math.inf, math.inf)
_CLAMPS: dict[str, Interval] = {
    "RELU": (0, math.inf),
    "RELU6": (0, 6),
    "RELU_N1_TO_1": (-1, 1),
    "RELU_0_TO_1": (0, 1),
    "SIGN": (-1, 1),
    "TANH": (-1, 1),
    "LOGISTIC": (0, 1),
    "ABS": (0, math.inf),
    "LceDequantize": (-1, 1),
}
_ACTIVATIONS = {1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}
_MOVING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "ROUND")


def interval(graph: Graph, producers: Mapping[int, schema.OperatorT], index: int) -> Interval:
    """The least and the largest value that a tensor can have; infinite where that is not known."""
    constant = graph.constant(index)
    if constant is not None and constant.size:
        return float(constant.min()), float(constant.max())
    operator = producers.get(index)
    if operator is None:
        return _ANY
    kind = graph.kind(operator)
    sources = [interval(graph, producers, int(place)) for place in operator.inputs[:2]] if kind in _KNOWN else [_ANY]
    low, high = _bounds(kind, sources)
    activation = _ACTIVATIONS.get(getattr(operator.builtinOptions, "fusedActivationFunction", 0))
    if activation is not None:
        low, high = _clamped((low, high), _CLAMPS[activation])
    return low, high


def _bounds(kind: str, sources: list[Interval]) -> Interval:
    first = sources[0]
    if kind in _CLAMPS:
        return _clamped(first, _CLAMPS[kind]) if kind.startswith("RELU") else _CLAMPS[kind]
    if kind in _MOVING:
        return first
    if kind in ("MINIMUM", "MAXIMUM"):
        pick = min if kind == "MINIMUM" else max
        return pick(first[0], sources[1][0]), pick(first[1], sources[1][1])
    if kind == "ADD":
        return first[0] + sources[1][0], first[1] + sources[1][1]
    if kind == "SUB":
        return first[0] - sources[1][1], first[1] - sources[1][0]
    if kind == "MUL":
        products = [a * b if a and b else 0.0 for a in first for b in sources[1]]  # 0 · infinity is 0 here
        return min(products), max(products)
    if kind == "DIV" and sources[1][0] == sources[1][1] != 0:
        return tuple(sorted(bound / sources[1][0] for bound in first))
    return _ANY


def _clamped(bounds: Interval, limits: Interval) -> Interval:
    low, high = (min(max(bound, limits[0]), limits[1]) for bound in bounds)
    return low, high


_KNOWN = (*_CLAMPS, *_MOVING, "MINIMUM", "MAXIMUM", "ADD", "SUB", "MUL", "DIV")
