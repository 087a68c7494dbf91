"""Region-constrained ReLU networks fitted to points, as `relu-fit fit` fits them."""

import json
import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _asap
from ._arrays import vector
from ._errors import NumericalError
from ._numbers import counted


class Segments(NamedTuple):
    """The straight pieces of a network of one input on its interval: knots (x_i, y_i), joined by lines."""

    x: npt.NDArray[np.float64]
    """[pieces + 1], ascending"""
    y: npt.NDArray[np.float64]
    """[pieces + 1]"""


class Network:
    """A ReLU network of one output."""

    def __init__(self, network: _asap.Network) -> None:
        """Use `fit` or `load`."""
        self._network = network

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Network":
        """Reads network.json or network.safetensors of relu-fit. DataError when it is missing or damaged."""
        return cls(_asap.Network.load(os.fsdecode(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .json or .safetensors file that `relu-fit eval`, `export` and `regions` read."""
        self._network.save_to(os.fsdecode(path))

    def __call__(self, x: Any) -> npt.NDArray[np.float64]:
        """The values at x: [n], or [n, inputs] of several inputs. Result: [n]."""
        points = np.ascontiguousarray(x, dtype=np.float64)
        if points.ndim == 1 and self.inputs == 1:
            points = points[:, np.newaxis]
        if points.ndim != 2 or points.shape[1] != self.inputs:
            expected = "[n]" if self.inputs == 1 else f"[n, {self.inputs}]"
            raise ValueError(f"x has shape {list(np.shape(x))}, expected {expected}")
        if not np.isfinite(points).all():
            raise NumericalError("x has a value that is not finite")
        values = np.empty(len(points), np.float64)
        self._network.values(points, values)
        return values

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self._network.inputs

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return self._network.depth

    @property
    def parameters(self) -> int:
        """Number of weights and biases, zeros included."""
        return self._network.parameters

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where it was fitted, if that is known."""
        return self._network.interval

    @property
    def segments(self) -> Segments:
        """Its linear regions on the interval, counted exactly. ValueError for several inputs."""
        x, y = self._network.knots()
        return Segments(np.array(x), np.array(y))

    @property
    def summary(self) -> dict[str, Any] | None:
        """Of a network that was fitted here, what relu-fit writes into summary.json: mse, max_error, floor, ..."""
        summary: dict[str, Any] | None = json.loads(self._network.summary) if self._network.summary else None
        return summary

    def __repr__(self) -> str:
        return f"<asap.relu_fit.Network of {counted(self.inputs, 'input')}, depth {self.depth}>"


def fit(
    x: Any,
    y: Any,
    weight: Any = None,
    *,
    method: str | None = None,
    depth: int | None = None,
    fold: int | None = None,
    windows: int | None = None,
    tolerance: float | None = None,
    pieces: int | str | None = None,
    loss: str | None = None,
    keep_shape: bool = False,
    difference: bool = False,
    open_ends: bool = False,
    seed: int = 0,
) -> Network:
    """Fits a network of one input to points, with the options of `relu-fit fit` and its results.

    Args:
        x: n numbers in any order, at least four different ones; points of equal x are averaged.
        y: n numbers.
        weight: n positive numbers, inverse variances; None: all alike.
        method: "kaiming", "skip", "free", "smooth" or "best" (None: best).
        depth: hidden layers (None: 5).
        fold: pieces of a zigzag (None: chosen by the method).
        windows: windows of folds side by side (None: one narrow network).
        tolerance: largest error allowed at the points, with as few parameters as can be found.
        pieces: number of straight pieces with free knots, or "auto" (by BIC).
        loss: what `pieces` minimises: "squares" or "huber".
        keep_shape: stay convex or concave, and monotone, like the points.
        difference: fit the difference of two convex networks.
        open_ends: leave raw weights as they are outside the interval.
        seed: of random peaks.

    Raises:
        ValueError: an argument cannot be used, or contradicts another; NumericalError: the fit is not finite.
    """
    columns = {"x": vector("x", x), "y": vector("y", y)}
    weights = None if weight is None else vector("weight", weight)
    for name, column in (("y", columns["y"]), ("weight", weights)):
        if column is not None and column.shape != columns["x"].shape:
            raise ValueError(f"{name} has {column.size} numbers, but x has {columns['x'].size}")
    chosen = dict(method=method, depth=depth, fold=fold, windows=windows, tolerance=tolerance, loss=loss)
    settings: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    for name, value in settings.items():
        if name in ("windows", "tolerance") and not value > 0:
            raise ValueError(f"{name} is {value}, expected a positive number")
    if pieces is not None:
        settings["pieces"] = str(pieces)
    settings |= {"keep_shape": keep_shape, "difference": difference, "open_ends": open_ends, "seed": seed}
    return Network(_asap.Network.fit(json.dumps(settings, default=_plain), columns["x"], columns["y"], weights))


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"an option of fit cannot be of {type(value).__name__}")
