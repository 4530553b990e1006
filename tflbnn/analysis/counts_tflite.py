"""The counts of a flatbuffer, read from the file alone: neither TensorFlow nor Keras is loaded.

They are those of `tflbnn.analysis.counts` for the Keras model that the file was converted from: the same
multiply-accumulates f and b and the same binary weights. What is binary is told by values, not by how they are stored:
a layer for which the runtime has no binary operator, a QuantDense for instance, has floats in the file, all ±1 or ± one
number a filter, and gets its inputs from a sign. `stored_as_floats` tells how many weights these are; the length of the
file holds them at their full size.

Parameters are the constants that operators compute with, less those that do nothing: a bias of zeros, a multiplier of
ones. They are the Keras model's, but for

- BatchNorm after a full-precision convolution, which goes into its weights, and BatchNorm between two binary ones,
  which makes a threshold: two numbers a channel, or three with a bias, become one;
- a filter's own magnitude, which Keras computes from the weights: one number a filter, unless a BatchNorm takes it up;
- constants that are equal, which are stored, and counted, once: only untrained networks have many of these.

What the converter makes several LceBconv2d of, a transposed convolution for instance or one of more bits, counts as
these.
"""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tflbnn.analysis.counts import Counts, LayerCounts, packed_bytes
from tflbnn.errors import UserError
from tflbnn.runtime.flexmap import read_map
from tflbnn.runtime.post_processing import OPERATOR as DETECTION

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_BITS = {
    schema.TensorType.FLOAT64: 64,
    schema.TensorType.FLOAT32: 32,
    schema.TensorType.FLOAT16: 16,
    schema.TensorType.INT16: 16,
    schema.TensorType.INT8: 8,
    schema.TensorType.UINT8: 8,
    schema.TensorType.INT4: 4,
}
# What a constant of each type is read as, to look at its values.
_NUMPY = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.FLOAT16: "<f2", schema.TensorType.INT8: "i1"}

# The operators that multiply weights with their inputs, and how many dimensions the weights, their input 1, have.
_WEIGHTS_RANK = {
    "LceBconv2d": 4,
    "CONV_2D": 4,
    "CONV_3D": 5,
    "DEPTHWISE_CONV_2D": 4,
    "TRANSPOSE_CONV": 4,
    "FULLY_CONNECTED": 2,
}

# Their inputs that are added to the products, or multiplied with them: the number that leaves a product as it is.
_NEUTRAL = {
    "LceBconv2d": {2: 1, 3: 0},
    "CONV_2D": {2: 0},
    "CONV_3D": {2: 0},
    "DEPTHWISE_CONV_2D": {2: 0},
    "TRANSPOSE_CONV": {3: 0},
    "FULLY_CONNECTED": {2: 0},
}

# Operators that only move what a sign has given to a convolution or dense layer, or surround it.
_MOVING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE", "PAD", "PADV2", "SPACE_TO_BATCH_ND")


def counts_tflite(flatbuffer: bytes) -> Counts:
    """Counts of a .tflite file's first subgraph, for one example.

    Args:
        flatbuffer: a whole file, checked by `tflbnn.runtime.check.check_model` if it comes from elsewhere.

    Raises:
        UserError: an image's size is not fixed, or an operator's weights or options are not as it needs them.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    graph = _Graph(model, model.subgraphs[0])
    return Counts.of([graph.count(operator) for operator in graph.operators if not graph.only_unpacks(operator)])


def stored_as_floats(layers: tuple[LayerCounts, ...]) -> int:
    """How many binary weights of a file are no bits in it, by its counts' layers."""
    return sum(layer.binary_weights for layer in layers if layer.type != "LceBconv2d")


def input_shape(flatbuffer: bytes) -> tuple[int, ...]:
    """The shape of a .tflite file's first input, without the batch."""
    subgraph = schema.Model.GetRootAs(flatbuffer, 0).Subgraphs(0)
    tensor = subgraph.Tensors(subgraph.Inputs(0))
    return tuple(tensor.Shape(axis) for axis in range(1, tensor.ShapeLength()))


class _Graph:
    def __init__(self, model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
        self.model = model
        self.tensors = subgraph.tensors
        self.operators = subgraph.operators
        self.counted: set[int] = set()  # buffers
        shape = self.tensors[subgraph.inputs[0]].shape
        self.batch = max(1, int(shape[0])) if shape is not None and len(shape) else 1
        self.producers = {output: operator for operator in self.operators for output in operator.outputs}
        # Weights stored in 16 bits go through DEQUANTIZE: the operation behind it is the one that has them.
        self.unpacked = {
            operator.outputs[0]: operator.inputs[0] for operator in self.operators if self.only_unpacks(operator)
        }

    def code(self, operator: schema.OperatorT) -> str:
        code = self.model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        if builtin == schema.BuiltinOperator.CUSTOM:
            return code.customCode.decode()
        return _OPERATORS[builtin]

    def only_unpacks(self, operator: schema.OperatorT) -> bool:
        return self.code(operator) == "DEQUANTIZE" and self.is_constant(operator.inputs[0])

    def is_constant(self, index: int) -> bool:
        data = self.model.buffers[self.tensors[index].buffer].data
        return data is not None and len(data) > 0

    def shape(self, index: int) -> tuple[int, ...]:
        shape = self.tensors[index].shape
        return () if shape is None else tuple(int(size) for size in shape)

    def name(self, index: int) -> str:
        """A tensor's name, without anything that a terminal would take for a command."""
        name = (self.tensors[index].name or b"").decode(errors="replace")
        return "".join(letter if letter.isprintable() else "?" for letter in name)

    def check(self, operator: schema.OperatorT, code: str, inputs: list[int]) -> None:
        """That an operator which multiplies has what the multiplications are counted from."""
        rank = _WEIGHTS_RANK[code]
        needed = 3 if code == "TRANSPOSE_CONV" else 2
        enough = len(inputs) >= needed and min(inputs[:needed]) >= 0
        shapes = [self.shape(index) for index in (inputs[1], inputs[0], operator.outputs[0])] if enough else []
        if not enough or len(shapes[0]) != rank or 0 in shapes[0] or not (shapes[1] and shapes[2]):
            raise UserError(
                f"{code} must have weights of {rank} dimensions. Received: {self.name(operator.outputs[0])}, "
                "which has not. Export the model again."
            )

    def count(self, operator: schema.OperatorT) -> LayerCounts:
        code = self.code(operator)
        inputs = [self.unpacked.get(index, index) for index in operator.inputs]
        output = operator.outputs[0]
        if code in _WEIGHTS_RANK:
            self.check(operator, code, inputs)
        binary = self.binary_weights(operator, code, inputs)
        weights = inputs[1] if binary else None
        parameters = size = 0
        for place, index in enumerate(inputs):
            if index < 0 or not self.is_constant(index) or self.tensors[index].buffer in self.counted:
                continue
            if index == weights:
                parameters += binary
                size += packed_bytes(binary, 1)
            elif self.does_nothing(index, _NEUTRAL.get(code, {}).get(place)):
                continue
            elif (bits := self.parameter_bits(index, code)) is not None:
                elements = math.prod(self.shape(index))
                parameters += elements
                size += packed_bytes(elements, bits)
            else:
                continue
            self.counted.add(self.tensors[index].buffer)
        macs = self.macs(operator, code, inputs)
        input_bits, weight_bits = self.product_bits(code, inputs, binary) if macs else (None, None)
        all_binary = input_bits == weight_bits == 1
        return LayerCounts(
            name=self.name(output),
            type=code,
            output_shape=self.shape(output)[1:],
            input_bits=input_bits,
            weight_bits=weight_bits,
            parameters=parameters,
            moving_statistics=0,
            binary_weights=binary,
            size_bytes=size,
            full_precision_macs=0 if all_binary else macs,
            binary_macs=macs if all_binary else 0,
        )

    def values(self, index: int) -> np.ndarray | None:
        """A constant's numbers; None for a type that is not looked into, or if they are not as many as its shape."""
        tensor = self.tensors[index]
        if tensor.type not in _NUMPY or not self.is_constant(index):
            return None
        data = np.asarray(self.model.buffers[tensor.buffer].data, np.uint8)
        dtype = np.dtype(_NUMPY[tensor.type])
        fits = len(data) == math.prod(self.shape(index)) * dtype.itemsize
        return data.view(dtype).reshape(self.shape(index)) if fits else None

    def does_nothing(self, index: int, neutral: int | None) -> bool:
        values = None if neutral is None else self.values(index)
        return values is not None and bool((values == neutral).all())

    def binary_weights(self, operator: schema.OperatorT, code: str, inputs: list[int]) -> int:
        """How many weights of an operator have one bit: two values that differ in their sign, in every filter."""
        if code == "LceBconv2d":
            return self.bconv_weights(operator)
        values = self.values(inputs[1]) if code in _WEIGHTS_RANK else None
        if values is None or not values.min() < 0 < values.max():
            return 0
        by_filter = np.moveaxis(np.abs(values), 3 if code == "DEPTHWISE_CONV_2D" else 0, 0)
        magnitudes = by_filter.reshape(len(by_filter), -1)
        return values.size if magnitudes.shape[1] > 1 and (magnitudes == magnitudes[:, :1]).all() else 0

    def from_sign(self, index: int) -> bool:
        """A tensor of ±1 that a sign has given, whatever type it has here."""
        while index in self.producers:
            operator = self.producers[index]
            code = self.code(operator)
            if code not in _MOVING:
                return code == "LceDequantize"
            index = operator.inputs[0]
        return False

    def parameter_bits(self, index: int, code: str) -> int | None:
        """Bits of one element of a constant; None for shapes, axes, what images are surrounded with: no parameters."""
        tensor = self.tensors[index]
        if not self.shape(index) or code == DETECTION:  # whose constant is the default boxes
            return None
        if tensor.type == schema.TensorType.INT32:
            quantization = tensor.quantization
            scaled = quantization is not None and quantization.scale is not None and len(quantization.scale) > 0
            return 32 if scaled or code == "LceBconv2d" else None
        return _BITS.get(tensor.type)

    def product_bits(self, code: str, inputs: list[int], binary: int) -> tuple[int | None, int | None]:
        if code == "LceBconv2d":
            return 1, 1
        activation, weights = (inputs[2], inputs[1]) if code == "TRANSPOSE_CONV" else inputs[:2]
        return (
            1 if self.from_sign(activation) else _BITS.get(self.tensors[activation].type),
            1 if binary else _BITS.get(self.tensors[weights].type),
        )

    def bconv_weights(self, operator: schema.OperatorT) -> int:
        """Weights of an LceBconv2d, without what fills up the last word of 32 channels.

        A filter holds whole words of the channels of one group, the input those of all groups.
        """
        filters, height, width, words = self.shape(operator.inputs[1])
        groups = max(1, self.shape(operator.inputs[0])[-1] // words)
        options = b"" if operator.customOptions is None else bytes(operator.customOptions)
        try:
            channels = read_map(options)["channels_in"]
        except (ValueError, KeyError):
            channels = None
        if not isinstance(channels, int) or channels < 1:
            raise UserError(
                "LceBconv2d must say its channels_in. Received: "
                f"{self.name(operator.outputs[0])}, which does not. Export the model again."
            )
        return filters * height * width * (channels // groups)

    def macs(self, operator: schema.OperatorT, code: str, inputs: list[int]) -> int:
        """Weights times the positions that they are used at, as `tflbnn.analysis.counts` has it."""
        if code not in _WEIGHTS_RANK:
            return 0
        if code == "LceBconv2d":
            return self.bconv_weights(operator) * self.pixels(operator.outputs[0])
        if code == "FULLY_CONNECTED":
            return math.prod(self.shape(operator.outputs[0])) // self.batch * self.shape(inputs[1])[1]
        slid_over = inputs[2] if code == "TRANSPOSE_CONV" else operator.outputs[0]
        return math.prod(self.shape(inputs[1])) * self.pixels(slid_over)

    def pixels(self, index: int) -> int:
        """Height times width (times depth) of one example."""
        signature = self.tensors[index].shapeSignature
        if signature is not None and any(size < 0 for size in signature[1:-1]):
            raise UserError(
                "Operations can be counted for a fixed image size only. Received: a model for any size, "
                f"{[int(size) for size in signature]}. Export it for a height and a width."
            )
        return math.prod(self.shape(index)[1:-1])
