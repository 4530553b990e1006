"""The counts of a flatbuffer, read from the file alone: neither TensorFlow nor Keras is loaded.

Multiply-accumulates are those of `tflbnn.analysis.counts`, so that a converted model agrees with its Keras model
wherever the converter made binary convolutions of what was trained as such. Parameters are the constants that the file
holds: BatchNorm is two numbers a channel, a binary convolution has a multiplier and a bias, and constants that are
equal are stored, and counted, once.
"""

from __future__ import annotations

import math

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tflbnn.analysis.counts import Counts, LayerCounts, packed_bytes
from tflbnn.errors import UserError

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


def counts_tflite(flatbuffer: bytes) -> Counts:
    """Counts of a .tflite file's first subgraph, for one example.

    Args:
        flatbuffer: a whole file that TensorFlow Lite accepts.

    Raises:
        UserError: an image's size is not fixed.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    graph = _Graph(model, model.subgraphs[0])
    return Counts.of([graph.count(operator) for operator in graph.operators if not graph.only_unpacks(operator)])


def input_shape(flatbuffer: bytes) -> tuple[int, ...]:
    """The shape of a .tflite file's first input, without the batch."""
    subgraph = schema.Model.GetRootAs(flatbuffer, 0).Subgraphs(0)
    return tuple(int(size) for size in subgraph.Tensors(subgraph.Inputs(0)).ShapeAsNumpy()[1:])


class _Graph:
    def __init__(self, model: schema.ModelT, subgraph: schema.SubGraphT) -> None:
        self.model = model
        self.tensors = subgraph.tensors
        self.operators = subgraph.operators
        self.counted: set[int] = set()  # buffers
        shape = self.tensors[subgraph.inputs[0]].shape
        self.batch = int(shape[0]) if shape is not None and len(shape) else 1
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
        return tuple(int(size) for size in self.tensors[index].shape)

    def count(self, operator: schema.OperatorT) -> LayerCounts:
        code = self.code(operator)
        inputs = [self.unpacked.get(index, index) for index in operator.inputs]
        output = operator.outputs[0]
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
            name=(self.tensors[output].name or b"").decode(),
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

    def channels(self, operator: schema.OperatorT) -> tuple[int, int]:
        """Input channels of one group of an LceBconv2d, and the number of groups.

        Filters hold whole words of 32 channels of one group, the input whole words of all of them.
        """
        options = flexbuffers.Loads(np.asarray(operator.customOptions, np.uint8).tobytes())
        words = self.shape(operator.inputs[1])[3]
        groups = max(1, self.shape(operator.inputs[0])[3] // words)
        return int(options["channels_in"]) // groups, groups

    def bconv_weights(self, operator: schema.OperatorT) -> int:
        filters, height, width, _ = self.shape(operator.inputs[1])
        return filters * height * width * self.channels(operator)[0]

    def macs(self, operator: schema.OperatorT, code: str, inputs: list[int]) -> int:
        if code == "LceBconv2d":
            return self.bconv_weights(operator) * self.pixels(operator.outputs[0])
        if code in ("CONV_2D", "CONV_3D"):
            return math.prod(self.shape(inputs[1])) * self.pixels(operator.outputs[0])
        if code == "DEPTHWISE_CONV_2D":
            return math.prod(self.shape(inputs[1])) * self.pixels(operator.outputs[0])
        if code == "TRANSPOSE_CONV":
            return math.prod(self.shape(inputs[1])) * self.pixels(inputs[2])
        if code == "FULLY_CONNECTED":
            return math.prod(self.shape(operator.outputs[0])) // self.batch * self.shape(inputs[1])[1]
        return 0

    def pixels(self, index: int) -> int:
        """Height times width (times depth) of one example."""
        signature = self.tensors[index].shapeSignature
        if signature is not None and any(size < 0 for size in signature[1:-1]):
            raise UserError(
                "Operations can be counted for a fixed image size only. Received: a model for any size, "
                f"{[int(size) for size in signature]}. Export it for a height and a width."
            )
        return math.prod(self.shape(index)[1:-1])
