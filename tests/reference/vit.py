"""The toolkit's Vision Transformer, written as plainly as possible in PyTorch.

The golden values come from it, and the toolkit's speed is compared with it. Parameters carry the names of the
toolkit's checkpoints. Sinkhorn attention follows the literature: it works in the log domain, and autograd
records all iterations.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional


@dataclass
class Config:
    image: int = 28  # pixels along one side, one channel
    patch: int = 4
    width: int = 64
    heads: int = 2
    layers: int = 3
    hidden: int = 128  # width of the feed-forward part
    classes: int = 10
    class_token: bool = False  # otherwise the mean over tokens
    attention: str = "sinkhorn"  # or "softmax"
    iterations: int = 10
    epsilon: float = 1.0
    learn_epsilon: bool = False
    fused: bool = False  # softmax by PyTorch's fused kernel (2.0 and later), which forms no plan

    @property
    def tokens(self):
        return (self.image // self.patch) ** 2 + int(self.class_token)


def new_parameters(config, generator, dtype=torch.float32):
    """Random parameters under the toolkit's names. Norm weights are not exactly 1 and biases not exactly 0,
    so that the tests notice a gradient without one of them."""

    def normal(*shape, scale=0.1, shift=0.0):
        return shift + scale * torch.randn(*shape, generator=generator, dtype=dtype)

    width, hidden = config.width, config.hidden

    def linear(name, outputs, inputs):
        return {name + ".weight": normal(outputs, inputs, scale=inputs**-0.5), name + ".bias": normal(outputs)}

    def norm(name):
        return {name + ".weight": normal(width, shift=1.0), name + ".bias": normal(width)}

    parameters = linear("embedding.patch", width, config.patch**2)
    parameters["embedding.position"] = normal(config.tokens, width)
    if config.class_token:
        parameters["embedding.class_token"] = normal(width)
    for layer in range(config.layers):
        prefix = f"layers.{layer}."
        parameters |= norm(prefix + "attention_norm")
        parameters |= linear(prefix + "attention.qkv", 3 * width, width)
        parameters |= linear(prefix + "attention.output", width, width)
        if config.learn_epsilon:
            parameters[prefix + "attention.log_epsilon"] = normal(config.heads, scale=0.3)
        parameters |= norm(prefix + "feed_forward_norm")
        parameters |= linear(prefix + "feed_forward.up", hidden, width)
        parameters |= linear(prefix + "feed_forward.down", width, hidden)
    parameters |= norm("final_norm")
    parameters |= linear("head", config.classes, width)
    return parameters


def sinkhorn_plan(scores, iterations):
    """exp(S + f + g), rows summing to 1: one row update from g = 0, then (column, row) updates."""
    column_total = scores.new_tensor(scores.shape[-2] / scores.shape[-1]).log()
    f = -torch.logsumexp(scores, dim=-1, keepdim=True)
    g = torch.zeros_like(scores[..., :1, :])
    for _ in range(iterations):
        g = column_total - torch.logsumexp(scores + f, dim=-2, keepdim=True)
        f = -torch.logsumexp(scores + g, dim=-1, keepdim=True)
    return torch.exp(scores + f + g)


def _linear(parameters, name, x):
    return functional.linear(x, parameters[name + ".weight"], parameters[name + ".bias"])


def _norm(parameters, name, x):
    weight = parameters[name + ".weight"]
    return functional.layer_norm(x, weight.shape, weight, parameters[name + ".bias"], eps=1e-5)


def _attention(config, parameters, prefix, x):
    batch, tokens, width = x.shape
    head_width = width // config.heads
    projected = _linear(parameters, prefix + "qkv", x)
    q, k, v = projected.view(batch, tokens, 3, config.heads, head_width).permute(2, 0, 3, 1, 4)
    epsilon = config.epsilon
    if config.learn_epsilon:
        epsilon = parameters[prefix + "log_epsilon"].exp().view(1, -1, 1, 1)
    iterations = config.iterations if config.attention == "sinkhorn" else 0
    if config.fused and not iterations:
        mixed = functional.scaled_dot_product_attention(q / epsilon, k, v)
    else:
        scores = q @ k.transpose(-1, -2) / (head_width**0.5 * epsilon)
        plan = sinkhorn_plan(scores, iterations) if iterations else torch.softmax(scores, dim=-1)
        mixed = plan @ v
    mixed = mixed.transpose(1, 2).reshape(batch, tokens, width)
    return _linear(parameters, prefix + "output", mixed)


def forward(config, parameters, images):
    """Logits [B, classes] of images [B, height, width]."""
    batch, patch, side = images.shape[0], config.patch, config.image // config.patch
    patches = images.view(batch, side, patch, side, patch).permute(0, 1, 3, 2, 4)
    x = _linear(parameters, "embedding.patch", patches.reshape(batch, side * side, patch * patch))
    if config.class_token:
        token = parameters["embedding.class_token"].expand(batch, 1, -1)
        x = torch.cat([token, x], dim=1)
    x = x + parameters["embedding.position"]
    for layer in range(config.layers):
        prefix = f"layers.{layer}."
        x = x + _attention(config, parameters, prefix + "attention.", _norm(parameters, prefix + "attention_norm", x))
        hidden = _linear(parameters, prefix + "feed_forward.up", _norm(parameters, prefix + "feed_forward_norm", x))
        hidden = functional.gelu(hidden, approximate="tanh")
        x = x + _linear(parameters, prefix + "feed_forward.down", hidden)
    x = _norm(parameters, "final_norm", x)
    pooled = x[:, 0] if config.class_token else x.mean(dim=1)
    return _linear(parameters, "head", pooled)
