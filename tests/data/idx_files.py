"""Writes IDX files and a small MNIST."""

import gzip
import struct

import numpy as np

from tflbnn.data.idx import FILES


def idx(values: np.ndarray, kind: int = 0x08) -> bytes:
    """The content of an IDX file."""
    return bytes([0, 0, kind, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write_mnist(folder, number, compressed):
    """Four files with the same images and labels for training and the test; gives both."""
    folder.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(number).integers(0, 256, (number, 28, 28), np.uint8)
    y = (np.arange(number) % 10).astype(np.uint8)
    for name, values in zip(FILES, (x, y, x, y), strict=True):
        content = idx(values)
        (folder / (f"{name}.gz" if compressed else name)).write_bytes(gzip.compress(content) if compressed else content)
    return x, y
