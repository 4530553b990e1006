"""What happens during fit: the history, the checkpoint, the progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tflbnn._keras import keras
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training import checkpoint
from tflbnn.training.folder import write_history
from tflbnn.training.progress import Progress
from tflbnn.training.schedules import learning_rate


class Recorder(keras.callbacks.Callback):
    """Ends every epoch with a row of history, a checkpoint and history.csv, in this order; stops at a NaN loss.

    A row also has `flip_ratio`, the share of the quantized weights whose sign changed in the epoch: binary training
    has settled when it is small.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        columns: tuple[str, ...],
        history: list[dict[str, float]],
        progress: Callable[[Progress], None] | None,
    ):
        super().__init__()
        self.recipe, self.folder, self.columns, self.history, self.progress = recipe, folder, columns, history, progress
        self.epoch = len(history)
        self.signs: list[np.ndarray] = []

    def _signs(self) -> list[np.ndarray]:
        quantized = [layer for layer in self.model.layers if getattr(layer, "kernel_quantizer", None) is not None]
        return [layer.kernel.numpy() >= 0 for layer in quantized if hasattr(layer, "kernel")]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.signs = self._signs()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch + 1

    def _report(self, step: int, values: dict[str, float], done: bool = False) -> None:
        if self.progress:
            self.progress(Progress(self.epoch, self.recipe.epochs, step, self.params["steps"], values, done))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        if not math.isfinite(logs["loss"]):
            raise UserError(
                f"The loss must stay a number. Received: {logs['loss']} in epoch {self.epoch}, step {batch + 1}. "
                f"Lower optimizer.learning_rate, which is {self.recipe.optimizer.learning_rate:g}."
            )
        self._report(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs, signs = logs or {}, self._signs()
        flipped = sum(int((now != before).sum()) for now, before in zip(signs, self.signs, strict=True))
        self.signs = signs
        row: dict[str, float] = {"epoch": self.epoch}
        row.update({name: float(logs[name]) for name in self.columns})
        row["learning_rate"] = learning_rate(self.recipe, epoch)
        row["flip_ratio"] = flipped / max(1, sum(sign.size for sign in signs))
        self.history.append(row)
        checkpoint.save(self.folder / "checkpoints", self.model, self.history)
        write_history(self.folder / "history.csv", self.history, self.columns)
        self._report(self.params["steps"], row, done=True)
