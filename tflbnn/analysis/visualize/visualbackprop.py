"""VisualBackProp: which pixels a prediction comes from, without a gradient.

Bojarski et al., "VisualBackProp: efficient visualization of CNNs" (2016), https://arxiv.org/abs/1611.05418, which LTB
3.3 shows its networks with (figure 6). Later layers know what matters, earlier ones where it is: from the deepest
features to the first ones, the mean over the channels is multiplied with the mean of the features before, enlarged
where these are finer.

    m_i = mean over the channels of ReLU(x_i)
    v_n = m_n,  v_i = m_i · enlarge(v_{i+1}),  the picture: enlarge(v_1), divided by its largest value

x_i is what the i-th of n layers sees: every convolution but the first, and the pooling behind the last. A binary
convolution sees the floats whose signs it takes, so that a float network and its binary twins are looked at in the
same places. Enlarging is bilinear; the paper's transposed convolution with ones has a box in the triangle's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import tf
from tflbnn.analysis.visualize import drawing, tensors
from tflbnn.analysis.visualize.subject import Subject
from tflbnn.errors import UserError
from tflbnn.runtime.image import fit, read


def visual_backprop(model: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each pixel contributes.

    Args:
        model: a Keras network whose convolutions see images, such as any of `tflbnn.networks`.
        images: normalized, float32 (batch, height, width, channels).

    Returns:
        float32 (batch, height, width), each picture from 0 to 1; all 0 where nothing in an image is active.

    Raises:
        UserError: the network has one convolution at most, so that there are no features to look at.

    >>> from tflbnn import networks
    >>> model = networks.binary_densenet((16, 16, 1), 3, layers=(1, 1), growth_rate=8)
    >>> visual_backprop(model, np.ones((2, 16, 16, 1), np.float32)).shape
    (2, 16, 16)
    """
    maps = feature_means(model, images)[::-1]
    shown = maps[0]
    for earlier in maps[1:]:
        shown = _normalized(earlier * _enlarge(shown, earlier.shape[1:3]))  # or products of many maps would underflow
    return _normalized(_enlarge(shown, images.shape[1:3])).numpy()[..., 0]


def feature_means(model: Any, images: NDArray[np.float32]) -> list[tf.Tensor]:
    """The maps m of the module's formula, (batch, height, width, 1), each from 0 to 1, from the first to the last."""
    seen = [tensor for _, tensor in tensors.convolution_inputs(model)]
    if not seen:
        raise UserError(f"VisualBackProp needs two convolutions at least. Received: {model.name}.")
    return [
        _normalized(tf.reduce_mean(tf.nn.relu(value), axis=3, keepdims=True))
        for value in tensors.values(model, seen, images)
    ]


def _enlarge(maps: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    return tf.image.resize(maps, size, method="bilinear")


def _normalized(maps: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(maps, tf.reduce_max(maps, axis=(1, 2, 3), keepdims=True))


def draw(subjects: Sequence[Subject], pixels: NDArray[np.uint8], names: Sequence[str]) -> drawing.Drawing:
    """LTB figure 6: for each image the image itself, and of each network its map and both together.

    Args:
        subjects: networks beside each other, such as a float network and its binary twins.
        pixels: (batch, height, width, channels), as the first network sees them; others get them resized.
        names: of the images.
    """
    columns = 1 + 2 * len(subjects)
    figure = drawing.new(max(4.5, 1.65 * columns), 0.45 + 1.85 * len(pixels))
    grid = figure.subplots(len(pixels), columns, squeeze=False)
    for row, image, name in zip(grid, pixels, names, strict=True):
        drawing.panel(row[0], image, name)
    for number, subject in enumerate(subjects):
        seen = np.stack([fit(read(image), *subject.shape) for image in pixels])
        maps, guesses = visual_backprop(subject.model, subject.see(seen)), subject.predict(seen)
        for row, image, shown, guess in zip(grid, seen, maps, guesses, strict=True):
            left, right = row[1 + 2 * number : 3 + 2 * number]
            drawing.panel(left, shown, guess, cmap="inferno", vmin=0, vmax=1)
            drawing.panel(right, composite(image, shown))
    _head(figure, [(subject.name, grid[0][1 + 2 * n], grid[0][2 + 2 * n]) for n, subject in enumerate(subjects)])
    title = "VisualBackProp: where a prediction comes from"
    caption = """LTB figure 6: the image; of each network the pixels that contribute most, with the class it sees
        there; and both together. After Bojarski et al. (2016)."""
    return drawing.Drawing.of(figure, "visualbackprop", title, caption)


def composite(pixels: NDArray[np.uint8], shown: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image (height, width, channels) in grey with its map (height, width) in red upon it: (height, width, 3)."""
    grey = pixels.mean(axis=2, keepdims=True).repeat(3, axis=2)
    strength = np.sqrt(shown)[..., np.newaxis]  # or the fainter parts would not be seen
    return np.rint(0.75 * grey * (1 - strength) + np.float32([235, 40, 30]) * strength).astype(np.uint8)


def _head(figure: drawing.Figure, headings: Sequence[tuple[str, drawing.Axes, drawing.Axes]]) -> None:
    """Writes a name above two columns each."""
    margin = 0.3 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - margin))
    figure.canvas.draw()  # from here on the columns stay where they are
    for name, left, right in headings:
        middle = (left.get_position().x0 + right.get_position().x1) / 2
        figure.text(middle, 1 - margin / 2, name, ha="center", va="center", fontsize=9).set_in_layout(False)
