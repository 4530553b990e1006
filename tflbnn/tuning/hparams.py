"""A search in TensorBoard's HParams tab: `tensorboard --logdir SEARCH`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tflbnn._files import readable_errors
from tflbnn.tuning import results
from tflbnn.tuning.results import Row

FOLDER = "hparams"
METRICS = ("val_accuracy", "latency_ms", "size_bytes", "parameters", "seconds")


def write_hparams(folder: Path, row: Row) -> None:
    """Writes what a trial's settings were and what came of them beside its curves; what was there goes.

    Raises:
        UserError: it cannot be written.
    """
    from tensorboard.plugins.hparams import api

    from tflbnn._keras import tf
    from tflbnn.training.resources import readable_tensorflow_errors

    target = folder / "logs" / FOLDER
    names = results.short_keys(list(row.values))
    with readable_errors("write", target), readable_tensorflow_errors(folder):
        shutil.rmtree(target, ignore_errors=True)
        writer = tf.summary.create_file_writer(str(target))
        with writer.as_default():
            api.hparams({names[key]: _plain(value) for key, value in row.values.items()}, trial_id=f"trial {row.trial}")
            for metric in METRICS:
                value = getattr(row, metric)
                if value is not None:
                    tf.summary.scalar(metric, value, step=max(row.epochs, 1))
        writer.close()


def _plain(value: Any) -> Any:
    """As TensorBoard knows it: a number, a truth or text."""
    return value if isinstance(value, (bool, int, float, str)) else results.text(value)
