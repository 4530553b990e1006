"""The counts of a flatbuffer, read from the file alone: neither TensorFlow nor Keras is loaded.

Multiply-accumulates are those of `tflbnn.analysis.counts`, so that a converted model agrees with its Keras model
wherever the converter made binary convolutions of what was trained as such. Parameters are the constants that the file
holds: BatchNorm is two numbers a channel, a binary convolution has a multiplier and a bias, and constants that are
equal are stored, and counted, once.
"""

from __future__ import annotations

import math

from ai_edge_litert import schema_py_generated as schema

from tflbnn.analysis.counts import Counts, LayerCounts, packed_bytes
from tflbnn.errors import UserError
from tflbnn.runtime.flexmap import read_map

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


# The operators that multiply weights with their inputs, and how many dimensions the weights, their input 1, have.
_WEIGHTS_RANK = {
    "LceBconv2d": 4,
    "CONV_2D": 4,
    "CONV_3D": 5,
    "DEPTHWISE_CONV_2D": 4,
    "TRANSPOSE_CONV": 4,
    "FULLY_CONNECTED": 2,
}


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
        packed = inputs[1] if code == "LceBconv2d" else None
        parameters = binary = size = 0
        for index in inputs:
            if index < 0 or not self.is_constant(index) or self.tensors[index].buffer in self.counted:
                continue
            if index == packed:
                binary = self.bconv_weights(operator)
                parameters += binary
                size += packed_bytes(binary, 1)
            elif (bits := self.parameter_bits(index, code)) is not None:
                elements = math.prod(self.shape(index))
                parameters += elements
                size += packed_bytes(elements, bits)
            else:
                continue
            self.counted.add(self.tensors[index].buffer)
        macs = self.macs(operator, code, inputs)
        input_bits, weight_bits = self.product_bits(code, inputs, macs)
        return LayerCounts(
            name=self.name(output),
            type=code,
            output_shape=self.shape(output)[1:],
            input_bits=input_bits,
            weight_bits=weight_bits,
            parameters=parameters,
            binary_weights=binary,
            size_bytes=size,
            full_precision_macs=0 if packed is not None else macs,
            binary_macs=macs if packed is not None else 0,
        )

    def parameter_bits(self, index: int, code: str) -> int | None:
        """Bits of one element of a constant; None for shapes, axes and the like, which are no parameters."""
        tensor = self.tensors[index]
        if tensor.type == schema.TensorType.INT32:
            quantization = tensor.quantization
            scaled = quantization is not None and quantization.scale is not None and len(quantization.scale) > 0
            return 32 if scaled or code == "LceBconv2d" else None
        return _BITS.get(tensor.type)

    def product_bits(self, code: str, inputs: list[int], macs: int) -> tuple[int | None, int | None]:
        if not macs:
            return None, None
        if code == "LceBconv2d":
            return 1, 1
        activation, weights = (inputs[2], inputs[1]) if code == "TRANSPOSE_CONV" else inputs[:2]
        return _BITS.get(self.tensors[activation].type), _BITS.get(self.tensors[weights].type)

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
