"""Finds the attention layers of a PyTorch network, records what enters them, and puts other attention in their place."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator

import torch
from torch import nn

from ._numbers import counted

Core = Callable[..., torch.Tensor]  # (q, k, v, **live) -> output, all [B, H, N, D]


@dataclass(frozen=True)
class Projections:
    """A module that projects its input to queries, keys and values itself, such as a self-attention layer of BERT.

    Args:
        module: its name in the network.
        q, k, v: the names, in it, of the modules that project to [B, N, heads * width].
        heads: their number.
        out: the name of the module that the heads' outputs go through, or None.
        as_tuple: whether the module returns a tuple whose first element is the output.
    """

    module: str
    q: str
    k: str
    v: str
    heads: int
    out: str | None = None
    as_tuple: bool = False


def require_replaceable(name: str, original: nn.MultiheadAttention) -> None:
    if original.bias_k is not None or original.add_zero_attn:
        raise ValueError(f"{name}: attention with add_bias_kv or add_zero_attn cannot be replaced")


class MultiheadAttention(nn.Module):
    """`torch.nn.MultiheadAttention` with another attention between its projections, and the same parameters.

    forward takes the arguments of the original and returns (output, None). Masks of padding are obeyed; a mask of pairs,
    such as a causal one, is refused.
    """

    # Asked for by nn.TransformerEncoderLayer, whose fast path would pass this module by.
    _qkv_same_embed_dim = False

    def __init__(self, original: nn.MultiheadAttention, core: nn.Module) -> None:
        super().__init__()
        require_replaceable("nn.MultiheadAttention", original)
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias"):
            self.register_parameter(name, getattr(original, name))
        self.out_proj = original.out_proj
        self.num_heads, self.head_dim, self.batch_first = original.num_heads, original.head_dim, original.batch_first
        self.embed_dim = original.embed_dim
        self.core = core
        self.train(original.training)

    def _project(self, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Three [B, N, E] -> three [B, H, N, D]"""
        weights = (
            self.in_proj_weight.chunk(3)
            if self.in_proj_weight is not None
            else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        )
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        projected = (nn.functional.linear(*words) for words in zip(inputs, weights, biases))
        return [tokens.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for tokens in projected]

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        key_padding_mask: torch.Tensor | None = None,
        need_weights: bool = True,
        attn_mask: torch.Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[torch.Tensor, None]:
        if attn_mask is not None or is_causal:
            raise ValueError("attn_mask: attention between chosen pairs, such as causal, cannot be replaced")
        inputs, self_attention = (query, key, value), query is key
        if query.dim() == 2:
            inputs = tuple(tokens[None] for tokens in inputs)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask[None]
        elif not self.batch_first:
            inputs = tuple(tokens.transpose(0, 1) for tokens in inputs)
        live = {}
        if key_padding_mask is not None:
            padding = key_padding_mask if key_padding_mask.dtype == torch.bool else key_padding_mask < 0
            live["key_mask"] = ~padding
            if self_attention:
                live["query_mask"] = ~padding
        heads = self.core(*self._project(inputs), **live)
        output = self.out_proj(heads.transpose(1, 2).flatten(2))
        if query.dim() == 2:
            output = output[0]
        elif not self.batch_first:
            output = output.transpose(0, 1)
        return output, None


class ProjectedAttention(nn.Module):
    """The modules of `Projections` with another attention between them: forward(hidden, key_mask=None)."""

    def __init__(self, original: nn.Module, names: Projections, core: nn.Module) -> None:
        super().__init__()
        self.names, self.core = names, core
        for role, path in (("q", names.q), ("k", names.k), ("v", names.v), ("out", names.out)):
            if path is not None:
                self.add_module(role, submodule(original, path, f"Projections.{role}"))
        self.train(original.training)

    def forward(self, hidden: torch.Tensor, *others: Any, key_mask: torch.Tensor | None = None, **words: Any) -> Any:
        if any(torch.is_tensor(value) for value in (*others, *words.values())):
            raise ValueError("the replaced layer knows no other argument than key_mask, [B, N] of bool")
        q, k, v = (
            project(hidden).unflatten(-1, (self.names.heads, -1)).transpose(1, 2)
            for project in (self.get_submodule("q"), self.get_submodule("k"), self.get_submodule("v"))
        )
        live = {} if key_mask is None else {"key_mask": key_mask, "query_mask": key_mask}
        output = self.core(q, k, v, **live).transpose(1, 2).flatten(2)
        if self.names.out is not None:
            output = self.get_submodule("out")(output)
        return (output,) if self.names.as_tuple else output


def submodule(model: nn.Module, name: str, argument: str) -> nn.Module:
    modules = dict(model.named_modules(remove_duplicate=False))
    if name in modules and name:
        return modules[name]
    import difflib

    near = difflib.get_close_matches(name, modules, 1)
    known = [path for path, module in modules.items() if path and not list(module.children())]
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known[:8])}{', ...' * (len(known) > 8)}"
    raise ValueError(f"{argument}: the network has no module '{name}' (hint: {hint})")


def put(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, module)


def attention_layers(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> list[str]:
    """The names of all modules of these kinds, in the order of registration."""
    names: list[str] = []
    seen = set()  # places; one module may stand in several, and several names may lead to one place
    for name, module in model.named_modules(remove_duplicate=False):
        parent, _, own = name.rpartition(".")
        place = (id(model.get_submodule(parent)), own)
        inside = any(name.startswith(f"{layer}.") for layer in names)
        if name and not inside and place not in seen and isinstance(module, (*kinds, MultiheadAttention, ProjectedAttention)):
            seen.add(place)
            names.append(name)
    if not names:
        raise ValueError(
            "layers: the network has no nn.MultiheadAttention or SinkhornAttention (hint: name its attention layers, or "
            "say with Projections where their queries, keys and values come from)"
        )
    return names


@contextmanager
def without_nested_tensors(model: nn.Module) -> Iterator[None]:
    """nn.TransformerEncoder would hand padded batches to its layers in a form that only its own fast path reads."""
    encoders = [module for module in model.modules() if isinstance(module, nn.TransformerEncoder)]
    before = [getattr(encoder, "use_nested_tensor", None) for encoder in encoders]
    for encoder in encoders:
        encoder.use_nested_tensor = False
    try:
        yield
    finally:
        for encoder, value in zip(encoders, before):
            encoder.use_nested_tensor = value


@dataclass
class Captured:
    """What enters the attention layers of a network, on the CPU in float32. Made by `asap.torch.capture`."""

    layers: tuple[str | Projections, ...]
    q: list[torch.Tensor]  # of each layer [B, H, N, D]
    k: list[torch.Tensor]  # [B, H, M, D]
    v: list[torch.Tensor]  # [B, H, M, Dv]
    query_mask: torch.Tensor | None  # [B, N] of bool; None: all tokens are live
    key_mask: torch.Tensor | None  # [B, M]
    iterations: int | None = None  # of the network's own Sinkhorn attention
    epsilon: float | None = None

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.q[0])

    def save(self, file: Any) -> None:
        """Writes an npz file for `asap-compile --activations`."""
        import numpy as np

        arrays = {
            f"layer.{layer}.{name}": tensors[layer].numpy()
            for name, tensors in (("q", self.q), ("k", self.k), ("v", self.v))
            for layer in range(len(tensors))
        }
        for name, mask in (("query_mask", self.query_mask), ("key_mask", self.key_mask)):
            if mask is not None:
                arrays[name] = mask.numpy()
        np.savez(file, **arrays)  # type: ignore[arg-type, unused-ignore]

    def __repr__(self) -> str:
        batch, heads, tokens, width = self.q[0].shape
        live = "" if self.query_mask is None else f", {int(self.query_mask.sum())} of them live"
        return (
            f"<{counted(batch, 'example')} of {counted(tokens, 'token')}{live}, {counted(len(self.q), 'layer')} of "
            f"{counted(heads, 'head')}, width {width}>"
        )


@dataclass
class Recording:
    """What entered one layer, batch by batch: q, k, v, [B, N] and [B, M] of bool."""

    batches: list[tuple[torch.Tensor, ...]] = field(default_factory=list)

    def add(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, query_live: torch.Tensor, key_live: torch.Tensor) -> None:
        tensors = (q, k, v)
        self.batches.append(
            (*(tensor.detach().to("cpu", torch.float32) for tensor in tensors), query_live.cpu(), key_live.cpu())
        )


def _padded(batches: Iterable[torch.Tensor], axis: int) -> torch.Tensor:
    """All examples, with zeros after those of shorter batches."""
    parts = list(batches)
    longest = max(part.shape[axis] for part in parts)
    after = [0, 0] * (parts[0].dim() - 1 - axis)
    return torch.cat([nn.functional.pad(part, (*after, 0, longest - part.shape[axis])) for part in parts])


def gather(names: Sequence[str | Projections], recordings: Sequence[Recording]) -> Captured:
    """ValueError where layers differ in what one operator has to share, or a value is not finite."""
    columns: list[list[torch.Tensor]] = [[], [], []]
    masks: list[torch.Tensor] | None = None
    for name, recording in zip(names, recordings):
        if not recording.batches:
            raise ValueError(f"layers: {name} was never called (hint: does the network use it?)")
        *tensors, query_live, key_live = zip(*recording.batches)
        heads = [_padded(batches, 2) for batches in tensors]
        live = [_padded(batches, 1) for batches in (query_live, key_live)]
        if masks is not None and (
            [mask.shape for mask in live] != [mask.shape for mask in masks]
            or heads[0].shape != columns[0][0].shape
            or not all(torch.equal(one, other) for one, other in zip(live, masks))
        ):
            raise ValueError(
                f"layers: {name} has other heads, width, tokens or masks than {names[0]} (hint: capture layers that differ "
                "one by one)"
            )
        masks = live
        for letter, tensor, mask, column in zip("qkv", heads, (live[0], live[1], live[1]), columns):
            bad = ~torch.isfinite(tensor) & mask[:, None, :, None]
            if bad.any():
                raise ValueError(f"{name}: {letter} is not finite at {bad.nonzero()[0].tolist()} [example, head, token, column]")
            column.append(tensor)
    assert masks is not None
    some = [None if mask.all() else mask for mask in masks]
    return Captured(tuple(names), *columns, *some)
