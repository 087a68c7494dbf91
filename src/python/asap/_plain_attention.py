"""The compiled operator in PyTorch's own operations, from the files that define it (src/compile/README.md)."""

from typing import Any

import torch

from ._numbers import counted
from ._operator_files import read_layer
from ._plain_sinkhorn import MASKED as _MASKED
from ._plain_sinkhorn import live_tokens
from .compiled import CompiledOperator, require_layer


def _read_layer(operator: CompiledOperator, layer: int) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What operator.json says of a layer, and its tensors by their short names."""
    description, tensors = read_layer(operator, layer)
    return description, {name: torch.from_numpy(values) for name, values in tensors.items()}


# Smaller row sums of exp(S + f + g) have lost digits; those of a map that predicts well are near 1.
_SMALLEST_ROW = 1e-30
_CACHED_SCORES = 2**18


_is_compiling: Any = getattr(torch.compiler, "is_compiling", None) or getattr(torch, "_dynamo").is_compiling


class _Side:
    """The tokens of one side, centred: x = √c (q - q̄), with the mean over live tokens."""

    def __init__(self, tokens: torch.Tensor, root: torch.Tensor, live: torch.Tensor) -> None:
        weights = live.to(tokens.dtype)[:, None, :, None]
        tokens = torch.where(live[:, None, :, None], tokens, 0.0)  # which may be NaN where it is not live
        self.live = live  # [B, N]
        self.count = live.sum(-1)  # [B]
        total = (tokens * weights).sum(-2) / self.count.clamp(min=1)[:, None, None]
        self.mean = root[:, None] * total  # [B, H, D]
        self.x = (root[:, None, None] * tokens - self.mean[..., None, :]) * weights  # [B, H, N, D]
        self.offsets = torch.where(live, 0.0, _MASKED).to(tokens.dtype)[:, None]  # [B, 1, N]


def _row_update(scores: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """scores: [B, H, N, M], g: [B, H, M], which masks keys -> f: [B, H, N]."""
    return -torch.logsumexp(scores + g[..., None, :], -1)


def _column_update(scores: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    """f: [B, H, N], which masks queries -> g: [B, H, M]."""
    return -torch.logsumexp(scores + f[..., None], -2)


def _dot(vectors: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """[B, H, N, D] . [B, H, D] -> [B, H, N]"""
    return (vectors @ mean[..., None])[..., 0]


def _potential(s: torch.Tensor, t: torch.Tensor, queries: _Side, keys: _Side) -> torch.Tensor:
    """Exact Kantorovich potentials on the line for the cost -s t. s: [B, H, L, N], t: [B, H, L, M] -> [B, H, L, N]."""
    far = torch.finfo(s.dtype).max / 4
    sorted_s, order = torch.where(queries.live[:, None, None], s, far).sort(dim=-1, stable=True)
    sorted_t = torch.where(keys.live[:, None, None], t, far).sort(dim=-1).values
    rank = torch.arange(1, s.shape[-1], device=s.device)
    n, m = queries.count.clamp(min=1)[:, None], keys.count.clamp(min=1)[:, None]
    ends = rank * m  # where the mass of a point ends, in units of 1 / (n m): [B, N - 1]
    below, above = -torch.div(-ends, n, rounding_mode="floor") - 1, torch.div(ends, n, rounding_mode="floor")
    shape = (*t.shape[:-1], len(rank))

    def target(index: torch.Tensor) -> torch.Tensor:
        return sorted_t.gather(-1, torch.minimum(index, m - 1)[:, None, None].expand(shape))

    slopes = (target(below) + target(above)) / 2
    steps = torch.where((rank < n)[:, None, None], sorted_s.diff(dim=-1) * slopes, 0.0)
    potential = torch.cat([torch.zeros_like(s[..., :1]), -steps.cumsum(-1, dtype=torch.float64).to(s.dtype)], -1)
    return torch.zeros_like(s).scatter(-1, order, potential)


def _landmark_dual(queries: _Side, keys: _Side, prototypes: torch.Tensor, iterations: int, on_rows: bool) -> torch.Tensor:
    """The teacher's loop against the means of clusters of keys. prototypes: [H, P, D] -> [B, H, N]."""
    closeness = keys.x @ prototypes.transpose(-1, -2) - prototypes.square().sum(-1)[:, None] / 2
    member = torch.nn.functional.one_hot(closeness.argmax(-1), prototypes.shape[-2]).to(keys.x.dtype)
    member = member * keys.live.to(keys.x.dtype)[:, None, :, None]  # [B, H, M, P]
    sizes = member.sum(-2)
    centres = member.transpose(-1, -2) @ keys.x / sizes.clamp(min=1)[..., None]
    log_sizes = torch.where(sizes > 0, sizes.clamp(min=1).log(), _MASKED)
    scores, g, f = queries.x @ centres.transpose(-1, -2), _dot(centres, queries.mean), _dot(queries.x, keys.mean)
    for t in range(iterations):
        if t > 0 or on_rows:
            g = _column_update(scores, f + queries.offsets)
        f = _row_update(scores, g + log_sizes)
    return f


def _product_of_columns(x: torch.Tensor, y: torch.Tensor, f: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """x: [heads, N, D], y: [heads, M, D], f: [heads, 1, N], values: [heads, M, C] -> exp(S + f + g) values: [heads, N, C]."""
    # Keys first: over the last axis a softmax is fastest.
    columns = torch.softmax(torch.baddbmm(f, y, x.transpose(-1, -2)), -1)
    return columns.transpose(-1, -2) @ values


class PlainCompiledAttention(torch.nn.Module):
    """One layer of an `asap.CompiledOperator` in PyTorch's own operations: forward(q, k, v, **live) on any device, with
    gradients, in float64, float32, float16 and bfloat16, for torch.compile and torch.export.

    It stores the plan, and is slower on a CPU than `CompiledAttention`. Half precision computes scores and duals in
    float32. q: [B, H, N, D], k: [B, H, M, D], v: [B, H, M, Dv] -> [B, H, N, Dv]; query_lengths and key_lengths: [B],
    query_mask and key_mask: [B, N] and [B, M] of bool, true where a token is live. Rows of queries that are not live are
    zero.
    """

    score_scales: torch.Tensor
    weights: torch.Tensor
    query_slices: torch.Tensor | None
    key_slices: torch.Tensor | None
    landmarks: torch.Tensor | None

    def __init__(self, operator: CompiledOperator, layer: int = 0) -> None:
        super().__init__()
        require_layer(operator, layer)
        self.description, tensors = _read_layer(operator, layer)
        if self.description.get("slack"):
            raise ValueError("an operator with slack has no form in PyTorch's own operations (hint: CompiledAttention)")
        self.heads = len(tensors["score_scales"])
        names = self.description.get("features", [])
        self._names = frozenset(names)
        self._corrections = sum(int(name.removeprefix("it:")) for name in names if name.startswith("it:"))
        for name in ("score_scales", "weights", "query_slices", "key_slices", "landmarks"):
            self.register_buffer(name, tensors.get(name))

    def _features(self, queries: _Side, keys: _Side, scores: torch.Tensor | None) -> torch.Tensor:
        """[B, H, P, N], in the order of the weights."""
        dtype = queries.x.dtype
        rows: list[torch.Tensor] = []
        single: list[torch.Tensor] = []
        if self.query_slices is not None and self.key_slices is not None:
            s = self.query_slices.to(dtype) @ queries.x.transpose(-1, -2)
            t = self.key_slices.to(dtype) @ keys.x.transpose(-1, -2)
            if "pot" in self._names:
                rows.append(_potential(s, t, queries, keys))
            if "gau" in self._names:  # padding is 0 in s and t
                alpha = s.square().sum(-1, keepdim=True) / queries.count.clamp(min=1)[:, None, None, None]
                beta = t.square().sum(-1, keepdim=True) / keys.count.clamp(min=1)[:, None, None, None]
                rows.append(-beta / (1 + (1 + 4 * alpha * beta).sqrt()) * s.square())
            if "lin" in self._names:
                rows.append(s)
        if "tilt" in self._names:
            weights = torch.softmax(_dot(keys.x, queries.mean) + keys.offsets, -1)
            single.append(-_dot(queries.x, (weights[..., None, :] @ keys.x)[..., 0, :]))
        if "lse" in self._names:
            assert scores is not None
            single.append(_row_update(scores, keys.offsets))
        if "lse0" in self._names:
            assert scores is not None
            single.append(_row_update(scores, _dot(keys.x, queries.mean) + keys.offsets))
        if self.landmarks is not None:
            single.append(_landmark_dual(queries, keys, self.landmarks.to(dtype), self.description["teacher_iterations"],
                                         self.description["key_bias"]))
        if not rows and not single:
            return queries.x.new_zeros(*queries.x.shape[:2], 0, queries.x.shape[2])
        return torch.cat([*rows, *(row[..., None, :] for row in single)], -2)

    def _predicted_dual(self, queries: _Side, keys: _Side, scores: torch.Tensor | None) -> torch.Tensor:
        features = self._features(queries, keys, scores)
        weights, count = self.weights.to(features.dtype), features.shape[-2]

        def weighted(begin: int, rows: torch.Tensor) -> torch.Tensor:
            return (weights[:, begin : begin + rows.shape[-2], None] * rows).sum(-2)

        f, at = weighted(0, features), count
        if "start" in self._names:
            assert scores is not None
            f = _row_update(scores, _dot(keys.x, queries.mean) + keys.offsets)
        differences: list[torch.Tensor] = []
        for t in range(1, self._corrections + 1):
            assert scores is not None
            h = _row_update(scores, _column_update(scores, f + queries.offsets) + keys.offsets)
            differences.append(h - f)
            f = h + weighted(at, torch.stack(differences, -2)) + weighted(at + t, features)
            at += t + count
        return f

    def _column_dual(self, queries: _Side, keys: _Side, scores: torch.Tensor) -> torch.Tensor:
        if "iterations" in self.description:
            g = _dot(keys.x, queries.mean)
            for _ in range(self.description["iterations"]):
                g = _column_update(scores, _row_update(scores, g + keys.offsets) + queries.offsets)
            return g
        if self.description["key_bias"]:
            return self._predicted_dual(keys, queries, scores.transpose(-1, -2))
        return _column_update(scores, self._predicted_dual(queries, keys, scores) + queries.offsets)

    def forward(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        *,
        query_lengths: torch.Tensor | None = None,
        key_lengths: torch.Tensor | None = None,
        query_mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if q.dim() != 4 or q.shape[1] != self.heads:
            raise ValueError(f"q is of shape {tuple(q.shape)}, expected [B, {self.heads}, N, D]")
        dtype = q.dtype if q.dtype in (torch.float32, torch.float64) else torch.float32
        root = self.score_scales.to(dtype).sqrt()
        queries = _Side(q.to(dtype), root, live_tokens(q, query_lengths, query_mask, "query"))
        keys = _Side(k.to(dtype), root, live_tokens(k, key_lengths, key_mask, "key"))
        rows = (queries.live & (keys.count > 0)[:, None])[:, None, :, None]
        # Values of tokens that are not live may be NaN.
        values = torch.where(keys.live[:, None, :, None], v, torch.zeros((), dtype=v.dtype, device=v.device))
        if self._closes_columns_first(q.dtype, v.dtype):
            output = self._output_of_columns(queries, keys, values, rows)
            if output is not None:
                return output
        scores = queries.x @ keys.x.transpose(-1, -2)
        g = self._column_dual(queries, keys, scores)
        plan = torch.softmax(scores + (g + keys.offsets)[..., None, :], -1)
        return torch.where(rows, plan.to(v.dtype) @ values, torch.zeros((), dtype=v.dtype, device=v.device))

    def _closes_columns_first(self, dtype: torch.dtype, value_dtype: torch.dtype) -> bool:
        # Graphs cannot ask whether a row vanished, and fuse the steps of the other way anyway.
        is_map = "iterations" not in self.description and not self.description["key_bias"]
        whole = dtype == value_dtype and dtype in (torch.float32, torch.float64)
        return is_map and whole and not _is_compiling()

    def _output_of_columns(
        self, queries: _Side, keys: _Side, values: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor | None:
        """The output with one exponential per score: exp(S + f + g) is a softmax over queries, and its rows are normalised
        after the product with the values. None where a row is too small for that.
        """
        live = keys.live[:, None, :, None].to(values.dtype).expand(*values.shape[:-1], 1)
        values = torch.cat([values, live], -1)
        if self._corrections > 0 or not self._names.isdisjoint(("lse", "lse0")):
            scores = queries.x @ keys.x.transpose(-1, -2)
            f = self._predicted_dual(queries, keys, scores) + queries.offsets
            product = torch.softmax(scores + f[..., None], -2) @ values
        else:
            f = self._predicted_dual(queries, keys, None) + queries.offsets
            inputs = [tensor.flatten(0, 1) for tensor in (queries.x, keys.x, f[..., None, :], values)]
            # On a CPU a few heads at a time, whose plans stay in the cache.
            heads = max(1, _CACHED_SCORES // (f.shape[-1] * keys.x.shape[-2])) if f.device.type == "cpu" else len(f) * self.heads
            parts = [_product_of_columns(*part) for part in zip(*(tensor.split(heads) for tensor in inputs))]
            product = torch.cat(parts).unflatten(0, f.shape[:2])
        sums = torch.where(rows, product[..., -1:], 1.0)
        if not bool((sums > _SMALLEST_ROW).all()):
            return None
        return torch.where(rows, product[..., :-1] / sums, 0.0)

    def extra_repr(self) -> str:
        operator = self.description.get("features", f"sinkhorn:{self.description.get('iterations')}")
        return f"{counted(self.heads, 'head')}, {operator}"
