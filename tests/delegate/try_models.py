"""Runs every *.tflite of a folder with the delegate, printing one JSON object for each: run in a child process, whose
death tells which model killed it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.interpreters import Network


def outcome(model: bytes) -> str:
    try:
        network = Network(model)
        inputs = [np.ones(d["shape"], d["dtype"]) for d in network.interpreter.get_input_details()]
        network(*inputs)
    except (RuntimeError, ValueError, MemoryError) as error:
        return str(error)
    return ""


def main(folder: str) -> None:
    for path in sorted(Path(folder).glob("*.tflite")):
        print(json.dumps({"started": path.stem}), flush=True)
        print(json.dumps({"name": path.stem, "error": outcome(path.read_bytes())}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
