"""What `tflbnn visualize` drew of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn.analysis.report.blocks import Absent, Block, Intro, Picture, Pictures
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.visualize import FOLDER, ORDER

if TYPE_CHECKING:
    from tflbnn.analysis.report.collect import Source
    from tflbnn.analysis.visualize.drawing import Drawing

TITLE = "What the network learned"

MOST = 32


def gather(source: Source) -> list[Drawing]:
    """The pictures in the run's folder, at most 32."""
    from tflbnn.analysis.visualize.drawing import Drawing

    paths = sorted((source.run.path / FOLDER).glob("*.png"), key=_place)
    return [Drawing.read(path) for path in paths[:MOST]]


def _place(path: Path) -> tuple[int, str]:
    return ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem


def blocks(facts: Facts) -> list[Block]:
    drawings = facts.parts.get("figures")
    if not drawings:
        return [Absent(f"No pictures yet. Draw them with: tflbnn visualize all {facts.folder}")]
    pictures = [Picture(drawing.png, drawing.caption or drawing.title, drawing.title) for drawing in drawings]
    return [Intro("Drawn by tflbnn visualize."), Pictures(pictures)]
