"""What a report shows: plain values, gathered by collect.py and laid out by page.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflbnn.training.scores import score_of

if TYPE_CHECKING:
    import numpy as np

    from tflbnn.analysis.counts import Counts
    from tflbnn.runtime.benchmark import Timing


@dataclasses.dataclass(frozen=True)
class Latency:
    """The exported model with the delegate beside its float twin on XNNPACK, measured in turn in one process."""

    model: Timing
    twin: Timing
    twin_bytes: int
    kernel: str
    threads: int

    @property
    def ratio(self) -> float:
        """How many times faster than its float twin the exported model is."""
        return self.twin.median_ms / self.model.median_ms


@dataclasses.dataclass(frozen=True)
class Confusion:
    """Test images by true class (rows) and predicted class (columns), and what predicted them."""

    matrix: np.ndarray
    source: str

    @property
    def accuracy(self) -> float:
        """The share of the test images that were classified right."""
        return float(self.matrix.trace() / max(self.matrix.sum(), 1))


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything a report shows. None means: not there, and a notice or the section itself says why.

    `parts` is what sections gathered, by their ids.
    """

    folder: Path
    recipe: dict[str, Any]
    environment: dict[str, Any]
    history: list[dict[str, Any]]
    metrics: dict[str, Any]
    labels: list[str]
    commands: list[str]
    model_bytes: int | None = None
    verification: dict[str, Any] | None = None
    counts: Counts | None = None
    twin_counts: Counts | None = None
    confusion: Confusion | None = None
    latency: Latency | None = None
    notices: tuple[str, ...] = ()
    parts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def missing(self) -> str:
        """Why a part that needs a trained or an exported model is missing."""
        if score_of(self.metrics, "test") is None:
            return f"the training has not finished. Continue it with: tflbnn train --resume --out {self.folder}"
        if self.model_bytes is None:
            return f"the run has no model.tflite. Make it with: tflbnn export {self.folder}"
        return "see the notes at the top of this page."
