"""The one place that loads Keras Tuner: `from tflbnn.tuning._keras_tuner import keras_tuner`.

It imports TensorFlow, which must find Keras 2 chosen by then; it trains nothing itself here.
"""

from __future__ import annotations

import tflbnn._keras  # noqa: F401  (first)
from tflbnn.errors import INSTALL_TRAIN, UserError

try:
    import keras_tuner
except ModuleNotFoundError as error:
    raise UserError(f"Tuning needs the package {error.name}, which is not installed. {INSTALL_TRAIN}") from error

__all__ = ["keras_tuner"]
