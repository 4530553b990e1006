"""ZIP files as Android wants them: the same bytes for the same members, and stored members where they can be mapped."""

from __future__ import annotations

import zipfile
from pathlib import Path

from android_demo.tools.common import PAGE

ALIGNMENT_FIELD = 0xD935  # of the extra data, as Android's zipalign and apksigner write it
EPOCH = (1981, 1, 1, 1, 1, 2)


def write_zip(path: Path, members: dict[str, bytes], stored: tuple[str, ...] = ()) -> None:
    """Writes the members in their order; names with one of the endings `stored` are not compressed, but aligned.

    Libraries (.so) begin at multiples of 16 KiB, as pages may have that size; what else is stored, at multiples of 4.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with zipfile.ZipFile(fresh, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            if name.endswith(stored):
                info.extra = _padding(archive.fp.tell() + 30 + len(name.encode()), PAGE if name.endswith(".so") else 4)
            else:
                info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    fresh.replace(path)


def _padding(offset: int, alignment: int) -> bytes:
    """An extra field that brings what begins at `offset` to a multiple of `alignment`.

    There is one even where nothing is missing: apksigner, which writes the archive anew, aligns as the field says.
    """
    missing = -offset % alignment
    while missing < 6:  # what the field itself takes
        missing += alignment
    size = (missing - 4).to_bytes(2, "little")
    return ALIGNMENT_FIELD.to_bytes(2, "little") + size + alignment.to_bytes(2, "little") + bytes(missing - 6)


def offsets(path: Path) -> dict[str, int]:
    """Where the data of each stored member begins."""
    found = {}
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for info in archive.infolist():
            if info.compress_type == zipfile.ZIP_STORED:
                file.seek(info.header_offset + 26)
                lengths = file.read(4)
                name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
                found[info.filename] = info.header_offset + 30 + name + extra
    return found
