"""Builds the delegate's C++ tests with CMake, into folders that are kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cmake(*arguments: str | Path) -> None:
    """Runs CMake, that of the virtual environment where there is one; what it says goes with the exception."""
    beside = Path(sys.executable).with_name("cmake")
    command = [beside if beside.exists() else "cmake", *arguments]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{run.stdout}\n{run.stderr}")


def build(name: str, *options: str, targets: tuple[str, ...] = ("tflbnn_tests",)) -> Path:
    """Configures and builds into build/delegate-NAME; the folder."""
    folder = ROOT / "build" / f"delegate-{name}"
    ninja = Path(sys.executable).with_name("ninja")  # of the virtual environment
    program = [f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja.exists() else []
    settings = ["-DTFLBNN_BUILD_TESTS=ON", "-DTFLBNN_WERROR=ON", *program, *options]
    cmake("-G", "Ninja", "-S", ROOT / "delegate", "-B", folder, *settings)
    cmake("--build", folder, "--target", *targets)
    return folder
