"""Keeps TensorFlow's remarks off standard error."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

REMARK = re.compile(rb"INFO: |I\d{4} |WARNING: All log messages before absl")


@contextlib.contextmanager
def without_remarks() -> Iterator[None]:
    """Within it, TensorFlow's lines of information do not reach standard error; everything else does, at the end.

    TFLite announces its XNNPACK delegate there, and TensorFlow the absence of CUDA, from C++ and without a switch.
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
                if not REMARK.match(line):
                    os.write(2, line)
