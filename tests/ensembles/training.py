"""An ensemble that trains in seconds, and a process that trains it."""

import sys
from pathlib import Path

from tests.training.tiny import RECIPE
from tflbnn.ensembles.settings import Settings

MEMBER = RECIPE.override({"epochs": "2", "execution.precision": "float32"})
# Better than guessing.
LEARNER = MEMBER.override({"samples": "600", "padding": "0", "epochs": "3"})


def main(out: Path, method: str, resume: bool) -> None:
    """Trains it, with a line of output a step, so that the parent knows how far it is."""
    from tflbnn.ensembles.train import train_ensemble

    def tell(number, state) -> None:
        print(number, state.epoch, state.step, flush=True)

    train_ensemble(LEARNER, Settings(method, 2), out, resume=resume, progress=tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], resume=sys.argv[3] == "resume")
