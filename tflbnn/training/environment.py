"""What a run depends on besides its recipe: versions, machine, command."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shlex
import sys
from typing import Any

PACKAGES = ("tensorflow", "tf-keras", "larq", "numpy")


def describe(seed: int) -> dict[str, Any]:
    """The content of environment.json."""
    from tflbnn import __version__

    program = os.path.basename(sys.argv[0]).replace("__main__.py", "tflbnn") or "python"
    return {
        "tflbnn": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "seed": seed,
        "command": shlex.join([program, *sys.argv[1:]]),
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
