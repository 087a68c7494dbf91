"""Numbers in words, and checks of those that functions take."""

import math
from typing import Any

import numpy as np


def counted(count: int, noun: str) -> str:
    """"1 layer", "2 layers"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def whole_number(name: str, value: Any, least: int, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value < least or value > (2**31 - 1 if most is None else most):
        expected = f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} is {value}, expected {expected}")
    return int(value)


def require_positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} is {value}, expected a positive number")
