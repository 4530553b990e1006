"""Where the Android builds put things, and how they run programs. Run the tools from the repository's root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "android"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tflbnn" / "android"

MIN_SDK = 24  # of the app; the delegate's library runs from 21
DELEGATE_MIN_SDK = 21
TARGET_SDK = 35
LINES = 40  # of what a failed program has said
PAGE = 16384  # devices with Android 15 may have pages of 16 KiB


class BuildError(Exception):
    """Something the user must mend, in one line."""


def require(tool: str, package: str) -> str:
    """The tool's path, or what to install."""
    found = shutil.which(tool)
    if not found:
        raise BuildError(
            f"This needs {tool}. Received: none on the PATH. Install it (Debian: apt-get install {package})"
        )
    return found


def run(*command: str | Path, **options: object) -> str:
    """What a program prints; when it fails, its own words are the message."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}".rstrip().splitlines()
        raise BuildError("\n".join([f"{Path(command[0]).name} failed.", *said[-LINES:]]))
    return done.stdout


def newest(paths: list[Path]) -> float:
    """When the last of these files was changed."""
    return max((path.stat().st_mtime for path in paths), default=0.0)


def up_to_date(target: Path, sources: list[Path]) -> bool:
    return target.exists() and target.stat().st_mtime >= newest(sources)


def main(function: Callable[[], None]) -> None:
    """Runs a tool; errors are one line, and a missing program is told as such."""
    try:
        function()
    except BuildError as error:
        sys.exit(f"android: {error}")
