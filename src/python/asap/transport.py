"""Optimal transport in one dimension."""

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _asap
from ._arrays import vector


def potentials_1d(s: Any, t: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Kantorovich potentials between uniform measures on s and t for the cost -s_i t_j, exact, by sorting.

    Args:
        s: n numbers.
        t: m numbers.

    Returns:
        phi [n], of mean 0, and psi [m]: phi_i + psi_j <= -s_i t_j, with equality where the optimal plan has mass.

    Raises:
        ValueError: no numbers; NumericalError: one is not finite.
    """
    first, second = vector("s", s), vector("t", t)
    for name, array in (("s", first), ("t", second)):
        if array.size == 0:
            raise ValueError(f"{name} is empty")
    phi, psi = np.empty_like(first), np.empty_like(second)
    _asap.potentials_1d(first, second, phi, psi)
    return phi, psi
