"""Records what enters the attention of a PyTorch network, and compiles it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from . import _network_attention as networks
from ._network_attention import Captured, Projections
from ._numbers import counted
from ._plain_sinkhorn import live_tokens
from ._replace import core_of, layers_of, put_core, restore_core
from ._torch_attention import SinkhornAttention, known_live
from .compiled import CompiledOperator


class _Softmax(torch.nn.Module):
    """Softmax attention on any device: forward(q, k, v, key_mask=None)."""

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **live: Any) -> torch.Tensor:
        mask = live.get("key_mask")
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=None if mask is None else mask[:, None, None]
        )


class _Recorder(torch.nn.Module):
    """Attention that computes what `inner` computes and keeps what enters it."""

    def __init__(self, inner: torch.nn.Module, recording: networks.Recording) -> None:
        super().__init__()
        self.inner, self.recording = inner, recording

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **live: Any) -> torch.Tensor:
        _record(self.recording, q, k, v, **live)
        output: torch.Tensor = self.inner(q, k, v, **live)
        return output


def _record(recording: networks.Recording, q: Any, k: Any, v: Any, **live: Any) -> None:
    words = known_live({name: value for name, value in live.items() if value is not None})
    for name, tensor in (("q", q), ("k", k), ("v", v)):
        if not isinstance(tensor, torch.Tensor) or tensor.dim() != 4:
            raise ValueError(f"{name} of a captured layer must be a tensor [B, H, N, D]")
    masks = (
        live_tokens(x, words.get(f"{side}_lengths"), words.get(f"{side}_mask"), side)
        for side, x in (("query", q), ("key", k))
    )
    recording.add(q, k, v, *masks)


def _call(model: Any, batch: Any) -> None:
    if isinstance(batch, dict):
        model(**batch)
    elif isinstance(batch, (tuple, list)):
        model(*batch)
    else:
        model(batch)


def _hook_projections(
    model: torch.nn.Module, layer: Projections, recording: networks.Recording, key_mask: Callable[[], Any]
) -> list[Any]:
    """Records the outputs of the projections whenever all three have been computed. Returns the hooks."""
    owner, seen = networks.submodule(model, layer.module, "layers"), dict[str, torch.Tensor]()

    def keep(role: str) -> Callable[..., None]:
        def hook(module: Any, inputs: Any, output: torch.Tensor) -> None:
            if output.dim() != 3 or output.shape[-1] % layer.heads:
                raise ValueError(
                    f"{layer.module}: {role} gives {list(output.shape)}, expected [B, N, {layer.heads} heads * width]"
                )
            seen[role] = output.unflatten(-1, (layer.heads, -1)).transpose(1, 2)
            if len(seen) == 3:
                mask = key_mask()
                _record(recording, seen["q"], seen["k"], seen["v"], query_mask=mask, key_mask=mask)
                seen.clear()

        return hook

    paths = (("q", layer.q), ("k", layer.k), ("v", layer.v))
    return [
        networks.submodule(owner, path, f"Projections.{role}").register_forward_hook(keep(role)) for role, path in paths
    ]


def _own_kind(modules: Sequence[torch.nn.Module]) -> tuple[int | None, float | None]:
    """Iterations and epsilon of the captured layers, where they are Sinkhorn attention."""
    kinds = {(module.iterations, module.epsilon) for module in modules if isinstance(module, SinkhornAttention)}
    if len(kinds) > 1:
        raise ValueError(f"layers have different iterations and epsilon: {sorted(kinds)} (hint: capture them one by one)")
    return kinds.pop() if kinds else (None, None)


@torch.no_grad()
def capture(
    model: Any,
    layers: Sequence[str | Projections] | int | None = None,
    batches: Iterable[Any] = (),
    *,
    call: Callable[[Any, Any], Any] = _call,
    key_mask: Callable[[Any], torch.Tensor] | None = None,
) -> Captured:
    """Sends batches through a network and keeps the queries, keys and values of its attention layers.

    Args:
        model: the network; it is as before afterwards. Or any function (batch, record) that calls
            record(layer, q, k, v, **live) for each of `layers`, a number, with tensors [B, H, N, D].
        layers: names of modules (`model.named_modules()`): torch.nn.MultiheadAttention, SinkhornAttention, or any that
            is called with (q, k, v) of [B, H, N, D]; `Projections` for one that projects its input itself. None: all of
            the first two kinds.
        batches: inputs of the network, without gradient and in its evaluation mode: a tensor, a tuple of arguments or a
            dict of keyword arguments.
        call: how a batch enters the network.
        key_mask: of a batch [B, N] of bool, true for live tokens: for layers of `Projections`, which see no mask.

    Batches of different lengths are padded. A network whose attention is softmax is captured as it is; replace it by
    SinkhornAttention first for inputs that the compiled layers will see.

    Raises:
        ValueError: a layer is not there or not used, or differs from the others in heads, width, tokens or masks.
    """
    if not isinstance(model, torch.nn.Module):
        if not isinstance(layers, int) or layers < 1:
            raise ValueError("layers must be the number of layers where a function records them")
        recordings = [networks.Recording() for _ in range(layers)]
        for batch in batches:
            model(batch, lambda layer, q, k, v, **live: _record(recordings[layer], q, k, v, **live))
        return networks.gather([f"layer {layer}" for layer in range(layers)], recordings)
    names = layers_of(model, layers)
    recordings = [networks.Recording() for _ in names]
    current: list[Any] = [None]
    mask = (lambda: None) if key_mask is None else (lambda: key_mask(current[0]))
    restore: list[tuple[str, torch.nn.Module]] = []
    hooks: list[Any] = []
    modes = [(module, module.training) for module in model.modules()]
    try:
        inner = [networks.submodule(model, name, "layers") for name in names if isinstance(name, str)]
        iterations, epsilon = _own_kind([core_of(module) for module in inner])
        for name, recording in zip(names, recordings):
            if isinstance(name, Projections):
                hooks += _hook_projections(model, name, recording, mask)
                continue
            module = model.get_submodule(name)
            core = core_of(module)
            softmax = isinstance(module, torch.nn.MultiheadAttention)
            recorder = _Recorder(_Softmax() if softmax else core, recording)
            restore.append((name, put_core(model, name, recorder)))
        model.eval()
        with networks.without_nested_tensors(model):
            for batch in batches:
                current[0] = batch
                call(model, batch)
    finally:
        for hook in hooks:
            hook.remove()
        for name, original in restore:
            restore_core(model, name, original)
        for module, training in modes:
            module.training = training
    captured = networks.gather(names, recordings)
    captured.iterations, captured.epsilon = iterations, epsilon
    return captured


def compile(  # noqa: A001 - asap.torch.compile, as torch.compile
    captured: Captured,
    *,
    iterations: int | None = None,
    epsilon: float | None = None,
    features: str | Sequence[str] | None = None,
    slices: int | None = None,
    calibration: int | None = None,
    held_out: int | None = None,
) -> CompiledOperator:
    """Fits an operator to the captured layers: `CompiledOperator.fit_layers`.

    Args:
        iterations, epsilon: of the Sinkhorn attention to imitate; None: the network's own, or 10 and 1.
        features, slices: as of `CompiledOperator.fit`.
        calibration, held_out: examples to fit on, the first ones, and to measure on. None: two thirds of them, at most
            256, and the others, at most 128.
    """
    if not isinstance(captured, Captured):
        raise TypeError(f"captured must come from asap.torch.capture, not {type(captured).__name__}")
    if len(captured) < 2:
        raise ValueError(f"captured has {counted(len(captured), 'example')}, expected at least 2: to fit on and to measure on")
    if calibration is None:
        calibration = min(256, len(captured) - (held_out or max(1, len(captured) // 3)))
    if held_out is None:
        held_out = min(128, len(captured) - calibration)
    return CompiledOperator.fit_layers(
        list(zip(captured.q, captured.k, captured.v)),
        iterations=iterations or captured.iterations or 10,
        epsilon=epsilon or captured.epsilon or 1.0,
        features=features,
        slices=slices,
        calibration=calibration,
        held_out=held_out,
        query_mask=captured.query_mask,
        key_mask=captured.key_mask,
    )


