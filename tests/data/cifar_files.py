"""Writes CIFAR's batches as Python 2's cPickle wrote them (protocol 2), instruction by instruction."""

import struct

import numpy as np


def _string(value: bytes) -> bytes:
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)


def _list(items: list[bytes]) -> bytes:
    batches = [items[start : start + 1000] for start in range(0, len(items), 1000)]
    return b"]" + b"".join(b"(" + b"".join(batch) + b"e" for batch in batches)


def array(values: np.ndarray, dtype: bytes = b"u1") -> bytes:
    """A NumPy array, its constructor and its state named as Python 2 named them."""
    start = b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85q\tU\x01b\x87Rq\n"
    kind = (
        b"cnumpy\ndtype\nq\x0b"
        + _string(dtype)
        + b"K\x00K\x01\x87Rq\x0c(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    shape = b"".join(map(_integer, values.shape)) + {1: b"\x85", 2: b"\x86", 3: b"\x87"}[values.ndim]
    return start + b"(K\x01" + shape + kind + b"\x89" + _string(values.tobytes()) + b"tb"


def pickled(items: dict[bytes, bytes]) -> bytes:
    """A dictionary of strings to pickled values."""
    return b"\x80\x02}q\x01(" + b"".join(_string(key) + value for key, value in items.items()) + b"u."


def batch(images: np.ndarray, labels: list[int], key: bytes = b"labels") -> bytes:
    """A CIFAR batch of images (number, 32, 32, 3)."""
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), 3072)
    names = [_string(b"image_%d.png" % index) for index in range(len(images))]
    return pickled(
        {
            b"batch_label": _string(b"training batch 1 of 5"),
            key: _list([_integer(label) for label in labels]),
            b"data": array(rows),
            b"filenames": _list(names),
        }
    )


def random_images(number: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (number, 32, 32, 3), np.uint8)


def write_cifar10(folder, number: int = 20) -> None:
    """A small CIFAR-10 in its own files: `number` images a batch, batch i made with seed i, the test with 6."""
    folder.mkdir(parents=True)
    labels = [index % 10 for index in range(number)]
    for index in range(1, 6):
        (folder / f"data_batch_{index}").write_bytes(batch(random_images(number, index), labels))
    (folder / "test_batch").write_bytes(batch(random_images(number, 6), labels))
