"""A first convolution of few channels as one of many: the same sums, where kernels want channels in larger groups.

Integer kernels take channels in groups of 4 to 64 and fill up the 3 of an image with zeros, tap by tap. A convolution
with stride 2 is therefore written as one with stride 1 on blocks of 2 x 2 pixels (SPACE_TO_DEPTH), of which neighbours
in a row are put beside each other: 8 times the channels, an eighth of the taps. What comes out is the same.

BinaryDenseNet's stem of 7 x 7 takes a third of the time where the processor multiplies whole tiles (AMX), and as many
multiplications as before where it takes groups of 4 channels; a filter that would need more stays as it is.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

_INT8 = schema.TensorType.INT8
_GROUP = 4  # the fewest channels that kernels multiply at once


def gather_pixels(graph: Graph) -> list[str]:
    """Rewrites the convolutions on integers that gain by it, in place; the names of what they give."""
    concerned = []
    for operator in graph.of_kind("CONV_2D"):
        source, weights = (graph.main.tensors[int(index)] for index in operator.inputs[:2])
        if source.type == weights.type == _INT8 and (axes := _axes(graph, operator)) is not None:
            _rewrite(graph, operator, *axes)
            concerned.append(graph.name(int(operator.outputs[0])))
    return concerned


@dataclasses.dataclass(frozen=True)
class _Axis:
    """Rows or columns of a convolution with stride 2.

    Attributes:
        before, after: the padding, in blocks.
        shift: zeros in front of the filter, in pixels, so that it begins with a block.
        blocks: that the filter covers.
    """

    before: int
    after: int
    shift: int
    blocks: int

    @classmethod
    def of(cls, size: int, taps: int, output: int, same: bool, pairs: bool) -> _Axis:
        """Args: pairs: the filter must cover pairs of blocks."""
        before = max((output - 1) * 2 + taps - size, 0) // 2 if same else 0
        shift = before % 2
        blocks = -(-(taps + shift) // 2)
        blocks += blocks % 2 if pairs else 0
        before = (before + shift) // 2
        return cls(before, output - 1 + blocks - before - size // 2, shift, blocks)


def _axes(graph: Graph, operator: schema.OperatorT) -> tuple[_Axis, _Axis] | None:
    """Rows and columns; None where the convolution would not gain, or blocks do not cover the image."""
    options = operator.builtinOptions
    _, rows, columns, channels = graph.shape(int(operator.inputs[1]))
    _, height, width, _ = graph.shape(int(operator.inputs[0]))
    _, out_height, out_width, _ = graph.shape(int(operator.outputs[0]))
    plain = options.dilationHFactor == options.dilationWFactor == 1 and options.strideH == options.strideW == 2
    if not plain or channels >= _GROUP or height % 2 or width % 2:
        return None
    same = options.padding == schema.Padding.SAME
    vertical = _Axis.of(height, rows, out_height, same, pairs=False)
    horizontal = _Axis.of(width, columns, out_width, same, pairs=True)
    gains = vertical.blocks * horizontal.blocks * 4 * channels <= rows * columns * _GROUP
    return (vertical, horizontal) if gains and min(vertical.after, horizontal.after) >= 0 else None


def _rewrite(graph: Graph, operator: schema.OperatorT, rows: _Axis, columns: _Axis) -> None:
    source, weights, bias = map(int, operator.inputs)
    output = int(operator.outputs[0])
    batch, height, width, channels = graph.shape(source)
    high, wide = (size // 2 + axis.before + axis.after for size, axis in ((height, rows), (width, columns)))
    blocks = _like(graph, source, "blocks", (batch, height // 2, width // 2, 4 * channels))
    padded = _like(graph, source, "padded", (batch, high, wide, 4 * channels))
    left, right = (_like(graph, source, side, (batch, high, wide - 1, 4 * channels)) for side in ("left", "right"))
    pairs = _like(graph, source, "pairs", (batch, high, wide - 1, 8 * channels))
    padding = np.array([[0, 0], [rows.before, rows.after], [columns.before, columns.after], [0, 0]], np.int32)
    to_blocks, beside = schema.SpaceToDepthOptionsT(), schema.ConcatenationOptionsT()
    to_blocks.blockSize, beside.axis = 2, 3
    convolution = schema.Conv2DOptionsT()
    vars(convolution).update(vars(operator.builtinOptions))
    convolution.padding = schema.Padding.VALID
    convolution.strideH = convolution.strideW = 1
    convolution.dilationWFactor = 2  # a pair's second block is the next pair's first
    widths = graph.add_constant(f"{graph.name(output)} padding", padding)
    paired = _paired_weights(graph, weights, rows, columns)
    graph.replace(
        operator,
        [
            graph.operator("SPACE_TO_DEPTH", [source], [blocks], to_blocks, version=2),
            graph.operator("PAD", [blocks, widths], [padded], schema.PadOptionsT(), version=2),
            _columns(graph, padded, left, 0, wide - 1),
            _columns(graph, padded, right, 1, wide),
            graph.operator("CONCATENATION", [left, right], [pairs], beside, version=2),
            graph.operator("CONV_2D", [pairs, paired, bias], [output], convolution, version=3),
        ],
    )


def _paired_weights(graph: Graph, index: int, rows: _Axis, columns: _Axis) -> int:
    """The weights (filters, rows, columns, channels) as (filters, row blocks, pairs of blocks, channels of a pair)."""
    old: NDArray[np.int8] = graph.constant(index)
    filters, height, width, channels = old.shape
    whole = np.zeros((filters, 2 * rows.blocks, 2 * columns.blocks, channels), np.int8)
    whole[:, rows.shift : rows.shift + height, columns.shift : columns.shift + width] = old
    split = whole.reshape(filters, rows.blocks, 2, columns.blocks, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    paired = split.reshape(filters, rows.blocks, columns.blocks // 2, 8 * channels)
    constant = graph.add_constant(f"{graph.name(index)} in pairs of blocks", paired)
    graph.main.tensors[constant].quantization = graph.main.tensors[index].quantization
    return constant


def _columns(graph: Graph, source: int, target: int, begin: int, end: int) -> schema.OperatorT:
    """The columns [begin, end) of a tensor, for any batch."""
    options = schema.StridedSliceOptionsT()
    options.beginMask = options.endMask = 0b1011
    limits = [np.array(values, np.int32) for values in ((0, 0, begin, 0), (0, 0, end, 0), (1, 1, 1, 1))]
    constants = [graph.add_constant(f"columns {begin}", value) for value in limits]
    return graph.operator("STRIDED_SLICE", [source, *constants], [target], options, version=2)


def _like(graph: Graph, index: int, what: str, shape: tuple[int, ...]) -> int:
    """A tensor of the same integers as another."""
    tensor = graph.add_tensor(f"{graph.name(index)} {what}", shape, _INT8)
    graph.main.tensors[tensor].quantization = graph.main.tensors[index].quantization
    return tensor
