"""How much a neuron's output changes with its input: Zhu et al., "Binary Ensemble Neural Network" (2019), section 9.

Inputs are x ~ N(0, 1), the perturbation is Δx ~ N(0, σ²), weights are w ~ N(0, σ_w²), and a neuron has |w| of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from tflbnn.errors import UserError

Binarized = Literal["activations", "weights", "both"]


def table7(sigma: float) -> tuple[float, float]:
    """B and R, the variances of sign(x + Δx) − sign(x) and of Δx (table 7).

    The two signs differ where the direction of (x, Δx/σ), which is uniform, lies within atan(σ) of the axis x = 0:
    with probability atan(σ)/π, and then their difference is ±2. So B = 4·atan(σ)/π, and R = σ².

    Args:
        sigma: the standard deviation of the perturbation, in those of the input.

    Raises:
        UserError: sigma is not above 0 and finite.

    >>> [f"{value:.3g}" for value in table7(0.5)]
    ['0.59', '0.25']
    """
    _require_positive("sigma", sigma)
    return 4 * math.atan(sigma) / math.pi, sigma * sigma


def estimate_b(sigma: float, samples: int = 1_000_000, seed: int = 0) -> tuple[float, float]:
    """B(σ) of table 7 by drawing inputs and perturbations: the estimate and its standard error.

    >>> estimate, error = estimate_b(1.0)
    >>> abs(estimate - table7(1.0)[0]) < 5 * error
    True
    """
    _require_positive("sigma", sigma)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(samples)
    flipped = (x + sigma * rng.standard_normal(samples) >= 0) != (x >= 0)
    share = float(flipped.mean())
    return 4 * share, 4 * math.sqrt(share * (1 - share) / samples)


def output_variance(
    sigma: float,
    connections: int,
    sigma_w: float = 1.0,
    binarized: Binarized | None = None,
    members: int = 1,
) -> float:
    """The variance of a neuron's output change, f(x + Δx) − f(x) (9.1 to 9.3).

    Args:
        connections: |w|.
        binarized: what is reduced to its sign; None is the full-precision network, σ_r² = |w|·σ_w²·σ².
        members: K of a bagged ensemble, which has a K-th of the variance.

    >>> output_variance(0.5, 100), round(output_variance(0.5, 100, binarized="both", members=3), 2)
    (25.0, 19.68)
    """
    return layers_variance(sigma, [connections], [sigma_w], binarized) / members


def layers_variance(
    sigma: float, connections: Sequence[int], sigma_w: Sequence[float], binarized: Binarized | None = None
) -> float:
    """The variance that a network of several layers gives to its output's change at most (9.4, theorem 2).

    Args:
        connections: |w_l|, and sigma_w: σ_{w_l}, of each layer.

    >>> layers_variance(0.5, [9, 4], [1.0, 0.5]), layers_variance(0.5, [9, 4], [1.0, 0.5], "weights")
    (2.25, 9.0)
    """
    b, r = table7(sigma)
    for value in sigma_w:
        _require_positive("sigma_w", value)
    product = math.prod(connections)
    if binarized in (None, "activations"):
        product *= math.prod(value * value for value in sigma_w)
    return product * (b if binarized in ("activations", "both") else r)


def members_to_beat_float(sigma: float, sigma_w: float = 1.0, binarized: Binarized = "both") -> int:
    """The least K with which a bagged ensemble's output changes less than the full-precision network's (theorem 1).

    K > B/R where activations are binarized, K > 1/σ_w² where weights are, K > B/(R·σ_w²) where both are.

    >>> [members_to_beat_float(sigma) for sigma in (1.5, 1.0, 0.5, 0.1, 0.01, 0.001)]
    [1, 2, 3, 13, 128, 1274]
    """
    ratio = output_variance(sigma, 1, sigma_w, binarized) / output_variance(sigma, 1, sigma_w)
    return math.floor(ratio) + 1


def simulate(
    sigma: float,
    connections: int,
    sigma_w: float = 1.0,
    binarized: Binarized | None = None,
    members: int = 1,
    samples: int = 20_000,
    seed: int = 0,
) -> float:
    """The same variance as `output_variance`, of neurons whose weights, inputs and perturbations are drawn.

    >>> round(simulate(0.5, 64, binarized="activations") / output_variance(0.5, 64, binarized="activations"), 1)
    1.0
    """
    rng = np.random.default_rng(seed)
    changes = np.empty(samples)
    for start in range(0, samples, 1000):
        size = min(1000, samples - start)
        x = rng.standard_normal((size, connections))
        moved = x + sigma * rng.standard_normal((size, connections))
        if binarized in ("activations", "both"):
            x, moved = np.where(x >= 0, 1.0, -1.0), np.where(moved >= 0, 1.0, -1.0)
        weights = sigma_w * rng.standard_normal((members, size, connections))
        if binarized in ("weights", "both"):
            weights = np.where(weights >= 0, 1.0, -1.0)
        changes[start : start + size] = (weights * (moved - x)).sum(axis=2).mean(axis=0)
    return float(changes.var())


def _require_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise UserError(f"{name} must be above 0 and finite. Received: {value}. Table 7 has 0.001 to 1.5.")
