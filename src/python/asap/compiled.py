"""Compiled operators: doubly stochastic attention with few iterations or none."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _asap
from ._arrays import heads, live_tokens, number_of_axes, require_heads, require_shape, without_added_axes
from ._numbers import counted, require_positive, whole_number

_FLOAT32 = (np.dtype(np.float32),)


def require_layer(operator: Any, layer: int) -> None:
    """TypeError or ValueError unless `operator` is a CompiledOperator that has this layer."""
    if not isinstance(operator, CompiledOperator):
        raise TypeError(f"operator must be an asap.CompiledOperator, not {type(operator).__name__}")
    if not 0 <= layer < operator.layers:
        raise ValueError(f"layer is {layer}, but the operator has {operator.layers}")


def _count(name: str, value: int | None) -> int:
    """0 stands for the default of asap-compile."""
    return 0 if value is None else whole_number(name, value, 1)


class CompiledOperator:
    """Attention that predicts Sinkhorn's row dual from queries and keys instead of iterating (asap-compile)."""

    def __init__(self, operator: _asap.Operator) -> None:
        """Use `fit` or `load`."""
        self._operator = operator

    @classmethod
    def fit(
        cls,
        q: Any,
        k: Any,
        v: Any = None,
        *,
        iterations: int = 10,
        epsilon: float = 1.0,
        features: str | Sequence[str] | None = None,
        slices: int | None = None,
        calibration: int | None = None,
        held_out: int | None = None,
        query_lengths: Any = None,
        key_lengths: Any = None,
        query_mask: Any = None,
        key_mask: Any = None,
    ) -> "CompiledOperator":
        """Fits an operator to the attention of one layer, as `asap-compile --activations` does.

        Args:
            q: queries [B, H, N, D] of float32; the first `calibration` examples are fitted, those after them measured.
            k: keys [B, H, M, D].
            v: values [B, H, M, Dv] or None. With values the choice between candidates also sees the output.
            iterations: of the Sinkhorn attention that is imitated.
            epsilon: its regularisation, with scores q kᵀ / (√D epsilon).
            features: "lse,landmarks:16,it:1" or a list; None: chosen on the held-out examples.
            slices: directions of features on slices (None: 4).
            calibration: examples to fit on (None: 256).
            held_out: examples to measure on (None: 128).
            query_lengths, key_lengths, query_mask, key_mask: as of `sinkhorn_attention`.

        Raises:
            ValueError: an argument does not fit; NumericalError: a live value is not finite.
        """
        return cls.fit_layers(
            [(q, k, v)],
            iterations=iterations,
            epsilon=epsilon,
            features=features,
            slices=slices,
            calibration=calibration,
            held_out=held_out,
            query_lengths=query_lengths,
            key_lengths=key_lengths,
            query_mask=query_mask,
            key_mask=key_mask,
        )

    @classmethod
    def fit_layers(
        cls,
        layers: Sequence[tuple[Any, Any, Any]],
        *,
        iterations: int = 10,
        epsilon: float = 1.0,
        features: str | Sequence[str] | None = None,
        slices: int | None = None,
        calibration: int | None = None,
        held_out: int | None = None,
        query_lengths: Any = None,
        key_lengths: Any = None,
        query_mask: Any = None,
        key_mask: Any = None,
    ) -> "CompiledOperator":
        """Fits an operator to the attention of all layers of a network; a layer takes it with `layer=i`.

        Args:
            layers: (q, k, v) of each layer, as of `fit`, in the same shapes; v of all or none may be None.
            others: as of `fit`, for all layers.
        """
        if not layers:
            raise ValueError("layers is empty")
        read = []
        for q, k, v in layers:
            queries, keys = heads("q", q, _FLOAT32), heads("k", k, _FLOAT32)
            values = None if v is None else heads("v", v, _FLOAT32)
            require_heads(queries, keys, values)
            read.append((queries, keys, values))
            for name, array, first in (("q", queries, read[0][0]), ("k", keys, read[0][1])):
                require_shape(name, array, first.shape, "as in the first layer")
        require_positive("epsilon", epsilon)
        if features is not None and not isinstance(features, str):
            features = ",".join(features)
        settings = _asap.FitSettings(
            iterations=_count("iterations", iterations),
            epsilon=epsilon,
            features=features,
            slices=_count("slices", slices),
            calibration=_count("calibration", calibration),
            held_out=_count("held_out", held_out),
        )
        live = live_tokens(read[0][0], read[0][1], query_lengths, key_lengths, query_mask, key_mask)
        return cls(_asap.Operator.fit(settings, read, live))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "CompiledOperator":
        """Reads an operator that `save` or asap-compile wrote. DataError when a file is missing or damaged."""
        return cls(_asap.Operator.load(os.fsdecode(folder)))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes operator.json and operator.safetensors, the files of asap-compile."""
        self._operator.save(os.fsdecode(folder))

    @property
    def layers(self) -> int:
        """Layers of the network that it was compiled from; 1 for one that was fitted here."""
        return self._operator.layers

    @property
    def description(self) -> dict[str, Any]:
        """The contents of operator.json: what each layer runs, how it was fitted, and what was measured."""
        with tempfile.TemporaryDirectory() as folder:
            self.save(folder)
            description: dict[str, Any] = json.loads((Path(folder) / "operator.json").read_text(encoding="utf-8"))
        return description

    def __call__(
        self,
        q: Any,
        k: Any,
        v: Any,
        *,
        layer: int = 0,
        query_lengths: Any = None,
        key_lengths: Any = None,
        query_mask: Any = None,
        key_mask: Any = None,
    ) -> npt.NDArray[np.float32]:
        """The attention of one layer.

        Args:
            q: queries [B, H, N, D] of float32, with as many heads of the same width as the operator has.
            k: keys [B, H, M, D].
            v: values [B, H, M, Dv].
            layer: from 0.
            query_lengths, key_lengths, query_mask, key_mask: as of `sinkhorn_attention`.

        Returns:
            [B, H, N, Dv] with as many axes as q. A token that is not live has no effect; its row is zero.
        """
        queries, keys, values = (heads(name, array, _FLOAT32) for name, array in (("q", q), ("k", k), ("v", v)))
        require_heads(queries, keys, values)
        output = np.empty((*queries.shape[:3], values.shape[3]), np.float32)
        live = live_tokens(queries, keys, query_lengths, key_lengths, query_mask, key_mask)
        self._operator.apply(layer, queries, keys, values, live, output)
        return without_added_axes(output, number_of_axes(q))

    def __repr__(self) -> str:
        return f"<asap.CompiledOperator of {counted(self.layers, 'layer')}>"
