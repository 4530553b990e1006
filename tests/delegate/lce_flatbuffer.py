"""Builds small TFLite flatbuffers with LCE's custom operations, without a converter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

TENSOR_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "int64": schema.TensorType.INT64,
}


def pack_signs(x: np.ndarray) -> np.ndarray:
    """[..., channels] numbers to [..., ceil(channels / 32)] int32 words: bit c % 32 of word c / 32 says x < 0."""
    *leading, channels = x.shape
    words = -(-channels // 32)
    bits = np.zeros((*leading, words * 32), np.uint8)
    bits[..., :channels] = x < 0
    return np.packbits(bits, axis=-1, bitorder="little").view("<i4").reshape(*leading, words)


def unpack_signs(words: np.ndarray, channels: int) -> np.ndarray:
    """The inverse: +1 and -1 as float32."""
    bits = np.unpackbits(np.ascontiguousarray(words, "<i4").view(np.uint8), axis=-1, bitorder="little")
    return 1 - 2 * bits.reshape(*words.shape[:-1], -1)[..., :channels].astype(np.float32)


def options(**values: Any) -> bytes:
    """A FlexBuffer map, as LCE's converter writes custom options."""
    return bytes(flexbuffers.Dumps(values))


# Of operations whose options have another name.
_OPTIONS = {"MAX_POOL_2D": "Pool2D", "AVERAGE_POOL_2D": "Pool2D", "MEAN": "Reducer"}


@dataclass
class Graph:
    """A model under construction; every method returns the index of a tensor."""

    model: Any = field(default_factory=schema.ModelT)
    graph: Any = field(default_factory=schema.SubGraphT)
    codes: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model.version = 3
        self.model.description = b"test"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.subgraphs = [self.graph]
        for name in ("tensors", "operators", "inputs", "outputs"):
            setattr(self.graph, name, [])

    def tensor(
        self,
        shape: Any,
        dtype: str = "float32",
        data: bytes | None = None,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type = [int(n) for n in shape], TENSOR_TYPES[dtype]
        tensor.name, tensor.buffer = f"t{len(self.graph.tensors)}".encode(), 0
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, array: np.ndarray) -> int:
        return self.tensor(array.shape, str(array.dtype), np.ascontiguousarray(array).tobytes())

    def input(self, shape: Any, dtype: str = "float32", **quantization: Any) -> int:
        index = self.tensor(shape, dtype, **quantization)
        self.graph.inputs.append(index)
        return index

    def custom(self, name: str, inputs: list[int], output: int, custom_options: bytes | None = None) -> int:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(schema.BuiltinOperator.CUSTOM, name)
        operator.inputs, operator.outputs = inputs, [output]
        operator.customOptions = np.frombuffer(custom_options, np.uint8) if custom_options is not None else None
        self.graph.operators.append(operator)
        return output

    def builtin(self, name: str, inputs: list[int], output: int, **changes: Any) -> int:
        """An operation of TFLite's own; `changes` are fields of its options that differ from their defaults."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(getattr(schema.BuiltinOperator, name), None)
        options_name = _OPTIONS.get(name, name.title().replace("_", "")) + "Options"
        if hasattr(schema, options_name + "T"):
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
            operator.builtinOptions = getattr(schema, options_name + "T")()
            for field_name, value in changes.items():
                assert hasattr(operator.builtinOptions, field_name)
                setattr(operator.builtinOptions, field_name, value)
        operator.inputs, operator.outputs = inputs, [output]
        self.graph.operators.append(operator)
        return output

    def quantize(self, x: int) -> int:
        shape = list(self.graph.tensors[x].shape)
        return self.custom("LceQuantize", [x], self.tensor([*shape[:-1], -(-shape[-1] // 32)], "int32"))

    def finish(self, *outputs: int) -> bytes:
        self.graph.outputs = list(outputs)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, builtin: int, custom: str | None) -> int:
        key = (builtin, custom)
        if key not in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
            code.customCode = custom.encode() if custom else None
            self.codes[key] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self.codes[key]


def conv_options(channels_in: int, **changes: Any) -> bytes:
    defaults = {
        "channels_in": channels_in,
        "dilation_height_factor": 1,
        "dilation_width_factor": 1,
        "fused_activation_function": 0,
        "pad_values": 1,
        "padding": 0,
        "stride_height": 1,
        "stride_width": 1,
    }
    return options(**{**defaults, **changes})


def pool_options(**changes: Any) -> bytes:
    defaults = {"filter_height": 2, "filter_width": 2, "padding": 0, "stride_height": 2, "stride_width": 2}
    return options(**{**defaults, **changes})
