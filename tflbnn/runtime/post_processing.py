"""TFLite's own operator for detection: its name, options and outputs, and how a model file says that it has it.

Source: tensorflow/lite/kernels/detection_postprocess.cc. It decodes offsets to default boxes, drops unlikely and
overlapping boxes, and gives a fixed number of rows of which the first so many count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.detection.boxes import SCALES
from tflbnn.detection.suppression import Detections, PostProcessing

OPERATOR = "TFLite_Detection_PostProcess"

# Detections or classes.
_MOST = 1 << 15

# The outputs' names as TFLite's metadata for object detectors has them: shapes (1, n, 4), (1, n), (1, n), (1,).
LOCATION, CATEGORY, SCORE, NUMBER = OUTPUTS = ("location", "category", "score", "number of detections")


def options(classes: int, post: PostProcessing) -> dict[str, int | float | bool]:
    """The operator's options: a suppression for each class, as SSD has it.

    >>> options(3, PostProcessing())["num_classes"]
    3
    """
    return {
        "max_detections": post.max_detections,
        "max_classes_per_detection": 1,
        "detections_per_class": post.max_detections,
        "use_regular_nms": True,
        "nms_score_threshold": post.score_threshold,
        "nms_iou_threshold": post.iou_threshold,
        "num_classes": classes,
        **dict(zip(("y_scale", "x_scale", "h_scale", "w_scale"), SCALES, strict=True)),
    }


def check_options(given: Mapping[str, Any]) -> None:
    """Raises ValueError where an option is missing, or not of a kind that TFLite can calculate with."""
    counts = ("max_detections", "max_classes_per_detection", "num_classes")
    numbers = {name: given.get(name) for name in counts}
    numbers["detections_per_class"] = given.get("detections_per_class", 100)
    for name, value in numbers.items():
        if type(value) is not int or not 1 <= value <= _MOST:
            raise ValueError(f"{name}={value}")
    for name in ("y_scale", "x_scale", "h_scale", "w_scale", "nms_score_threshold", "nms_iou_threshold"):
        value = given.get(name)
        least = 0 if name.startswith("nms_") else 1e-6  # a divisor
        if type(value) not in (int, float) or not least <= value <= _MOST:
            raise ValueError(f"{name}={value}")


def threads_for(model: bytes, threads: int) -> int:
    """How many of these threads TFLite itself can have for a model: one, where the operator is in it.

    The operator gives each thread a class and goes on behind the next one: on 2 to classes - 1 threads it never looks
    at one of them. The delegate's threads are its own.

    >>> threads_for(b"... TFLite_Detection_PostProcess ...", 2), threads_for(b"... AVERAGE_POOL_2D ...", 2)
    (1, 2)
    """
    return 1 if OPERATOR.encode() in model else threads


def is_detector(outputs: Mapping[str, tuple[tuple[int | None, ...], Any]]) -> bool:
    """Whether a model's `output_specs` are this operator's."""
    shapes = [shape for shape, _ in outputs.values()]
    if tuple(outputs) != OUTPUTS or [len(shape) for shape in shapes] != [3, 2, 2, 1]:
        return False
    rows = {shape[1] for shape in shapes[:3]}
    return len(rows) == 1 and shapes[0][2] == 4 and all(kind.kind == "f" for _, kind in outputs.values())


def detections(outputs: Mapping[str, NDArray[Any]], image: int = 0) -> Detections:
    """What a model with this operator at its end found in one image of a batch.

    >>> rows = {LOCATION: np.zeros((1, 5, 4)), CATEGORY: np.ones((1, 5)), SCORE: np.ones((1, 5)), NUMBER: np.array([2])}
    >>> detections(rows).classes.tolist()
    [1, 1]
    """
    number = int(np.clip(np.nan_to_num(outputs[NUMBER][image]), 0, len(outputs[SCORE][image])))
    return Detections(
        outputs[LOCATION][image][:number],
        outputs[CATEGORY][image][:number].astype(np.int64),
        outputs[SCORE][image][:number],
    )
