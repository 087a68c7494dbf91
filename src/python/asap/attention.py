"""Softmax and doubly stochastic attention with their exact gradients."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _asap
from ._arrays import heads, live_tokens, number_of_axes, require_heads, require_shape, without_added_axes
from ._numbers import require_positive, whole_number


class Gradients(NamedTuple):
    """The gradients of a function by the inputs of attention, in their shapes."""

    q: npt.NDArray[Any]
    k: npt.NDArray[Any]
    v: npt.NDArray[Any]


def _kind(iterations: int | None, epsilon: float, width: int) -> _asap.AttentionKind:
    if iterations is not None:
        iterations = whole_number("iterations", iterations, 0, 10000)
    require_positive("epsilon", epsilon)
    # 0 leaves 1 / sqrt(D) to the kernels, which then compute it as the toolkit's commands do.
    scale = 0.0 if epsilon == 1 else 1 / (math.sqrt(width) * epsilon)
    return _asap.AttentionKind(iterations, scale)


def _forward(iterations: int | None, epsilon: float, q: Any, k: Any, v: Any, live: dict[str, Any]) -> npt.NDArray[Any]:
    queries, keys, values = heads("q", q), heads("k", k), heads("v", v)
    require_heads(queries, keys, values)
    output = np.empty((*queries.shape[:3], values.shape[3]), queries.dtype)
    _asap.attend(
        _kind(iterations, epsilon, queries.shape[3]), queries, keys, values, live_tokens(queries, keys, **live), output
    )
    return without_added_axes(output, number_of_axes(q))


def _backward(
    iterations: int | None, epsilon: float, q: Any, k: Any, v: Any, output_gradient: Any, live: dict[str, Any]
) -> Gradients:
    queries, keys, values = heads("q", q), heads("k", k), heads("v", v)
    gradient = heads("output_gradient", output_gradient)
    require_heads(queries, keys, values)
    if gradient.dtype != queries.dtype:
        raise ValueError(f"output_gradient is of {gradient.dtype}, but q of {queries.dtype}")
    require_shape("output_gradient", gradient, (*queries.shape[:3], values.shape[3]), "as the output of attention")
    results = [np.empty(array.shape, array.dtype) for array in (queries, keys, values)]
    _asap.attend_backward(
        _kind(iterations, epsilon, queries.shape[3]),
        queries,
        keys,
        values,
        live_tokens(queries, keys, **live),
        gradient,
        *results,
    )
    return Gradients(*(without_added_axes(array, number_of_axes(q)) for array in results))


def sinkhorn_attention(
    q: Any,
    k: Any,
    v: Any,
    *,
    iterations: int = 10,
    epsilon: float = 1.0,
    query_lengths: Any = None,
    key_lengths: Any = None,
    query_mask: Any = None,
    key_mask: Any = None,
) -> npt.NDArray[Any]:
    """Doubly stochastic attention (Sinkformers, Sander et al. 2022): A V with A = exp(S + f + g).

    S = q kᵀ / (√D epsilon). f and g come from one row update and then `iterations` column and row updates: rows of A
    sum to 1, its columns tend to N / M. No iterations: softmax attention.

    Args:
        q: queries [B, H, N, D], float32 or float64. [H, N, D] is one example, [N, D] one head of it.
        k: keys [B, H, M, D] of the same type.
        v: values [B, H, M, Dv] of the same type.
        iterations: 0 to 10000.
        epsilon: regularisation, a positive number.
        query_lengths, key_lengths: [B] whole numbers: only the first so-and-many tokens of each example are live.
        query_mask, key_mask: [B, N] and [B, M] of bool: true where a token is live.

    Returns:
        [B, H, N, Dv] with as many axes as q. A token that is not live has no effect; its row is zero.

    Raises:
        ValueError: an argument does not fit; NumericalError: a live value is not finite.
    """
    live = dict(query_lengths=query_lengths, key_lengths=key_lengths, query_mask=query_mask, key_mask=key_mask)
    return _forward(iterations, epsilon, q, k, v, live)


def sinkhorn_attention_backward(
    q: Any,
    k: Any,
    v: Any,
    output_gradient: Any,
    *,
    iterations: int = 10,
    epsilon: float = 1.0,
    query_lengths: Any = None,
    key_lengths: Any = None,
    query_mask: Any = None,
    key_mask: Any = None,
) -> Gradients:
    """The exact gradients of a function of `sinkhorn_attention`, through all iterations.

    Args:
        output_gradient: the function's gradient by the output, [B, H, N, Dv].
        others: as of `sinkhorn_attention`.

    Returns:
        The gradients by q, k and v, in their shapes.
    """
    live = dict(query_lengths=query_lengths, key_lengths=key_lengths, query_mask=query_mask, key_mask=key_mask)
    return _backward(iterations, epsilon, q, k, v, output_gradient, live)


def softmax_attention(
    q: Any,
    k: Any,
    v: Any,
    *,
    epsilon: float = 1.0,
    query_lengths: Any = None,
    key_lengths: Any = None,
    query_mask: Any = None,
    key_mask: Any = None,
) -> npt.NDArray[Any]:
    """Softmax attention, softmax(q kᵀ / (√D epsilon)) v. Arguments as of `sinkhorn_attention`."""
    live = dict(query_lengths=query_lengths, key_lengths=key_lengths, query_mask=query_mask, key_mask=key_mask)
    return _forward(None, epsilon, q, k, v, live)


def softmax_attention_backward(
    q: Any,
    k: Any,
    v: Any,
    output_gradient: Any,
    *,
    epsilon: float = 1.0,
    query_lengths: Any = None,
    key_lengths: Any = None,
    query_mask: Any = None,
    key_mask: Any = None,
) -> Gradients:
    """The gradients of a function of `softmax_attention`. Arguments as of `sinkhorn_attention_backward`."""
    live = dict(query_lengths=query_lengths, key_lengths=key_lengths, query_mask=query_mask, key_mask=key_mask)
    return _backward(None, epsilon, q, k, v, output_gradient, live)
