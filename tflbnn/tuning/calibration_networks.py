"""The networks that a device is calibrated with: parts of the zoo, small, in many widths and resolutions.

They are random but always the same, so that a device elsewhere, a phone, measures what is fitted here.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from typing import Any

NETWORKS = 96
SIDES = (8, 16, 28, 32, 48, 64)


@dataclasses.dataclass(frozen=True)
class Specification:
    """A network to measure.

    Attributes:
        name: its file's.
        network: its name among `tflbnn.networks`.
        kind: "binary", or the twin that is "float32" or "int8", converted by TensorFlow's own converter.
        side, channels: of the image.
        downsampling: of its binarization.
        knobs: of its builder.
    """

    name: str
    network: str
    kind: str
    side: int
    channels: int
    downsampling: str
    knobs: dict[str, Any]

    def flatbuffer(self) -> bytes:
        """The network with its first weights, converted."""
        import numpy as np

        from tflbnn import networks
        from tflbnn._keras import keras
        from tflbnn.binarization import Binarization
        from tflbnn.converter import convert
        from tflbnn.tuning.stock import float_flatbuffer, int8_flatbuffer

        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        shape = (self.side, self.side, self.channels)
        binarization = Binarization(downsampling=self.downsampling) if self.kind == "binary" else Binarization.float32()
        model = networks.get(self.network)(shape, 10, binarization, **self.knobs)
        if self.kind == "binary":
            return convert(model, verify=False).flatbuffer
        if self.kind == "float32":
            return float_flatbuffer(model)
        return int8_flatbuffer(model, np.random.default_rng(0).normal(size=(4, *shape)))


def _stages(rng: random.Random, side: int, stem: str) -> int:
    """How many stages an image of that side has pixels for."""
    return min(rng.randint(2, 4), {8: 3, 16: 4}.get(side, 4)) if stem == "cifar" else min(rng.randint(2, 3), 4)


def _dense(rng: random.Random, side: int) -> dict[str, Any]:
    stem = "cifar" if side < 28 else rng.choice(("cifar", "imagenet"))
    stages = _stages(rng, side, stem)
    return {
        "layers": tuple(rng.randint(1, 5) for _ in range(stages)),
        "growth_rate": rng.choice((8, 16, 32, 48, 64, 128)),
        "first_filters": rng.choice((16, 32, 64)),
        "reduction": tuple(rng.choice((1.0, 1.4, 2.0, 2.7)) for _ in range(stages - 1)),
        "stem": stem,
    }


def _residual(rng: random.Random, side: int) -> dict[str, Any]:
    stem = "cifar" if side < 28 else rng.choice(("cifar", "imagenet"))
    stages = _stages(rng, side, stem)
    first = rng.choice((16, 32, 64))
    return {
        "layers": tuple(rng.randint(1, 4) for _ in range(stages)),
        "filters": tuple(first * 2**stage for stage in range(stages)),
        "stem": stem,
    }


def _mobile(rng: random.Random, side: int) -> dict[str, Any]:
    return {"width": rng.choice((0.25, 0.35, 0.5, 0.75, 1.0)), "stem": "cifar" if side < 28 else "imagenet"}


# How often a family is drawn, and its knobs.
_BINARY: dict[str, tuple[int, Callable[[random.Random, int], dict[str, Any]]]] = {
    "binary_densenet": (4, _dense),
    "quicknet": (3, _residual),
    "resnet_e18": (2, _residual),
    "bi_real_net18": (2, _residual),
    "mobilenet_v3_small": (1, _mobile),
}
_TWINS = (
    ("mobilenet_v3_small", "float32", _mobile),
    ("mobilenet_v3_small", "int8", _mobile),
    ("binary_densenet", "float32", _dense),
    ("binary_densenet", "int8", _dense),
    ("resnet_e18", "float32", _residual),
    ("quicknet", "int8", _residual),
)


def specifications(number: int = NETWORKS, seed: int = 1) -> Iterator[Specification]:
    """The networks: three of four binary, the others their twins, each with its own knobs and image.

    >>> next(specifications()).name
    '000-binary_densenet-binary-8'
    """
    rng = random.Random(seed)
    deck = [name for name, (weight, _) in _BINARY.items() for _ in range(weight)]
    binary = number * 3 // 4
    for index in range(number):
        side = SIDES[index % len(SIDES)]
        if index < binary:
            network, kind = deck[index % len(deck)], "binary"
            make = _BINARY[network][1]
        else:
            network, kind, make = _TWINS[(index - binary) % len(_TWINS)]
            side = SIDES[(index - binary + (index - binary) // len(_TWINS)) % len(SIDES)]
        knobs = make(rng, side)
        downsampling = rng.choice(("float32", "float32", "binary"))
        if network.startswith("mobilenet"):
            kind = "float32" if kind == "binary" else kind
        if kind != "binary":
            downsampling = "float32"
        if "reduction" in knobs and downsampling == "binary":
            knobs["reduction"] = (1.0,) * len(knobs["reduction"])
        name = f"{index:03d}-{network}-{kind}-{side}"
        yield Specification(name, network, kind, side, rng.choice((1, 3)), downsampling, knobs)
