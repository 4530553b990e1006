"""Builds the delegate's C++ tests with CMake, into folders that are kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build(name: str, *options: str, targets: tuple[str, ...] = ("tflbnn_tests",)) -> Path:
    """Configures and builds into build/delegate-NAME; the folder. What the compiler says goes with the exception."""
    folder = ROOT / "build" / f"delegate-{name}"
    tools = Path(sys.executable).parent  # cmake and ninja of the virtual environment
    cmake = tools / "cmake" if (tools / "cmake").exists() else "cmake"
    ninja = [f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}"] if (tools / "ninja").exists() else []
    settings = ["-DTFLBNN_BUILD_TESTS=ON", "-DTFLBNN_WERROR=ON", *ninja, *options]
    for command in (
        [cmake, "-G", "Ninja", "-S", ROOT / "delegate", "-B", folder, *settings],
        [cmake, "--build", folder, "--target", *targets],
    ):
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{run.stdout}\n{run.stderr}")
    return folder
