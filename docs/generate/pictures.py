"""The site's pictures: what quantizers do, drawn by calling them, and the plots that need no trained network."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from tflbnn.binarization import QUANTIZERS, Binarization

# What can be drawn: every quantizer with a class, by the side that it quantizes.
QUANTIZED = [
    (name, side) for name, facts in QUANTIZERS.items() for side in facts.quantizes if getattr(facts, side).name
]
METHODS = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "results" / "methods_fashion_mnist.csv"
FIELDS = {"inputs": "input_quantizer", "weights": "kernel_quantizer"}
SYMBOLS = {"inputs": "x", "weights": "w"}


def picture(name: str, side: str) -> str:
    """Where the plot of a quantizer is on the site."""
    return f"figures/{name}-{side}.png"


def make() -> dict[str, bytes]:
    """Every picture by its path."""
    from tflbnn.analysis.visualize import scaling, sweep, tradeoff

    rng = np.random.default_rng(0)
    x, w = rng.normal(0, 1, (4, 16, 16, 64)), rng.normal(0, 0.05, (3, 3, 64, 32))
    products = scaling.products(x.astype(np.float32), w.astype(np.float32))
    drawings = [
        scaling.draw(products, "inputs from N(0, 1) and weights from N(0, 0.05²)"),
        tradeoff.tradeoff(tradeoff.published(), "networks with the accuracy published on ImageNet"),
        sweep.sweep([sweep.Trained(*settings) for settings in methods()], "a binary LeNet on Fashion-MNIST"),
    ]
    pictures = {f"figures/{drawing.name}.png": drawing.png for drawing in drawings}
    return pictures | {picture(name, side): quantizer_plot(name, side) for name, side in QUANTIZED}


def methods() -> list[tuple[float, str, float]]:
    """t_clip, scaling and test accuracy of the trainings behind LTB figure 4, from their result file.

    >>> (0.5, "none") in {(t_clip, scaling) for t_clip, scaling, _ in methods()}
    True
    """
    scalings = {"": "none", "B": "backward", "FB": "both"}
    with open(METHODS, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [(re.fullmatch(r"t_clip ([\d.]+)(?:, scaling (B|FB))?", row["variant"]), row) for row in rows]
    return [(float(match[1]), scalings[match[2] or ""], float(row["test_accuracy"])) for match, row in found if match]


def values(name: str, side: str, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a quantizer makes of the points, and its gradient there; as weights they are one filter's.

    >>> forward, gradient = values("ste_sign", "inputs", np.array([-2.0, -1.0, 0.0, 1.0]))
    >>> forward.tolist(), gradient.tolist()
    ([-1.0, -1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0])
    """
    from tflbnn import quantizers
    from tflbnn._keras import tf

    fields: dict[str, Any] = {FIELDS[side]: name}
    quantizer = quantizers.build(Binarization(**fields), side)
    x = tf.constant(points.reshape(1, -1, 1, 1) if side == "inputs" else points.reshape(1, 1, -1, 1), tf.float32)
    if hasattr(quantizer, "build"):
        quantizer.build(x.shape)
    if hasattr(quantizer, "start_from"):
        quantizer.start_from(x.numpy())
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quantizer(x)
    gradient = tape.gradient(y, x)
    zeros = np.zeros_like(points)
    return y.numpy().ravel(), zeros if gradient is None else gradient.numpy().ravel()


def quantizer_plot(name: str, side: str) -> bytes:
    """A PNG of forward pass and gradient from -2 to 2."""
    from tflbnn.analysis.visualize import drawing

    points = np.linspace(-2, 2, 1001)
    forward, gradient = values(name, side, points)
    figure = drawing.new(3.6, 2.6)
    axes = figure.subplots()
    symbol = SYMBOLS[side]
    axes.plot(points, forward, color=drawing.COLOURS[0], linewidth=1.6, label=f"q({symbol})")
    axes.plot(points, gradient, color=drawing.COLOURS[1], linewidth=1.4, linestyle="--", label=f"∂q/∂{symbol}")
    drawing.graph(axes, symbol, "", f"{name}, of {side}")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)  # below
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=drawing.DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
