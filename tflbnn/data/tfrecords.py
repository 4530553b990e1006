"""Where the images are in TensorFlow Datasets' TFRecord files, and their labels, without reading the images.

A file is a row of records: length (8 bytes, little-endian), its checksum (4), a tf.train.Example, its checksum (4). Of
an Example, a protocol buffer, only the lengths of its parts and the label are read; the rest is skipped. The checksums
are TensorFlow's against errors of disks, and are not looked at: an image that is damaged says so when it is decoded.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tflbnn._files import readable_errors
from tflbnn.errors import UserError

PLACE = np.dtype([("shard", np.int32), ("offset", np.int64), ("length", np.int64)])
_LARGEST_LABEL = 65_535
_VARINT, _BYTES = 0, 2  # protocol buffers' wire types


def index(shards: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """The places of the features "image" and the numbers of the features "label" of every record.

    Returns:
        `PLACE` (number,) and int32 (number,).

    Raises:
        UserError: a file cannot be read, or is cut, or its records have no such features.
    """
    places, labels = [], []
    for shard, path in enumerate(shards):
        with readable_errors("read the TFRecord file", path), open(path, "rb") as file:
            if path.stat().st_size == 0:
                continue  # which mmap refuses
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                try:
                    for start, end in _records(content):
                        offset, length, label = _image_and_label(content, start, end)
                        places.append((shard, offset, length))
                        labels.append(label)
                except (ValueError, IndexError) as error:
                    raise UserError(
                        f"A TFRecord file must be as TensorFlow Datasets wrote it. Received: {path}, where {error}. "
                        "Make it again."
                    ) from error
    if not places:
        raise UserError(f"TFRecord files must have records. Received: {shards[0].parent} without one. Make them again.")
    return np.array(places, PLACE), np.array(labels, np.int32)


def _records(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where each record's Example begins and ends."""
    position = 0
    while position < len(content):
        start = position + 12
        end = start + int.from_bytes(content[position : position + 8], "little")
        position = end + 4
        if position > len(content):
            raise ValueError(f"the record at byte {start - 12} goes beyond the end")
        yield start, end


def _image_and_label(content: mmap.mmap, start: int, end: int) -> tuple[int, int, int]:
    """Where the image of an Example begins, its length, and the label."""
    found = {}
    for features in _parts(content, start, end, 1):  # Example.features
        for entry in _parts(content, *features, 1):  # Features.feature, a map
            (name,) = _parts(content, *entry, 1)
            key = content[name[0] : min(name[1], name[0] + 16)]
            if key in (b"image", b"label"):
                (found[key],) = _parts(content, *entry, 2)
    if len(found) < 2:
        raise ValueError(f"the record at byte {start - 12} has no image and label")
    (bytes_list,) = _parts(content, *found[b"image"], 1)  # Feature.bytes_list
    (image,) = _parts(content, *bytes_list, 1)
    (int64_list,) = _parts(content, *found[b"label"], 3)  # Feature.int64_list
    label = None
    for number, kind, first, last in _fields(content, *int64_list):
        if number == 1:  # packed, or one by one
            label = _varint(content, first, last)[0] if kind == _BYTES else first
    if label is None or label > _LARGEST_LABEL:
        raise ValueError(f"the label of the record at byte {start - 12} is {label}")
    return image[0], image[1] - image[0], label


def _parts(content: mmap.mmap, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """Where the fields of that number begin and end which are bytes or messages."""
    fields = _fields(content, start, end)
    return [(first, last) for number, kind, first, last in fields if number == wanted and kind == _BYTES]


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, and begin and end of each field of a message; of a number the number itself, and 0."""
    while start < end:
        tag, start = _varint(content, start, end)
        value, start = _varint(content, start, end)
        if tag & 7 == _VARINT:
            yield tag >> 3, _VARINT, value, 0
        elif tag & 7 == _BYTES and start + value <= end:
            yield tag >> 3, _BYTES, start, start + value
            start += value
        else:
            raise ValueError(f"the message at byte {start} is damaged")


def _varint(content: mmap.mmap, start: int, end: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the last of which is below 128, and where it ends."""
    value = 0
    for position in range(start, min(end, start + 10)):
        value |= (content[position] & 127) << (7 * (position - start))
        if content[position] < 128:
            return value, position + 1
    raise ValueError(f"the number at byte {start} does not end")
