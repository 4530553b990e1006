"""Small flatbuffers written by hand, so that the runtime is tested without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflbnn.runtime.flatbuffer import pack, schema
from tflbnn.runtime.flexmap import write_map

B, T = schema.BuiltinOperator, schema.TensorType
TYPES = {np.dtype("float32"): T.FLOAT32, np.dtype("int32"): T.INT32, np.dtype("uint8"): T.UINT8}


class Builder:
    """Collects tensors and operators of one graph."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name: str, shape: tuple[int, ...], dtype: str = "float32", free: tuple[int, ...] = ()) -> int:
        """A tensor; the axes in `free` may have any size."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), TYPES[np.dtype(dtype)], 0
        if free:
            tensor.shapeSignature = [-1 if axis in free else size for axis, size in enumerate(shape)]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, name: str, value: np.ndarray) -> int:
        index = self.tensor(name, value.shape, value.dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(value.tobytes(), np.uint8)
        self.graph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        return index

    def operator(
        self, kind: int | str, inputs: list[int], outputs: list[int], options: Any = None, **custom: int
    ) -> None:
        """A builtin operator by its number, or a custom one by its name with its options as keywords."""
        code = schema.OperatorCodeT()
        code.version = 1
        operator = schema.OperatorT()
        operator.inputs, operator.outputs, operator.opcodeIndex = inputs, outputs, len(self.model.operatorCodes)
        if isinstance(kind, str):
            code.customCode, code.builtinCode, code.deprecatedBuiltinCode = kind, B.CUSTOM, B.CUSTOM
            operator.customOptions = np.frombuffer(write_map(custom), np.uint8) if custom else None
        else:
            code.builtinCode, code.deprecatedBuiltinCode = kind, min(kind, 127)
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)

    def finish(self, inputs: list[int], outputs: list[int], signature: bool = True) -> bytes:
        """The file; its signature names the tensors by what stands before the colon of their names."""
        self.graph.inputs, self.graph.outputs = inputs, outputs
        if signature:
            entry = schema.SignatureDefT()
            entry.signatureKey, entry.subgraphIndex = "serving_default", 0
            entry.inputs, entry.outputs = self._map(inputs), self._map(outputs)
            self.model.signatureDefs = [entry]
        return pack(self.model)

    def _map(self, indices: list[int]) -> list[Any]:
        entries = []
        for index in indices:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = self.graph.tensors[index].name.split(":")[0], index
            entries.append(entry)
        return entries


def doubling(shape: tuple[int, ...] = (1, 4, 5, 3), free: tuple[int, ...] = (), signature: bool = True) -> bytes:
    """y = 2 x."""
    builder = Builder()
    x, y = builder.tensor("x:0", shape, free=free), builder.tensor("y:0", shape, free=free)
    two = builder.constant("two", np.float32([2]))
    builder.operator(B.MUL, [x, two], [y], schema.MulOptionsT())
    return builder.finish([x], [y], signature)


def reshaping(target: tuple[int, ...], batch: int = 1) -> bytes:
    """y = reshape(2 x) from (batch, 2, 3) to the target, which may keep the model at its own batch size."""
    builder = Builder()
    x, middle = builder.tensor("x", (batch, 2, 3)), builder.tensor("middle", (batch, 2, 3))
    shape = np.empty((batch, 2, 3)).reshape(target).shape
    y = builder.tensor("y", shape)
    two, wanted = builder.constant("two", np.float32([2])), builder.constant("wanted", np.int32(target))
    builder.operator(B.MUL, [x, two], [middle], schema.MulOptionsT())
    builder.operator(B.RESHAPE, [middle, wanted], [y], schema.ReshapeOptionsT())
    return builder.finish([x], [y])


def sum_and_difference() -> bytes:
    """Two inputs (1, 3), two outputs: a + b and a - b."""
    builder = Builder()
    a, b, total, difference = (builder.tensor(name, (1, 3)) for name in ("a", "b", "total", "difference"))
    builder.operator(B.ADD, [a, b], [total], schema.AddOptionsT())
    builder.operator(B.SUB, [a, b], [difference], schema.SubOptionsT())
    return builder.finish([a, b], [total, difference])


def classifier(weights: np.ndarray, size: tuple[int, int] = (4, 5)) -> bytes:
    """Scores = mean over the image × weights of shape (classes, channels)."""
    classes, channels = weights.shape
    builder = Builder()
    x = builder.tensor("image", (1, *size, channels))
    mean, y = builder.tensor("mean", (1, channels)), builder.tensor("scores", (1, classes))
    axes = builder.constant("axes", np.int32([1, 2]))
    kernel = builder.constant("kernel", weights.astype(np.float32))
    builder.operator(B.MEAN, [x, axes], [mean], schema.ReducerOptionsT())
    builder.operator(B.FULLY_CONNECTED, [mean, kernel, -1], [y], schema.FullyConnectedOptionsT())
    return builder.finish([x], [y])


def binary(signs: np.ndarray, size: tuple[int, int] = (4, 5)) -> bytes:
    """A 1×1 binary convolution with weights ±1 of shape (filters, channels): sign(x) · signs."""
    filters, channels = signs.shape
    words = -(-channels // 32)
    bits = np.zeros((filters, 32 * words), np.uint8)
    bits[:, :channels] = signs < 0
    packed = np.packbits(bits, axis=1, bitorder="little").view("<i4").reshape(filters, 1, 1, words)
    builder = Builder()
    x = builder.tensor("image", (1, *size, channels))
    q = builder.tensor("bits", (1, *size, words), "int32")
    y = builder.tensor("scores", (1, *size, filters))
    kernel = builder.constant("kernel", packed.astype(np.int32))
    multiplier = builder.constant("multiplier", np.ones(filters, np.float32))
    bias = builder.constant("bias", np.zeros(filters, np.float32))
    builder.operator("LceQuantize", [x], [q])
    builder.operator(
        "LceBconv2d",
        [q, kernel, multiplier, bias, -1],
        [y],
        channels_in=channels,
        dilation_height_factor=1,
        dilation_width_factor=1,
        fused_activation_function=0,
        pad_values=0,
        padding=1,
        stride_height=1,
        stride_width=1,
    )
    return builder.finish([x], [y])
