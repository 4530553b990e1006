"""What a run is judged by: accuracy where it classifies, mean average precision where it detects. No TensorFlow here.

History and metrics have it as val_NAME and test_NAME.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Score:
    """A score by its name in files and in text."""

    name: str
    text: str


SCORES = {"classification": Score("accuracy", "accuracy"), "detection": Score("map", "mAP")}


def score_of(values: Mapping[str, Any], prefix: str) -> tuple[Score, float] | None:
    """The score that a row of history ("val") or the metrics ("test") hold, if any.

    >>> score_of({"val_loss": 0.5, "val_map": 0.8}, "val")
    (Score(name='map', text='mAP'), 0.8)
    """
    for score in SCORES.values():
        if f"{prefix}_{score.name}" in values:
            return score, values[f"{prefix}_{score.name}"]
    return None
