"""Data sets by name: `data.load(Data("digits"))` gives images and labels for training, validation and the test.

Importing this package, and loading a data set that lies on the disk, loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib
import inspect
import os
from typing import TYPE_CHECKING

from tflbnn.data.dataset import Dataset, Normalization, Split, Task
from tflbnn.errors import UserError, nearest

if TYPE_CHECKING:
    from tflbnn.recipes import Data

# One line a data set; its file has FACTS and read(data_dir).
_FILES = {
    "digits": "digits",
    "fashion-mnist": "fashion_mnist",
    "mnist": "mnist",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "imagenet": "imagenet",
    "shapes": "shapes",
    "voc": "voc",
}
NAMES = tuple(_FILES)

__all__ = ["NAMES", "Dataset", "Normalization", "Split", "Task", "load", "table"]


def load(data: Data, data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """The data set that `data` describes, divided as it says.

    Files are looked for in `data_dir`, then in the folder TFLBNN_DATA, then where a distribution puts them; then
    Keras downloads them. See `tflbnn.data.files`.

    Args:
        data: name, share of the training images for validation, how many samples.
        data_dir: a folder that holds the files, or a folder of the data set's name that does.

    Raises:
        UserError: the files are nowhere, or are not what they should be.

    >>> from tflbnn.recipes import Data
    >>> digits = load(Data("digits"))
    >>> digits.train.x.shape, digits.train.x.dtype, digits.input_shape, digits.classes
    ((1294, 8, 8, 1), dtype('uint8'), (8, 8, 1), 10)
    """
    if data_dir is not None and not os.path.isdir(data_dir):
        raise UserError(f"The data folder must exist. Received: {data_dir}. Make it, or leave --data-dir out.")
    module = _module(data.name)
    if data.side is not None and not _has_side(data.name):
        photographs = [name for name in NAMES if _has_side(name)]
        raise UserError(
            f"data.side is for photographs: {', '.join(photographs)}. Received: {data.side} for {data.name}. "
            "Set data.side=none."
        )
    options = {} if data.side is None else {"side": data.side}
    return Dataset.divide(data, module.read(data_dir, **options))


def table() -> list[dict[str, str]]:
    """One row a data set, for `tflbnn list datasets`."""
    return [{"dataset": name, **_module(name).FACTS} for name in NAMES]


def _has_side(name: str) -> bool:
    """Whether its images are brought to a size."""
    return "side" in inspect.signature(_module(name).read).parameters


def _module(name: str):
    if name not in _FILES:
        raise UserError(f"There is no data set '{name}'. {nearest(name, NAMES)}")
    return importlib.import_module(f"tflbnn.data.{_FILES[name]}")
