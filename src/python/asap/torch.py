"""Attention for PyTorch on the CPU, with exact gradients. Tensors are read in place."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

try:
    import torch
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise ImportError("asap.torch needs PyTorch (hint: pip install torch)") from error

from . import attention
from ._plain_attention import PlainCompiledAttention
from .compiled import CompiledOperator, require_layer

__all__ = [
    "CompiledAttention",
    "PlainCompiledAttention",
    "SinkhornAttention",
    "sinkhorn_attention",
    "softmax_attention",
]

_LIVE = ("query_lengths", "key_lengths", "query_mask", "key_mask")


def _array(tensor: Any) -> Any:
    """The tensor's memory as an array of NumPy."""
    return tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else tensor


def _check(**tensors: Any) -> None:
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a tensor, not {type(tensor).__name__}")
        if tensor.device.type != "cpu":
            raise ValueError(f"{name} is on {tensor.device}, expected the CPU (hint: {name}.cpu())")
        if tensor.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{name} is of {tensor.dtype}, expected torch.float32 or torch.float64")


def _live(words: dict[str, Any]) -> dict[str, Any]:
    unknown = set(words) - set(_LIVE)
    if unknown:
        raise TypeError(f"unexpected argument {sorted(unknown)[0]} (hint: {', '.join(_LIVE)})")
    return {name: _array(value) for name, value in words.items()}


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
    _check(q=q, k=k, v=v)
    words = {name: live.get(name) for name in _LIVE}
    result: torch.Tensor = _Attention.apply(q, k, v, iterations, epsilon, words)
    return result


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _outside_graphs(function: _Function) -> _Function:
    # torch.compile cannot look into the compiled part, and would fail on the way to it.
    disable: Any = getattr(getattr(torch, "compiler", None), "disable", None)
    return cast(_Function, disable(function)) if disable else function


@_outside_graphs
def sinkhorn_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, iterations: int = 10, epsilon: float = 1.0, **live: Any
) -> torch.Tensor:
    """`asap.sinkhorn_attention` of tensors [B, H, N, D], float32 or float64 on the CPU, with its exact gradient.

    Keyword arguments query_lengths, key_lengths, query_mask and key_mask as there. Gradients have no gradients.
    """
    return _attend(q, k, v, iterations, epsilon, _live(live))


@_outside_graphs
def softmax_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, epsilon: float = 1.0, **live: Any
) -> torch.Tensor:
    """`asap.softmax_attention` of tensors; see `sinkhorn_attention`."""
    return _attend(q, k, v, None, epsilon, _live(live))


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
        _check(q=q, k=k, v=v)
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (q, k, v)):
            raise ValueError("this form has no gradient (hint: with torch.no_grad(): ... or PlainCompiledAttention)")
        output = self.operator(_array(q), _array(k), _array(v), layer=self.layer, **_live(live))
        return torch.from_numpy(output)

    def extra_repr(self) -> str:
        return f"{self.operator!r}, layer={self.layer}"
