"""What the passes share that make binary convolutions of float products: trying one, and saying why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.report import Matches, NoMatchError
from tflbnn.converter.planes import Planes, planes_of
from tflbnn.converter.signs import Sum, Taking
from tflbnn.runtime.flatbuffer import schema

Rewrite = Callable[[Graph, schema.OperatorT], list[schema.OperatorT]]


def rewrite_all(graph: Graph, kind: str, rewrite: Rewrite) -> Matches:
    """Puts what `rewrite` makes of every operator of a kind in its place.

    It raises NoMatchError for one that nearly matches, and returns nothing for one that does not at all.
    """
    matches = Matches()
    for operator in graph.of_kind(kind):
        name = graph.name(int(operator.outputs[0]))
        try:
            others = rewrite(graph, operator)
        except NoMatchError as reason:
            matches.missed.append((name, str(reason)))
            continue
        if others:
            graph.replace(operator, others)
            matches.matched.append(name)
    return matches


def taken_apart(
    graph: Graph, taking: Taking, inputs: int, weights: NDArray[np.float32] | None
) -> tuple[Sum, Planes] | None:
    """Inputs and weights as sums of signs; None where neither are.

    Args:
        weights: the filters first.

    Raises:
        NoMatchError: only one of them is such a sum; the message says why the other is none.
    """
    if weights is None or weights.dtype != np.float32 or not weights.size:
        return None
    try:
        found = taking.apart(inputs)
    except NoMatchError as reason:
        try:
            planes_of(weights)
        except NoMatchError:
            return None
        raise reason from None
    return found, planes_of(weights)


def bias_of(graph: Graph, operator: schema.OperatorT, place: int) -> NDArray[np.float32] | None:
    """An operator's bias; None for none.

    Raises:
        NoMatchError: it is computed.
    """
    if len(operator.inputs) <= place or operator.inputs[place] < 0:
        return None
    value = graph.constant(int(operator.inputs[place]))
    if value is None:
        raise NoMatchError("its bias is computed")
    return value
