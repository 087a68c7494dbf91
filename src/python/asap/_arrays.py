"""From the arrays of a caller to those that the compiled part takes, without a copy wherever it can read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _asap

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_numpy(name: str, array: Any) -> npt.NDArray[Any]:
    """The array itself, or a view of the memory of one that supports DLPack."""
    if isinstance(array, np.ndarray):
        return array
    if not hasattr(array, "__dlpack__"):
        raise TypeError(
            f"{name} must be a NumPy array or support DLPack, not {type(array).__name__} (hint: numpy.asarray)"
        )
    if getattr(array, "requires_grad", False):
        raise ValueError(f"{name} requires a gradient (hint: asap.torch has functions with gradients, or detach it)")
    try:
        return np.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{name} cannot be read as an array on the CPU: {error}") from None


def readable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array where its strides are those that the kernels read, else a copy."""
    size = array.itemsize
    strides = [stride for stride, extent in zip(array.strides, array.shape) if extent > 1]
    usable = all(stride > 0 and stride % size == 0 for stride in strides)
    contiguous = array.shape[-1] <= 1 or array.strides[-1] == size
    rows_apart = array.shape[-2] <= 1 or array.strides[-2] >= array.shape[-1] * size
    if usable and contiguous and rows_apart and array.dtype.isnative and array.ctypes.data % size == 0:
        return array
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def heads(name: str, array: Any, dtypes: Sequence[np.dtype[Any]] = _FLOATS) -> npt.NDArray[Any]:
    """[..., tokens, columns] as [examples, heads, tokens, columns]."""
    view = as_numpy(name, array)
    if view.dtype.newbyteorder("=") not in dtypes:
        expected = " or ".join(dtype.name for dtype in dtypes)
        raise ValueError(f"{name} is of {view.dtype}, expected {expected} (hint: {name}.astype('{dtypes[0].name}'))")
    if not 2 <= view.ndim <= 4:
        raise ValueError(
            f"{name} has shape {view.shape}, expected [examples, heads, tokens, width], or one without its first axes"
        )
    if view.shape[-1] == 0 or (view.ndim > 2 and view.shape[-3] == 0):
        raise ValueError(f"{name} has shape {view.shape}: there are no heads or no columns")
    return readable(view.reshape((1,) * (4 - view.ndim) + view.shape))


def require_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...], why: str) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {list(array.shape)}, expected {list(shape)} {why}")


def require_heads(
    q: npt.NDArray[Any], k: npt.NDArray[Any], v: npt.NDArray[Any] | None
) -> None:
    """Queries, keys and values of one attention: same type, examples and heads; as many values as keys."""
    for name, array in (("k", k), ("v", v)):
        if array is not None and array.dtype != q.dtype:
            raise ValueError(f"{name} is of {array.dtype}, but q of {q.dtype}")
    require_shape("k", k, (*q.shape[:2], k.shape[2], q.shape[3]), "to fit q")
    if v is not None:
        require_shape("v", v, (*k.shape[:3], v.shape[3]), "to fit k")


def _lengths(name: str, lengths: Any, examples: int, tokens: int) -> npt.NDArray[np.int64] | None:
    if lengths is None:
        return None
    array = np.asarray(lengths)
    if array.shape != (examples,) or array.dtype.kind not in "iu":
        raise ValueError(f"{name} has shape {list(array.shape)} of {array.dtype}, expected {examples} whole numbers")
    if array.size and not (0 <= array.min() and array.max() <= tokens):
        raise ValueError(f"{name} has {int(array.min())} to {int(array.max())}, expected 0 to {tokens} tokens")
    return np.ascontiguousarray(array, dtype=np.int64)


def _mask(name: str, mask: Any, examples: int, tokens: int) -> npt.NDArray[np.uint8] | None:
    if mask is None:
        return None
    array = as_numpy(name, mask)
    if array.shape != (examples, tokens) or array.dtype not in (np.bool_, np.uint8):
        raise ValueError(
            f"{name} has shape {list(array.shape)} of {array.dtype}, expected [{examples}, {tokens}] of bool: "
            "true where a token is live"
        )
    return np.ascontiguousarray(array).view(np.uint8)


def live_tokens(
    q: npt.NDArray[Any], k: npt.NDArray[Any], query_lengths: Any, key_lengths: Any, query_mask: Any, key_mask: Any
) -> _asap.LiveTokens:
    examples = q.shape[0]
    return _asap.LiveTokens(
        query_lengths=_lengths("query_lengths", query_lengths, examples, q.shape[2]),
        key_lengths=_lengths("key_lengths", key_lengths, examples, k.shape[2]),
        query_mask=_mask("query_mask", query_mask, examples, q.shape[2]),
        key_mask=_mask("key_mask", key_mask, examples, k.shape[2]),
    )


def vector(name: str, array: Any) -> npt.NDArray[np.float64]:
    """Numbers in one row, as float64."""
    result = np.asarray(array if hasattr(array, "__array__") or not hasattr(array, "__dlpack__") else as_numpy(name, array))
    if result.ndim != 1 or result.dtype.kind not in "fiu":
        raise ValueError(f"{name} has shape {list(result.shape)} of {result.dtype}, expected one row of numbers")
    return np.ascontiguousarray(result, dtype=np.float64)


def without_added_axes(result: npt.NDArray[Any], ndim: int) -> npt.NDArray[Any]:
    """A result [examples, heads, ...] with as many axes as the caller's array."""
    return result.reshape(result.shape[4 - ndim :])


def number_of_axes(array: Any) -> int:
    return len(array.shape)
