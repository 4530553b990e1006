"""Builds wheels for every platform on this one, cross-compiling the delegate with Zig (make wheels).

    python delegate/wheels.py [--out dist] [PLATFORM...]

Needs the packages `build` and `ziglang`: pip install 'tflbnn[wheels]'. What Zig compiles of its own libraries it keeps
in ~/.cache/zig; the first time takes a minute or two for each platform.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Platform tags, as those of ai-edge-litert's wheels (2.3), and Zig's targets.
TARGETS = {
    "manylinux_2_27_x86_64": "x86_64-linux-gnu.2.27",
    "manylinux_2_27_aarch64": "aarch64-linux-gnu.2.27",
    "macosx_12_0_arm64": "aarch64-macos.12.0",
    "win_amd64": "x86_64-windows-gnu",
}


def zig() -> Path:
    """The compiler within the package ziglang."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise SystemExit("wheels.py: cross-compiling needs the package ziglang. Run: pip install 'tflbnn[wheels]'")
    return Path(found.origin).with_name("zig.exe" if sys.platform == "win32" else "zig")


def sources(folder: Path) -> Path:
    """The source distribution, unpacked: nothing that was built before is in it."""
    subprocess.run([sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder / "sources", filter="data")
    (unpacked,) = (folder / "sources").iterdir()
    return unpacked


def wheel(platform: str, out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        unpacked = sources(Path(folder))
        options = {
            "CMAKE_TOOLCHAIN_FILE": unpacked / "delegate" / "cmake" / "zig.cmake",
            "TFLBNN_ZIG": zig(),
            "TFLBNN_ZIG_TARGET": TARGETS[platform],
        }
        environment = {
            "TFLBNN_WHEEL_PLATFORM": platform,
            "TFLBNN_CMAKE_OPTIONS": " ".join(f"-D{key}={value}" for key, value in options.items()),
        }
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", out, unpacked]
        subprocess.run(command, check=True, env=os.environ | environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platforms", nargs="*", metavar="PLATFORM", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    if unknown := set(arguments.platforms) - set(TARGETS):
        parser.error(f"unknown platform. Received: {', '.join(unknown)}. Known: {', '.join(TARGETS)}")
    zig()
    for platform in arguments.platforms or TARGETS:
        wheel(platform, arguments.out.resolve())


if __name__ == "__main__":
    main()
