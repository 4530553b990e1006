"""Output shapes that follow from an operator's inputs, constants and options.

A file declares the shape of every tensor, and TFLite computes it again. Where they differ, the file is damaged, and a
damaged size may ask for all the memory there is. What is bounded by the input's size needs no formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflbnn.runtime.post_processing import OPERATOR as DETECTION
from tflbnn.runtime.tables import DamagedError

Shape = tuple[int, ...]
_SAME = 0
_WORD = 32


class Inputs:
    """Shapes and constant values of an operator's inputs; an absent one has the shape ()."""

    def __init__(self, shapes: list[Shape], constants: list[np.ndarray | None], options: Mapping[str, Any]) -> None:
        self.shapes, self.constants, self.options = shapes, constants, options

    def integers(self, number: int) -> list[int] | None:
        """A constant input's integers; None where it is computed."""
        value = self.constants[number]
        return None if value is None else value.ravel().tolist()


def check_output(name: str, inputs: Inputs, outputs: list[Shape], where: str) -> None:
    """Raises DamagedError where an output's declared shape is not what the operator gives."""
    data = inputs.shapes[1 if name == "SPLIT" else 0]
    if name in _BOUNDED:
        for output in outputs:
            if math.prod(output) > max(1, math.prod(data)):
                raise DamagedError(f"{where} makes {output} of {data}")
        return
    if name in _REARRANGED:
        if math.prod(outputs[0]) != math.prod(data):
            raise DamagedError(f"{where} makes {outputs[0]} of {data}")
        return
    rule = _RULES.get(name)
    if rule is None:
        return
    try:
        expected = rule(inputs)
    except (KeyError, IndexError, ValueError, TypeError, ZeroDivisionError) as error:
        raise DamagedError(f"{where} has inputs of shapes {inputs.shapes}, which do not fit it") from error
    if expected is not None and expected != outputs[0]:
        raise DamagedError(f"{where} has an output of shape {outputs[0]} where {expected} follows from its inputs")
    if name == DETECTION and outputs[1:] != [expected[:2], expected[:2], (1,)]:
        raise DamagedError(f"{where} has outputs of shapes {outputs[1:]}, which do not belong to {outputs[0]}")


def _windowed(inputs: Inputs, window: Shape, channels: int) -> Shape:
    """Batch, height, width of a window moved over the first input, and `channels`."""
    options = inputs.options
    batch, height, width, _ = inputs.shapes[0]
    sizes = []
    for size, extent, stride, dilation in (
        (
            height,
            window[0],
            _option(options, "stride_h", "stride_height"),
            _option(options, "dilation_h_factor", "dilation_height_factor"),
        ),
        (
            width,
            window[1],
            _option(options, "stride_w", "stride_width"),
            _option(options, "dilation_w_factor", "dilation_width_factor"),
        ),
    ):
        reach = 1 if options["padding"] == _SAME else (extent - 1) * dilation + 1
        sizes.append((size - reach) // stride + 1)
    return (batch, *sizes, channels)


def _option(options: Mapping[str, Any], builtin: str, custom: str) -> int:
    """TFLite and LCE name the same things differently; pooling has no dilation."""
    return options[builtin] if builtin in options else options.get(custom, 1)


def _convolution(inputs: Inputs) -> Shape:
    filters, height, width, _ = inputs.shapes[1]
    return _windowed(inputs, (height, width), filters)


def _depthwise(inputs: Inputs) -> Shape:
    _, height, width, channels = inputs.shapes[1]
    return _windowed(inputs, (height, width), channels)


def _pool(inputs: Inputs) -> Shape:
    options = inputs.options
    return _windowed(inputs, (options["filter_height"], options["filter_width"]), inputs.shapes[0][3])


def _binary_convolution(inputs: Inputs) -> Shape:
    filters, height, width, _ = inputs.shapes[1]
    bits = inputs.constants[4] is not None  # a threshold
    return _windowed(inputs, (height, width), -(-filters // _WORD) if bits else filters)


def _fully_connected(inputs: Inputs) -> Shape:
    units, depth = inputs.shapes[1]
    data = inputs.shapes[0]
    if inputs.options["keep_num_dims"]:
        return (*data[:-1], units)
    if math.prod(data) % depth:
        raise ValueError
    return (math.prod(data) // depth, units)


def _broadcast(inputs: Inputs) -> Shape:
    return np.broadcast_shapes(*inputs.shapes)


def _concatenate(inputs: Inputs) -> Shape:
    shape = list(inputs.shapes[0])
    axis = inputs.options["axis"]
    shape[axis] = sum(other[axis] for other in inputs.shapes)
    for other in inputs.shapes:
        if len(other) != len(shape) or any(
            a != b for n, (a, b) in enumerate(zip(shape, other, strict=True)) if n != axis % len(shape)
        ):
            raise ValueError
    return tuple(shape)


def _pad(inputs: Inputs) -> Shape | None:
    amounts = inputs.integers(1)
    if amounts is None:
        return None
    if min(amounts) < 0:
        raise ValueError
    pairs = zip(amounts[::2], amounts[1::2], strict=True)
    return tuple(size + before + after for size, (before, after) in zip(inputs.shapes[0], pairs, strict=True))


def _tile(inputs: Inputs) -> Shape | None:
    times = inputs.integers(1)
    return None if times is None else tuple(size * n for size, n in zip(inputs.shapes[0], times, strict=True))


def _resize(inputs: Inputs) -> Shape | None:
    size = inputs.integers(1)
    batch, _, _, channels = inputs.shapes[0]
    return None if size is None else (batch, *size, channels)


def _given_by(number: int) -> Callable[[Inputs], Shape | None]:
    """The output's shape is the value of an input."""

    def rule(inputs: Inputs) -> Shape | None:
        shape = inputs.integers(number)
        return None if shape is None else tuple(shape)

    return rule


def _quantize(inputs: Inputs) -> Shape:
    *rest, channels = inputs.shapes[0]
    return (*rest, -(-channels // _WORD))


def _gather(inputs: Inputs) -> Shape | None:
    axis = inputs.options.get("axis", 0) % len(inputs.shapes[0])
    if inputs.options.get("batch_dims", 0):
        return None
    return (*inputs.shapes[0][:axis], *inputs.shapes[1], *inputs.shapes[0][axis + 1 :])


def _pack(inputs: Inputs) -> Shape:
    shape = list(inputs.shapes[0])
    axis = inputs.options["axis"] % (len(shape) + 1)
    return (*shape[:axis], len(inputs.shapes), *shape[axis:])


def _detect(inputs: Inputs) -> Shape:
    offsets, probabilities, defaults = inputs.shapes
    batch, boxes, _ = offsets
    classes = inputs.options["num_classes"]
    if batch != 1 or offsets != (1, boxes, 4) or defaults != (boxes, 4):
        raise ValueError
    if probabilities not in ((1, boxes, classes), (1, boxes, classes + 1)):  # without or with the background
        raise ValueError
    return (1, inputs.options["max_detections"] * inputs.options["max_classes_per_detection"], 4)


_REDUCTIONS = (
    "MEAN",
    "SUM",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "REDUCE_PROD",
    "REDUCE_ANY",
    "REDUCE_ALL",
    "ARG_MAX",
    "ARG_MIN",
)
_BOUNDED = frozenset(("SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "UNPACK", *_REDUCTIONS))
_REARRANGED = frozenset(("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE"))
_UNARY = (
    "ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC LOG_SOFTMAX NEG RELU RELU6 RELU_N1_TO_1 "
    "RELU_0_TO_1 ROUND RSQRT SIN SIGN SOFTMAX SQRT SQUARE TANH CAST DEQUANTIZE QUANTIZE FAKE_QUANT ZEROS_LIKE "
    "LOGICAL_NOT L2_NORMALIZATION LOCAL_RESPONSE_NORMALIZATION CUMSUM REVERSE_V2"
)
_ELEMENTWISE = (
    "ADD SUB MUL DIV MAXIMUM MINIMUM POW FLOOR_DIV FLOOR_MOD SQUARED_DIFFERENCE EQUAL NOT_EQUAL LESS LESS_EQUAL "
    "GREATER GREATER_EQUAL LOGICAL_AND LOGICAL_OR PRELU SELECT_V2 ADD_N"
)
_RULES: dict[str, Callable[[Inputs], Shape | None]] = {
    **dict.fromkeys(_UNARY.split(), lambda inputs: inputs.shapes[0]),
    **dict.fromkeys(_ELEMENTWISE.split(), _broadcast),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D", "LceBMaxPool2d"), _pool),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "LceBconv2d": _binary_convolution,
    "LceQuantize": _quantize,
    "CONCATENATION": _concatenate,
    "TILE": _tile,
    "PACK": _pack,
    "GATHER": _gather,
    "BROADCAST_TO": _given_by(1),
    "FILL": _given_by(0),
    "TRANSPOSE_CONV": _given_by(0),
    DETECTION: _detect,
}
