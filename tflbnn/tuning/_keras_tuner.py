"""The one place that loads Keras Tuner: `from tflbnn.tuning._keras_tuner import keras_tuner`.

It imports TensorFlow, which must find Keras 2 chosen by then; it trains nothing itself here.
"""

from __future__ import annotations

import tflbnn._keras  # noqa: F401  (first)
from tflbnn.errors import INSTALL_TRAIN, UserError

try:
    import keras_tuner
    import keras_tuner.src.config
except ModuleNotFoundError as error:
    raise UserError(f"Tuning needs the package {error.name}, which is not installed. {INSTALL_TRAIN}") from error

# The traceback of a failed trial goes into its trial.json; with this switch on, onto the screen as well.
keras_tuner.src.config.DEBUG = False

__all__ = ["keras_tuner"]
