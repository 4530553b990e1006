"""Whether a model file is whole, before an interpreter sees it.

TFLite follows the offsets, shapes and indices that a file holds, and a damaged file can make it crash. `check_model`
reads the file as data, verifies it, and answers with one line.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert.schema_py_generated import BuiltinOperator, BuiltinOptions, TensorType

from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import post_processing
from tflbnn.runtime.flexmap import read_map
from tflbnn.runtime.metadata import OWN_ENTRIES, SHA256_ENTRY
from tflbnn.runtime.operators import BUILTIN, CUSTOM
from tflbnn.runtime.schemas import MODEL, MODEL_IDENTIFIER
from tflbnn.runtime.shapes import Inputs, check_output
from tflbnn.runtime.tables import DamagedError, Table, decode

# The largest tensor, in bytes: more than any model here needs, less than what makes a machine swap.
_LARGEST_TENSOR = 1 << 30
_LARGEST_RANK = 8
_LARGEST_OPTION = 1 << 15

_BITS = {
    name: bits
    for bits, names in {
        4: ("INT4",),
        8: ("INT8", "UINT8", "BOOL"),
        16: ("INT16", "UINT16", "FLOAT16", "BFLOAT16"),
        32: ("INT32", "UINT32", "FLOAT32"),
        64: ("INT64", "UINT64", "FLOAT64", "COMPLEX64"),
        128: ("COMPLEX128",),
    }.items()
    for name in names
}
_TYPES = {value: name for name, value in vars(TensorType).items() if isinstance(value, int)}
_OPERATORS = {value: name for name, value in vars(BuiltinOperator).items() if isinstance(value, int)}
_OPTIONS = {name: value for name, value in vars(BuiltinOptions).items() if isinstance(value, int)}

# Options without which TFLite would divide by zero or follow nothing.
_REQUIRED_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "UNPACK": "UnpackOptions",
    "PACK": "PackOptions",
    "CONCATENATION": "ConcatenationOptions",
}
_POSITIVE = ("stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor", "depth_multiplier", "filter_width")
_POSITIVE += ("filter_height", "block_size", "num_splits", "values_count", "num")
_LARGEST = {"padding": 1, "fused_activation_function": 5, "weights_format": 1}
# Options that count an operator's inputs or outputs.
_COUNTS = {"SPLIT": ("num_splits", "outputs"), "SPLIT_V": ("num_splits", "outputs"), "UNPACK": ("num", "outputs")}
_COUNTS |= {"PACK": ("values_count", "inputs")}


@contextlib.contextmanager
def naming(file: str | os.PathLike[str]) -> Iterator[None]:
    """Puts a file's name before the errors about its content.

    >>> with naming("model.tflite"):
    ...     check_model(b"GIF89a")
    Traceback (most recent call last):
    tflbnn.errors.UserError: model.tflite: The file is no TensorFlow Lite model: bytes 4 to 8 are b'9a', not b'TFL3'.
    """
    try:
        yield
    except (UserError, VerificationError) as error:
        raise type(error)(f"{os.fspath(file)}: {error}") from error


def check_model(content: bytes) -> None:
    """Verifies a model file: its SHA-256 where it carries one, every offset, size and index always.

    Raises:
        UserError: the file is no TFLite model, is damaged, or uses what no runtime here knows.

    >>> check_model(b"GIF89a")
    Traceback (most recent call last):
    tflbnn.errors.UserError: The file is no TensorFlow Lite model: bytes 4 to 8 are b'9a', not b'TFL3'.
    """
    content = bytes(content)
    if content[4:8] != MODEL_IDENTIFIER:
        raise UserError(
            f"The file is no TensorFlow Lite model: bytes 4 to 8 are {content[4:8]!r}, not {MODEL_IDENTIFIER!r}."
        )
    try:
        model = decode(MODEL, "Model", content, MODEL_IDENTIFIER)
        _check_sha256(model, content)
        _Checker(model).check()
    except DamagedError as error:
        raise UserError(f"The model file is damaged: {error}. Copy or export it again.") from error


def _check_sha256(model: Table, content: bytes) -> None:
    name = SHA256_ENTRY.encode()
    entries = [entry for entry in model["metadata"] or [] if entry["name"] == name]
    if not entries:
        # Every file with metadata of tflbnn's is sealed: one that is not has lost the way to its checksum.
        if OWN_ENTRIES in content:
            raise DamagedError("its metadata does not lead to its checksum")
        return
    stored = _at(model["buffers"] or [], entries[0]["buffer"], "the checksum's buffer")["data"]
    if stored is None or len(stored) != 32:
        raise DamagedError("its checksum is no SHA-256")
    start = stored.ctypes.data - np.frombuffer(content, np.uint8).ctypes.data
    digest = hashlib.sha256(content[:start])
    digest.update(bytes(32))
    digest.update(memoryview(content)[start + 32 :])
    if digest.digest() != stored.tobytes():
        raise DamagedError("its SHA-256 is not the one it was exported with, so it was changed or cut after that")


def _at(items: list[Any], index: int, what: str) -> Any:
    if not 0 <= index < len(items):
        raise DamagedError(f"{what} has number {index} of {len(items)}")
    return items[index]


class _Checker:
    """What a decoded model must hold beyond lying inside the file."""

    def __init__(self, model: Table) -> None:
        self.model = model
        self.buffers = model["buffers"] or []
        self.subgraphs = model["subgraphs"] or []

    def check(self) -> None:
        if self.model["version"] != 3:
            raise DamagedError(f"it has version {self.model['version']}, not 3")
        if not self.subgraphs:
            raise DamagedError("it has no graph")
        for buffer in self.buffers:
            if buffer["offset"] > 1 or buffer["size"] > 1:
                raise DamagedError("it keeps constants outside the FlatBuffer, which is not supported")
        self.operators = [self.operator_name(code) for code in self.model["operator_codes"] or []]
        for entry in self.model["metadata"] or []:
            if entry["name"] is None:
                raise DamagedError("a metadata entry has no name")
            _at(self.buffers, entry["buffer"], "a metadata entry's buffer")
        for number, graph in enumerate(self.subgraphs):
            self.check_graph(number, graph)
        self.check_signatures()

    def operator_name(self, code: Table) -> str:
        # Codes above 127 do not fit the old field; TFLite takes the larger of the two.
        number = max(code["builtin_code"], code["deprecated_builtin_code"])
        name = _OPERATORS.get(number, f"number {number}")
        if name == "CUSTOM":
            name = (code["custom_code"] or b"").decode(errors="replace")
        if name not in BUILTIN and name not in CUSTOM:
            raise UserError(
                f"A model may have no operators but those that tflbnn knows. Received: {name}. "
                "Convert the model without it; operators that loop or branch are never run."
            )
        return name

    def check_graph(self, number: int, graph: Table) -> None:
        tensors = graph["tensors"]
        if tensors is None or graph["inputs"] is None or graph["outputs"] is None:
            raise DamagedError(f"graph {number} has no tensors, inputs or outputs")
        # Known before any operator runs: constants, variables, inputs.
        ready = {index for index, tensor in enumerate(tensors) if self.check_tensor(index, tensor)}
        constants = frozenset(ready)
        inputs = graph["inputs"].tolist()
        for index in inputs:
            _at(tensors, index, f"an input of graph {number}")
        ready.update(inputs)
        for position, operator in enumerate(graph["operators"] or []):
            name = _at(self.operators, operator["opcode_index"], f"the code of operator {position}")
            where = f"operator {position} ({name})"
            self.check_arity(operator, name, where)
            options = self.check_options(operator, name, where)
            for index in self.indices(operator["inputs"]):
                if index != -1 and index not in ready:
                    _at(tensors, index, f"an input of {where}")
                    raise DamagedError(f"{where} reads tensor {index}, which nothing has written")
            for index in self.indices(operator["intermediates"]):
                if index != -1:
                    _at(tensors, index, f"an intermediate of {where}")
            for index in self.indices(operator["outputs"]):
                _at(tensors, index, f"an output of {where}")
                if index in constants or index in inputs:
                    raise DamagedError(f"{where} writes tensor {index}, which is a constant or an input")
                ready.add(index)
            self.check_shapes(tensors, operator, name, options, where)
        for index in graph["outputs"].tolist():
            _at(tensors, index, f"an output of graph {number}")
            if index not in ready:
                raise DamagedError(f"output {index} of graph {number} is written by nothing")

    @staticmethod
    def indices(vector: np.ndarray | None) -> list[int]:
        return [] if vector is None else vector.tolist()

    def check_tensor(self, index: int, tensor: Table) -> bool:
        """Whether the tensor has a value before the graph runs."""
        where = f"tensor {index}"
        if tensor["sparsity"] is not None or tensor["variant_tensors"] or tensor["external_buffer"]:
            raise DamagedError(f"{where} is sparse, a variant or kept outside the file, which is not supported")
        kind = _TYPES.get(tensor["type"])
        if kind is None:
            raise DamagedError(f"{where} has the unknown type {tensor['type']}")
        shape = self.indices(tensor["shape"])
        signature = self.indices(tensor["shape_signature"])
        if len(shape) > _LARGEST_RANK or min(shape, default=0) < 0:
            raise DamagedError(f"{where} has the shape {shape[:_LARGEST_RANK]}")
        if signature and (
            len(signature) != len(shape)
            or any(known not in (-1, size) for known, size in zip(signature, shape, strict=True))
        ):
            raise DamagedError(f"{where} has the shape {shape} and the signature {signature[:_LARGEST_RANK]}")
        size = (math.prod(shape) * _BITS.get(kind, 64) + 7) // 8
        if size > _LARGEST_TENSOR:
            raise DamagedError(f"{where} of shape {shape} takes {size} bytes, more than {_LARGEST_TENSOR}")
        data = _at(self.buffers, tensor["buffer"], f"the buffer of {where}")["data"]
        if data is None or not len(data):
            if 0 in shape and len(shape) > 1:
                raise DamagedError(f"{where} has the empty shape {shape}")
            return tensor["is_variable"] or 0 in shape
        if kind not in _BITS:
            raise DamagedError(f"{where} is a constant of type {kind}, which is not supported")
        if tensor["is_variable"]:
            raise DamagedError(f"{where} is both a constant and a variable")
        if len(data) != size:
            raise DamagedError(f"{where} of shape {shape} takes {size} bytes; its constant has {len(data)}")
        return True

    def check_arity(self, operator: Table, name: str, where: str) -> None:
        arity = CUSTOM[name] if name in CUSTOM else BUILTIN[name]
        inputs, outputs = self.indices(operator["inputs"]), self.indices(operator["outputs"])
        if not arity.inputs[0] <= len(inputs) <= arity.inputs[1]:
            raise DamagedError(f"{where} has {len(inputs)} inputs")
        if not arity.outputs[0] <= len(outputs) <= arity.outputs[1]:
            raise DamagedError(f"{where} has {len(outputs)} outputs")
        if -1 in inputs[: arity.optional]:
            raise DamagedError(f"{where} lacks input {inputs.index(-1)}")
        if name in _COUNTS and operator["builtin_options"]:
            option, counted = _COUNTS[name]
            if operator["builtin_options"].get(option) != len(operator[counted]):
                raise DamagedError(f"{where} has {len(operator[counted])} {counted} and another {option}")

    def check_shapes(self, tensors: list[Table], operator: Table, name: str, options: Table, where: str) -> None:
        inputs, outputs = self.indices(operator["inputs"]), self.indices(operator["outputs"])
        concerned = [tensors[index] for index in (*inputs, *outputs) if index != -1]
        if any(-1 in self.indices(tensor["shape_signature"]) for tensor in concerned):
            return  # open dimensions: the declared shapes are placeholders
        shapes = [tuple(self.indices(tensors[index]["shape"])) if index != -1 else () for index in inputs]
        constants = [self.constant(tensors[index]) if index != -1 else None for index in inputs]
        given = [tuple(self.indices(tensors[index]["shape"])) for index in outputs]
        check_output(name, Inputs(shapes, constants, options), given, where)

    def constant(self, tensor: Table) -> np.ndarray | None:
        """A constant's bytes, as integers where its type is INT32 or INT64."""
        data = self.buffers[tensor["buffer"]]["data"]
        if data is None or not len(data):
            return None
        return data.view({TensorType.INT32: "<i4", TensorType.INT64: "<i8"}.get(tensor["type"], "u1"))

    def check_options(self, operator: Table, name: str, where: str) -> Table:
        """The operator's options, those of a custom operator too."""
        if operator["builtin_options_2_type"] or operator["large_custom_options_size"] > 1:
            raise DamagedError(f"{where} has options of a kind that is not supported")
        if name in CUSTOM:
            data = operator["custom_options"]
            # LceQuantize and LceDequantize have no options at all.
            if data is None or not len(data):
                if name == post_processing.OPERATOR:
                    raise DamagedError(f"{where} has no options")
                return {}
            try:
                given = read_map(data.tobytes())
                if name == post_processing.OPERATOR:
                    post_processing.check_options(given)
            except ValueError as error:
                raise DamagedError(f"the options of {where} are broken: {error}") from error
            return given
        options = operator["builtin_options"]
        required = _REQUIRED_OPTIONS.get(name)
        if required and (options is None or operator["builtin_options_type"] != _OPTIONS[required]):
            raise DamagedError(f"{where} has no {required}")
        for option in _POSITIVE:
            if options and not 1 <= options.get(option, 1) <= _LARGEST_OPTION:
                raise DamagedError(f"{where} has {option}={options[option]}")
        for option, largest in _LARGEST.items():
            if options and not 0 <= options.get(option, 0) <= largest:
                raise DamagedError(f"{where} has {option}={options[option]}")
        return options or {}

    def check_signatures(self) -> None:
        for signature in self.model["signature_defs"] or []:
            graph = _at(self.subgraphs, signature["subgraph_index"], "the graph of a signature")
            if signature["signature_key"] is None:
                raise DamagedError("a signature has no name")
            for entry in (*(signature["inputs"] or ()), *(signature["outputs"] or ())):
                if entry["name"] is None:
                    raise DamagedError("an input or output of a signature has no name")
                _at(graph["tensors"], entry["tensor_index"], "an input or output of a signature")
