"""Doubly stochastic attention, its compiled operators, trained networks and region-constrained ReLU networks.

Arrays are NumPy arrays, or anything on the CPU that supports DLPack (torch.Tensor, jax.Array); they are read in place,
and results are NumPy arrays, which `torch.from_dlpack` takes without a copy. Long calls release the GIL. Results do not
depend on the number of threads and are those of the toolkit's commands, to the last byte.

Arguments that cannot be used raise ValueError, or TypeError for a wrong type; the message names the argument. DataError
(a file) and NumericalError (values that are not finite) are ValueErrors.
"""

from . import relu_fit
from ._asap import version as _version
from ._errors import DataError, NumericalError
from ._threads import set_threads, threads
from .attention import (
    Gradients,
    sinkhorn_attention,
    sinkhorn_attention_backward,
    softmax_attention,
    softmax_attention_backward,
)
from .compiled import CompiledOperator
from .model import Model, Prediction
from .transport import potentials_1d
from .warm_starts import WarmStart, warm_start

__version__: str = _version()

__all__ = [
    "CompiledOperator",
    "DataError",
    "Gradients",
    "Model",
    "NumericalError",
    "Prediction",
    "WarmStart",
    "potentials_1d",
    "relu_fit",
    "set_threads",
    "sinkhorn_attention",
    "sinkhorn_attention_backward",
    "softmax_attention",
    "softmax_attention_backward",
    "threads",
    "warm_start",
]
