"""Training a recipe into a run folder: `train(recipe, "runs/first")` gives a `Run`.

Opening a run with `Run.open` loads neither TensorFlow nor Keras; training does.
"""

from __future__ import annotations

from typing import Any

from tflbnn.training.progress import Progress
from tflbnn.training.run import Run

__all__ = ["Progress", "Run", "train"]


def __getattr__(name: str) -> Any:
    if name == "train":
        from tflbnn.training.fit import train

        return train
    raise AttributeError(f"module 'tflbnn.training' has no attribute '{name}'")
