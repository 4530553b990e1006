"""How a training is computed on this machine: what "auto" stands for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn import networks
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.recipes import Recipe


def multiplies_bfloat16() -> bool:
    """Whether TensorFlow runs on a processor with matrix instructions for bfloat16 (AMX), and on it alone."""
    from tflbnn._keras import tf

    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    one_dnn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
    return "amx_bf16" in flags and one_dnn and not tf.config.list_physical_devices("GPU")


def precision(recipe: Recipe) -> str:
    """The Keras policy that a recipe's network is trained with.

    "auto" is "mixed_bfloat16" where the products are exact in it and it was measured to be faster: for classifiers
    whose inner layers multiply signs by signs, on a processor with AMX; elsewhere it is "float32".

    Raises:
        UserError: mixed precision for a detector.
    """
    chosen, classifies = recipe.execution.precision, networks.task(recipe.network.name) == "classification"
    if chosen == "mixed_bfloat16" and not classifies:
        raise UserError(
            f"Mixed precision is for classification. Received: execution.precision={chosen} for "
            f"{recipe.network.name}. Set execution.precision=float32."
        )
    if chosen == "auto":
        return "mixed_bfloat16" if classifies and recipe.binarization.is_binary and multiplies_bfloat16() else "float32"
    return chosen


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Layers that are made inside compute with this Keras policy.

    >>> from tflbnn._keras import keras
    >>> with policy("mixed_bfloat16"):
    ...     layer = keras.layers.Dense(3)
    >>> layer.compute_dtype, layer.variable_dtype, keras.layers.Dense(3).compute_dtype
    ('bfloat16', 'float32', 'float32')
    """
    from tflbnn._keras import keras

    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
