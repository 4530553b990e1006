"""Networks by name. A network is a function (input_shape, classes, binarization, its own knobs) -> Keras model.

Importing this package, listing the networks and reading their signatures load neither TensorFlow nor Keras;
calling one does.

>>> from tflbnn import networks
>>> networks.binary_densenet28.__name__
'binary_densenet28'
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

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
    """One row a network, for `tflbnn list networks`."""
    rows = []
    for name, builder in _BUILDERS.items():
        published = figures(name)
        binary = [figure for figure in published if figure.is_binary]
        twins = [figure for figure in published if not figure.is_binary]
        rows.append(
            {
                "name": name,
                "paper": sys.modules[builder.__module__].PAPER,
                "published size": _sizes(binary),
                "published accuracy": _accuracies(binary),
                "in float32": ", ".join(text for text in (_sizes(twins), _accuracies(twins)) if text != "-") or "-",
            }
        )
    return rows


def _sizes(published: Sequence[Figure]) -> str:
    by_size = sorted((f for f in published if f.size is not None), key=lambda figure: figure.size_bytes)
    return _span([f"{figure.size:g} {figure.unit}" for figure in by_size])


def _accuracies(published: Sequence[Figure]) -> str:
    by_accuracy = sorted((f for f in published if f.top1 is not None), key=lambda figure: figure.top1)
    return _span([f"{figure.top1:g} % {figure.data}" for figure in by_accuracy])


def _span(texts: list[str]) -> str:
    """From the least to the largest."""
    return " to ".join(dict.fromkeys([texts[0], texts[-1]])) if texts else "-"
