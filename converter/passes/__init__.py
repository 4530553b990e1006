"""Rewriting passes on a flatbuffer's graph: one file a pass, the order as data.

A pass is a module with `rewrite(graph) -> (matches, notes)`. It changes the graph in place and leaves it a plain LCE
flatbuffer: builtin operators and LceQuantize, LceDequantize, LceBconv2d, LceBMaxPool2d only.
"""

from __future__ import annotations

import dataclasses

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes import align_batch, open_reshapes, remove_dead

# Removal comes last: whatever a pass replaces is dead.
PASSES = {
    "open_reshapes": open_reshapes,
    "align_batch": align_batch,
    "remove_dead": remove_dead,
}


@dataclasses.dataclass(frozen=True)
class PassReport:
    """What one pass did: how often its pattern matched, and what it says about that."""

    name: str
    matches: int
    notes: tuple[str, ...]


def run(graph: Graph) -> tuple[PassReport, ...]:
    """Runs every pass in order, in place."""
    reports = []
    for name, module in PASSES.items():
        matches, notes = module.rewrite(graph)
        reports.append(PassReport(name, matches, notes))
    return tuple(reports)
