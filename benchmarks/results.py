"""Result files: where a number comes from stands beside it."""

from __future__ import annotations

import csv
import datetime
import importlib.metadata
import io
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tflbnn import __version__
from tflbnn._files import atomic_write
from tflbnn.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("tensorflow", "tf_keras", "larq", "larq-compute-engine", "ai-edge-litert", "numpy")


def run(main: Callable[[], None]) -> None:
    """Runs a script's main part; errors that the user can mend are one line, Ctrl-C is none."""
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def provenance(seed: int) -> dict[str, Any]:
    """Versions, machine, seed, commit, date and command, as columns."""
    versions = [f"tflbnn {__version__}", f"python {platform.python_version()}"]
    versions += [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
    return {
        "seed": seed,
        "cpu": _cpu(),
        "versions": "; ".join(versions),
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "command": shlex.join(["python", *sys.argv]),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    found = {key.strip(): value.strip() for key, value in fields.items()}
    return found.get("model name") or platform.machine()


def _commit() -> str:
    """The commit, with a + where the working tree differs from it (result files aside)."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    try:
        changed = [line for line in git("status", "--porcelain").splitlines() if "benchmarks/results/" not in line]
        return git("rev-parse", "--short=12", "HEAD").strip() + "+" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write(name: str, rows: Sequence[dict[str, Any]]) -> Path:
    """Writes rows with equal columns to benchmarks/results/NAME.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = RESULTS / f"{name}.csv"
    atomic_write(path, text.getvalue())
    return path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a result file."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
