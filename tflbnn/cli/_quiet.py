"""Standard error without TensorFlow's remarks: a command shows progress and errors there, and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from tflbnn._remarks import without_remarks

__all__ = ["quiet_status", "without_remarks"]


@contextlib.contextmanager
def quiet_status(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error, itself not caught by `without_remarks`; gives the function that changes its text."""
    from rich.console import Console

    with (
        open(os.dup(2), "w", encoding="utf-8") as stream,
        without_remarks(),
        Console(file=stream).status(text) as status,
    ):
        yield status.update
