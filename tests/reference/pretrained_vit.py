"""A ViT's encoder, written as plainly as possible in PyTorch from the names of its checkpoints.

The golden values of pretrained ViTs come from it. Pre-LN, a class token, learned positions, patches by a convolution.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as functional
from bert import read_safetensors


class Encoder:
    """`folder` holds config.json, preprocessor_config.json and model.safetensors."""

    def __init__(self, folder, dtype=torch.float32):
        folder = Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
        self.mean = torch.tensor(preprocessor["image_mean"], dtype=dtype).view(1, -1, 1, 1)
        self.deviation = torch.tensor(preprocessor["image_std"], dtype=dtype).view(1, -1, 1, 1)
        self.tensors = {k: v.to(dtype) for k, v in read_safetensors(folder / "model.safetensors").items()}
        self.heads = self.config["num_attention_heads"]
        self.dtype = dtype

    def linear(self, x, name):
        return functional.linear(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def norm(self, x, name):
        weight = self.tensors[name + ".weight"]
        return functional.layer_norm(x, weight.shape, weight, self.tensors[name + ".bias"],
                                     eps=self.config["layer_norm_eps"])

    def attention(self, x, layer):
        def split(name):
            y = self.linear(x, layer + "attention.attention." + name)
            return y.view(*y.shape[:2], self.heads, -1).transpose(1, 2)

        q, k, v = split("query"), split("key"), split("value")
        mixed = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1) @ v
        return self.linear(mixed.transpose(1, 2).reshape(x.shape), layer + "attention.output.dense")

    def tokens(self, images):
        """images: bytes [B, C, H, W] -> the normalised tokens behind the last layer [B, 1 + patches, W]."""
        pixels = (images.to(self.dtype) / 255 - self.mean) / self.deviation
        projection = "embeddings.patch_embeddings.projection"
        x = functional.conv2d(pixels, self.tensors[projection + ".weight"], self.tensors[projection + ".bias"],
                              stride=self.config["patch_size"])
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.tensors["embeddings.cls_token"].expand(len(x), -1, -1), x], 1)
        x = x + self.tensors["embeddings.position_embeddings"]
        for index in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{index}."
            x = x + self.attention(self.norm(x, layer + "layernorm_before"), layer)
            hidden = functional.gelu(self.linear(self.norm(x, layer + "layernorm_after"), layer + "intermediate.dense"))
            x = x + self.linear(hidden, layer + "output.dense")
        return self.norm(x, "layernorm")

    def embeddings(self, images, pooling="class_token"):
        """The vector of each image. pooling: class_token or pooler."""
        with torch.no_grad():
            vectors = self.tokens(images)[:, 0]
            return vectors if pooling == "class_token" else torch.tanh(self.linear(vectors, "pooler.dense"))
