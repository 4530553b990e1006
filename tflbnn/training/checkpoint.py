"""The state of a training after an epoch: weights, optimizer, history. One rename makes it count.

checkpoints/epoch-00003/ holds state.index and state.data-00000-of-00001 (tf.train.Checkpoint) and epoch.json: the
history, and the SHA-256 of these two.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tflbnn._files import read_json, readable_errors, write_json
from tflbnn._keras import keras, tf
from tflbnn.errors import UserError
from tflbnn.training.resources import readable_tensorflow_errors

Row = dict[str, float]


# The optimizer's moments exist already, so that they are saved and restored: `tflbnn.training.fit.build` made them.
def _checkpoint(model: keras.Model) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(model=model, optimizer=model.optimizer)


def save(folder: Path, model: keras.Model, history: list[Row]) -> None:
    """Saves the state after the epoch that `history` ends with, and drops the one before.

    Raises:
        UserError: it cannot be written; what was there stays.
    """
    target = folder / f"epoch-{len(history):05d}"
    temporary = folder / f".epoch-{len(history):05d}"
    with readable_errors("write the checkpoint", target):
        shutil.rmtree(temporary, ignore_errors=True)  # left by a process that was killed
        temporary.mkdir(parents=True)
        try:
            with readable_tensorflow_errors(folder):
                _checkpoint(model).write(str(temporary / "state"))
            for file in temporary.iterdir():
                with open(file, "rb") as written:
                    os.fsync(written.fileno())
            write_json(temporary / "epoch.json", {"history": history, "sha256": _sums(temporary)})
            shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
        except (OSError, UserError):
            shutil.rmtree(temporary, ignore_errors=True)  # makes room on a full disk
            raise
        for other in folder.glob("epoch-*"):
            if other != target:
                shutil.rmtree(other, ignore_errors=True)


def restore(folder: Path, model: keras.Model) -> list[Row]:
    """Puts the last saved state into the model and its optimizer; gives the history up to there, empty if none.

    Raises:
        UserError: the checkpoint is damaged or of another network.
    """
    saved = sorted(folder.glob("epoch-*"))
    if not saved:
        return []
    last = saved[-1]
    history = _checked(last)
    try:
        _checkpoint(model).read(str(last / "state")).assert_consumed()
    except (tf.errors.OpError, AssertionError, ValueError) as error:
        raise UserError(
            f"The checkpoint must be of this recipe's network. Received: {last}, which is of another. "
            "Delete the run folder and train again."
        ) from error
    return history


def _sums(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("state.*"))}


def _checked(last: Path) -> list[Row]:
    """The history of a checkpoint whose files are as they were written: TensorFlow sees no damaged one."""
    epoch = read_json(last / "epoch.json", "checkpoint's history")
    history = epoch.get("history") if isinstance(epoch, dict) else None
    rows = isinstance(history, list) and all(
        isinstance(row, dict) and all(type(value) in (int, float) for value in row.values()) for row in history
    )
    with readable_errors("read the checkpoint", last):
        whole = rows and epoch.get("sha256") == _sums(last)
    if not whole or last.name != f"epoch-{len(history):05d}":
        raise UserError(
            f"The checkpoint must be as it was written. Received: {last}, which is damaged. "
            "Delete the run folder and train again."
        )
    return history
