"""What a shared library asks of its loader, read from the file by its format (System V ABI, chapters 4 and 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

# In bionic from API level 21 on, and not among the imports of stock TensorFlow Lite.
ALSO_IN_BIONIC = {
    "__errno",
    "__libc_init",
    "__sF",
    "atoi",
    "dl_iterate_phdr",
    "dladdr",
    "fgets",
    "fmaf",
    "frexpf",
    "getauxval",
    "memrchr",
    "printf",
    "pthread_cond_init",
    "pthread_detach",
    "pthread_mutex_trylock",
    "roundf",
    "sched_yield",
    "strcspn",
    "strtol",
    "wmemchr",
}

PT_LOAD, PT_DYNAMIC, PT_TLS = 1, 2, 7
DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_SYMENT, DT_STRSZ = 1, 5, 6, 11, 10
SHT_DYNSYM = 11


@dataclass(frozen=True)
class Elf:
    load_alignments: tuple[int, ...]
    has_tls: bool
    needed: frozenset[str]
    defined: frozenset[str]
    undefined: frozenset[str]


def read(path: Path) -> Elf:
    """The facts of a little-endian library of 32 or 64 bits."""
    data = path.read_bytes()
    wide = data[4] == 2
    if wide:
        program_offset, section_offset = struct.unpack_from("<QQ", data, 32)
        program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
    else:
        program_offset, section_offset = struct.unpack_from("<II", data, 28)
        program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 42)
    alignments, tls, dynamic = [], False, (0, 0)
    for index in range(program_count):
        at = program_offset + index * program_size
        if wide:
            kind, _, offset, _, _, size, _, alignment = struct.unpack_from("<IIQQQQQQ", data, at)
        else:
            kind, offset, _, _, size, _, _, alignment = struct.unpack_from("<IIIIIIII", data, at)
        if kind == PT_LOAD:
            alignments.append(alignment)
        elif kind == PT_DYNAMIC:
            dynamic = (offset, size)
        tls |= kind == PT_TLS
    sections = []  # type, offset, size, link
    for index in range(section_count):
        at = section_offset + index * section_size
        fields = struct.unpack_from("<IIQQQQIIQQ" if wide else "<IIIIIIIIII", data, at)
        sections.append((fields[1], fields[4], fields[5], fields[6]))

    def text(strings: int, offset: int) -> str:
        begin = sections[strings][1] + offset
        return data[begin : data.index(b"\0", begin)].decode()

    defined, undefined, strings = set(), set(), 0
    for kind, offset, size, link in sections:
        if kind != SHT_DYNSYM:
            continue
        strings = link
        for at in range(offset, offset + size, 24 if wide else 16):
            if wide:
                name, _, _, section = struct.unpack_from("<IBBH", data, at)
            else:
                name, _, _, _, _, section = struct.unpack_from("<IIIBBH", data, at)
            if name:
                (defined if section else undefined).add(text(strings, name))
    entry = "<qQ" if wide else "<iI"
    begin, size = dynamic
    needed = {
        text(strings, value) for tag, value in struct.iter_unpack(entry, data[begin : begin + size]) if tag == DT_NEEDED
    }
    return Elf(tuple(alignments), tls, frozenset(needed), frozenset(defined), frozenset(undefined))
