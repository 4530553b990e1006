"""What Bagging and Boosting share: scikit-learn's manner around a recipe and a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from tflbnn.ensembles.run import EnsembleRun
from tflbnn.ensembles.settings import Settings
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe

if TYPE_CHECKING:
    from tflbnn.data import Dataset


class Ensemble(ClassifierMixin, BaseEstimator):
    """What `fit` of either makes.

    Attributes:
        run_: the folder, as `tflbnn.ensembles.EnsembleRun`.
        estimators_: the members' Keras models; they take normalised images.
        estimator_weights_: of their votes.
        classes_: the labels of the columns of `predict_proba`.
    """

    recipe: Recipe
    random_state: int | None
    out: str | os.PathLike[str] | None
    resume: bool

    def _settings(self) -> Settings:
        raise NotImplementedError

    def fit(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Ensemble:
        """Trains all members.

        Args:
            X: images, uint8 (number, height, width, channels); those of the recipe's data set when left out.
            y: labels (number,), whatever sorts.
            validation: images and labels that the best epochs are chosen by; the recipe's share of X when left out.

        Raises:
            UserError: the shapes do not fit, or as `tflbnn.ensembles.train.train_ensemble`.
        """
        from tflbnn import data
        from tflbnn.ensembles.train import train_ensemble

        recipe = self.recipe if self.random_state is None else self.recipe.replace("seed", int(self.random_state))
        if X is None:
            dataset = data.load(recipe.data)
            self.classes_ = np.arange(dataset.classes)
        else:
            dataset, self.classes_ = _dataset(recipe, X, y, validation)
        out = self.out
        if out is None:
            self._folder = tempfile.TemporaryDirectory(prefix="tflbnn-ensemble-")  # as long as this object
            out = Path(self._folder.name) / "run"
        n_jobs = getattr(self, "n_jobs", 1)
        resume = self.resume and EnsembleRun.is_one(out)
        self.run_ = train_ensemble(
            recipe, self._settings(), out, resume=resume, dataset=dataset, n_jobs=1 if n_jobs is None else n_jobs
        )
        self.estimators_ = self.run_.load_models()
        self.estimator_weights_ = self.run_.weights
        return self

    def staged_predict_proba(self, X: ArrayLike) -> Iterator[NDArray[np.float64]]:
        """What the first one, two, ... members say together, (images, classes) each; the last is `predict_proba`.

        Args:
            X: images as in `fit`.
        """
        return self._fitted().staged_predict_proba(X, self.estimators_)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities where votes are soft, shares of the votes where they are hard: (images, classes)."""
        *_, last = self.staged_predict_proba(X)
        return last

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The labels (images,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _fitted(self) -> EnsembleRun:
        if not hasattr(self, "run_"):
            raise UserError(f"Call fit before predictions. Received: a {type(self).__name__} that was not fitted.")
        return self.run_


def _dataset(
    recipe: Recipe, X: ArrayLike, y: ArrayLike | None, validation: tuple[ArrayLike, ArrayLike] | None
) -> tuple[Dataset, NDArray[Any]]:
    """The arrays as a data set, whose test images are the validation images: there are no others."""
    from tflbnn.data.dataset import Dataset, Normalization, Raw, Split

    images, labels = _arrays(X, y)
    classes, numbers = np.unique(labels, return_inverse=True)
    names = tuple(map(str, classes))
    if len(classes) < 2:
        raise UserError(f"A classifier needs two classes or more. Received: {len(classes)}.")
    train = Split(images, numbers.astype(np.int32))
    if validation is None:
        divided = Dataset.divide(recipe.data, Raw(train, train, names))
        return Dataset(
            "arrays", divided.train, divided.validation, divided.validation, names, divided.normalization
        ), classes
    held_images, held_labels = _arrays(*validation)
    if not np.isin(held_labels, classes).all():
        raise UserError("Validation labels must be among those of y. Received: others.")
    held_out = Split(held_images, np.searchsorted(classes, held_labels).astype(np.int32))
    return Dataset("arrays", train, held_out, held_out, names, Normalization.of(images)), classes


def _arrays(X: ArrayLike, y: ArrayLike | None) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    images, labels = np.asarray(X), np.asarray(y)
    if images.ndim != 4 or images.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise UserError(
            "Images must be uint8 (number, height, width, channels), with a label each. "
            f"Received: {images.dtype} {images.shape} and labels {labels.shape}."
        )
    return images, labels
