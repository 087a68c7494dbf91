"""Attention for PyTorch with exact gradients, and the way from a network's attention to a compiled operator and back.

`replace` puts Sinkhorn attention or an operator into a network, `capture` records what enters its attention, and `compile`
fits an operator to that.
"""

try:
    import torch as _torch  # noqa: F401 - says what is missing
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise ImportError("asap.torch needs PyTorch (hint: pip install torch)") from error

from ._capture import capture, compile
from ._network_attention import Captured, Projections
from ._plain_attention import PlainCompiledAttention
from ._replace import replace
from ._torch_attention import CompiledAttention, SinkhornAttention, sinkhorn_attention, softmax_attention

__all__ = [
    "Captured",
    "CompiledAttention",
    "PlainCompiledAttention",
    "Projections",
    "SinkhornAttention",
    "capture",
    "compile",
    "replace",
    "sinkhorn_attention",
    "softmax_attention",
]
