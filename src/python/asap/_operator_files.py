"""The files that define an operator (src/compile/README.md), layer by layer."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .compiled import CompiledOperator


def read_layer(operator: CompiledOperator, layer: int) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.float32]]]:
    """What operator.json says of a layer, and its tensors by their short names."""
    with tempfile.TemporaryDirectory() as folder:
        operator.save(folder)
        description = json.loads(Path(folder, "operator.json").read_text(encoding="utf-8"))
        content = Path(folder, "operator.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data, prefix = json.loads(content[8 : 8 + length]), content[8 + length :], f"layers.{layer}."
    tensors = {}
    for name, entry in header.items():
        if name.startswith(prefix):
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
            tensors[name.removeprefix(prefix)] = values.astype(np.float32)
    own = dict(description["operators"][layer])
    own["key_bias"] = description["fit"]["mode"] == "key_bias" and "iterations" not in own
    own["teacher_iterations"] = description["teacher_iterations"]
    return own, tensors
