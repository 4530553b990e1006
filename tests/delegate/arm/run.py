"""The delegate for ARM under qemu (make test-arm): its C++ tests, then the 64-bit library in a real interpreter.

With --wheel FILE only the latter, with the library of that wheel.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.delegate.arm.sysroot import sysroot
from tests.delegate.build import ROOT, build
from tests.delegate.lce_flatbuffer import pack_signs
from tests.delegate.networks import CHANNELS, SIZE, chain


@dataclass(frozen=True)
class Target:
    """An instruction set: its cross compiler, its emulator, and the processors to be."""

    triple: str
    qemu: str
    processors: tuple[str, ...]

    @property
    def toolchain(self) -> str:
        return f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/delegate/cmake/{self.triple}.cmake"


TARGETS = {
    # One with every extension qemu knows, and an old in-order one.
    "arm64": Target("aarch64-linux-gnu", "qemu-aarch64", ("max", "cortex-a53")),
    "arm32": Target("arm-linux-gnueabihf", "qemu-arm", ("max", "cortex-a7")),
}
TOOLS = {
    tool: package
    for target in TARGETS.values()
    for tool, package in ((target.qemu, "qemu-user"), (f"{target.triple}-g++", f"g++-{target.triple}"))
}


def write_cases(folder: Path) -> None:
    """Models with inputs and the outputs they must give."""
    network = chain()
    x = np.random.default_rng(0).standard_normal((1, SIZE, SIZE, CHANNELS)).astype(np.float32)
    (folder / "chain.tflite").write_bytes(network.model)
    np.savez(folder / "chain.npz", x=x, y=network(x))

    from tests.delegate.test_delegate import batch_norm_model

    rng = np.random.default_rng(1)
    mul, add = rng.standard_normal((2, 40)).astype(np.float32)
    x = rng.standard_normal((2, 3, 5, 40)).astype(np.float32)
    (folder / "batch_norm.tflite").write_bytes(batch_norm_model(mul, add))
    np.savez(folder / "batch_norm.npz", x=x, y=pack_signs((x * mul).astype(np.float32) + add))


def run_cpp_tests() -> Path:
    """Builds for ARM with GCC, runs the C++ tests, and returns the 64-bit library."""
    folders = {}
    for name, target in TARGETS.items():
        folder = folders[name] = build(name, target.toolchain, targets=("tflbnn_tests", "tflbnn_delegate"))
        for processor in target.processors:
            print(f"== C++ tests, {name}, -cpu {processor}", flush=True)
            qemu = [target.qemu, "-cpu", processor, "-L", f"/usr/{target.triple}"]
            if code := subprocess.run([*qemu, folder / "tflbnn_tests", "--quick"]).returncode:
                sys.exit(code)
    return folders["arm64"] / "libtflbnn_delegate.so"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a wheel for aarch64")
    wheel = parser.parse_args().wheel
    for tool, package in TOOLS.items():
        if not shutil.which(tool) and not (wheel and tool != "qemu-aarch64"):
            print(f"This needs {tool}. Install it (Debian: apt-get install {package}).", file=sys.stderr)
            return 2
    root = sysroot()
    library_path = ":".join(f"/usr/lib/aarch64-linux-gnu{part}" for part in ("", "/blas", "/lapack"))
    with tempfile.TemporaryDirectory() as cases:
        if wheel:
            with zipfile.ZipFile(wheel) as archive:
                library = Path(archive.extract("tflbnn/runtime/libtflbnn_delegate.so", cases))
        else:
            library = run_cpp_tests()
        write_cases(Path(cases))
        print("== in an interpreter", flush=True)
        return subprocess.run(
            [
                *("qemu-aarch64", "-cpu", "max", "-L", root, "-E", f"LD_LIBRARY_PATH={library_path}"),
                *("-E", f"PYTHONHOME={root}/usr", "-E", f"PYTHONPATH={root}/usr/lib/python3/dist-packages"),
                root / "usr/bin/python3.11",
                Path(__file__).with_name("in_interpreter.py"),
                library,
                cases,
            ]
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
