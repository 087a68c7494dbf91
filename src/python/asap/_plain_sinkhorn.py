"""Sinkhorn attention in PyTorch's own operations with its exact gradient, for any device."""

import math
from typing import Any

import torch

# Instead of -infinity for what is masked: no result can become NaN through it.
MASKED = -1e30


def live_tokens(
    tokens: torch.Tensor, lengths: torch.Tensor | None, mask: torch.Tensor | None, side: str
) -> torch.Tensor:
    """tokens: [B, H, N, D] -> which of them are live: [B, N] of bool."""
    if lengths is not None and mask is not None:
        raise ValueError(f"{side}_lengths and {side}_mask say the same (hint: pass one of them)")
    shape = (tokens.shape[0], tokens.shape[2])
    if mask is not None:
        live = torch.as_tensor(mask, device=tokens.device).bool()
        if live.shape != shape:
            raise ValueError(f"{side}_mask has shape {list(live.shape)}, expected {list(shape)}: true where a token is live")
        return live
    if lengths is None:
        return torch.ones(shape, dtype=torch.bool, device=tokens.device)
    place = torch.arange(shape[1], device=tokens.device)
    return place < torch.as_tensor(lengths, device=tokens.device)[:, None]


def _row_update(scores: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return -torch.logsumexp(scores + g[..., None, :], -1)


def _column_update(scores: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    return -torch.logsumexp(scores + f[..., None], -2)


class _PlainSinkhorn(torch.autograd.Function):
    """q: [B, H, N, D], k: [B, H, M, D], v: [B, H, M, Dv]; query_offsets: [B, 1, N] and key_offsets: [B, 1, M] are 0 for
    live tokens, else MASKED. Keeps only the duals of all iterations, [B, H, N + M] each: the backward pass computes the
    matrices again, one at a time.
    """

    @staticmethod
    def forward(
        ctx: Any, q: Any, k: Any, v: Any, scale: float, iterations: int, query_offsets: Any, key_offsets: Any
    ) -> Any:
        scores = q @ k.transpose(-1, -2) * scale
        g = torch.zeros_like(key_offsets).expand(*scores.shape[:2], -1)
        f = _row_update(scores, g + key_offsets)
        duals = [(f, g)]
        for _ in range(iterations):
            g = _column_update(scores, f + query_offsets)
            f = _row_update(scores, g + key_offsets)
            duals.append((f, g))
        plan = torch.exp(scores + f[..., None] + (g + key_offsets)[..., None, :])
        ctx.save_for_backward(q, k, v, query_offsets, key_offsets, *(dual for pair in duals for dual in pair))
        ctx.scale = scale
        return plan @ v

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator, unused-ignore]
    def backward(ctx: Any, output_gradient: Any) -> Any:
        q, k, v, query_offsets, key_offsets, *duals = ctx.saved_tensors
        scores = q @ k.transpose(-1, -2) * ctx.scale
        f, g = duals[-2:]
        plan = torch.exp(scores + f[..., None] + (g + key_offsets)[..., None, :])
        v_gradient = plan.transpose(-1, -2) @ output_gradient
        gradient = plan.mul_(output_gradient @ v.transpose(-1, -2))  # by the scores, directly
        f_gradient, g_gradient = gradient.sum(-1), gradient.sum(-2)
        for t in range(len(duals) // 2 - 1, -1, -1):
            f, g = duals[2 * t : 2 * t + 2]
            # f = -lse(scores + g): its derivative is minus the row softmax.
            part = torch.exp(scores + f[..., None] + (g + key_offsets)[..., None, :]).mul_(f_gradient[..., None])
            gradient -= part
            if t == 0:
                break
            g_gradient = g_gradient - part.sum(-2)
            before = duals[2 * t - 2] + query_offsets
            part = torch.exp(scores + before[..., None] + g[..., None, :]).mul_(g_gradient[..., None, :])
            gradient -= part
            f_gradient, g_gradient = -part.sum(-1), torch.zeros_like(g)
        gradient *= ctx.scale
        return gradient @ k, gradient.transpose(-1, -2) @ q, v_gradient, None, None, None, None


def plain_sinkhorn(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    iterations: int,
    epsilon: float,
    query_live: torch.Tensor,
    key_live: torch.Tensor,
) -> torch.Tensor:
    """Sinkhorn attention of tensors on any device; half precision computes in float32. query_live: [B, N] of bool,
    key_live: [B, M]. Tokens that are not live have no effect, and their rows are zero.
    """
    dtype, computed = v.dtype, q.dtype if q.dtype == torch.float64 else torch.float32
    zero = torch.zeros((), dtype=computed, device=q.device)
    queries = torch.where(query_live[:, None, :, None], q.to(computed), zero)  # which may be NaN where it is not live
    keys, values = (torch.where(key_live[:, None, :, None], tensor.to(computed), zero) for tensor in (k, v))
    offsets = [torch.where(live, 0.0, MASKED).to(computed)[:, None] for live in (query_live, key_live)]
    output = _PlainSinkhorn.apply(queries, keys, values, 1 / (math.sqrt(q.shape[-1]) * epsilon), iterations, *offsets)
    rows = query_live & key_live.any(-1, keepdim=True)
    result: torch.Tensor = torch.where(rows[:, None, :, None], output, zero).to(dtype)
    return result
