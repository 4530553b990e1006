"""Ensembles of binary networks (BENN): trained, understood, and put into one file.

Source: Zhu, Dong, Su, "Binary Ensemble Neural Network: More Bits per Network or More Networks per Bit?" (2019),
https://arxiv.org/abs/1806.07550. Opening an ensemble loads neither TensorFlow nor Keras; training one does.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Bagging", "Boosting", "EnsembleRun"]

_MODULES = {"Bagging": "bagging", "Boosting": "boosting", "EnsembleRun": "run"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        import importlib

        return getattr(importlib.import_module(f"tflbnn.ensembles.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'tflbnn.ensembles' has no attribute '{name}'")
