"""The one place that loads TensorFlow, Keras 2 and Larq: `from tflbnn._keras import keras, lq, tf`.

Larq subclasses Keras 2 layers. TensorFlow hands out Keras 2 (the package tf_keras) only when
TF_USE_LEGACY_KERAS=1 is set before TensorFlow is imported, so it is set here, first.
Importing this module takes seconds; importing `tflbnn` does not import it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator

from tflbnn._remarks import without_remarks
from tflbnn.errors import INSTALL_TRAIN, UserError


def _require_legacy_keras() -> None:
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
    if "tensorflow" in sys.modules and not legacy:
        raise UserError(
            "Larq needs Keras 2, which must be chosen before TensorFlow is imported. Received: TensorFlow already "
            "imported without TF_USE_LEGACY_KERAS=1. Import tflbnn's training parts before tensorflow, or set "
            "TF_USE_LEGACY_KERAS=1 in the environment."
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _require_packages() -> None:
    try:
        numpy = importlib.metadata.version("numpy")
        if int(numpy.split(".")[0]) >= 2:
            raise UserError(f"Larq needs numpy below 2. Received: numpy {numpy}. Run: pip install 'numpy<2'")
        for package in ("tensorflow", "tf_keras", "larq", "larq_compute_engine"):
            importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(
            f"Training and converting need the package {error.name}, which is not installed. {INSTALL_TRAIN}"
        ) from error


_require_packages()
_require_legacy_keras()

with without_remarks():  # about CUDA and oneDNN, which help nobody here
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")

    import larq as lq
    import tf_keras as keras

if tf.keras.Model is not keras.Model:
    raise UserError(
        f"Larq needs Keras 2. Received: TensorFlow with Keras {tf.keras.version()}. "
        "Start Python with TF_USE_LEGACY_KERAS=1 in the environment."
    )


@contextlib.contextmanager
def _quantized_scope(quantize: bool) -> Iterator[bool]:
    """Larq's scope, left by an exception as well.

    Larq's own stays open behind a layer that fails: from then on a network in that thread trains on its signs instead
    of the weights behind them, and saves the signs.
    """
    before = lq.context.should_quantize()
    lq.context._quantized_scope.should_quantize = quantize
    try:
        yield quantize
    finally:
        lq.context._quantized_scope.should_quantize = before


lq.context.quantized_scope = _quantized_scope

__all__ = ["keras", "lq", "tf"]
