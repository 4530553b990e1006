"""BatchNorm absorbs scaling (BDN 3.4 and figure 2): what scaled and unscaled binary products look like behind it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import tf
from tflbnn.analysis.visualize import drawing, tensors
from tflbnn.analysis.visualize.subject import Subject
from tflbnn.errors import UserError
from tflbnn.scaling import MagnitudeMap

EPSILON = 1e-5


@dataclasses.dataclass(frozen=True)
class Products:
    """A convolution in three forms, each (batch, height, width, filters): x ∗ w, sign(x) ∗ sign(w), and the latter
    times K·α (BDN eq. 5)."""

    full: NDArray[np.float32]
    binary: NDArray[np.float32]
    scaled: NDArray[np.float32]

    def normalized(self) -> Products:
        """Behind a BatchNorm as it starts: each filter with mean 0 and variance 1."""
        return Products(*(_normalize(getattr(self, field.name)) for field in dataclasses.fields(self)))

    @property
    def errors(self) -> tuple[float, float]:
        """The mean absolute difference from the full-precision product: of the binary one, of the scaled one."""
        return tuple(float(np.abs(form - self.full).mean()) for form in (self.binary, self.scaled))  # type: ignore[return-value]


def products(
    x: NDArray[np.float32], w: NDArray[np.float32], strides: int = 1, dilation_rate: int = 1, padding: str = "same"
) -> Products:
    """The three forms of a convolution, with a border of zeros.

    Args:
        x: (batch, height, width, channels).
        w: (rows, columns, channels, filters), as many rows as columns.

    >>> rng = np.random.default_rng(0)
    >>> found = products(rng.normal(size=(1, 8, 8, 64)).astype("f"), rng.normal(0, 0.1, (3, 3, 64, 8)).astype("f"))
    >>> before, after = found.errors, found.normalized().errors
    >>> before[0] > 5 * before[1], abs(after[0] - after[1]) < 0.1 * after[0]
    (True, True)
    """

    def convolve(values: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(values, kernel, strides, padding.upper(), dilations=dilation_rate)

    binary = convolve(np.where(x >= 0, 1, -1).astype(x.dtype), np.where(w >= 0, 1, -1).astype(w.dtype))
    alpha = np.abs(w).mean(axis=(0, 1, 2))
    magnitude = MagnitudeMap(w.shape[0], strides, dilation_rate, padding=padding)(x)
    return Products(convolve(x, w).numpy(), binary.numpy(), (binary * magnitude * alpha).numpy())


def scaling(subject: Subject, pixels: NDArray[np.uint8], layer: str = "") -> drawing.Drawing:
    """BDN figure 2 of one layer: histograms of the three products, before and behind the normalization.

    Args:
        pixels: (batch, height, width, channels).
        layer: a convolution behind the first one; the first one with inputs of 16 channels at least when left out.

    Raises:
        UserError: there is no such convolution.
    """
    inner = [(found, tensor) for found, tensor in tensors.convolution_inputs(subject.model) if _plain(found)]
    if layer:
        inner = [pair for pair in inner if pair[0] is tensors.find(subject.model, layer)]
    if not inner:
        raise UserError(f"Scaling is shown of a convolution behind the first. Received: {layer or subject.name}.")
    found, tensor = next((pair for pair in inner if pair[1].shape[-1] >= 16), inner[0])
    x = tensors.values(subject.model, [tensor], subject.see(pixels))[0]
    w = np.asarray(getattr(found.kernel, "latent_variable", found.kernel))
    before = products(x, w, found.strides[0], found.dilation_rate[0], found.padding)
    return draw(before, f"{found.name} of {subject.name}")


def draw(before: Products, where: str) -> drawing.Drawing:
    """Figure 2: in the upper row the products, in the lower one what a BatchNorm makes of them."""
    after = before.normalized()
    figure = drawing.new(10, 5.6)
    grid = figure.subplots(2, 3)
    names = ("full precision", "binary", "binary, scaled by K·α")
    for row, (forms, what) in enumerate(((before, "product"), (after, "behind BatchNorm"))):
        for column, (field, name) in enumerate(zip(dataclasses.fields(forms), names, strict=True)):
            axes = grid[row, column]
            values = getattr(forms, field.name)
            axes.hist(values.ravel(), bins=60, color=drawing.COLOURS[column], zorder=2)
            error = f", mean error {forms.errors[column - 1]:.3g}" if column else ""
            drawing.graph(axes, what, "values" if column == 0 else "", f"{name}{error}")
            axes.set_yticks([])
    errors = (before.errors, after.errors)
    title = "BatchNorm absorbs scaling"
    caption = f"""BDN figure 2 with {where}. Above, the products of a convolution: in full precision, of signs, and
        of signs times K·α (BDN eq. 5); below, the same with each filter brought to mean 0 and variance 1, as
        BatchNorm does. Errors are mean absolute differences from full precision: scaling takes {errors[0][0]:.3g}
        to {errors[0][1]:.3g}, behind BatchNorm {errors[1][0]:.3g} to {errors[1][1]:.3g}."""
    return drawing.Drawing.of(figure, "scaling", title, caption)


def _normalize(values: NDArray[np.float32]) -> NDArray[np.float32]:
    axes = (0, 1, 2)
    return (values - values.mean(axes)) / np.sqrt(values.var(axes) + EPSILON)


def _plain(layer: Any) -> bool:
    """An ungrouped convolution with as many rows as columns."""
    kernel = getattr(layer, "kernel", None)
    return kernel is not None and getattr(layer, "groups", 1) == 1 and kernel.shape[0] == kernel.shape[1]
