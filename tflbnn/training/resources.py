"""TensorFlow's errors about a full disk and too little memory, as one clear line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tflbnn._keras import tf
from tflbnn.errors import UserError


@contextlib.contextmanager
def readable_tensorflow_errors(folder: Path | None = None) -> Iterator[None]:
    """Turns what TensorFlow says about a lack of memory, or about files in `folder`, into a `UserError`.

    >>> with readable_tensorflow_errors(Path("/run")):
    ...     raise tf.errors.ResourceExhaustedError(None, None, "/run/logs/events; No space left on device [Op:Write]")
    Traceback (most recent call last):
    tflbnn.errors.UserError: Cannot write /run: no space left on device.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # Several lines of "{{node}} path; reason [Op:Name]", or "OOM when allocating tensor with shape[3,3] ...".
        line = error.message.splitlines()[0].rpartition("}} ")[2].partition(" [Op:")[0]
        if folder is not None and str(folder) in line:
            reason = line.partition("; ")[2] or "the file system refuses"
            raise UserError(f"Cannot write {folder}: {reason.lower()}.") from error
        if isinstance(error, tf.errors.ResourceExhaustedError):
            tensor = line.partition("allocating ")[2].partition(" and type")[0] or "more"
            raise UserError(
                f"The network must fit into memory. Received: no memory for a {tensor}. "
                "Lower batch_size, or make the network smaller."
            ) from error
        raise
