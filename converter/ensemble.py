"""Several models as one flatbuffer: they share what they have in common, and their votes are counted inside.

Subgraph 0 runs all members on one input, then the vote. Every member is a subgraph of its own as well, with a signature
member_01, member_02, ..., whose constants are the same buffers: the runtime can ask them one by one. The file stays a
plain LCE flatbuffer: the vote is made of builtin operators.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter import Conversion, Metadata, convert
from tflbnn.converter.comparison import TOLERANCE
from tflbnn.converter.graph import Graph
from tflbnn.converter.merging import merge, text
from tflbnn.converter.verify import verify as _verify
from tflbnn.ensembles.voting import Rule, member_weights, vote
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.ensemble import read_ensemble
from tflbnn.runtime.metadata import add_metadata, read_metadata


def convert_ensemble(
    models: Sequence[keras.Model],
    rule: Rule,
    weights: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    samples: NDArray[np.float32] | None = None,
    metadata: Metadata | None = None,
    verify: bool = True,
    fail_on_float: bool = False,
) -> Conversion:
    """Converts the members of an ensemble into one file and verifies it.

    Args:
        models: of the same inputs and classes; probabilities come out of them, or regressions (rule "additive").
        rule: how they vote, see `tflbnn.ensembles.voting.vote`; weights: of their votes.
        labels, samples, metadata, verify, fail_on_float: as for `tflbnn.converter.convert`.

    Raises:
        UserError: a member cannot be converted, or members do not fit together.
        VerificationError: a member does not compute what its model does, or the file not what its members say.

    >>> members = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")]) for _ in range(3)]
    >>> Model(convert_ensemble(members, "hard").flatbuffer).signatures
    ['serving_default', 'member_01', 'member_02', 'member_03']
    """
    shares = member_weights(len(models), weights)
    conversions = []
    for number, model in enumerate(models, 1):
        with _naming(number):
            conversions.append(convert(model, verify=False, fail_on_float=fail_on_float))
    merged = merge([conversion.flatbuffer for conversion in conversions], rule, shares.tolist())
    described = metadata or Metadata(name=f"{models[0].name} ensemble")
    if labels is not None:
        described = dataclasses.replace(described, labels=tuple(labels))
    first = conversions[0].report
    versions = read_metadata(conversions[0].flatbuffer).versions
    flatbuffer = add_metadata(merged, dataclasses.replace(described, versions=versions | described.versions))
    verification = verify_ensemble(models, flatbuffer, samples) if verify else None
    rows = tuple(row for conversion in conversions for row in conversion.report.explain)
    return Conversion(flatbuffer, dataclasses.replace(first, explain=rows, verification=verification))


@contextlib.contextmanager
def _naming(number: int) -> Iterator[None]:
    try:
        yield
    except (UserError, VerificationError) as error:
        raise type(error)(f"Member {number}: {error}") from error


def members_of(flatbuffer: bytes) -> list[bytes]:
    """Every member of an ensemble's file as a file of its own.

    Raises:
        UserError: the file is no ensemble.
    """
    ensemble = read_ensemble(flatbuffer)
    if ensemble is None:
        raise UserError("An ensemble's file is needed. Received: a model that is none. Export an ensemble.")
    return [_member(flatbuffer, signature) for signature in ensemble.signatures]


def _member(flatbuffer: bytes, name: str) -> bytes:
    graph = Graph(flatbuffer)
    model = graph.model
    signature = next(found for found in model.signatureDefs if text(found.signatureKey) == name)
    model.subgraphs = [model.subgraphs[signature.subgraphIndex]]
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    model.signatureDefs, model.metadata = [signature], None
    used = sorted({0, *(tensor.buffer for tensor in model.subgraphs[0].tensors)})
    model.buffers = [model.buffers[place] for place in used]
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = used.index(tensor.buffer)
    return graph.pack()


def verify_ensemble(
    models: Sequence[keras.Model], flatbuffer: bytes, samples: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Compares an ensemble's file with the Keras models of its members, one by one, and its votes with theirs.

    Args:
        samples: inputs to verify on, (number, ...); random ones when left out.

    Returns:
        What `tflbnn.converter.verify.verify` gives, of all members together, with members, vote, and same_labels, the
        share of the samples that the Keras members, voting likewise, label as the file does.

    Raises:
        VerificationError: a member does not compute what its model does, or the file not what its members say.
    """
    ensemble, alone = read_ensemble(flatbuffer), members_of(flatbuffer)
    if len(alone) != len(models):
        raise VerificationError(f"The file must have {len(models)} members. Received: {len(alone)}.")
    if samples is None:
        samples = np.random.default_rng(0).standard_normal((8, *models[0].input_shape[1:])).astype(np.float32)
    found, said = [], []
    for number, (model, content) in enumerate(zip(models, alone, strict=True), 1):
        with _naming(number):
            found.append(_verify(model, content, samples))
        with Model(content) as member:
            said.append(member.predict(samples))
    expected = vote(said, ensemble.rule, ensemble.weights)
    with Model(flatbuffer) as whole:
        counted = whole.predict(samples)
    error = float(np.abs(counted - expected).max())
    if not error <= TOLERANCE:
        raise VerificationError(
            f"The file must count its members' votes. Received: a difference of {error:.3g} (at most {TOLERANCE} is "
            "rounding)."
        )
    by_keras = vote([model.predict(samples, verbose=0) for model in models], ensemble.rule, ensemble.weights)
    return {
        **found[0],
        "layers": [
            {**layer, "layer": f"{signature}/{layer['layer']}"}
            for signature, one in zip(ensemble.signatures, found, strict=True)
            for layer in one["layers"]
        ],
        "members": len(models),
        "vote": ensemble.rule,
        "binary_layers": sum(one["binary_layers"] for one in found),
        "ties": sum(one["ties"] for one in found),
        "max_abs_error": max(error, *(one["max_abs_error"] for one in found)),
        "same_labels": float((counted.argmax(axis=1) == by_keras.argmax(axis=1)).mean()),
    }
