"""Digits: 1,797 handwritten digits of 8×8 pixels (Alpaydin and Kaynak, 1998), carried by scikit-learn."""

from __future__ import annotations

import os

import numpy as np

from tflbnn.data.dataset import Raw, Split, stratify
from tflbnn.errors import INSTALL_TRAIN, UserError

FACTS = {
    "images": "1,797",
    "size": "8×8×1",
    "classes": "10",
    "files": "in scikit-learn",
    "source": "Alpaydin and Kaynak, 1998",
}


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """The images with their 17 grey values spread over 0 to 255, a fifth of each class as the test set.

    scikit-learn's set has no test part of its own; the seed of this one is fixed, so all figures compare.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError(f"The data set digits is carried by scikit-learn, which is missing. {INSTALL_TRAIN}") from error

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    train, test = stratify(digits.target, 0.2, np.random.default_rng(0))
    everything = Split(images, digits.target.astype(np.int32))
    return Raw(everything.take(train), everything.take(test), tuple(str(digit) for digit in range(10)))
