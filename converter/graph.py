"""A flatbuffer's main graph, with the questions that passes, explanation and verification ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.runtime.flatbuffer import pack, schema, unpack
from tflbnn.runtime.flexmap import Scalar, read_map, write_map

_TYPES = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
# The field that files of old keep an operator's number in holds no more than this.
_LAST_OLD_CODE = 127
_BUILTINS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.INT64: np.dtype("<i8"),
    schema.TensorType.INT8: np.dtype("i1"),
    schema.TensorType.UINT8: np.dtype("u1"),
    schema.TensorType.BOOL: np.dtype("?"),
    schema.TensorType.FLOAT16: np.dtype("<f2"),
}


class Graph:
    """Subgraph 0 of a model in flatbuffers' object API; changes to it are changes to the model."""

    def __init__(self, flatbuffer: bytes) -> None:
        self.model = unpack(flatbuffer)
        self.main = self.model.subgraphs[0]

    def pack(self) -> bytes:
        return pack(self.model)

    @property
    def operators(self) -> list[schema.OperatorT]:
        return self.main.operators or []

    def kind(self, operator: schema.OperatorT) -> str:
        """The operator's name, such as CONV_2D or LceBconv2d."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        if code.customCode:
            return code.customCode.decode()
        return _BUILTINS[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def producers(self) -> dict[int, schema.OperatorT]:
        """The operator that computes each tensor."""
        return {int(index): operator for operator in self.operators for index in operator.outputs}

    def consumers(self) -> dict[int, list[schema.OperatorT]]:
        """The operators that read each tensor, in order."""
        readers: dict[int, list[schema.OperatorT]] = {}
        for operator in self.operators:
            for index in dict.fromkeys(map(int, operator.inputs)):
                readers.setdefault(index, []).append(operator)
        return readers

    def of_kind(self, kind: str) -> list[schema.OperatorT]:
        return [operator for operator in self.operators if self.kind(operator) == kind]

    def options(self, operator: schema.OperatorT) -> dict[str, Scalar]:
        """A custom operator's options."""
        options = operator.customOptions
        return read_map(bytes(options)) if options is not None and len(options) else {}

    def name(self, index: int) -> str:
        name = self.main.tensors[index].name
        return name.decode() if isinstance(name, bytes) else name or ""

    def shape(self, index: int) -> tuple[int, ...]:
        shape = self.main.tensors[index].shape
        return () if shape is None else tuple(map(int, shape))

    def constant(self, index: int) -> NDArray[Any] | None:
        """A constant's value; None for an absent optional input (index -1) or a tensor that is computed."""
        if index < 0:
            return None
        tensor = self.main.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if data is None:
            return None
        return np.frombuffer(bytes(data), _DTYPES[tensor.type]).reshape(self.shape(index))

    def batch_leads(self, index: int) -> bool:
        """Whether a tensor is computed and its first axis may be the batch, converted as 1.

        Of what has no batch the first axis has one element too, then, and keeps it whatever the batch.
        """
        converted = all(self.shape(int(given))[:1] == (1,) for given in self.main.inputs)
        return converted and self.shape(index)[:1] == (1,) and self.constant(index) is None

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Any = None,
        version: int = 1,
    ) -> schema.OperatorT:
        """A new operator, not yet in the graph.

        Args:
            options: a builtin operator's, such as `schema.ReshapeOptionsT()`; a custom operator's as a map of scalars.
            version: the oldest version of the builtin operator that takes these types.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._operator_code(kind, version)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if isinstance(options, Mapping):
            operator.customOptions = np.frombuffer(write_map(dict(options)), np.uint8)
        elif options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        return operator

    def _operator_code(self, kind: str, version: int) -> int:
        """Where the model lists an operator, which it does from now on."""
        number = getattr(schema.BuiltinOperator, kind, schema.BuiltinOperator.CUSTOM)
        custom = None if number != schema.BuiltinOperator.CUSTOM else kind.encode()
        for place, code in enumerate(self.model.operatorCodes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == number and (code.customCode or None) == custom:
                code.version = max(code.version, version)
                return place
        code = schema.OperatorCodeT()
        code.builtinCode, code.customCode, code.version = number, custom, version
        code.deprecatedBuiltinCode = min(number, _LAST_OLD_CODE)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def replace(self, operator: schema.OperatorT, others: Sequence[schema.OperatorT]) -> None:
        """Puts operators in the place of one; what then nobody reads goes with `remove_dead`."""
        place = next(number for number, one in enumerate(self.operators) if one is operator)
        self.main.operators = [*self.operators[:place], *others, *self.operators[place + 1 :]]

    def text(self) -> str:
        """The graph to read: an operator a line, constants by shape, options that are not 0."""
        lines = []
        for operator in self.operators:
            options = self.options(operator) or getattr(operator.builtinOptions, "__dict__", {})
            shown = " ".join(f"{key}={value}" for key, value in sorted(options.items()) if value is not None and value)
            inputs = ", ".join(self._tensor_text(int(index)) for index in operator.inputs)
            outputs = ", ".join(self._tensor_text(int(index)) for index in operator.outputs)
            lines.append(f"{outputs} = {self.kind(operator)}({inputs})" + (f"  {shown}" if shown else ""))
        ends = " -> ".join(
            ", ".join(self._tensor_text(int(index)) for index in indices)
            for indices in (self.main.inputs, self.main.outputs)
        )
        return "\n".join([ends, *lines]) + "\n"

    def _tensor_text(self, index: int) -> str:
        if index < 0:
            return "none"
        shape = "x".join(map(str, self.shape(index))) or "scalar"
        what = "constant" if self.constant(index) is not None else f"'{self.name(index)}'"
        return f"{what} {_TYPES[self.main.tensors[index].type].lower()} {shape}"

    def add_tensor(self, name: str, shape: Sequence[int], kind: int = schema.TensorType.FLOAT32) -> int:
        """A tensor that is computed, of a `schema.TensorType`; returns its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, np.array(shape, np.int32), kind, 0
        self.main.tensors.append(tensor)
        return len(self.main.tensors) - 1

    def add_constant(self, name: str, value: NDArray[Any]) -> int:
        """A tensor with a value of its own; returns its index."""
        kind = next(kind for kind, dtype in _DTYPES.items() if dtype == value.dtype)
        index = self.add_tensor(name, value.shape, kind)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(value, _DTYPES[kind]).tobytes(), np.uint8)
        self.main.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        return index
