"""From a Keras model to a verified flatbuffer that stock TensorFlow Lite runs with tflbnn's delegate.

>>> from tflbnn.converter import convert
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
from collections.abc import Sequence
from typing import Any

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
from tflbnn.converter.rest import Rest, RestReport, require_rest
from tflbnn.converter.rest import rewrite as rewrite_rest
from tflbnn.converter.verify import verify as _verify
from tflbnn.detection import PostProcessing
from tflbnn.runtime.metadata import Metadata, add_metadata

__all__ = ["Conversion", "Exported", "Metadata", "Report", "convert", "export"]

_VERIFIED = 8  # samples; ranges are measured on all that are given
_PACKAGES = ("tensorflow", "tf-keras", "larq", "larq-compute-engine")


@dataclasses.dataclass(frozen=True)
class Report:
    """What the conversion did.

    Attributes:
        explain: what became of every layer.
        passes: what every pass did.
        verification: what `verify` found, of a smaller rest before it was made so; None where it was not asked.
        rest: what became of a rest that is not float32.
    """

    explain: tuple[Explained, ...]
    passes: tuple[PassReport, ...]
    verification: dict[str, Any] | None
    rest: RestReport | None = None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """A flatbuffer, the bytes of a .tflite file, and how it came about."""

    flatbuffer: bytes
    report: Report


def convert(
    model: keras.Model,
    rest: Rest = "float32",
    labels: Sequence[str] | None = None,
    samples: np.ndarray | None = None,
    metadata: Metadata | None = None,
    verify: bool = True,
    fail_on_float: bool = False,
    dump_passes: str | os.PathLike[str] | None = None,
    sample_labels: np.ndarray | None = None,
) -> Conversion:
    """Converts a Keras model and verifies the result.

    A model with `default_boxes`, as those of `tflbnn.networks.ssd`, gets TFLite's operator for detection at its end.

    Args:
        model: float32, its inputs' shapes known but for the batch, which becomes 1 (a runtime can resize it).
        rest: what the layers that are not binary are: float32, float16 (their weights stored so), int8 (convolutions
            and dense layers on integers, their ranges measured on `samples`; where `metadata` has a mean and std, the
            input becomes uint8 pixels), or int8-dynamic (weights stored as int8, float inputs).
        labels: names of the classes, in the order of the output.
        samples: inputs to verify and to measure ranges on, (number, ...); of several inputs, a list. Random ones when
            left out.
        metadata: what else the file says about itself; `labels` take precedence over its own.
        verify: False skips the comparison with Keras.
        fail_on_float: refuse when a layer that was trained on few bits would not run on 1-bit products.
        sample_labels: the samples' classes, for the accuracy before and after in the report of the rest.
        dump_passes: a folder that gets the graph as text before the first pass and after each.

    Raises:
        UserError: the model cannot be converted; the message names the layer and the cause.
        VerificationError: the flatbuffer does not compute what the model does.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> convert(model, labels=["no", "yes"]).flatbuffer[4:8]
    b'TFL3'
    """
    require_rest(rest)
    graph = Graph(_lower(model))
    reports = passes.run(graph, dump_passes)
    rows = _explain(model, graph, reports)
    if fail_on_float:
        require_binary(rows)
    described = metadata or Metadata(name=model.name)
    verification = small = None
    arrays = [samples] if isinstance(samples, np.ndarray) else samples
    if rest != "float32":
        plain = graph.pack()
        some = None if arrays is None else [array[:_VERIFIED] for array in arrays]
        verification = _verify(model, plain, some) if verify else None
        graph, small = rewrite_rest(plain, rest, arrays, sample_labels, described.mean, described.std)
        if small.input == "uint8":  # the file normalizes by itself
            described = dataclasses.replace(described, mean=(0.0,), std=(1.0,))
    if (defaults := getattr(model, "default_boxes", None)) is not None:
        append_post_processing(graph, defaults, PostProcessing())
    if labels is not None:
        described = dataclasses.replace(described, labels=tuple(labels))
    versions = {"tflbnn": __version__, **{name: importlib.metadata.version(name) for name in _PACKAGES}}
    described = dataclasses.replace(described, versions=versions | described.versions)
    flatbuffer = add_metadata(graph.pack(), described)
    if rest == "float32" and verify:
        verification = _verify(model, flatbuffer, arrays)
    return Conversion(flatbuffer, Report(rows, reports, verification, small))
