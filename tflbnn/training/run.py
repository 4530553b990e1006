"""A run folder, read: what was trained, how it went, where its files are. Reading it loads no TensorFlow."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import math
import os
import re
from pathlib import Path
from typing import Any

from tflbnn._files import read_json, readable_errors
from tflbnn.data import Normalization
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training.scores import score_of


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder that `train` wrote.

    Attributes:
        path: the folder.
        recipe: with every override resolved.
        environment: versions, seed, the command that started it.
        history: a row an epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy, learning_rate, flip_ratio;
            val_map in the place of both accuracies where objects are detected.
        metrics: test_accuracy (of many classes also test_top5_accuracy) or test_map, test_loss, parameters,
            input_shape, resized, normalization, weights_sha256; empty while the run is unfinished.
        labels: the classes' names.
    """

    path: Path
    recipe: Recipe
    environment: dict[str, Any]
    history: list[dict[str, float]]
    metrics: dict[str, Any]
    labels: list[str]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Reads a run folder, finished or not.

        Raises:
            UserError: there is none, or one of its files is damaged.
        """
        path = Path(path)
        if not (path / "recipe.json").is_file():
            best = path / "best"  # what a search leaves its best run in
            cure = (
                f"Its best run is {best}" if (best / "recipe.json").is_file() else "Make one with: tflbnn train RECIPE"
            )
            raise UserError(f"A run folder holds recipe.json. Received: {path}, which does not. {cure}")
        finished = (path / "metrics.json").exists()
        return cls(
            path=path,
            recipe=Recipe.from_dict(read_json(path / "recipe.json", "run's recipe")),
            environment=_table(path / "environment.json", "run's environment"),
            history=_history(path / "history.csv"),
            metrics=_metrics(path / "metrics.json") if finished else {},
            labels=_labels(path / "labels.txt"),
        )

    @property
    def finished(self) -> bool:
        """All epochs are trained and the test is done."""
        return bool(self.metrics)

    @property
    def weights(self) -> Path:
        return self.path / "model.weights.h5"

    @property
    def model_tflite(self) -> Path:
        """Where `tflbnn export` puts the flatbuffer."""
        return self.path / "model.tflite"

    @property
    def verification_json(self) -> Path:
        """Where `tflbnn export` puts what it found."""
        return self.path / "verification.json"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images.

        Raises:
            UserError: the run is unfinished.
        """
        return tuple(self._finished_metrics()["input_shape"])

    @property
    def resized(self) -> tuple[int, int]:
        """(height, width) that an image is brought to before the input's window is cut out of its middle.

        Raises:
            UserError: the run is unfinished.
        """
        return tuple(self._finished_metrics().get("resized", self.input_shape[:2]))

    @property
    def normalization(self) -> Normalization:
        """How pixels become what the network sees.

        Raises:
            UserError: the run is unfinished.
        """
        values = self._finished_metrics()["normalization"]
        return Normalization(tuple(values["mean"]), tuple(values["std"]))

    @property
    def start(self) -> dict[str, Any]:
        """What it took of the weights of the stage before, as `tflbnn.training.stages.Start`; empty without one."""
        path = self.path / "pretraining.json"
        return _table(path, "start of the run") if path.exists() else {}

    def require_finished(self) -> None:
        """Raises UserError where the run is unfinished."""
        self._finished_metrics()

    def _finished_metrics(self) -> dict[str, Any]:
        if not self.finished:
            raise UserError(
                f"The run must be finished. Received: {self.path}, after {len(self.history)} of {self.recipe.epochs} "
                f"epochs. Continue it with: tflbnn train {self.recipe.name} --resume --out {self.path}"
            )
        return self.metrics

    def load_model(self) -> Any:
        """The trained Keras model, not compiled. Loads TensorFlow.

        The network is built from the recipe; the file gives numbers only, and only if it is the one that was saved.

        Raises:
            UserError: the run is unfinished, or the weights are missing, changed, or of another network.
        """
        metrics = self._finished_metrics()
        with readable_errors("read the weights", self.weights):
            digest = hashlib.sha256(self.weights.read_bytes()).hexdigest()
        if digest != metrics["weights_sha256"]:
            raise UserError(
                f"The weights must be those that the run saved. Received: {self.weights}, whose SHA-256 is not the one "
                "in metrics.json. Restore the file or train again."
            )
        model = self.recipe.network.build(self.input_shape, len(self.labels), self.recipe.binarization)
        try:
            model.load_weights(self.weights)
        except (ValueError, KeyError, OSError) as error:
            raise UserError(
                f"The weights must fit the recipe's network. Received: {self.weights}, which does not. "
                "Restore recipe.json or train again."
            ) from error
        return model


def _table(path: Path, what: str) -> dict[str, Any]:
    value = read_json(path, what)
    if not isinstance(value, dict):
        raise UserError(f"The {what} must be a table. Received: {path}, which is not. Restore it or train again.")
    return value


def _history(path: Path) -> list[dict[str, float]]:
    if not path.exists():  # no epoch has ended
        return []
    try:
        with readable_errors("read the history", path), open(path, encoding="utf-8", newline="") as file:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise UserError(f"The history must hold numbers. Received: {path}, which does not. Train again.") from error
    return [{**row, "epoch": number} for number, row in enumerate(rows, start=1)]


def _labels(path: Path) -> list[str]:
    try:
        with readable_errors("read the labels", path):
            labels = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"The labels must be text. Received: {path}, which is not. Train again.") from error
    if not 2 <= len(labels) <= 65_536:
        raise UserError(f"There must be at least two labels. Received: {path} with {len(labels)}. Train again.")
    return labels


def _metrics(path: Path) -> dict[str, Any]:
    """The metrics, with those parts checked that a model is built from."""
    metrics = _table(path, "run's metrics")
    shape, normalization = metrics.get("input_shape"), metrics.get("normalization")
    valid = (
        isinstance(shape, list)
        and len(shape) == 3
        and all(type(size) is int and 1 <= size <= 4096 for size in shape)
        and _sides(metrics.get("resized", shape[:2]), shape)
        and isinstance(normalization, dict)
        and all(_numbers(normalization.get(name), shape[2]) for name in ("mean", "std"))
        and all(number > 0 for number in normalization["std"])
        and all(_numbers([metrics.get(name)], 1) for name in ("test_loss", "parameters"))
        and (score := score_of(metrics, "test")) is not None
        and _numbers([score[1]], 1)
        and isinstance(metrics.get("weights_sha256"), str)
        and re.fullmatch("[0-9a-f]{64}", metrics["weights_sha256"]) is not None
    )
    if not valid:
        raise UserError(f"The run's metrics must be as they were written. Received: {path}. Train again.")
    return metrics


def _sides(sides: Any, shape: list[int]) -> bool:
    return (
        isinstance(sides, list)
        and len(sides) == 2
        and all(type(side) is int and least <= side <= 4096 for side, least in zip(sides, shape, strict=False))
    )


def _numbers(values: Any, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(type(value) in (int, float) and math.isfinite(value) for value in values)
    )
