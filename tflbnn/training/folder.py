"""The run folder while it is written: who may write it, and what is in it before the first epoch."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tflbnn._files import atomic_write, read_json, readable_errors, write_json
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe

LOCK = ".lock"


def write_history(path: Path, history: list[dict[str, float]], columns: tuple[str, ...]) -> None:
    """One row an epoch, numbers in full, so that they read back as they were; `columns` are the task's."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ("epoch", *columns, "learning_rate", "flip_ratio"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    atomic_write(path, text.getvalue())


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> str:
    """The first field in which two recipes, or two searches, differ, with both values."""
    for key in {**old, **new}:
        a, b = old.get(key), new.get(key)
        if a != b:
            if isinstance(a, dict) and isinstance(b, dict):
                return difference(a, b, f"{prefix}{key}.")
            return f"{prefix}{key}={b}, where it was {a}"
    raise ValueError("they do not differ")


def check(folder: Path, recipe: Recipe, resume: bool) -> bool:
    """Whether a run of this recipe may be written into the folder; True if it is there already, finished.

    Raises:
        UserError: the folder holds something else, or a run where a new one was wanted, or none to resume.
    """
    with readable_errors("read the run folder", folder):
        if folder.exists() and not folder.is_dir():
            raise UserError(f"A run folder must be a folder. Received: {folder}, a file. Choose another --out.")
        content = {path.name for path in folder.iterdir()} - {LOCK} if folder.is_dir() else set()
    if "recipe.json" not in content:
        if resume:
            raise UserError(f"There is no run to resume in {folder}. Leave --resume out to start one there.")
        # Killed before its first file was complete: temporary files only.
        if any(not name.startswith(".") for name in content):
            raise UserError(f"A new run needs a new or empty folder. Received: {folder}. Choose another --out.")
        return False
    finished = "metrics.json" in content
    if not resume:
        state, cure = ("a finished run", "") if finished else ("an unfinished run", "Add --resume to continue it, or c")
        raise UserError(
            f"A new run needs a new or empty folder. Received: {folder}, which holds {state}. "
            f"{cure or 'C'}hoose another --out."
        )
    # With the defaults of fields that recipes had none of when it was written.
    old = Recipe.from_dict(read_json(folder / "recipe.json", "run's recipe")).to_dict()
    if old != recipe.to_dict():
        raise UserError(
            f"A run is resumed with the recipe it was started with. Received: {difference(old, recipe.to_dict())}. "
            "Leave that out, or choose another --out."
        )
    return finished


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other processes from writing a run there; ends with the process, however it ends.

    Raises:
        UserError: another process has it, or it cannot be written.
    """
    with readable_errors("write the run folder", folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _lock(descriptor):
            raise UserError(
                f"A run folder has one writer. Received: {folder}, which another process is writing. "
                "Wait for it, or choose another --out."
            )
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Takes the file's lock, which the operating system drops when the process is gone."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def start(folder: Path, recipe: Recipe, labels: tuple[str, ...], environment: dict[str, Any]) -> None:
    """Writes what is known before the first epoch; recipe.json last, for it makes the folder a run."""
    atomic_write(folder / "labels.txt", "".join(f"{label}\n" for label in labels))
    write_json(folder / "environment.json", environment)
    write_json(folder / "recipe.json", recipe.to_dict())
