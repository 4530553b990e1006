"""FlatBuffers by a schema held as data: decoding that checks every offset, and encoding.

flatbuffers' own Python reader follows whatever offset the file holds. Files come from anywhere, so here nothing
is read before it is known to lie inside the file: what `decode` returns is safe to look at.

A schema maps a table's name to its fields in the order of their ids. A field is `(name, type)`, where the type is
a scalar (`i32`, or `i32=1` with its default), `string`, a table's name, `[...]` of these, or `union NAME`,
with its `NAME_type` (u8) in the field before it. A field no one needs is `(name, "skip")`.
"""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers
import numpy as np

SCALARS = {
    "bool": "<?", "u8": "<B", "i8": "<b", "u16": "<H", "i16": "<h", "i32": "<i", "u32": "<I",
    "i64": "<q", "u64": "<Q", "f32": "<f", "f64": "<d",
}  # fmt: skip
_STRUCTS = {name: struct.Struct(code) for name, code in SCALARS.items()}
_DTYPES = {name: np.dtype(code) for name, code in SCALARS.items()}
_U32 = _STRUCTS["u32"].unpack_from
_I32 = _STRUCTS["i32"].unpack_from

Table = dict[str, Any]
Fields = tuple[tuple[str, str], ...]


class DamagedError(ValueError):
    """The bytes are no such FlatBuffer; the message says where and why."""


class Schema:
    """Tables and unions by name; `unions` maps a union's name to its members by type number."""

    def __init__(self, tables: dict[str, Fields], unions: dict[str, dict[int, str]]) -> None:
        self.unions = unions
        self.tables = {table: [(name, *_parse(kind)) for name, kind in fields] for table, fields in tables.items()}


def _parse(kind: str) -> tuple[str, str, Any]:
    """A type as (kind, element, default), such as ("vector", "i32", None) or ("scalar", "i32", 1)."""
    if kind == "skip":
        return "skip", "", None
    if kind.startswith("union "):
        return "union", kind.removeprefix("union "), None
    if kind.startswith("["):
        return "vector", kind.strip("[]"), None
    scalar, _, default = kind.partition("=")
    if scalar in SCALARS:
        return "scalar", scalar, float(default or 0) if scalar in ("f32", "f64") else int(default or 0)
    return ("string" if kind == "string" else "table"), kind, None


def decode(schema: Schema, root: str, data: bytes, identifier: bytes) -> Table:
    """The tree of dictionaries that `data` holds: an absent scalar has its default, anything else absent is None.

    Vectors of scalars are NumPy views into `data`; strings stay bytes.

    Raises:
        DamagedError: any table, vector or string does not lie inside `data`, or the identifier differs.
    """
    if len(data) < 8 or data[4:8] != identifier:
        raise DamagedError(f"bytes 4 to 8 are {bytes(data[4:8])!r}, not {identifier!r}")
    return _Decoder(schema, data).table(root, _U32(data, 0)[0], root)


class _Decoder:
    def __init__(self, schema: Schema, data: bytes) -> None:
        self.schema, self.data, self.size = schema, data, len(data)
        # Each table takes at least 4 bytes, so more tables than that are some of them many times.
        self.budget = len(data) // 4
        self.vtables: dict[int, tuple[int, tuple[int, ...]]] = {}

    def table(self, kind: str, position: int, where: str) -> Table:
        self.budget -= 1
        if self.budget < 0:
            raise DamagedError(f"{where} is one of more tables than the file has room for")
        size, offsets = self.vtable(position, where)
        result: Table = {}
        known = len(offsets)
        for slot, (name, form, element, default) in enumerate(self.schema.tables[kind]):
            offset = offsets[slot] if slot < known else 0
            if form == "skip":
                continue
            if not offset:
                result[name] = default
            elif form == "scalar":
                reader = _STRUCTS[element]
                if offset + reader.size > size:
                    raise DamagedError(f"{where}.{name} lies outside its table")
                result[name] = reader.unpack_from(self.data, position + offset)[0]
            else:
                if offset + 4 > size:
                    raise DamagedError(f"{where}.{name} lies outside its table")
                result[name] = self.reference(form, element, position + offset, f"{where}.{name}", result, name)
        return result

    def vtable(self, position: int, where: str) -> tuple[int, tuple[int, ...]]:
        """The size of the table at `position` and the offsets of its fields."""
        if position % 4 or position < 4 or position + 4 > self.size:
            raise DamagedError(f"{where} lies outside the file")
        start = position - _I32(self.data, position)[0]
        found = self.vtables.get(start)
        if found is None:
            if start % 2 or start < 0 or start + 4 > self.size:
                raise DamagedError(f"the vtable of {where} lies outside the file")
            length, size = struct.unpack_from("<HH", self.data, start)
            if length < 4 or length % 2 or size < 4 or start + length > self.size:
                raise DamagedError(f"the vtable of {where} is broken")
            found = size, struct.unpack_from(f"<{length // 2 - 2}H", self.data, start + 4)
            # Whatever reads a field that no schema here knows still reads inside the file.
            if max(found[1], default=0) >= size:
                raise DamagedError(f"the vtable of {where} points outside its table")
            self.vtables[start] = found
        if position + found[0] > self.size:
            raise DamagedError(f"{where} lies outside the file")
        return found

    def reference(self, form: str, element: str, position: int, where: str, table: Table, name: str) -> Any:
        target = position + _U32(self.data, position)[0]
        if form == "union":
            member = self.schema.unions[element].get(table[f"{name}_type"])
            return self.table(member, target, where) if member else None
        if form == "table":
            return self.table(element, target, where)
        if form == "string":
            return self.string(target, where)
        return self.vector(element, target, where)

    def count(self, position: int, width: int, where: str) -> int:
        if position % 4 or position + 4 > self.size:
            raise DamagedError(f"{where} lies outside the file")
        count = _U32(self.data, position)[0]
        if position + 4 + count * width > self.size:
            raise DamagedError(f"{where} has {count} elements, more than the file holds")
        return count

    def string(self, position: int, where: str) -> bytes:
        end = position + 4 + self.count(position, 1, where)
        if end >= self.size or self.data[end]:
            raise DamagedError(f"{where} does not end in a zero")
        text = bytes(self.data[position + 4 : end])
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise DamagedError(f"{where} is not UTF-8") from error
        return text

    def vector(self, element: str, position: int, where: str) -> Any:
        if element in SCALARS:
            dtype = _DTYPES[element]
            count = self.count(position, dtype.itemsize, where)
            if (position + 4) % dtype.itemsize and count:
                raise DamagedError(f"{where} is not aligned to its elements")
            return np.frombuffer(self.data, dtype, count, position + 4)
        count = self.count(position, 4, where)
        starts = range(position + 4, position + 4 + 4 * count, 4)
        targets = [start + offset for start, offset in zip(starts, self.offsets(position, count), strict=True)]
        if element == "string":
            return [self.string(target, where) for target in targets]
        return [self.table(element, target, f"{where}[{index}]") for index, target in enumerate(targets)]

    def offsets(self, position: int, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}I", self.data, position + 4)


def encode(schema: Schema, root: str, value: Table, identifier: bytes) -> bytes:
    """The FlatBuffer of a tree such as `decode` returns; fields that are None or absent are left out.

    >>> schema = Schema({"Point": (("name", "string"), ("at", "[f32]"))}, {})
    >>> file = encode(schema, "Point", {"name": "here", "at": [1.0, 2.0]}, b"PNT0")
    >>> decode(schema, "Point", file, b"PNT0")
    {'name': b'here', 'at': array([1., 2.], dtype=float32)}
    """
    builder = flatbuffers.Builder(1024)
    builder.Finish(_encode_table(builder, schema, root, value), identifier)
    return bytes(builder.Output())


def _encode_table(builder: flatbuffers.Builder, schema: Schema, kind: str, value: Table) -> int:
    fields = schema.tables[kind]
    # What a table refers to must be written before the table itself.
    references = {}
    for name, form, element, _ in fields:
        item = value.get(name)
        if form in ("scalar", "skip") or item is None:
            continue
        if form == "union":
            references[name] = _encode_table(builder, schema, schema.unions[element][value[f"{name}_type"]], item)
        elif form == "table":
            references[name] = _encode_table(builder, schema, element, item)
        elif form == "string":
            references[name] = builder.CreateString(item)
        elif element in SCALARS:
            references[name] = builder.CreateNumpyVector(np.asarray(item, _DTYPES[element]))
        else:
            members = [_encode_table(builder, schema, element, member) for member in item]
            builder.StartVector(4, len(members), 4)
            for member in reversed(members):
                builder.PrependUOffsetTRelative(member)
            references[name] = builder.EndVector()
    builder.StartObject(len(fields))
    for slot, (name, form, element, default) in enumerate(fields):
        if name in references:
            builder.PrependUOffsetTRelativeSlot(slot, references[name], 0)
        elif form == "scalar" and value.get(name) is not None:
            _PREPEND[element](builder, slot, value[name], default)
    return builder.EndObject()


_PREPEND = {
    "u8": flatbuffers.Builder.PrependUint8Slot,
    "i8": flatbuffers.Builder.PrependInt8Slot,
    "i32": flatbuffers.Builder.PrependInt32Slot,
    "u32": flatbuffers.Builder.PrependUint32Slot,
    "f32": flatbuffers.Builder.PrependFloat32Slot,
}
