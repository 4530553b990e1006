"""tflbnn: train binary neural networks with Keras, convert them to TensorFlow Lite, run them anywhere.

Importing this package loads neither TensorFlow nor Keras; its parts are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_SUBMODULES = (
    "analysis",
    "converter",
    "data",
    "layers",
    "networks",
    "quantizers",
    "recipes",
    "regularizers",
    "runtime",
    "training",
    "tuning",
)

__all__ = ["Binarization", "__version__", *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name == "Binarization":
        return importlib.import_module("tflbnn.binarization").Binarization
    if name in _SUBMODULES:
        return importlib.import_module(f"tflbnn.{name}")
    raise AttributeError(f"module 'tflbnn' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
