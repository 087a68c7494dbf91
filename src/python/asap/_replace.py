"""Puts attention into a PyTorch network in the place of its own."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from . import _network_attention as networks
from ._network_attention import Projections
from ._numbers import counted
from ._plain_attention import PlainCompiledAttention
from ._torch_attention import CompiledAttention, SinkhornAttention
from .compiled import CompiledOperator


def layers_of(model: torch.nn.Module, layers: Any) -> list[str | Projections]:
    if layers is None:
        kinds = (torch.nn.MultiheadAttention, SinkhornAttention, CompiledAttention, PlainCompiledAttention)
        return list(networks.attention_layers(model, kinds))
    if isinstance(layers, (str, Projections)):
        layers = [layers]
    names = list(layers)
    for name in names:
        if not isinstance(name, (str, Projections)):
            raise TypeError(f"layers must be names or Projections, not {type(name).__name__}")
        module = networks.submodule(model, name.module if isinstance(name, Projections) else name, "layers")
        if isinstance(name, str) and not _takes_three(module):
            raise ValueError(
                f"layers: {name} is of {type(module).__name__}, which is not called with q, k and v (hint: Projections says "
                "where they come from)"
            )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"layers must be different names, and at least one: {names}")
    return names


def _takes_three(module: torch.nn.Module) -> bool:
    """Whether the module may be called with queries, keys and values."""
    if isinstance(module, (networks.MultiheadAttention, networks.ProjectedAttention)):
        return True
    kinds = [parameter.kind for parameter in inspect.signature(module.forward).parameters.values()]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Parameter.VAR_POSITIONAL in kinds or sum(kind in positional for kind in kinds) >= 3


def core_of(module: torch.nn.Module) -> torch.nn.Module:
    """The attention of a layer: what was put between its projections, or the module itself."""
    if isinstance(module, (networks.MultiheadAttention, networks.ProjectedAttention)):
        return module.core
    return module


def put_core(model: torch.nn.Module, layer: str | Projections, core: torch.nn.Module) -> torch.nn.Module:
    """Puts attention in the place of that of a layer. Returns the module that stood there."""
    name = layer.module if isinstance(layer, Projections) else layer
    original = networks.submodule(model, name, "layers")
    if isinstance(layer, Projections):
        networks.put(model, name, networks.ProjectedAttention(original, layer, core))
    elif isinstance(original, torch.nn.MultiheadAttention):
        networks.put(model, name, networks.MultiheadAttention(original, core))
    elif isinstance(original, (networks.MultiheadAttention, networks.ProjectedAttention)):
        previous: torch.nn.Module = original.core
        original.core = core
        return previous
    else:
        networks.put(model, name, core)
    return original


def restore_core(model: torch.nn.Module, name: str, original: torch.nn.Module) -> None:
    module = model.get_submodule(name)
    if isinstance(module, (networks.MultiheadAttention, networks.ProjectedAttention)) and not isinstance(
        original, torch.nn.MultiheadAttention
    ):
        module.core = original
    else:
        networks.put(model, name, original)


_Model = TypeVar("_Model", bound=torch.nn.Module)


def replace(
    model: _Model,
    attention: CompiledOperator | torch.nn.Module,
    layers: Sequence[str | Projections] | None = None,
    *,
    form: Callable[[CompiledOperator, int], torch.nn.Module] = PlainCompiledAttention,
) -> _Model:
    """Puts other attention into a network, in place, and returns it. Parameters and their names stay.

    Args:
        attention: an operator of as many layers, of which each layer gets its own; or a module that all layers share,
            such as SinkhornAttention().
        layers: as of `capture`, in the order of the operator's layers.
        form: of an operator's layers: PlainCompiledAttention, or CompiledAttention, faster on the CPU without gradients.

    Layers of torch.nn.MultiheadAttention obey masks of padding and refuse masks of pairs. Those of `Projections` become
    `forward(hidden, key_mask=None)`.

    Raises:
        ValueError: a layer is not there, or the operator has another number of layers.
    """
    names = layers_of(model, layers)
    if isinstance(attention, CompiledOperator):
        if attention.layers != len(names):
            raise ValueError(f"the operator has {counted(attention.layers, 'layer')}, the layers to be replaced are {names}")
        cores = [form(attention, layer) for layer in range(len(names))]
    elif isinstance(attention, torch.nn.Module):
        cores = [attention] * len(names)
    else:
        raise TypeError(f"attention must be a CompiledOperator or a module, not {type(attention).__name__}")
    modules = [networks.submodule(model, name.module if isinstance(name, Projections) else name, "layers") for name in names]
    for name, module, core in zip(names, modules, cores):
        wanted = getattr(module, "num_heads", None)
        if wanted is not None and getattr(core, "heads", wanted) != wanted:
            raise ValueError(f"{name} has {counted(wanted, 'head')}, but the operator {core.heads}")
        if isinstance(module, torch.nn.MultiheadAttention):
            networks.require_replaceable(str(name), module)
    for name, module, core in zip(names, modules, cores):
        near = next(iter(module.parameters()), next(iter(model.parameters()), None))
        put_core(model, name, core if near is None else core.to(near.device))
    for module in model.modules():
        if isinstance(module, torch.nn.TransformerEncoder):
            module.use_nested_tensor = False
    return model
