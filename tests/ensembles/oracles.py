"""The boosting methods in plain NumPy, written line by line from their papers, over given weak predictions."""

import numpy as np


def samme_r(probabilities: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Zhu et al. (2009), algorithm 4: the weights before each member and after the last, and Σ h.

    probabilities: (members, examples, classes).
    """
    members, n, K = probabilities.shape
    w = np.ones(n) / n  # 1. initialize
    weights, total = [w], np.zeros((n, K))
    Y = np.array([[1.0 if y[i] == k else -1 / (K - 1) for k in range(K)] for i in range(n)])
    for m in range(members):
        p = np.maximum(probabilities[m].astype(np.float64), np.finfo(np.float64).eps)
        h = np.empty((n, K))
        for k in range(K):  # 2 (c)
            h[:, k] = (K - 1) * (np.log(p[:, k]) - sum(np.log(p[:, j]) for j in range(K)) / K)
        total += h
        w = np.array([w[i] * np.exp(-(K - 1) / K * float(Y[i] @ np.log(p[i]))) for i in range(n)])  # 2 (d)
        w = w / w.sum()  # 2 (e)
        weights.append(w)
    return weights, total


def logitboost(
    regressions: np.ndarray, y: np.ndarray, largest: float
) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Friedman et al. (2000), algorithm 6: responses and weights before each member, and p after the last.

    regressions: f (members, examples, classes).
    """
    members, n, J = regressions.shape
    F, p = np.zeros((n, J)), np.full((n, J), 1 / J)
    coded = np.array([[float(y[i] == j) for j in range(J)] for i in range(n)])
    steps = []
    for m in range(members):
        w = p * (1 - p)  # 2 (a) i
        z = (coded - p) / w
        steps.append((np.clip(z, -largest, largest), w))
        f = regressions[m].astype(np.float64)
        for i in range(n):  # 2 (b)
            F[i] += (J - 1) / J * (f[i] - f[i].sum() / J)
        p = np.exp(F) / np.exp(F).sum(axis=1, keepdims=True)  # 2 (c)
    return steps, p
