"""Attention of PyTorch tensors with exact gradients, as functions and modules."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch

from . import attention
from ._plain_sinkhorn import live_tokens, plain_sinkhorn
from .compiled import CompiledOperator, require_layer

_HALF = (torch.float16, torch.bfloat16)
_LIVE = ("query_lengths", "key_lengths", "query_mask", "key_mask")


def _array(tensor: Any) -> Any:
    """The tensor's memory as an array of NumPy."""
    return tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else tensor


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _check(**tensors: Any) -> None:
    """TypeError or ValueError unless all are tensors of one floating type on one device."""
    first_name, first = next(iter(tensors.items()))
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a tensor, not {type(tensor).__name__}")
        if tensor.dtype not in (torch.float32, torch.float64, *_HALF):
            raise ValueError(f"{name} is of {_name(tensor.dtype)}, expected float64, float32, float16 or bfloat16")
        if tensor.device != first.device:
            raise ValueError(f"{name} is on {tensor.device}, but {first_name} on {first.device}")
        if tensor.dtype != first.dtype:
            raise ValueError(f"{name} is of {_name(tensor.dtype)}, but {first_name} of {_name(first.dtype)}")


def _check_readable(**tensors: Any) -> None:
    """The same for what the compiled part reads in place: float32 and float64 on the CPU."""
    _check(**tensors)
    for name, tensor in tensors.items():
        if tensor.device.type != "cpu":
            raise ValueError(f"{name} is on {tensor.device}, expected the CPU (hint: {name}.cpu())")
        if tensor.dtype in _HALF:
            raise ValueError(f"{name} is of {_name(tensor.dtype)}, expected float32 or float64")


def known_live(words: dict[str, Any]) -> dict[str, Any]:
    """TypeError for a keyword argument that attention does not have."""
    unknown = set(words) - set(_LIVE)
    if unknown:
        raise TypeError(f"unexpected argument {sorted(unknown)[0]} (hint: {', '.join(_LIVE)})")
    return words


class _Attention(torch.autograd.Function):
    """iterations None: softmax attention."""

    @staticmethod
    def forward(ctx: Any, q: Any, k: Any, v: Any, iterations: int | None, epsilon: float, live: Any) -> Any:
        ctx.save_for_backward(q, k, v)
        ctx.options = (iterations, epsilon, live)
        return torch.from_numpy(attention._forward(iterations, epsilon, _array(q), _array(k), _array(v), live))

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator, unused-ignore]
    def backward(ctx: Any, output_gradient: Any) -> Any:
        iterations, epsilon, live = ctx.options
        q, k, v = (_array(tensor) for tensor in ctx.saved_tensors)
        gradients = attention._backward(iterations, epsilon, q, k, v, _array(output_gradient), live)
        return *(torch.from_numpy(gradient) for gradient in gradients), None, None, None


def _attend(q: Any, k: Any, v: Any, iterations: int | None, epsilon: float, live: dict[str, Any]) -> torch.Tensor:
    words = {name: _array(live.get(name)) for name in _LIVE}
    result: torch.Tensor = _Attention.apply(q, k, v, iterations, epsilon, words)
    return result


def _attend_anywhere(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, iterations: int, epsilon: float, live: dict[str, Any]
) -> torch.Tensor:
    attention._kind(iterations, epsilon, 1)  # refuses what cannot be used
    dimensions = q.dim()
    if not 2 <= dimensions <= 4 or k.dim() != dimensions or v.dim() != dimensions:
        raise ValueError(f"q, k and v have {dimensions}, {k.dim()} and {v.dim()} axes, expected [B, H, N, D] each")
    q, k, v = (tensor[(None,) * (4 - dimensions)] for tensor in (q, k, v))
    if k.shape[:2] != q.shape[:2] or k.shape[3] != q.shape[3]:
        raise ValueError(f"k has shape {list(k.shape)}, expected {[*q.shape[:2], k.shape[2], q.shape[3]]} to fit q")
    if v.shape[:3] != k.shape[:3]:
        raise ValueError(f"v has shape {list(v.shape)}, expected {[*k.shape[:3], v.shape[3]]} to fit k")
    sides = (("query", q), ("key", k))
    masks = [live_tokens(x, live.get(f"{side}_lengths"), live.get(f"{side}_mask"), side) for side, x in sides]
    output = plain_sinkhorn(q, k, v, iterations, epsilon, masks[0], masks[1])
    return output.reshape(output.shape[4 - dimensions :])


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _outside_graphs(function: _Function) -> _Function:
    # torch.compile cannot look into the compiled part, and would fail on the way to it.
    disable: Any = getattr(getattr(torch, "compiler", None), "disable", None)
    return cast(_Function, disable(function)) if disable else function


@_outside_graphs
def sinkhorn_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, iterations: int = 10, epsilon: float = 1.0, **live: Any
) -> torch.Tensor:
    """`asap.sinkhorn_attention` of tensors [B, H, N, D] with its exact gradient.

    float32 and float64 on the CPU are computed by the toolkit, other devices by the same formula in PyTorch's own
    operations, which store one plan at a time. Half precision is computed in float32. Keyword arguments query_lengths,
    key_lengths, query_mask and key_mask as there. Gradients have no gradients.
    """
    words = known_live(live)
    _check(q=q, k=k, v=v)
    if q.device.type != "cpu":
        return _attend_anywhere(q, k, v, iterations, epsilon, words)
    if q.dtype in _HALF:
        return _attend(q.float(), k.float(), v.float(), iterations, epsilon, words).to(q.dtype)
    return _attend(q, k, v, iterations, epsilon, words)


@_outside_graphs
def softmax_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, epsilon: float = 1.0, **live: Any
) -> torch.Tensor:
    """`asap.softmax_attention` of tensors, float32 or float64 on the CPU; see `sinkhorn_attention`."""
    words = known_live(live)
    _check_readable(q=q, k=k, v=v)
    return _attend(q, k, v, None, epsilon, words)


class SinkhornAttention(torch.nn.Module):
    """`sinkhorn_attention` as a module: forward(q, k, v, **live)."""

    def __init__(self, iterations: int = 10, epsilon: float = 1.0) -> None:
        super().__init__()
        attention._kind(iterations, epsilon, 1)  # refuses what cannot be used
        self.iterations, self.epsilon = iterations, epsilon

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **live: Any) -> torch.Tensor:
        return sinkhorn_attention(q, k, v, iterations=self.iterations, epsilon=self.epsilon, **live)

    def extra_repr(self) -> str:
        return f"iterations={self.iterations}, epsilon={self.epsilon}"


class CompiledAttention(torch.nn.Module):
    """One layer of an `asap.CompiledOperator` as a module for inference: forward(q, k, v, **live), float32 on the CPU.

    `PlainCompiledAttention` has gradients and runs anywhere.
    """

    def __init__(self, operator: CompiledOperator, layer: int = 0) -> None:
        super().__init__()
        require_layer(operator, layer)
        self.operator, self.layer = operator, layer

    @_outside_graphs
    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **live: Any) -> torch.Tensor:
        _check_readable(q=q, k=k, v=v)
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (q, k, v)):
            raise ValueError("this form has no gradient (hint: with torch.no_grad(): ... or PlainCompiledAttention)")
        words = {name: _array(value) for name, value in known_live(live).items()}
        output = self.operator(_array(q), _array(k), _array(v), layer=self.layer, **words)
        return torch.from_numpy(output)

    def extra_repr(self) -> str:
        return f"{self.operator!r}, layer={self.layer}"
