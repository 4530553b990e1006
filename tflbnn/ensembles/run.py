"""An ensemble's folder, read: its members, what they say, how they vote. Reading it loads no TensorFlow.

ensemble.json      settings, recipe, the data's SHA-256
environment.json, labels.txt as in a run folder
pretraining/       the run that every member starts from, where the recipe has a stage before
members/01/ ...    run folders, with outputs.npz and member.json: the member's weight and error
metrics.json       written last: accuracies of 1 to K members on the validation and the test images
model.tflite       after export, with verification.json
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn._files import read_json, readable_errors
from tflbnn.data import Normalization
from tflbnn.ensembles.settings import Settings
from tflbnn.ensembles.voting import Rule, rule_of, vote
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training import Run


@dataclasses.dataclass(frozen=True)
class Member:
    """A finished member.

    Attributes:
        number: counted from 1.
        run: its run folder.
        weight: of its votes; 1 where its method weighs none.
        error: its share of mistakes by weight, where it boosts.
        best_epoch: whose weights it has.
    """

    number: int
    run: Run
    weight: float
    error: float | None
    best_epoch: int

    def outputs(self, part: str) -> NDArray[np.float32]:
        """What it says about the images of a part, "train", "validation" or "test": (images, classes).

        Raises:
            UserError: the file is missing or damaged.
        """
        from tflbnn.ensembles.member import OUTPUTS, load_arrays

        arrays = load_arrays(self.run.path / OUTPUTS)
        if part not in arrays:
            raise UserError(f"A member's outputs must have '{part}'. Received: {self.run.path / OUTPUTS}.")
        return arrays[part]


@dataclasses.dataclass(frozen=True)
class EnsembleRun:
    """An ensemble's folder that `tflbnn.ensembles.train.train_ensemble` wrote.

    Attributes:
        members: those that are finished, up to the first that is not.
        metrics: empty while the ensemble is unfinished.
    """

    path: Path
    settings: Settings
    recipe: Recipe
    environment: dict[str, Any]
    labels: list[str]
    members: list[Member]
    metrics: dict[str, Any]

    @staticmethod
    def is_one(path: str | os.PathLike[str]) -> bool:
        """Whether a folder is an ensemble's."""
        return (Path(path) / "ensemble.json").is_file()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> EnsembleRun:
        """Reads an ensemble's folder, finished or not.

        Raises:
            UserError: there is none, or a file is damaged; the message names the member.
        """
        path = Path(path)
        if not cls.is_one(path):
            raise UserError(
                f"An ensemble's folder holds ensemble.json. Received: {path}, which does not. "
                "Make one with: tflbnn ensemble RECIPE"
            )
        described = read_json(path / "ensemble.json", "ensemble")
        if not isinstance(described, dict):
            raise UserError(f"ensemble.json must be a table. Received: {path}. Restore it or train again.")
        settings = Settings.from_dict(described.get("settings"))
        finished = (path / "metrics.json").exists()
        environment = read_json(path / "environment.json", "ensemble's environment")
        labels = path / "labels.txt"
        with readable_errors("read the labels", labels):
            names = labels.read_text(encoding="utf-8").splitlines()
        return cls(
            path=path,
            settings=settings,
            recipe=Recipe.from_dict(described.get("recipe")),
            environment=environment,
            labels=names,
            members=list(_members(path, settings)),
            metrics=read_json(path / "metrics.json", "ensemble's metrics") if finished else {},
        )

    @property
    def finished(self) -> bool:
        """Every member is trained and the votes are counted."""
        return bool(self.metrics)

    @property
    def model_tflite(self) -> Path:
        """Where `tflbnn export` puts the flatbuffer."""
        return self.path / "model.tflite"

    @property
    def verification_json(self) -> Path:
        """Where `tflbnn export` puts what it found."""
        return self.path / "verification.json"

    @property
    def rule(self) -> Rule:
        """How the members vote."""
        return rule_of(self.settings.method, self.settings.voting)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Of the members' votes."""
        return np.array([member.weight for member in self.members])

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        self.require_finished()
        return self.members[0].run.input_shape

    @property
    def normalization(self) -> Normalization:
        """How pixels become what the networks see."""
        self.require_finished()
        return self.members[0].run.normalization

    def require_finished(self) -> None:
        """Raises UserError where the ensemble is unfinished."""
        if not self.finished:
            raise UserError(
                f"The ensemble must be finished. Received: {self.path}, with {len(self.members)} of "
                f"{self.settings.members} members. Continue it with: tflbnn ensemble {self.recipe.name} --resume "
                f"--out {self.path}"
            )

    def outputs(self, part: str) -> NDArray[np.float32]:
        """What all members say about a part of the data: (members, images, classes)."""
        return np.stack([member.outputs(part) for member in self.members])

    def load_models(self) -> list[Any]:
        """The members' Keras models; those of LogitBoost give regressions. Loads TensorFlow.

        Raises:
            UserError: the ensemble is unfinished, or a member's file is damaged; the message names the member.
        """
        from tflbnn._keras import keras

        self.require_finished()
        models = [member.run.load_model() for member in self.members]
        if self.settings.method == "logitboost":
            models = [keras.Model(model.inputs, model.get_layer("logits").output) for model in models]
        return models

    def staged_predict_proba(self, images: ArrayLike, models: list[Any] | None = None) -> Iterator[NDArray[np.float64]]:
        """What the first one, two, ... members say together about images: (images, classes) each.

        Args:
            images: pixels, uint8 (number, height, width, channels).
            models: `load_models()`, where they are at hand.
        """
        x = self.normalization.apply(np.asarray(images))
        outputs = np.stack([model.predict(x, verbose=0) for model in models or self.load_models()])
        for members in range(1, len(outputs) + 1):
            yield vote(outputs[:members], self.rule, self.weights[:members])


def member_folder(path: Path, number: int) -> Path:
    """A member's folder in an ensemble's.

    >>> member_folder(Path("runs/e"), 7).as_posix()
    'runs/e/members/07'
    """
    return path / "members" / f"{number:02}"


def _members(path: Path, settings: Settings) -> Iterator[Member]:
    for number in range(1, settings.members + 1):
        folder = member_folder(path, number)
        if not (folder / "member.json").is_file():
            return
        try:
            run = Run.open(folder)
            run.require_finished()
            described = read_json(folder / "member.json", "member")
            weight, error, best = (described.get(key) for key in ("weight", "error", "best_epoch"))
            known = isinstance(weight, float) and isinstance(error, float | None) and isinstance(best, int)
            if not known or described.get("outputs_sha256") != _sha256(folder / "outputs.npz"):
                raise UserError(f"A member's files must be as they were written. Received: {folder}.")
        except (UserError, AttributeError) as failure:
            raise UserError(
                f"Member {number} of {settings.members} is damaged: {str(failure).rstrip('.')}. "
                f"The others are intact: delete {folder} and continue with --resume --out {path}"
            ) from failure
        yield Member(number, run, weight, error, best)


def _sha256(path: Path) -> str:
    with readable_errors("read the member's outputs", path):
        return hashlib.sha256(path.read_bytes()).hexdigest()
