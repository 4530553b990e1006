"""The commands that make the run again."""

from __future__ import annotations

from tflbnn.analysis.report.blocks import Block, Code, Intro
from tflbnn.analysis.report.facts import Facts

TITLE = "How to reproduce"


def blocks(facts: Facts) -> list[Block]:
    return [Intro("In any folder, with the versions listed above:"), Code(facts.commands)]
