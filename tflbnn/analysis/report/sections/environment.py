"""Versions, machine and command of the training."""

from __future__ import annotations

from tflbnn.analysis.report.blocks import Absent, Block, Pairs
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import flatten

TITLE = "Environment"


def blocks(facts: Facts) -> list[Block]:
    if not facts.environment:
        return [Absent("The run folder has no environment.json.")]
    return [Pairs(list(flatten(facts.environment)), "Environment")]
