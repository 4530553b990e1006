"""How much the accuracy oscillates at the end of a training: Zhu et al. (2019), figure 2 on the right and table 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn.ensembles.voting import Rule, vote
from tflbnn.errors import UserError

STEPS = 20


def deviation(accuracies: ArrayLike) -> float:
    """The standard deviation of the accuracies after the last 20 training steps, in the unit of the accuracies.

    Raises:
        UserError: there are fewer than two.

    >>> deviation([0.75, 1.0, 0.75, 1.0])
    0.125
    """
    values = np.asarray(accuracies, np.float64)[-STEPS:]
    if values.ndim != 1 or len(values) < 2:
        raise UserError(f"A deviation needs the accuracies after two steps or more. Received: {values.shape}.")
    return float(values.std())


def step_accuracies(
    outputs: NDArray[np.floating], y: NDArray[np.integer], rule: Rule, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """The accuracy of an ensemble whose members all stand at the same number of steps before their ends.

    Args:
        outputs: (members, steps, images, classes), as `tflbnn.ensembles.voting.vote` takes them.
        y: labels (images,).

    Returns:
        Of every step, from the first to the last.

    >>> step_accuracies(np.array([[[[0.9, 0.1]], [[0.2, 0.8]]]]), np.array([0]), "mean").tolist()
    [1.0, 0.0]
    """
    return np.array(
        [(vote(outputs[:, step], rule, weights).argmax(axis=1) == y).mean() for step in range(outputs.shape[1])]
    )


def last_steps(
    images: NDArray[np.float32], last_step: int, steps: int, keep: Callable[[NDArray[np.float32]], None]
) -> Any:
    """A Keras callback that looks at what the model says about images after each of the last training steps.

    It must come before what makes an epoch count: one that is repeated after an interruption is looked at anew then.

    Args:
        images: normalised, (number, height, width, channels).
        last_step: the number of the training's last step, counted from 1, epochs before a resumption included.
        steps: how many steps those are, no more than an epoch has.
        keep: called at the end of the last epoch, with (steps, number, classes).
    """
    from tflbnn._keras import keras

    class LastSteps(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.outputs: list[NDArray[np.float32]] = []

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            if int(self.model.optimizer.iterations) > last_step - steps:
                self.outputs.append(np.asarray(self.model.predict_on_batch(images), np.float32))

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            if self.outputs:
                keep(np.stack(self.outputs))

    return LastSteps()
