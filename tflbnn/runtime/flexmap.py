"""FlexBuffers maps of scalars, the form in which custom operators carry their options.

Format: https://flatbuffers.dev/internals/#flexbuffers. flatbuffers' own reader trusts every offset; this one
looks at a byte only after it is known to lie inside the buffer.
"""

from __future__ import annotations

import struct

from flatbuffers import flexbuffers

# The upper six bits of a type byte; its lower two are the logarithm of the width of what it refers to.
_NULL, _INT, _UINT, _FLOAT, _MAP, _BOOL = 0, 1, 2, 3, 9, 26
_STRING = 5
_CODES = {_INT: "bhiq", _UINT: "BHIQ", _BOOL: "BHIQ"}
_WIDTHS = (1, 2, 4, 8)

Scalar = int | float | str | None


def read_map(data: bytes) -> dict[str, Scalar]:
    """The scalars and strings of a FlexBuffers map by key.

    Raises:
        ValueError: `data` is no such map.

    >>> read_map(write_map({"padding": 1, "channels_in": 300}))
    {'channels_in': 300, 'padding': 1}
    """
    data = bytes(data)
    if len(data) < 3 or data[-1] not in _WIDTHS or len(data) < 2 + data[-1]:
        raise ValueError("it is no FlexBuffer")
    root_width, root_type = data[-1], data[-2]
    if root_type >> 2 != _MAP:
        raise ValueError("its root is no map")
    root = len(data) - 2 - root_width
    width = _WIDTHS[root_type & 3]
    start = root - _unsigned(data, root, root_width)
    # In front of a map's values: the offset of its keys, the width of a key's offset, the number of values.
    count = _unsigned(data, start - width, width)
    keys = start - 3 * width - _unsigned(data, start - 3 * width, width)
    key_width = _unsigned(data, start - 2 * width, width)
    if key_width not in _WIDTHS or count > len(data) or start + count * (width + 1) > len(data):
        raise ValueError("its map does not lie inside it")
    result: dict[str, Scalar] = {}
    for index in range(count):
        slot = keys + index * key_width
        key = _text(data, slot - _unsigned(data, slot, key_width))
        result[key] = _value(data, start + index * width, width, data[start + count * width + index])
    return result


def write_map(values: dict[str, int | float]) -> bytes:
    """The FlexBuffers map of numbers."""
    builder = flexbuffers.Builder()
    builder.MapFromElements(values)
    return bytes(builder.Finish())


def _value(data: bytes, position: int, width: int, kind: int) -> Scalar:
    form = kind >> 2
    if form == _NULL:
        return None
    if form in _CODES:
        return _number(data, position, width, _CODES[form])
    if form == _FLOAT and width > 1:
        return _number(data, position, width, " efd")
    if form == _STRING:
        return _text(data, position - _unsigned(data, position, width))
    raise ValueError(f"it holds a value of type {form}, which is no scalar")


def _unsigned(data: bytes, position: int, width: int) -> int:
    return _number(data, position, width, _CODES[_UINT])


def _number(data: bytes, position: int, width: int, codes: str) -> int | float:
    if position < 0 or position + width > len(data):
        raise ValueError("it points outside itself")
    return struct.unpack_from("<" + codes[_WIDTHS.index(width)], data, position)[0]


def _text(data: bytes, position: int) -> str:
    end = data.find(b"\0", position) if 0 <= position < len(data) else -1
    if end < 0:
        raise ValueError("it points outside itself")
    return data[position:end].decode()
