"""Every network in its smallest form: one layer or block a stage, a tenth of the channels, small images."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.binarization import Binarization

CLASSES = 10
# Of the image, where 32 is too small: a first convolution with a stride of 4 and three poolings leave nothing of it.
SIDES = {"alexnet": 57, "bnnplus_alexnet": 57, "benn_alexnet": 67}
# Knobs by name, from their default; the others stay as they are.
SMALLEST: dict[str, Callable[[Any], Any]] = {
    "blocks": lambda default: (1,) * len(default),
    "layers": lambda default: (1,) * len(default),
    "width": lambda default: 0.1,
}


def smallest_input(name: str) -> tuple[int, int, int]:
    side = SIDES.get(name, 32)
    return side, side, 3


def smallest_knobs(name: str) -> dict[str, Any]:
    parameters = inspect.signature(networks.get(name)).parameters
    return {knob: smallest(parameters[knob].default) for knob, smallest in SMALLEST.items() if knob in parameters}


def smallest(name: str, binarization: Binarization | None = None, **knobs: Any) -> keras.Model:
    """That network, with its own binarization if none is given, and the same weights each time."""
    keras.utils.set_random_seed(1)
    arguments = {} if binarization is None else {"binarization": binarization}
    return networks.get(name)(smallest_input(name), CLASSES, **arguments, **{**smallest_knobs(name), **knobs})
