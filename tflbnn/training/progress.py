"""What a running training tells about itself."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a training is, told after every step and after every epoch.

    Attributes:
        epoch: the epoch under way or just done, counted from 1.
        epochs: of the whole run.
        step: steps done in this epoch; equal to `steps` when the epoch is done.
        steps: of an epoch.
        values: the epoch's mean loss and accuracy so far; after an epoch its whole row of history.csv.
        done: the epoch has been validated and saved.
        stage: how many stages of this run come after this one; 0 is the run itself.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    values: dict[str, float]
    done: bool = False
    stage: int = 0
