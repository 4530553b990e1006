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
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())
