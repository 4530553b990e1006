"""Reading and writing files so that nothing is ever half-written.

Every file that tflbnn writes goes to a temporary name beside its target, reaches the disk, and is renamed.
A full disk, a read-only folder or a killed process leaves the old file, or none, but no part of a new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tflbnn.errors import UserError


@contextlib.contextmanager
def readable_errors(action: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an operating system's error into one line that says what could not be done to which path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"Cannot {action} {path}: {reason[:1].lower()}{reason[1:]}.") from error


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path in the target's folder; on success it becomes the target, on failure it is removed.

    Raises:
        UserError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(path)
    with readable_errors("write", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        # The suffix is kept: writers such as Keras and matplotlib choose their format by it.
        descriptor, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)  # mkstemp makes the file private; ours is an ordinary one
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes `content` to `path`, or leaves `path` as it was.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> atomic_write(folder / "labels.txt", "zero\\none\\n")
    >>> (folder / "labels.txt").read_text()
    'zero\\none\\n'
    """
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes `value` as indented JSON, atomically."""
    atomic_write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | os.PathLike[str], what: str) -> Any:
    """Reads JSON from `path`; `what` names the file's role in the error.

    Raises:
        UserError: the file is missing, unreadable or not JSON.
    """
    with readable_errors(f"read the {what}", path):
        data = Path(path).read_bytes()
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0]
        raise UserError(f"The {what} must be JSON. Received: {path}, where {detail}. Restore or delete it.") from error
