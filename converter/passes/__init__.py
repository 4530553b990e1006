"""Rewriting passes on a flatbuffer's graph: one file a pass, the order as data.

A pass is a module with `rewrite(graph) -> Matches` and, where its place matters, AFTER: the passes that must have run.
It changes the graph in place and leaves it a plain LCE flatbuffer: builtin operators and LceQuantize, LceDequantize,
LceBconv2d, LceBMaxPool2d only. The tensors that it keeps keep their values.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from tflbnn._files import atomic_write, readable_errors
from tflbnn.converter.graph import Graph
from tflbnn.converter.passes import (
    align_batch,
    binary_conv2d,
    binary_dense,
    binary_transpose_conv,
    merge_constants,
    open_reshapes,
    remove_dead,
)

PASSES: dict[str, ModuleType] = {
    "open_reshapes": open_reshapes,
    "align_batch": align_batch,
    "binary_dense": binary_dense,
    "binary_conv2d": binary_conv2d,
    "binary_transpose_conv": binary_transpose_conv,
    "merge_constants": merge_constants,
    "remove_dead": remove_dead,
}


@dataclasses.dataclass(frozen=True)
class PassReport:
    """What one pass did.

    Attributes:
        matches: how often its pattern matched.
        notes: the tensors that were concerned, or what it says about them.
        missed: where the pattern nearly matched, and why it did not.
    """

    name: str
    matches: int
    notes: tuple[str, ...]
    missed: tuple[tuple[str, str], ...] = ()


def run(
    graph: Graph,
    dump_to: str | os.PathLike[str] | None = None,
    order: Mapping[str, ModuleType] = PASSES,
) -> tuple[PassReport, ...]:
    """Runs every pass in order, in place.

    Args:
        dump_to: a folder that gets the graph as text before the first pass and after each, 00-lowered.txt and so on.
    """
    if dump_to is not None:
        with readable_errors("make the folder", dump_to):
            Path(dump_to).mkdir(parents=True, exist_ok=True)
        _dump(graph, dump_to, 0, "lowered")
    reports = []
    for number, (name, module) in enumerate(order.items(), 1):
        found = module.rewrite(graph)
        reports.append(PassReport(name, len(found.matched), tuple(found.matched), tuple(found.missed)))
        if dump_to is not None:
            _dump(graph, dump_to, number, name)
    return tuple(reports)


def _dump(graph: Graph, folder: str | os.PathLike[str], number: int, name: str) -> None:
    atomic_write(Path(folder) / f"{number:02}-{name}.txt", graph.text())
