"""File sizes of tflbnn's converter beside those of larq_compute_engine.convert_keras_model for the same model.

tflbnn's are verified against Keras, metadata included. LCE's converter runs in a child process, which may crash.

    python benchmarks/converter_sizes.py [--network alexnet]
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import results
from delegate_networks import report

from tflbnn.cli._quiet import quiet_status, without_remarks

if TYPE_CHECKING:
    from tflbnn._keras import keras
    from tflbnn.converter.rest import Rest

NAME = "converter_sizes"
SEED = 0
LCE = "larq_compute_engine.convert_keras_model"


def _network(name: str, shape: tuple[int, int, int], classes: int) -> keras.Model:
    from tflbnn import networks

    return networks.get(name)(shape, classes)


def _dense() -> keras.Model:
    from tflbnn import Binarization, layers
    from tflbnn._keras import keras

    image = keras.Input((1024,))
    return keras.Model(image, layers.dense(Binarization(), 64, use_bias=False)(image))


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, the rests that it is converted with, and the bytes that one of them is to stay under."""

    title: str
    make: Callable[[], keras.Model]
    rests: tuple[Rest, ...]
    goal: int


CASES: dict[str, Case] = {
    "lenet": Case("LeNet, 28×28×1", lambda: _network("lenet", (28, 28, 1), 10), ("float32", "int8"), 202_000),
    "dense": Case("QuantDense 1024→64 alone", _dense, ("float32",), 12_000),
    "binary_densenet28": Case(
        "BinaryDenseNet-28, 224×224×3",
        lambda: _network("binary_densenet28", (224, 224, 3), 1000),
        ("float32", "float16", "int8-dynamic", "int8"),
        2_200_000,
    ),
    "alexnet": Case(
        "AlexNet (LTB), 224×224×3",
        lambda: _network("alexnet", (224, 224, 3), 1000),
        ("float32", "float16", "int8-dynamic", "int8"),
        22_000_000,
    ),
}


def build(name: str) -> keras.Model:
    from tflbnn._keras import keras

    keras.utils.set_random_seed(SEED)
    return CASES[name].make()


def sizes(name: str, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of one model."""
    from tflbnn.converter import convert

    case = CASES[name]
    say(f"{case.title}: {LCE}")
    theirs, outcome = lce_size(name)
    rows = [_row(case, LCE, "float32", theirs, theirs, outcome)]
    model = build(name)
    for rest in case.rests:
        say(f"{case.title}: rest {rest}")
        file = convert(model, rest=rest).flatbuffer
        rows.append(_row(case, "tflbnn", rest, len(file), theirs, "verified"))
    return rows


def _row(case: Case, converter: str, rest: str, size: int | None, theirs: int | None, outcome: str) -> dict[str, Any]:
    return {
        "model": case.title,
        "converter": converter,
        "rest": rest,
        "bytes": "" if size is None else size,
        "share_of_lce": f"{size / theirs:.3f}" if size is not None and theirs is not None else "",
        "goal_bytes": case.goal,
        "within_goal": "yes" if size is not None and size < case.goal else "no",
        "outcome": outcome,
    }


def lce_size(name: str) -> tuple[int | None, str]:
    """The size of LCE's file, None if there is none, and what became of its process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.tflite"
        command = [sys.executable, __file__, "--lce", name, str(out)]
        child = subprocess.run(command, capture_output=True, text=True)
        if child.returncode < 0:
            return None, f"crashes the process (signal {-child.returncode})"
        if child.returncode:
            return None, f"refused: {child.stderr.strip().splitlines()[-1]}"
        return out.stat().st_size, "converted"


def _convert_by_lce(name: str, out: Path) -> None:
    model = build(name)
    import larq_compute_engine as lce  # after tflbnn._keras, which chooses Keras 2 for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras remarks on saving, which is LCE's way
        out.write_bytes(lce.convert_keras_model(model))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=CASES, help="default: all")
    parser.add_argument("--lce", nargs=2, help=argparse.SUPPRESS)  # what a child process does
    arguments = parser.parse_args()
    if arguments.lce:
        _convert_by_lce(arguments.lce[0], Path(arguments.lce[1]))
        return
    rows = []
    with quiet_status("starting") as say, without_remarks():
        for name in arguments.network or CASES:
            rows += sizes(name, say)
    report(NAME, rows)


if __name__ == "__main__":
    results.run(main)
