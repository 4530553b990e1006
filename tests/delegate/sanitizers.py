"""Runs the delegate's C++ tests under the address, undefined-behaviour and thread sanitizers (make test-fuzz)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.build import build

SANITIZERS = {"address": "address,undefined", "thread": "thread"}


def main() -> int:
    for name, sanitizers in SANITIZERS.items():
        folder = build(name, f"-DTFLBNN_SANITIZE={sanitizers}")
        print(f"== -fsanitize={sanitizers}", flush=True)
        code = subprocess.run([folder / "tflbnn_tests"]).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
