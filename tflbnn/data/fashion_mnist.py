"""Fashion-MNIST: 70,000 articles of clothing of 28×28 pixels (Xiao, Rasul and Vollgraf, 2017)."""

from __future__ import annotations

import os

from tflbnn.data.dataset import Raw
from tflbnn.data.files import Remote
from tflbnn.data.idx import FILES, read_mnist_like

FACTS = {
    "images": "60,000 + 10,000",
    "size": "28×28×1",
    "classes": "10",
    "files": "4 IDX files (Debian: dataset-fashion-mnist)",
    "source": "Xiao, Rasul and Vollgraf, 2017",
}

LABELS = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

# Where Keras has them, and the sums that the data set's authors publish.
_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MD5 = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
REMOTES = [
    Remote(f"{_URL}{file}.gz", digest, f"fashion-mnist/{file}.gz") for file, digest in zip(FILES, _MD5, strict=True)
]


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """The images and labels of the four files."""
    return read_mnist_like("fashion-mnist", LABELS, REMOTES, data_dir)
