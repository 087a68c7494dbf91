"""Predicted duals as warm starts of other programs' Sinkhorn iterations: POT, OTT-JAX."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._arrays import as_numpy
from ._numbers import whole_number
from ._operator_files import read_layer
from .compiled import CompiledOperator, require_layer

_Array = npt.NDArray[np.float64]
_COSTS = ("dot", "sqeuclidean")


@dataclass(frozen=True)
class WarmStart:
    """Duals of an entropic transport problem between uniform marginals.

    The plan they stand for is P_ij = exp(alpha_i + beta_j - cost_ij / reg). Its columns sum to 1 / M, its rows to
    about 1 / N, as well as the operator predicts. A constant may move from alpha to beta; here both have the same mean.
    """

    alpha: npt.NDArray[np.float64]  #: [N]
    beta: npt.NDArray[np.float64]  #: [M]
    reg: float  #: what the solver must be given for the cost that `warm_start` was given

    def pot(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The logarithms of POT's scalings: `ot.sinkhorn(a, b, cost, start.reg, warmstart=start.pot())`."""
        return self.alpha, self.beta

    def ott(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """OTT-JAX's potentials, for a geometry with `epsilon=start.reg`: `Sinkhorn()(problem, init=start.ott())`."""
        return self.reg * self.alpha, self.reg * self.beta


def _log_sum_exp(x: _Array, axis: int) -> _Array:
    largest = x.max(axis=axis, keepdims=True)
    return np.asarray(np.log(np.exp(x - largest).sum(axis=axis)) + largest.squeeze(axis))


def _row_update(scores: _Array, g: _Array) -> _Array:
    return -_log_sum_exp(scores + g, 1)


def _column_update(scores: _Array, f: _Array) -> _Array:
    return -_log_sum_exp(scores + f[:, None], 0)


@dataclass(frozen=True)
class _Side:
    """Tokens of one side in centred coordinates, and what centring took away."""

    rows: _Array  # [N, D]
    mean: _Array  # [D]


def _centred(tokens: _Array, root: float) -> _Side:
    mean = root * tokens.mean(0)
    return _Side(root * tokens - mean, mean)


def _potential(s: _Array, t: _Array) -> _Array:
    """The exact Kantorovich potential of s for the cost -s t, both uniform on the line."""
    n, m = len(s), len(t)
    order, targets, ends = np.argsort(s, kind="stable"), np.sort(t), np.arange(1, n) * m
    middle = (targets[-(-ends // n) - 1] + targets[ends // n]) / 2
    potential = np.zeros(n)
    potential[order[1:]] = -np.cumsum(np.diff(s[order]) * middle)
    return potential


def _landmark_dual(x: _Side, y: _Side, landmarks: _Array, iterations: int, on_rows: bool) -> _Array:
    """The teacher's loop against the means of the clusters of y around `landmarks`: [P, D]."""
    nearest = np.argmax(y.rows @ landmarks.T - (landmarks**2).sum(1) / 2, axis=1)
    member = (nearest[:, None] == np.unique(nearest)).astype(np.float64)
    sizes = member.sum(0)
    centres = member.T @ y.rows / sizes[:, None]
    scores, g, f = x.rows @ centres.T, centres @ x.mean, x.rows @ y.mean
    for t in range(iterations):
        if t > 0 or on_rows:
            g = _column_update(scores, f)
        f = _row_update(scores, g + np.log(sizes))
    return f


class _Map:
    """The dual map of one head (src/compile/README.md, tests/reference/compiled_operator.py)."""

    def __init__(self, description: dict[str, Any], tensors: dict[str, npt.NDArray[np.float32]], head: int) -> None:
        self.description = description
        self.names = frozenset(description.get("features", ()))
        self.tensors = {name: values[head].astype(np.float64) for name, values in tensors.items()}
        self.corrections = sum(int(name.removeprefix("it:")) for name in self.names if name.startswith("it:"))

    def _features(self, x: _Side, y: _Side, scores: _Array) -> _Array:
        rows: list[_Array] = []
        if not self.names.isdisjoint(("pot", "gau", "lin")):
            s, t = self.tensors["query_slices"] @ x.rows.T, self.tensors["key_slices"] @ y.rows.T
            if "pot" in self.names:
                rows += [_potential(a, b) for a, b in zip(s, t)]
            if "gau" in self.names:
                alpha, beta = (s**2).mean(1), (t**2).mean(1)
                rows += list(-(beta / (1 + np.sqrt(1 + 4 * alpha * beta)))[:, None] * s**2)
            if "lin" in self.names:
                rows += list(s)
        start = y.rows @ x.mean
        if "tilt" in self.names:
            weights = np.exp(start - start.max())
            rows.append(-x.rows @ (weights @ y.rows / weights.sum()))
        if "lse" in self.names:
            rows.append(_row_update(scores, np.zeros(len(y.rows))))
        if "lse0" in self.names:
            rows.append(_row_update(scores, start))
        if "landmarks" in self.tensors:
            iterations, on_rows = self.description["teacher_iterations"], self.description["key_bias"]
            rows.append(_landmark_dual(x, y, self.tensors["landmarks"], iterations, on_rows))
        return np.array(rows).reshape(len(rows), len(x.rows))

    def dual(self, x: _Side, y: _Side, scores: _Array) -> _Array:
        """The predicted dual of the rows of x, up to a constant."""
        features, weights = self._features(x, y, scores), self.tensors["weights"]
        count = len(features)
        f, weights = weights[:count] @ features, weights[count:]
        if "start" in self.names:
            f = _row_update(scores, y.rows @ x.mean)
        differences: list[_Array] = []
        for t in range(1, self.corrections + 1):
            h = _row_update(scores, _column_update(scores, f))
            differences.append(h - f)
            f = h + weights[:t] @ np.array(differences) + weights[t : t + count] @ features
            weights = weights[t + count :]
        return np.asarray(f, dtype=np.float64)


def _points(name: str, array: Any) -> _Array:
    view = as_numpy(name, array)
    if view.ndim != 2 or view.dtype.kind != "f" or 0 in view.shape:
        raise ValueError(f"{name} has shape {list(view.shape)} of {view.dtype}, expected [points, width] of floats")
    if not np.isfinite(view).all():
        raise ValueError(f"{name} has a value that is not finite")
    return np.asarray(view, dtype=np.float64)


def warm_start(
    operator: CompiledOperator, q: Any, k: Any, *, layer: int = 0, head: int = 0, cost: str = "dot"
) -> WarmStart:
    """The duals that an operator predicts for one problem, for `ot.sinkhorn` and `ott.solvers.linear.sinkhorn`.

    Scores of the operator are q kᵀ / (√D ε). They belong to the cost -q kᵀ with reg = √D ε, and, since terms of one side
    are absorbed by the duals, to |q - k|² with reg = 2 √D ε: fit it with `epsilon=reg / D**0.5` or half of that, and with
    as many iterations as the solver will need. The prediction costs its features and one column update.

    Args:
        operator: a map; one that runs Sinkhorn's loop (`features=None` may choose it) predicts nothing.
        q: [N, D], the points of the rows, of mass 1 / N each.
        k: [M, D], those of the columns.
        layer, head: of the operator.
        cost: "dot": -q kᵀ; "sqeuclidean": squared distances.

    Raises:
        ValueError: an argument does not fit, or the layer has no map or has slack.
    """
    require_layer(operator, layer)
    if cost not in _COSTS:
        raise ValueError(f"cost is '{cost}', expected 'dot' or 'sqeuclidean'")
    queries, keys = _points("q", q), _points("k", k)
    description, tensors = read_layer(operator, layer)
    if description.get("slack") or "iterations" in description:
        what = "has slack" if description.get("slack") else "runs Sinkhorn's loop and has no map"
        raise ValueError(f"layer {layer} {what} (hint: name features, as features='gau,lin,tilt,lse')")
    scales, width = tensors["score_scales"], operator.description["head_width"]
    if not 0 <= whole_number("head", head, 0) < len(scales):
        raise ValueError(f"head is {head}, but the operator has {len(scales)}")
    for name, points in (("q", queries), ("k", keys)):
        if points.shape[1] != width:
            raise ValueError(f"{name} has width {points.shape[1]}, but the operator {width}")
    scale = float(scales[head])
    x, y = _centred(queries, scale**0.5), _centred(keys, scale**0.5)
    scores, dual_map = x.rows @ y.rows.T, _Map(description, tensors, head)
    if description["key_bias"]:
        f = _row_update(scores, dual_map.dual(y, x, scores.T))
    else:
        f = dual_map.dual(x, y, scores)
    g = _column_update(scores, f) - np.log(len(keys))
    # From centred scores to the cost.
    alpha, beta = f - x.rows @ y.mean, g - y.rows @ x.mean - x.mean @ y.mean
    if cost == "sqeuclidean":
        alpha, beta = alpha + scale / 2 * (queries**2).sum(1), beta + scale / 2 * (keys**2).sum(1)
    shift = (alpha.mean() - beta.mean()) / 2
    return WarmStart(alpha - shift, beta + shift, (1 if cost == "dot" else 2) / scale)
