"""DeepDream: the image that a neuron, a filter, a layer or a class answers to most.

Mordvintsev et al., "Inceptionism: Going Deeper into Neural Networks" (2015), which LTB 3.3 shows its networks with
(figure 5): gradient ascent on the pixels, from noise or from a picture. Each step moves the image a few pixels at
random and back (jitter), so that no pixel grid is favoured; coarse sizes come before fine ones (octaves), so that
there are shapes before there is texture. A binary network's gradient is the one it was trained with, that of its
quantizers, which only estimates how its signs answer: a step may lead down, so the best image on the way is kept.
How far an answer can rise depends on what gives it: a neuron that sees few pixels cannot leave behind what noise does
to it as far as a class or a filter can.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras, tf
from tflbnn.analysis.visualize.objectives import Objective
from tflbnn.data import Normalization
from tflbnn.errors import UserError

# The smallest side of an octave, in pixels: below, nothing but blur is left.
SMALLEST = 8
BATCH = 10  # pictures of noise at once


@dataclasses.dataclass(frozen=True)
class Dream:
    """An image that raises an objective.

    Attributes:
        pixels: uint8 (height, width, channels).
        objective: what was raised.
        value: the objective for these pixels; `start` for those that it began with.
        noise_mean, noise_deviation: of the objective for `noises` pictures of noise of that size.
    """

    pixels: NDArray[np.uint8]
    objective: Objective
    value: float
    start: float
    noise_mean: float
    noise_deviation: float
    noises: int

    @property
    def deviations(self) -> float:
        """How many standard deviations of noise pictures the objective lies above their mean."""
        above = self.value - self.noise_mean
        return above / self.noise_deviation if self.noise_deviation else float(np.sign(above)) * np.inf


def deep_dream(
    model: Any,
    objective: Objective,
    normalization: Normalization,
    *,
    start: NDArray[np.uint8] | None = None,
    size: int | None = None,
    octaves: int = 4,
    octave_scale: float = 1.4,
    steps: int = 32,
    step_size: float = 0.08,
    jitter: int = 2,
    seed: int = 0,
    noises: int = 100,
) -> Dream:
    """Raises an objective by gradient ascent on the pixels.

    Args:
        model: the Keras network.
        objective: what to raise; see `tflbnn.analysis.visualize.Objective.parse`.
        normalization: how pixels become what the network sees.
        start: uint8 (height, width, channels), any size; grey with faint noise when left out.
        size: pixels a side of the result; the network's own size when left out. Another one needs a network without
            dense layers behind a flattening.
        octaves: sizes, each `octave_scale` times the one before; fewer where the first would have less than 8 pixels.
        steps: of each octave.
        step_size: how far a pixel moves in a step on average, in standard deviations of the training images.
        jitter: pixels that the image is moved by at most; less and less in each octave, and none for a neuron.
        seed: of the noise and the jitter.
        noises: pictures of noise, with pixels from 0 to 255 alike, to compare with.

    Raises:
        UserError: an objective that the network has not, or a size that it cannot take.

    >>> from tflbnn import networks
    >>> model = networks.binary_densenet((16, 16, 1), 3, layers=(1,), growth_rate=8, reduction=())
    >>> grey = Normalization((127.5,), (64.0,))
    >>> deep_dream(model, Objective.parse("class:1"), grey, octaves=1, steps=2, noises=4).pixels.shape
    (16, 16, 1)
    """
    if octaves < 1 or octave_scale <= 1:
        raise UserError(f"octaves must be at least 1, and their scale above 1. Received: {octaves}, {octave_scale}.")
    shape = model.input_shape[1:]
    height, width = (size, size) if size else shape[:2]
    measure = _measure(model, objective, (height, width))
    rng = np.random.default_rng(seed)
    low, high = (normalization.apply(np.full((1, 1, 1, shape[2]), value, np.uint8)) for value in (0, 255))
    if start is None:
        start = np.clip(rng.normal(127.5, 8, (height, width, shape[2])), 0, 255).astype(np.uint8)
    begun = best = _fitted(normalization.apply(start[np.newaxis]), (height, width))
    highest = first = float(measure(begun)[0])
    climb = _climb(measure, step_size, (height, width))
    # A neuron has its place in the image, which must not move.
    farthest = 0 if objective.kind == "neuron" else jitter
    for octave in reversed(range(octaves)):
        scale = octave_scale**octave
        if octave and min(height, width) / scale < SMALLEST:
            continue
        image = best
        canvas = coarse = _fitted(image, (round(height / scale), round(width / scale)))
        for step in range(steps):
            reach = round(farthest * (1 - step / steps))  # less and less: answers to bits hang on single pixels
            shift = tf.constant(rng.integers(-reach, reach + 1, 2), tf.int32)
            canvas = tf.clip_by_value(climb(canvas, shift), low, high)
            # What was dreamed is added: the picture keeps its details.
            dreamed = tf.clip_by_value(image + _fitted(canvas - coarse, (height, width)), low, high)
            value = float(measure(dreamed)[0])
            if value > highest:
                best, highest = dreamed, value
    pixels = np.clip(np.rint(best.numpy()[0] * normalization.std + normalization.mean), 0, 255).astype(np.uint8)
    noise = [
        measure(tf.constant(normalization.apply(rng.integers(0, 256, (count, height, width, shape[2]), np.uint8))))
        for count in [BATCH] * (noises // BATCH) + [noises % BATCH] * (noises % BATCH > 0)
    ]
    answers = np.concatenate(noise) if noise else np.zeros(1)
    return Dream(
        pixels=pixels,
        objective=objective,
        value=float(measure(tf.constant(normalization.apply(pixels[np.newaxis])))[0]),
        start=first,
        noise_mean=float(answers.mean()),
        noise_deviation=float(answers.std()),
        noises=noises,
    )


def _measure(model: Any, objective: Objective, size: tuple[int, int]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The objective as a function of normalized images of that size: (batch, height, width, channels) to (batch,)."""
    part = keras.Model(model.inputs, objective.tensor(model))
    seen = _of_size(part, model, size) if size != model.input_shape[1:3] else part
    return tf.function(lambda images: objective.values(seen(images, training=False)), reduce_retracing=True)


def _of_size(part: Any, model: Any, size: tuple[int, int]) -> Any:
    """The same layers for images of another height and width."""
    try:
        image = keras.Input((*size, model.input_shape[3]))
        return keras.models.clone_model(part, image, clone_function=lambda layer: layer)
    except ValueError as error:
        height, width = model.input_shape[1:3]
        raise UserError(
            f"{model.name} sees {height}×{width} pixels only, as a dense layer counts them. Leave the size out."
        ) from error


def _climb(
    measure: Callable[[tf.Tensor], tf.Tensor], step_size: float, size: tuple[int, int]
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """A step upwards. The network sees an octave enlarged to the full size, so that its gradient is a coarse one."""

    @tf.function(reduce_retracing=True)
    def step(canvas: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(canvas)
            value = measure(tf.roll(tf.image.resize(canvas, size), shift, (1, 2)))
        gradient = tape.gradient(value, canvas)
        return canvas + step_size * tf.math.divide_no_nan(gradient, tf.reduce_mean(tf.abs(gradient)))

    return step


def _fitted(images: Any, size: tuple[int, int]) -> tf.Tensor:
    return tf.image.resize(images, size, antialias=True)
