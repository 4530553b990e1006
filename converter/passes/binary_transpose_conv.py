"""Transposed convolutions of signs by their phases: TRANSPOSE_CONV of stride s becomes s² LceBconv2d, whose outputs are
interleaved by CONCATENATION and DEPTH_TO_SPACE.

Output row o = s·m + r, the phase r, sees the kernel's rows k with k = k0 + s·t, k0 = (r + before) mod s, at the input's
rows m + d - t, d = (r + before - k0) / s: a plain convolution with every s-th row, in reverse order. Rows beyond the
border add nothing, which no sign can say by itself; half the sum of two convolutions can, of which one has +1 there and
the other -1.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import part_of
from tflbnn.converter.passes.operands import bias_of, rewrite_all, taken_apart
from tflbnn.converter.passes.report import Matches, NoMatchError
from tflbnn.converter.planes import Planes
from tflbnn.converter.products import Convolution, Products, activated
from tflbnn.converter.signs import Sign, Sum, Taking
from tflbnn.runtime.flatbuffer import schema

AFTER = ("open_reshapes",)
_SAME = 0


def rewrite(graph: Graph) -> Matches:
    """Matches TRANSPOSE_CONV, by what it gives."""
    return rewrite_all(graph, "TRANSPOSE_CONV", _binary)


@dataclasses.dataclass(frozen=True)
class _Phase:
    """One axis of a phase: the kernel's rows in the order of the input's, and how much is missing at the ends."""

    rows: range
    padding: tuple[int, int]


def _binary(graph: Graph, operator: schema.OperatorT) -> list[schema.OperatorT]:
    inputs, output = int(operator.inputs[2]), int(operator.outputs[0])
    weights, options = graph.constant(int(operator.inputs[1])), operator.builtinOptions
    taking = Taking(graph)
    found = taken_apart(graph, taking, inputs, weights)
    if found is None:
        return []
    q, planes = found
    stride = options.strideH
    if options.strideW != stride:
        raise NoMatchError(f"its strides differ: {options.strideH} and {options.strideW}")
    if len(planes.negative) > 1 or len(q.signs) > 1 or q.offset:
        raise NoMatchError("a transposed convolution has one bit for its inputs and its weights")
    batch, *image, channels = graph.shape(inputs)
    _, *sizes, filters = graph.shape(output)
    counts = [-(-size // stride) for size in sizes]
    axes = [
        [_phase(number, *axis, options.padding == _SAME, stride) for number in range(stride)]
        for axis in zip(image, sizes, weights.shape[1:3], strict=True)
    ]
    operators, parts = [], []
    for number, (down, right) in enumerate((down, right) for down in axes[0] for right in axes[1]):
        part = graph.add_tensor(part_of(graph.name(output), f"phase {number}"), (batch, *counts, filters))
        taking.operators = []
        convolution = Convolution(
            image=tuple(size + sum(phase.padding) for size, phase in zip(image, (down, right), strict=True)),
            channels=channels,
            bias=bias_of(graph, operator, 3),
            strides=(1, 1),
            dilations=(1, 1),
            padded_with=None,
            activation=0,
            output=part,
            sizes=tuple(counts),
        )
        signs = _surrounded(taking, q.signs[0], down.padding, right.padding)
        taps = Planes((planes.negative[0][:, down.rows][:, :, right.rows],), planes.scales, planes.offset)
        operators += Products(graph, taking, taps, convolution).write(signs)
        parts.append(part)
    return operators + _interleaved(graph, parts, operator, stride)


def _phase(number: int, size: int, outputs: int, extent: int, same: bool, stride: int) -> _Phase:
    before = max((size - 1) * stride + extent - outputs, 0) // 2 if same else 0
    first = (number + before) % stride
    rows = range(first, extent, stride)[::-1]
    shift = (number + before - first) // stride
    padding = len(rows) - 1 - shift, -(-outputs // stride) + shift - size
    if not rows or min(padding) < 0:
        raise NoMatchError(f"its kernel of {extent} is too small for its stride of {stride}")
    return _Phase(rows, padding)


def _surrounded(taking: Taking, sign: Sign, down: tuple[int, int], right: tuple[int, int]) -> Sum:
    """The sign with nothing around it."""
    if not any((*down, *right)):
        return Sum((sign,))
    graph = taking.graph
    amounts = graph.add_constant(f"tensor_{len(graph.main.tensors)}", np.array([[0, 0], down, right, [0, 0]], np.int32))
    batch, height, width, channels = graph.shape(sign.numbers)
    shape = (batch, height + sum(down), width + sum(right), channels)
    halves = []
    for value in (1.0, -1.0):
        padded = graph.add_tensor(f"tensor_{len(graph.main.tensors)}", shape)
        inputs = [sign.numbers, amounts, taking.constant(value)]
        taking.operators.append(graph.operator("PADV2", inputs, [padded], schema.PadV2OptionsT()))
        halves.append(Sign(padded, None, sign.scale / 2, sign.factor))
    return Sum(tuple(halves))


def _interleaved(graph: Graph, parts: list[int], operator: schema.OperatorT, stride: int) -> list[schema.OperatorT]:
    output = int(operator.outputs[0])
    batch, height, width, filters = graph.shape(parts[0])
    name = graph.name(output)
    joined = graph.add_tensor(part_of(name, "joined"), (batch, height, width, filters * len(parts)))
    joining = schema.ConcatenationOptionsT()
    joining.axis = 3
    whole = graph.add_tensor(part_of(name, "whole"), (batch, height * stride, width * stride, filters))
    spreading = schema.DepthToSpaceOptionsT()
    spreading.blockSize = stride
    operators = [
        graph.operator("CONCATENATION", parts, [joined], joining),
        graph.operator("DEPTH_TO_SPACE", [joined], [whole], spreading),
    ]
    if graph.shape(whole) != graph.shape(output):
        cut = graph.add_tensor(part_of(name, "cut"), graph.shape(output))
        begin = graph.add_constant(part_of(name, "begin"), np.zeros(4, np.int32))
        size = graph.add_constant(part_of(name, "size"), np.array([-1, *graph.shape(output)[1:]], np.int32))
        operators.append(graph.operator("SLICE", [whole, begin, size], [cut], schema.SliceOptionsT()))
        whole = cut
    if operator.builtinOptions.fusedActivationFunction:
        operators.append(activated(graph, whole, operator.builtinOptions.fusedActivationFunction, output))
    operators[-1].outputs = np.array([output], np.int32)
    return operators
