"""The runtimes that are compared: Keras, the delegate, LCE's interpreter. Each gives its outputs in one order."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from tests.delegate.interpreters import Network
from tflbnn._keras import keras
from tflbnn.runtime import delegate_path

# LCE's kernels, by what its documentation calls them; the last two are its interpreter's settings for speed.
LCE_SETTINGS: dict[str, dict[str, bool]] = {
    "reference": {"use_reference_bconv": True},
    "default": {},
    "indirect": {"use_indirect_bgemm": True, "use_xnnpack": True},
}


def predict_keras(model: keras.Model, samples: np.ndarray) -> list[np.ndarray]:
    outputs = model(samples, training=False)
    return [output.numpy() for output in (outputs if isinstance(outputs, list) else [outputs])]


def predict_delegate(flatbuffer: bytes, batches: Sequence[np.ndarray], **options: Any) -> list[np.ndarray]:
    """One batch after the other, by an interpreter that is resized between them; `options` of the delegate."""
    network = Network(flatbuffer, **options)
    parts = []
    for batch in batches:
        network.resize(*batch.shape)
        parts.append(network(batch))
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def shapes_without_samples(flatbuffer: bytes, **options: Any) -> list[tuple[int, ...]]:
    """The shapes of the outputs for a batch of none. Not with XNNPACK, whose convolutions make up a shape then."""
    named = {option: str(value) for option, value in options.items()}
    interpreter = litert.Interpreter(
        model_content=flatbuffer,
        experimental_delegates=[litert.load_delegate(str(delegate_path()), named)],
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    details = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(details["index"], [0, *details["shape"][1:]])
    interpreter.allocate_tensors()
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]).shape for output in interpreter.get_output_details()]


class RefusedError(Exception):
    """LCE's interpreter refuses a model; the message is the reason that it prints."""


def predict_lce(flatbuffer: bytes, samples: np.ndarray, **settings: bool) -> list[np.ndarray]:
    """One sample at a time, as LCE's interpreter cannot be resized.

    Raises:
        RefusedError: it cannot prepare or run the model.
    """
    import larq_compute_engine as lce

    # The reason is printed, the exception names a line of C++ only.
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            interpreter: Any = lce.testing.Interpreter(flatbuffer, num_threads=1, **settings).interpreter
            parts = [interpreter.predict([sample[np.newaxis]]) for sample in samples]
        except RuntimeError as error:
            printed.seek(0)
            reason = re.search(r"ERROR: (?:\S+\.cc )?(.*)", printed.read().decode())
            raise RefusedError(reason.group(1) if reason else str(error)) from error
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    """Whether all values are equal; zeros of both signs are."""
    return len(left) == len(right) and all(map(np.array_equal, left, right))
