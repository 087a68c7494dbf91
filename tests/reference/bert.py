"""BERT's encoder and DistilBERT's, written as plainly as possible in PyTorch from the names of their checkpoints.

The golden values of pretrained models come from it, and scripts/pretrained_encoder.py compares real weights with it.
Attention is softmax, or Sinkhorn's iterations in the log domain: rows first and last.
"""

import json
import math
import struct
from pathlib import Path

import torch
import torch.nn.functional as functional

BERT = {
    "layer": "encoder.layer.{}.", "query": "attention.self.query", "key": "attention.self.key",
    "value": "attention.self.value", "output": "attention.output.dense", "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense", "down": "output.dense", "norm": "output.LayerNorm",
}
DISTILBERT = {
    "layer": "transformer.layer.{}.", "query": "attention.q_lin", "key": "attention.k_lin",
    "value": "attention.v_lin", "output": "attention.out_lin", "attention_norm": "sa_layer_norm",
    "up": "ffn.lin1", "down": "ffn.lin2", "norm": "output_layer_norm",
}


def read_safetensors(path):
    """The float32 tensors of a file."""
    data = Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(bytearray(data[8 + length + begin : 8 + length + end]), dtype=torch.float32)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


class Encoder:
    """`folder` holds config.json and model.safetensors. iterations: of Sinkhorn attention; None: softmax."""

    def __init__(self, folder, iterations=None, dtype=torch.float32):
        self.config = json.loads((Path(folder) / "config.json").read_text())
        self.tensors = {k: v.to(dtype) for k, v in read_safetensors(Path(folder) / "model.safetensors").items()}
        distil = self.config["model_type"] == "distilbert"
        self.names = DISTILBERT if distil else BERT
        self.heads = self.config["n_heads" if distil else "num_attention_heads"]
        self.layers = self.config["n_layers" if distil else "num_hidden_layers"]
        self.activation = self.config["activation" if distil else "hidden_act"]
        self.epsilon = self.config.get("layer_norm_eps", 1e-12)
        self.iterations = iterations

    def linear(self, x, name):
        return functional.linear(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def norm(self, x, name):
        weight = self.tensors[name + ".weight"]
        return functional.layer_norm(x, weight.shape, weight, self.tensors[name + ".bias"], eps=self.epsilon)

    def plan(self, scores, mask):
        scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        if self.iterations is None:
            return torch.softmax(scores, -1)
        rows = mask[:, None, :, None]
        f = -torch.logsumexp(scores, -1, keepdim=True)
        g = torch.zeros_like(scores[..., :1, :])
        for _ in range(self.iterations):
            g = -torch.logsumexp((scores + f).masked_fill(~rows, -torch.inf), -2, keepdim=True)
            g = torch.where(mask[:, None, None, :], g, torch.zeros_like(g))
            f = -torch.logsumexp(scores + g, -1, keepdim=True)
        return torch.exp(scores + f + g)

    def attention(self, x, mask, layer):
        def split(name):
            y = self.linear(x, layer + self.names[name])
            return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)

        q, k, v = split("query"), split("key"), split("value")
        mixed = self.plan(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), mask) @ v
        return self.linear(mixed.transpose(1, 2).reshape(x.shape), layer + self.names["output"])

    def tokens(self, ids, mask, types=None):
        """ids, mask, types: [B, N] -> the last layer's tokens [B, N, W]. Without types all are 0."""
        x = functional.embedding(ids, self.tensors["embeddings.word_embeddings.weight"])
        x = x + self.tensors["embeddings.position_embeddings.weight"][: ids.shape[1]]
        if "embeddings.token_type_embeddings.weight" in self.tensors:
            types = torch.zeros_like(ids) if types is None else types
            x = x + functional.embedding(types, self.tensors["embeddings.token_type_embeddings.weight"])
        x = self.norm(x, "embeddings.LayerNorm")
        approximate = "none" if self.activation == "gelu" else "tanh"
        for index in range(self.layers):
            layer = self.names["layer"].format(index)
            x = self.norm(x + self.attention(x, mask, layer), layer + self.names["attention_norm"])
            hidden = functional.gelu(self.linear(x, layer + self.names["up"]), approximate=approximate)
            x = self.norm(x + self.linear(hidden, layer + self.names["down"]), layer + self.names["norm"])
        return x

    def embeddings(self, texts_ids, pooling="mean", types=None):
        """The vector of each list of ids. pooling: mean, first or pooler. types: of each list; None: all 0."""
        out = []
        with torch.no_grad():
            for index, ids in enumerate(texts_ids):
                x = self.tokens(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool),
                                None if types is None else torch.tensor([types[index]]))
                vector = x.mean(1) if pooling == "mean" else x[:, 0]
                if pooling == "pooler":
                    vector = torch.tanh(self.linear(vector, "pooler.dense"))
                out.append(vector[0])
        return torch.stack(out)
