"""From a Keras model to a verified flatbuffer that stock TensorFlow Lite runs with tflbnn's delegate.

>>> from tflbnn.converter import convert
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tflbnn import __version__
from tflbnn._keras import keras
from tflbnn.converter import passes
from tflbnn.converter.detection import append_post_processing
from tflbnn.converter.explain import Explained, require_binary
from tflbnn.converter.explain import explain as _explain
from tflbnn.converter.export import Exported, export
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower as _lower
from tflbnn.converter.passes import PassReport
from tflbnn.converter.verify import verify as _verify
from tflbnn.detection import PostProcessing
from tflbnn.errors import UserError
from tflbnn.runtime.metadata import Metadata, add_metadata

__all__ = ["Conversion", "Exported", "Metadata", "Report", "convert", "export"]

_PACKAGES = ("tensorflow", "tf-keras", "larq", "larq-compute-engine")


@dataclasses.dataclass(frozen=True)
class Report:
    """What the conversion did.

    Attributes:
        explain: what became of every layer.
        passes: what every pass did.
        verification: what `verify` found; None where it was not asked.
    """

    explain: tuple[Explained, ...]
    passes: tuple[PassReport, ...]
    verification: dict[str, Any] | None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A flatbuffer, the bytes of a .tflite file, and how it came about."""

    flatbuffer: bytes
    report: Report


def convert(
    model: keras.Model,
    rest: Literal["float32"] = "float32",
    labels: Sequence[str] | None = None,
    samples: np.ndarray | None = None,
    metadata: Metadata | None = None,
    verify: bool = True,
    fail_on_float: bool = False,
    dump_passes: str | os.PathLike[str] | None = None,
) -> Conversion:
    """Converts a Keras model and verifies the result.

    A model with `default_boxes`, as those of `tflbnn.networks.ssd`, gets TFLite's operator for detection at its end.

    Args:
        model: float32, its inputs' shapes known but for the batch, which becomes 1 (a runtime can resize it).
        rest: what the layers that are not binary compute in; float32 is all there is so far.
        labels: names of the classes, in the order of the output.
        samples: inputs to verify on, (number, ...); of several inputs, a list. Random ones when left out.
        metadata: what else the file says about itself; `labels` take precedence over its own.
        verify: False skips the comparison with Keras.
        fail_on_float: refuse when a layer that was trained on few bits would not run on 1-bit products.
        dump_passes: a folder that gets the graph as text before the first pass and after each.

    Raises:
        UserError: the model cannot be converted; the message names the layer and the cause.
        VerificationError: the flatbuffer does not compute what the model does.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> convert(model, labels=["no", "yes"]).flatbuffer[4:8]
    b'TFL3'
    """
    if rest != "float32":
        raise UserError(f"The rest of a binary network is float32. Received: rest={rest!r}. Leave it out.")
    graph = Graph(_lower(model))
    reports = passes.run(graph, dump_passes)
    rows = _explain(model, graph, reports)
    if fail_on_float:
        require_binary(rows)
    if (defaults := getattr(model, "default_boxes", None)) is not None:
        append_post_processing(graph, defaults, PostProcessing())
    described = metadata or Metadata(name=model.name)
    if labels is not None:
        described = dataclasses.replace(described, labels=tuple(labels))
    versions = {"tflbnn": __version__, **{name: importlib.metadata.version(name) for name in _PACKAGES}}
    described = dataclasses.replace(described, versions=versions | described.versions)
    flatbuffer = add_metadata(graph.pack(), described)
    verification = _verify(model, flatbuffer, samples) if verify else None
    return Conversion(flatbuffer, Report(rows, reports, verification))
