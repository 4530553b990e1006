"""The two interpreters that the delegate must work in, by one name for each."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tflbnn.runtime import delegate_path

RUNTIMES = ("ai-edge-litert", "tensorflow")


def load(runtime: str) -> tuple[Any, Any]:
    """The classes Interpreter and load_delegate."""
    if runtime == "tensorflow":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from tflbnn._keras import tf

        return tf.lite.Interpreter, tf.lite.experimental.load_delegate
    from ai_edge_litert.interpreter import Interpreter, load_delegate

    return Interpreter, load_delegate


class Network:
    """A model in an interpreter with the delegate."""

    def __init__(
        self, model: bytes, runtime: str = RUNTIMES[0], delegate: Any = None, threads: int = 1, **options: Any
    ):
        interpreter, load_delegate = load(runtime)
        named = {name: str(value) for name, value in options.items()}
        self.delegate = delegate or load_delegate(str(delegate_path()), named)
        self.interpreter = interpreter(model_content=model, num_threads=threads, experimental_delegates=[self.delegate])
        self.interpreter.allocate_tensors()

    def resize(self, *shape: int) -> None:
        self.interpreter.resize_tensor_input(self.interpreter.get_input_details()[0]["index"], list(shape))
        self.interpreter.allocate_tensors()

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        for details, value in zip(self.interpreter.get_input_details(), inputs, strict=True):
            self.interpreter.set_tensor(details["index"], value)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(details["index"]) for details in self.interpreter.get_output_details()]
