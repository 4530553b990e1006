"""The IDX format of MNIST and its like: a big-endian header, then bytes; the file may be compressed (.gz).

0, 0, type, rank (a byte each); then `rank` sizes of 4 bytes; then the values. Type 8 is an unsigned byte.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from tflbnn._files import readable_errors
from tflbnn.data.dataset import Raw, Split
from tflbnn.data.files import Remote, download, folders
from tflbnn.errors import UserError

LARGEST = 2**30  # bytes of one file's values; MNIST's largest has 47 million
TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_idx(path: str | os.PathLike[str], rank: int) -> np.ndarray:
    """The values of an IDX file of unsigned bytes, in the shape its header gives.

    Args:
        path: the file, compressed if it ends in .gz.
        rank: the number of dimensions it must have.

    Raises:
        UserError: the file is not that, is cut short or too long, or claims more than a gigabyte.
    """

    def refuse(rule: str, received: str) -> UserError:
        return UserError(f"{rule} Received: {path}, {received}. Get the file anew.")

    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with readable_errors("read", path), opener(path, "rb") as file:
            header = file.read(4 + 4 * rank)
            if len(header) < 4 or header[:2] != b"\0\0" or header[2] not in TYPES:
                raise refuse(
                    "An IDX file starts with 0, 0, its type and its rank.", f"which starts with {header[:4]!r}"
                )
            if header[2] != 0x08:
                raise refuse("Images and labels are unsigned bytes.", f"whose values are {TYPES[header[2]]}")
            if header[3] != rank:
                raise refuse(f"The file must have {rank} dimensions.", f"which has {header[3]}")
            if len(header) < 4 + 4 * rank:
                raise refuse("The header must be whole.", f"of {len(header)} bytes")
            shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
            size = math.prod(shape)
            if size > LARGEST:  # before anything of that size is allocated
                raise refuse(f"The values must be at most {LARGEST} bytes.", f"which claims {size}")
            values = file.read(size + 1)
    except (EOFError, zlib.error) as error:
        raise refuse("The compressed file must be whole.", str(error)) from error
    if len(values) != size:
        kind = "fewer" if len(values) < size else "more"
        raise refuse(f"The file must hold the {size} values that its header claims.", f"which holds {kind}")
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_labels(path: str | os.PathLike[str], classes: int) -> np.ndarray:
    """Labels as int32 (number,), each below `classes`."""
    labels = read_idx(path, 1)
    if labels.size and labels.max() >= classes:
        raise UserError(
            f"Labels must be below {classes}. Received: {path}, which has a label {labels.max()}. Get the file anew."
        )
    return labels.astype(np.int32)


def read_split(images: Path, labels: Path, size: int, classes: int) -> Split:
    """Square grey images and their labels."""
    x, y = read_idx(images, 3), read_labels(labels, classes)
    if x.shape[1:] != (size, size):
        raise UserError(
            f"The images must have {size}×{size} pixels. Received: {images} with {x.shape[1]}×{x.shape[2]}. "
            "Get the file anew."
        )
    if len(x) != len(y):
        raise UserError(
            f"There must be a label an image. Received: {len(x)} images in {images}, {len(y)} labels in {labels}. "
            "Get both files anew."
        )
    return Split(x[..., np.newaxis], y)


def read_mnist_like(name: str, labels: tuple[str, ...], remotes: list[Remote], data_dir: object) -> Raw:
    """A data set of four IDX files under MNIST's names, compressed or not."""
    for folder in folders(name, data_dir):
        paths = [path for file in FILES for path in (folder / file, folder / f"{file}.gz") if path.is_file()]
        if len({path.name.removesuffix(".gz") for path in paths}) == len(FILES):
            break
    else:
        paths = download(name, remotes, ", ".join(f"{file}.gz" for file in FILES))
    by_name = {path.name.removesuffix(".gz"): path for path in paths}
    train_x, train_y, test_x, test_y = (by_name[file] for file in FILES)
    return Raw(read_split(train_x, train_y, 28, len(labels)), read_split(test_x, test_y, 28, len(labels)), labels)
