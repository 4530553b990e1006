"""MNIST: 70,000 handwritten digits of 28×28 pixels (LeCun, Cortes and Burges, 1998)."""

from __future__ import annotations

import os

from tflbnn.data.dataset import Raw
from tflbnn.data.files import Remote
from tflbnn.data.idx import FILES, read_mnist_like

FACTS = {
    "images": "60,000 + 10,000",
    "size": "28×28×1",
    "classes": "10",
    "files": "4 IDX files",
    "source": "LeCun, Cortes and Burges, 1998",
}

_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_SHA256 = (
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
REMOTES = [Remote(f"{_URL}{file}.gz", digest, f"mnist/{file}.gz") for file, digest in zip(FILES, _SHA256, strict=True)]


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """The images and labels of the four files."""
    return read_mnist_like("mnist", tuple(str(digit) for digit in range(10)), REMOTES, data_dir)
