"""Runs the delegate's C++ tests and its stress test under the address, undefined-behaviour and thread sanitizers
(part of make test-fuzz)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.build import build

SANITIZERS = {"address": "address,undefined", "thread": "thread"}
THREADS, STEPS = "8", "1000"


def main() -> int:
    for name, sanitizers in SANITIZERS.items():
        folder = build(name, f"-DTFLBNN_SANITIZE={sanitizers}", targets=("tflbnn_tests", "tflbnn_stress"))
        for command in ([folder / "tflbnn_tests"], [folder / "tflbnn_stress", THREADS, STEPS]):
            print(f"== {command[0].name} -fsanitize={sanitizers}", flush=True)
            if code := subprocess.run(command).returncode:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
