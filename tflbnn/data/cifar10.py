"""CIFAR-10: 60,000 colour photographs of 32×32 pixels (Krizhevsky, 2009)."""

from __future__ import annotations

import os

from tflbnn.data.cifar import Layout, read_cifar
from tflbnn.data.dataset import Raw
from tflbnn.data.files import Remote

FACTS = {
    "images": "50,000 + 10,000",
    "size": "32×32×3",
    "classes": "10",
    "files": "cifar-10-python.tar.gz, or cifar-10-batches-py/",
    "source": "Krizhevsky, 2009",
}

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

LAYOUT = Layout(
    name="cifar10",
    archive="cifar-10-python.tar.gz",
    folder="cifar-10-batches-py",
    train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test=("test_batch",),
    key="labels",
    remote=Remote(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        "cifar-10-batches-py.tar.gz",
    ),
)


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """The images and labels of the five training batches and the test batch."""
    return read_cifar(LAYOUT, LABELS, data_dir)
