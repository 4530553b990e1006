"""Training that finds objects: default boxes as targets, SSD's losses, mean average precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn._keras import keras, tf
from tflbnn.data.augmentation import augment_objects
from tflbnn.detection import AveragePrecision, detect, losses, mean_average_precision
from tflbnn.detection.matching import targets
from tflbnn.training.batches import evaluation_batches
from tflbnn.training.scores import SCORES

if TYPE_CHECKING:
    from tflbnn.data import Dataset, Split
    from tflbnn.recipes import Augmentation, Execution


class Detection:
    """Any number of objects an image.

    Args:
        model: with the outputs "probabilities" and "boxes", and `default_boxes`.
        classes: without the background.
    """

    score = SCORES["detection"]
    columns = ("loss", "val_loss", "val_map")

    def __init__(self, model: keras.Model, classes: int) -> None:
        self.defaults, self.classes = model.default_boxes, classes

    def compile(self, model: keras.Model, optimizer: Any, execution: Execution) -> None:
        model.compile(
            optimizer=optimizer,
            loss={"probabilities": losses.confidence, "boxes": losses.localization},
            jit_compile=execution.jit_compile,
            steps_per_execution=execution.steps_per_execution,
        )
        # What holds variables makes them here, as for classification.
        model.optimizer.build(model.trainable_variables)
        model.compiled_loss.build([tf.zeros((1, *shape[1:])) for shape in model.output_shape])

    def augment(
        self, images: tf.Tensor, y: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return augment_objects(images, y, augmentation, seed)

    def targets(self, y: tf.Tensor) -> dict[str, tf.Tensor]:
        classes, offsets = tf.numpy_function(self._targets, [y], (tf.int32, tf.float32), stateful=False)
        number = len(self.defaults)
        return {
            "probabilities": tf.ensure_shape(classes, (y.shape[0], number)),
            "boxes": tf.ensure_shape(offsets, (y.shape[0], number, 5)),
        }

    def training_pair(self, x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return x, self.targets(y)

    def _targets(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = [targets(self.defaults, objects) for objects in y]
        return np.stack([classes for classes, _ in pairs]), np.stack([offsets for _, offsets in pairs])

    def callbacks(self, dataset: Dataset) -> Sequence[keras.callbacks.Callback]:
        return (_Validation(self, dataset),)

    def test(self, model: keras.Model, dataset: Dataset) -> dict[str, Any]:
        batches = evaluation_batches(dataset.test, dataset.normalization, self)
        loss = model.evaluate(batches, verbose=0, return_dict=True)["loss"]
        found = self.average_precision(model, dataset.test, dataset)
        by_class = zip(dataset.labels, found.all_point, strict=True)
        return {
            "test_map": found.mean,
            "test_map_eleven_point": found.mean_eleven_point,
            "test_average_precision": {label: None if np.isnan(value) else value for label, value in by_class},
            "test_loss": float(loss),
        }

    def average_precision(self, model: keras.Model, split: Split, dataset: Dataset) -> AveragePrecision:
        """Of a part of the data set, at an overlap of one half."""
        detections = []
        for images, _ in evaluation_batches(split, dataset.normalization, self):
            outputs = model.predict_on_batch(images)
            detections += [detect(*image, self.defaults) for image in zip(*outputs, strict=True)]
        return mean_average_precision(detections, split.y, self.classes)


class _Validation(keras.callbacks.Callback):
    """Adds val_map to an epoch's logs, which all callbacks share: it comes before those that read it."""

    def __init__(self, task: Detection, dataset: Dataset) -> None:
        super().__init__()
        self.task, self.dataset = task, dataset

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        logs["val_map"] = self.task.average_precision(self.model, self.dataset.validation, self.dataset).mean
