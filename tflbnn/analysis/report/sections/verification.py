"""What comparing the exported model with Keras found."""

from __future__ import annotations

from typing import Any

from tflbnn.analysis.report.blocks import Absent, Block, Column, Heading, Intro, Pairs, Row, Table
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import cell, flatten

TITLE = "Verification"


def blocks(facts: Facts) -> list[Block]:
    verification = facts.verification
    if not verification:
        return [Absent(f"Not verified: {facts.missing}")]
    good = verification.get("verified") is True
    outcome = "agrees with the trained Keras model" if good else "does NOT agree with the trained Keras model"
    shown: list[Block] = [Intro(f"The exported model {outcome}; the binary layers were compared bit for bit.")]
    whole = [pair for key, value in verification.items() if key != "layers" for pair in flatten(value, str(key))]
    if whole:
        shown.append(Pairs(whole, "Verification as a whole"))
    layers = verification.get("layers")
    layers = [row for row in layers if isinstance(row, dict)] if isinstance(layers, list) else []
    names = list(dict.fromkeys(key for row in layers for key in row))
    if layers:
        headings = [
            Column(str(name).replace("_", " "), "n" if all(_is_number(row.get(name)) for row in layers) else "")
            for name in names
        ]
        rows = [Row([cell(row.get(name)) for name in names]) for row in layers]
        shown += [
            Heading("Layer by layer"),
            Table("Verification layer by layer", headings, rows, headed=False),
        ]
    return shown


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
