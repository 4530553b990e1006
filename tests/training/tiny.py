"""A recipe that trains in a second, and a process that trains it."""

import sys
from pathlib import Path

from tflbnn import recipes

CHANGES = {
    "layers": "1",
    "growth_rate": "8",
    "first_filters": "8",
    "reduction": "",
    "samples": "200",
    "batch_size": "32",
    "padding": "1",
    "epochs": "5",
}
RECIPE = recipes.get("digits").override(CHANGES)


def main(out: Path, resume: bool) -> None:
    """Trains it, with a line of output a step, so that the parent knows how far it is."""
    from tflbnn.training import train

    train(RECIPE, out, resume=resume, progress=lambda progress: print(progress.epoch, progress.step, flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), resume=sys.argv[2] == "resume")
