"""Keeps TFLite's remarks off standard error, where a command shows progress and errors only."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def without_remarks() -> Iterator[None]:
    """Within it, lines that start with INFO: do not reach standard error; everything else does, at the end.

    TFLite announces its XNNPACK delegate there, from C++, and has no switch for that.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            buffer.seek(0)
            for line in buffer:
                if not line.startswith(b"INFO:"):
                    os.write(2, line)


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
