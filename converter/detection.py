"""Detectors end with TFLite's own operator, which turns raw outputs into detections: adding it, and verifying it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.comparison import TOLERANCE
from tflbnn.converter.graph import Graph
from tflbnn.detection import PostProcessing, detect
from tflbnn.detection.suppression import difference
from tflbnn.errors import VerificationError
from tflbnn.runtime import Model, post_processing
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.flexmap import write_map

# Thresholds by which an overlap may miss the one of the suppression where rounding decides.
_NUDGES = (0.0, -1e-5, 1e-5)


def append_post_processing(graph: Graph, defaults: NDArray[np.float32], post: PostProcessing) -> None:
    """Puts the operator behind the outputs "probabilities" and "boxes", whose places its own outputs take.

    Args:
        defaults: (boxes, 4), centers and extents.
    """
    signature = graph.model.signatureDefs[0]
    heads = {_text(entry.name): int(entry.tensorIndex) for entry in signature.outputs}
    classes = graph.shape(heads["probabilities"])[-1] - 1
    number = post.max_detections
    operator = schema.OperatorT()
    operator.opcodeIndex = len(graph.model.operatorCodes)
    constant = graph.add_constant("default boxes", np.asarray(defaults, np.float32))
    operator.inputs = np.array([heads["boxes"], heads["probabilities"], constant], np.int32)
    shapes = ((1, number, 4), (1, number), (1, number), (1,))
    operator.outputs = np.array(
        [graph.add_tensor(name, shape) for name, shape in zip(post_processing.OUTPUTS, shapes, strict=True)], np.int32
    )
    operator.customOptions = np.frombuffer(write_map(post_processing.options(classes, post)), np.uint8)
    code = schema.OperatorCodeT()
    code.customCode, code.version = post_processing.OPERATOR.encode(), 1
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    graph.model.operatorCodes.append(code)
    graph.main.operators.append(operator)
    _set_outputs(graph, dict(zip(post_processing.OUTPUTS, operator.outputs, strict=True)))


def raw_outputs(flatbuffer: bytes) -> bytes | None:
    """The file without the operator, which gives what goes into it; None where it has none."""
    graph = Graph(flatbuffer)
    found = graph.of_kind(post_processing.OPERATOR)
    if not found or not graph.model.signatureDefs:
        return None
    boxes, probabilities, _ = found[0].inputs
    graph.main.operators.remove(found[0])
    graph.model.metadata = None  # another file: neither its checksum nor its labels are its own
    _set_outputs(graph, {"probabilities": probabilities, "boxes": boxes})
    return graph.pack()


def verify_post_processing(
    flatbuffer: bytes, raw: bytes, defaults: NDArray[np.float32], samples: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """Compares what the file detects with what `tflbnn.detection.detect` makes of its raw outputs.

    Returns:
        detections, the number of those that were compared, and detections_max_abs_error, of boxes (shares of the
        image) and scores.

    Raises:
        VerificationError: they differ.
    """
    options = Graph(flatbuffer).options(Graph(flatbuffer).of_kind(post_processing.OPERATOR)[0])
    post = PostProcessing(options["nms_score_threshold"], options["nms_iou_threshold"], options["max_detections"])
    with Model(raw) as model:
        heads = model.predict(samples)
    with Model(flatbuffer) as model:
        outputs = model.predict(samples)
    compared, largest = 0, 0.0
    for image, (probabilities, offsets) in enumerate(zip(heads["probabilities"], heads["boxes"], strict=True)):
        found = post_processing.detections(outputs, image)
        errors = []
        for nudge in _NUDGES:
            nudged = PostProcessing(post.score_threshold, post.iou_threshold + nudge, post.max_detections)
            errors.append(difference(found, detect(probabilities, offsets, defaults, nudged)))
            if errors[-1] <= TOLERANCE:
                break
        if not errors[-1] <= TOLERANCE:
            raise VerificationError(
                f"The flatbuffer's detections must be those of its raw outputs. Received: {len(found)} detections in "
                f"sample {image} that differ by {min(errors):.3g} (at most {TOLERANCE} is rounding)."
            )
        compared += len(found)
        largest = max(largest, errors[-1])
    return {"detections": compared, "detections_max_abs_error": largest}


def _set_outputs(graph: Graph, outputs: Mapping[str, int]) -> None:
    graph.main.outputs = np.array(list(outputs.values()), np.int32)
    entries = []
    for name, index in outputs.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, int(index)
        entries.append(entry)
    graph.model.signatureDefs[0].outputs = entries


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
