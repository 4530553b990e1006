"""TensorFlow Lite files as Python objects and back, with the alignment that TensorFlow Lite asks for."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FILE_IDENTIFIER = b"TFL3"

# schema.fbs says force_align: 16 for a buffer's data; flatbuffers' Python writer knows no such thing by itself.
BUFFER_ALIGNMENT = 16


class _AlignedBuffer(schema.BufferT):
    """A buffer whose data starts at a multiple of 16 bytes, so that kernels can load constants where they lie."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802  (overrides)
        data = None
        if self.data is not None:
            content = np.asarray(self.data, np.uint8).tobytes()
            builder.StartVector(1, len(content), BUFFER_ALIGNMENT)
            builder.head = builder.Head() - len(content)
            builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


class _SharingBuilder(flatbuffers.Builder):
    """Writes equal names, shapes and options once: members of an ensemble, and repeated blocks, have many of them."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[object, ...], int] = {}

    def CreateString(self, text: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> int:  # noqa: N802
        content = text.encode(encoding, errors) if isinstance(text, str) else bytes(text)
        key = ("string", content)
        if key not in self._written:
            self._written[key] = super().CreateString(content)
        return self._written[key]

    def CreateNumpyVector(self, values: np.ndarray) -> int:  # noqa: N802
        key = (values.dtype.str, values.tobytes())
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(values)
        return self._written[key]


def unpack(flatbuffer: bytes) -> schema.ModelT:
    """The model as a tree of objects; arrays are views into `flatbuffer`."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))


def pack(model: schema.ModelT) -> bytes:
    """The file of a model, readable by TensorFlow Lite.

    >>> model = schema.ModelT()
    >>> model.version = 3
    >>> pack(model)[4:8]
    b'TFL3'
    """
    for buffer in model.buffers or []:
        buffer.__class__ = _AlignedBuffer
    builder = _SharingBuilder(1 << 20)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())
