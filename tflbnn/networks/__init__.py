"""Networks by name. A network is a function (input_shape, classes, binarization, its own knobs) -> Keras model.

Importing this package, listing the networks and reading their signatures load neither TensorFlow nor Keras;
calling one does.

>>> from tflbnn import networks
>>> networks.binary_densenet28.__name__
'binary_densenet28'
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tflbnn.analysis.units import short, size
from tflbnn.errors import UserError, nearest
from tflbnn.networks import alexnet as _alexnet
from tflbnn.networks import benn as _benn
from tflbnn.networks import bi_real_net as _bi_real_net
from tflbnn.networks import binary_densenet as _binary_densenet
from tflbnn.networks import bnnplus as _bnnplus
from tflbnn.networks import densenet as _densenet
from tflbnn.networks import inception_bn as _inception_bn
from tflbnn.networks import lenet as _lenet
from tflbnn.networks import meliusnet as _meliusnet
from tflbnn.networks import mobilenet_v3 as _mobilenet_v3
from tflbnn.networks import quicknet as _quicknet
from tflbnn.networks import reactnet as _reactnet
from tflbnn.networks import real_to_binary_net as _real_to_binary_net
from tflbnn.networks import resnet as _resnet
from tflbnn.networks import resnet_e as _resnet_e
from tflbnn.networks import ssd as _ssd
from tflbnn.networks._checks import Figure

# One line a family. Each module has PAPER, FIGURES (what is published of its networks) and NETWORKS (the builders).
_FAMILIES = (
    _lenet,
    _alexnet,
    _inception_bn,
    _resnet,
    _densenet,
    _bnnplus,
    _benn,
    _resnet_e,
    _binary_densenet,
    _meliusnet,
    _bi_real_net,
    _real_to_binary_net,
    _reactnet,
    _quicknet,
    _mobilenet_v3,
    _ssd,
)

_BUILDERS: dict[str, Callable[..., Any]] = {
    builder.__name__: builder for family in _FAMILIES for builder in family.NETWORKS
}
# As attributes, they also take the place of a family's module that has the same name as one of its networks.
globals().update(_BUILDERS)

NAMES = list(_BUILDERS)


def get(name: str) -> Callable[..., Any]:
    """The builder of that name.

    Raises:
        UserError: there is none.

    >>> get("binary_densenet28").__name__
    'binary_densenet28'
    """
    if name not in _BUILDERS:
        raise UserError(f"There is no network '{name}'. {nearest(str(name), NAMES)}")
    return _BUILDERS[name]


def task(name: str) -> str:
    """What that network is for: "classification", one output, or "detection", as `tflbnn.networks.ssd` describes.

    >>> task("binary_densenet28"), task("ssd512_binary_densenet37")
    ('classification', 'detection')
    """
    return getattr(sys.modules[get(name).__module__], "TASK", "classification")


def figures(name: str) -> tuple[Figure, ...]:
    """The sizes and accuracies published for that network; empty when there are none.

    >>> [figure.size for figure in figures("binary_densenet45")]
    [7.4]
    """
    return sys.modules[get(name).__module__].FIGURES.get(name, ())


def table() -> list[dict[str, str]]:
    """One row a network, for `tflbnn list networks`: what is counted of it beside the first figure published of it.

    "settings" are the knobs that this figure's network has and the builder's defaults have not; "in float32" is what is
    published of the float twin.
    """
    counted = json.loads((Path(__file__).parent / "zoo.json").read_text(encoding="utf-8"))
    return [_row(name, counted.get(name, {})) for name in NAMES]


def _row(name: str, counted: dict[str, int]) -> dict[str, str]:
    binary = next((figure for figure in figures(name) if figure.is_binary), None)
    twin = next((figure for figure in figures(name) if not figure.is_binary), None)
    knobs = binary.knobs if binary else {}
    return {
        "name": name,
        "settings": " ".join(f"{key}={value}" for key, value in knobs.items()) or "-",
        "paper": sys.modules[get(name).__module__].PAPER,
        "parameters": short(counted["parameters"]) if counted else "-",
        "size": size(counted["size_bytes"]) if counted else "-",
        "published size": _size(binary) or "-",
        "operations": short(counted["operations"]) if counted else "-",
        "published accuracy": _accuracy(binary) or "-",
        "in float32": ", ".join(text for text in (_size(twin), _accuracy(twin)) if text) or "-",
    }


def _size(figure: Figure | None) -> str:
    return f"{figure.size:g} {figure.unit}" if figure and figure.size is not None else ""


def _accuracy(figure: Figure | None) -> str:
    return f"{figure.top1:g} % {figure.data}" if figure and figure.top1 is not None else ""
