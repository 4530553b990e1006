"""Knowledge distillation: a finished run's network is a teacher, whose outputs are targets beside the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tflbnn._keras import keras, tf
from tflbnn.errors import UserError
from tflbnn.training.losses import softened
from tflbnn.training.run import Run

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.recipes import Loss


class Student(keras.Model):
    """A model that asks its teacher about every batch that it is trained on."""

    teach: Callable[[tf.Tensor], tf.Tensor]

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, Any]:
        x, targets = data
        return super().train_step((x, tf.concat([targets, self.teach(x)], axis=1)))


def student(model: keras.Model, loss: Loss, dataset: Dataset) -> Student:
    """A model of the same layers that learns from the network of the run `loss.teacher`.

    Raises:
        UserError: there is no such finished run, or it was trained on other images or classes.
    """
    run = Run.open(loss.teacher)
    ours = (dataset.input_shape, list(dataset.labels), dataset.normalization)
    if (run.input_shape, run.labels, run.normalization) != ours:
        raise UserError(
            f"A teacher must know the same images and classes. Received: {loss.teacher}, trained on "
            f"{run.recipe.data.name} in {'×'.join(map(str, run.input_shape))}, for {dataset.name} in "
            f"{'×'.join(map(str, dataset.input_shape))}. Train one on these data."
        )
    teacher = run.load_model()
    taught = Student(model.inputs, model.outputs, name=model.name)
    # A function, whose variables are neither trained nor saved with the student's.
    taught.teach = lambda x: tf.stop_gradient(softened(teacher(x, training=False), loss.temperature))
    return taught
