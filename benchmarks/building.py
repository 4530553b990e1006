"""How long building a network takes, TensorFlow already loaded: the largest of BinaryDenseNet's paper.

python benchmarks/building.py [--network binary_densenet45] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import time

import results

from tflbnn import networks
from tflbnn.cli._quiet import without_remarks

with without_remarks():
    from tflbnn._keras import keras

SEED = 0
SHAPE = (224, 224, 3)


def seconds(name: str) -> float:
    """Of one build, with nothing left from those before."""
    keras.backend.clear_session()
    start = time.perf_counter()
    networks.get(name)(SHAPE)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=networks.NAMES, metavar="NAME", default="binary_densenet45")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(SEED)
    took = [seconds(arguments.network) for _ in range(arguments.rounds)]
    row = {
        "network": arguments.network,
        "first_s": f"{took[0]:.2f}",  # what a user waits for: TensorFlow sets itself up in it
        "median_s": f"{statistics.median(took):.2f}",
        "builds": len(took),
    }
    print(row)
    print(results.write("building", [row | results.provenance(SEED)]).relative_to(results.ROOT))


if __name__ == "__main__":
    main()
