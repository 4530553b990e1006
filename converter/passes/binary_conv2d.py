"""Convolutions of k-bit, ternary and multi-base inputs or weights, which LCE leaves in float: CONV_2D becomes a sum of
LceBconv2d. So do Conv1D, whose signs are reshaped on the way, and convolutions of signs with a border that LCE did not
recognize.
"""

from __future__ import annotations

from tflbnn.converter.exact import window
from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.operands import bias_of, rewrite_all, taken_apart
from tflbnn.converter.passes.report import Matches, NoMatchError
from tflbnn.converter.products import Convolution, Products
from tflbnn.converter.signs import Taking
from tflbnn.runtime.flatbuffer import schema

AFTER = ("open_reshapes",)
_SAME = 0
_WORD = 32


def rewrite(graph: Graph) -> Matches:
    """Matches CONV_2D, by what it gives."""
    return rewrite_all(graph, "CONV_2D", _binary)


def _binary(graph: Graph, operator: schema.OperatorT) -> list[schema.OperatorT]:
    inputs, output = int(operator.inputs[0]), int(operator.outputs[0])
    weights = graph.constant(int(operator.inputs[1]))
    options = operator.builtinOptions
    taking = Taking(graph)
    source = taking.producers.get(inputs)
    surrounded = source is not None and graph.kind(source) in ("PAD", "PADV2") and options.padding != _SAME
    found = taken_apart(graph, taking, int(source.inputs[0]) if surrounded else inputs, weights)
    if found is None:
        return []
    q, planes = found
    strides, dilations = (options.strideH, options.strideW), (options.dilationHFactor, options.dilationWFactor)
    _, height, width, channels = graph.shape(int(source.inputs[0]) if surrounded else inputs)
    padded_with = 0.0 if options.padding == _SAME else None
    if surrounded:
        windows = [
            window(size, extent, stride, dilation, True).padding
            for size, extent, stride, dilation in zip(
                (height, width), weights.shape[1:3], strides, dilations, strict=True
            )
        ]
        padded_with = _padding(graph, taking, source, windows)
    if weights.shape[3] != channels and weights.shape[3] % _WORD:
        raise NoMatchError(f"a group must have a multiple of {_WORD} input channels, not {weights.shape[3]}")
    convolution = Convolution(
        image=(height, width),
        channels=channels,
        bias=bias_of(graph, operator, 2),
        strides=strides,
        dilations=dilations,
        padded_with=padded_with,
        activation=options.fusedActivationFunction,
        output=output,
        sizes=graph.shape(output)[1:3],
    )
    return Products(graph, taking, planes, convolution).write(q)


def _padding(graph: Graph, taking: Taking, pad: schema.OperatorT, windows: list[tuple[int, int]]) -> float:
    """What an operator surrounds an image with, as much of it as the convolution by itself would."""
    amounts = graph.constant(int(pad.inputs[1]))
    if amounts is None or amounts.tolist() != [[0, 0], *map(list, windows), [0, 0]]:
        raise NoMatchError("its inputs are surrounded with another border than padding='same' gives")
    if graph.kind(pad) == "PAD":
        return 0.0
    value = taking.number(int(pad.inputs[2]))
    if value is None:
        raise NoMatchError("its inputs are surrounded with what is no constant number")
    return value
