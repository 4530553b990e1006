"""What is binary in a member, and how wide it is: table 2 of Zhu et al., "Binary Ensemble Neural Network" (2019)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from tflbnn.errors import UserError, nearest

if TYPE_CHECKING:
    from tflbnn.recipes import Recipe

_ALL = {"first": "binary", "last": "binary", "downsampling": "binary"}
_DOREFA = {"pad_values": 0.0}

# Fields of Binarization. In all but SB every layer has the bits named.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "SB": {"first": "float32", "last": "float32", "downsampling": "float32"},
    "AB": _ALL,
    "WQB": {**_ALL, "kernel_quantizer": "dorefa"},
    "AQB": {**_ALL, **_DOREFA, "input_quantizer": "dorefa"},
    "IB": {**_ALL, "first": "binary_weights"},
}
WIDTHS = {"": 1.0, "Tiny": 0.5, "Nano": 0.1}
NAMES = tuple(f"{name}{'-' if width else ''}{width}" for name in CONFIGURATIONS for width in WIDTHS)


def configure(recipe: Recipe, name: str, bits: int = 2) -> Recipe:
    """The recipe with a configuration of table 2, such as "SB", "AB-Tiny" or "AQB-Nano".

    - SB: the first and the last layer are 32-bit. AB: all layers are 1-bit.
    - WQB: all weights have Q bits, activations 1. AQB: all activations have Q bits, weights 1.
    - IB: all is 1-bit but the first layer's activations.
    - Tiny has half the channels of every layer, Nano a tenth.

    Args:
        bits: Q.

    Raises:
        UserError: there is no such configuration, or the network has no width to vary.

    >>> from tflbnn import recipes
    >>> nano = configure(recipes.get("fashion-mnist-nin"), "AB-Nano")
    >>> nano.binarization.first, nano.network.knobs["width"]
    ('binary', 0.1)
    """
    kind, _, size = name.partition("-")
    kinds = {known.lower(): known for known in CONFIGURATIONS}
    sizes = {known.lower(): known for known in WIDTHS}
    if kind.lower() not in kinds or size.lower() not in sizes:
        raise UserError(f"There is no configuration '{name[:40]}'. {nearest(name, NAMES)}")
    fields = dict(CONFIGURATIONS[kinds[kind.lower()]])
    for side in ("input", "kernel"):
        if f"{side}_quantizer" in fields:
            fields[f"{side}_bits"] = bits
    recipe = dataclasses.replace(recipe, binarization=dataclasses.replace(recipe.binarization, **fields))
    return recipe.replace("network.width", WIDTHS[sizes[size.lower()]]) if size else recipe
