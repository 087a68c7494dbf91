"""Attention by plain NumPy in float64."""

import numpy as np


def log_sum_exp(x, axis):
    top = x.max(axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis, keepdims=True)) + top


def plan(q, k, iterations, epsilon=1.0):
    """[..., N, M]: one row update, then `iterations` column and row updates."""
    scores = q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) / (np.sqrt(q.shape[-1]) * epsilon)
    n, m = scores.shape[-2:]
    f, g = -log_sum_exp(scores, -1), 0.0
    for _ in range(iterations):
        g = np.log(n / m) - log_sum_exp(scores + f, -2)
        f = -log_sum_exp(scores + g, -1)
    return np.exp(scores + f + g)


def attention(q, k, v, iterations, epsilon=1.0):
    return plan(q, k, iterations, epsilon) @ v.astype(np.float64)


def difference_quotient(function, arrays, index, place, step=1e-5):
    """d function / d arrays[index][place], central."""
    results = []
    for sign in (1, -1):
        moved = [array.copy() for array in arrays]
        moved[index][place] += sign * step
        results.append(function(*moved))
    return (results[0] - results[1]) / (2 * step)
