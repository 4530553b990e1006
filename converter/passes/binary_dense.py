"""Dense layers of signs: FULLY_CONNECTED becomes RESHAPE, LceQuantize, 1×1 LceBconv2d, RESHAPE.

LCE has no binary operator for them and leaves their weights in float, 32 times as large. k-bit, ternary and multi-base
inputs and weights become several such convolutions and their sum.
"""

from __future__ import annotations

import math

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.operands import bias_of, rewrite_all, taken_apart
from tflbnn.converter.passes.report import Matches
from tflbnn.converter.products import Convolution, Products
from tflbnn.converter.signs import Taking
from tflbnn.runtime.flatbuffer import schema

# Whose shapes must be open for any batch before they are part of a pattern.
AFTER = ("open_reshapes",)


def rewrite(graph: Graph) -> Matches:
    """Matches FULLY_CONNECTED, by what it gives."""
    return rewrite_all(graph, "FULLY_CONNECTED", _binary)


def _binary(graph: Graph, operator: schema.OperatorT) -> list[schema.OperatorT]:
    inputs, output = int(operator.inputs[0]), int(operator.outputs[0])
    weights = graph.constant(int(operator.inputs[1]))
    taking = Taking(graph)
    found = taken_apart(graph, taking, inputs, weights)
    if found is None:
        return []
    q, planes = found
    units, depth = weights.shape
    batch, *sizes, _ = graph.shape(inputs)
    rows = math.prod(sizes) if operator.builtinOptions.keepNumDims else math.prod(graph.shape(inputs)) // depth // batch
    convolution = Convolution(
        image=(rows, 1),
        channels=depth,
        bias=bias_of(graph, operator, 2),
        strides=(1, 1),
        dilations=(1, 1),
        padded_with=None,
        activation=operator.builtinOptions.fusedActivationFunction,
        output=output,
        sizes=(rows, 1),
    )
    reshaped = [plane.reshape(units, 1, 1, depth) for plane in planes.negative]
    return Products(graph, taking, planes.shaped(reshaped), convolution).write(q)
