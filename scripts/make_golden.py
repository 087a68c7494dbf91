#!/usr/bin/python3
"""Writes the golden values in tests/golden/data: the results of PyTorch and POT, in float64, for small seeded
inputs. Run it only to change the values; the tests read the files.

  scripts/setup.sh --developer && scripts/make_golden.py
"""

import functools
import json
import struct
import sys
from pathlib import Path

import numpy
import ot
import torch
import torch.nn.functional as functional

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root / "tests" / "reference"))
import vit  # noqa: E402  (found through the line above)

folder = root / "tests" / "golden" / "data"


def write_safetensors(name, tensors, metadata):
    """Writes the safetensors format by hand: header length, JSON header padded to 8 bytes, data."""
    header, blob = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, b""
    for key in sorted(tensors):
        array = numpy.ascontiguousarray(tensors[key])
        kind = {"float64": "F64", "int32": "I32"}[array.dtype.name]
        header[key] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [len(blob), len(blob) + array.nbytes],
        }
        blob += array.tobytes()
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + blob)
    print(f"{name}: {len(tensors)} tensors, {8 + len(text) + len(blob)} bytes")


def versions():
    return {"torch": torch.__version__, "pot": ot.__version__, "numpy": numpy.__version__}


def array(tensor):
    return tensor.detach().numpy()


def operator_values(generator):
    """Layer norm, GELU, softmax and cross-entropy with their gradients for a given output gradient."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    tensors = {}

    def record(name, inputs, function):
        leaves = {key: value.clone().requires_grad_() for key, value in inputs.items()}
        output = function(**leaves)
        gradient = normal(*output.shape)
        output.backward(gradient)
        tensors[name + ".output"] = array(output)
        tensors[name + ".output_gradient"] = array(gradient)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"] = array(leaf)
            tensors[f"{name}.{key}_gradient"] = array(leaf.grad)

    record(
        "layer_norm",
        {"x": 3 * normal(5, 7) + 1, "weight": normal(7), "bias": normal(7)},
        lambda x, weight, bias: functional.layer_norm(x, (7,), weight, bias, eps=1e-5),
    )
    # The points reach far into the flat part on the left and the linear part on the right.
    points = torch.cat([torch.linspace(-12, 12, 25, dtype=torch.float64), normal(8)])
    record("gelu", {"x": points}, lambda x: functional.gelu(x, approximate="tanh"))
    record("softmax", {"x": 10 * normal(4, 9)}, lambda x: torch.softmax(x, dim=-1))
    labels = torch.tensor([2, 0, 4, 4, 1])
    # view(1) gives the loss an output gradient, like the other outputs.
    record("cross_entropy", {"x": 5 * normal(5, 6)}, lambda x: functional.cross_entropy(x, labels).view(1))
    tensors["cross_entropy.labels"] = labels.numpy().astype(numpy.int32)
    write_safetensors("operators.safetensors", tensors, versions())


def model_values(name, config, generator, with_training=False):
    """Logits, loss and all gradients of a small model for one batch; with_training adds ten AdamW steps."""
    parameters = vit.new_parameters(config, generator, torch.float64)
    images = torch.randn(4, config.image, config.image, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 2, 1, 2])
    tensors = {"images": array(images), "labels": labels.numpy().astype(numpy.int32)}
    for key, value in parameters.items():
        value.requires_grad_()
        tensors["parameter." + key] = array(value).copy()

    logits = vit.forward(config, parameters, images)
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    tensors["logits"], tensors["loss"] = array(logits), array(loss).reshape(1)
    for key, value in parameters.items():
        tensors["gradient." + key] = array(value.grad).copy()

    metadata = versions() | vars(config)
    if with_training:
        tensors["training.losses"], training = training_losses(config, parameters, images, labels)
        metadata |= training
    write_safetensors(name, tensors, metadata)


def convolutional_values(generator):
    """Logits, loss and all gradients of a small convolutional network in training mode. Filters are stored [outputs, row,
    column, input] and features pixel by pixel; the statistics' gradient is their distance to the batch's moments."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    channels, image, inputs, width, classes = [3, 5], 9, 2, 7, 3
    parameters, sizes = {}, [inputs, channels[0], channels[0], channels[1], channels[1]]
    for i in range(4):
        parameters[f"convolutions.{i}.filters"] = 0.4 * normal(sizes[i + 1], 9 * sizes[i])
        parameters[f"convolutions.{i}.norm.weight"] = 1 + 0.3 * normal(sizes[i + 1])
        parameters[f"convolutions.{i}.norm.bias"] = 0.3 * normal(sizes[i + 1])
    features = channels[1] * (image // 4) ** 2
    for name, rows, cols in [("hidden.0.linear", width, features), ("head", classes, width)]:
        parameters[name + ".weight"], parameters[name + ".bias"] = 0.4 * normal(rows, cols), 0.3 * normal(rows)
    images, labels = normal(4, inputs, image, image), torch.tensor([0, 2, 1, 2])
    tensors = {"images": array(images), "labels": labels.numpy().astype(numpy.int32)}
    for key, value in parameters.items():
        tensors["parameter." + key] = array(value.requires_grad_()).copy()

    x = images
    for i in range(4):
        part = f"convolutions.{i}."
        filters = parameters[part + "filters"].view(sizes[i + 1], 3, 3, sizes[i]).permute(0, 3, 1, 2)
        x = functional.conv2d(x, filters, padding=1)
        running = torch.stack([0.1 * normal(sizes[i + 1]), 1 + normal(sizes[i + 1]).abs()])
        moments = torch.stack([x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)])
        tensors[f"parameter.{part}norm.statistics"] = array(running)
        tensors[f"gradient.{part}norm.statistics"] = array(running - moments)
        norm = parameters[part + "norm.weight"], parameters[part + "norm.bias"]
        x = torch.relu(functional.batch_norm(x, None, None, *norm, training=True, eps=1e-5))
        if i % 2 == 1:
            x = functional.max_pool2d(x, 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = torch.relu(functional.linear(x, parameters["hidden.0.linear.weight"], parameters["hidden.0.linear.bias"]))
    logits = functional.linear(x, parameters["head.weight"], parameters["head.bias"])
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    tensors["logits"], tensors["loss"] = array(logits), array(loss).reshape(1)
    for key, value in parameters.items():
        tensors["gradient." + key] = array(value.grad).copy()
    sizes = {"image": image, "image_channels": inputs, "classes": classes, "width": width, "layers": 1}
    write_safetensors("convolutional.safetensors", tensors, versions() | sizes | {"convolution_layers": 2,
                      "convolution_channels": "[3,5]"})


def training_losses(config, parameters, images, labels):
    """Losses before each of ten AdamW steps on one batch. Weight decay applies to matrices, but not to vectors
    and positions."""
    settings = {"learning_rate": 0.01, "weight_decay": 0.05, "clip_norm": 1.0, "steps": 10}
    decays = {key: value.dim() >= 2 and key != "embedding.position" for key, value in parameters.items()}
    decayed = [value for key, value in parameters.items() if decays[key]]
    others = [value for key, value in parameters.items() if not decays[key]]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0}],
        lr=settings["learning_rate"],
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    losses = []
    for _ in range(settings["steps"]):
        optimizer.zero_grad()
        loss = functional.cross_entropy(vit.forward(config, parameters, images), labels)
        losses.append(loss.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), settings["clip_norm"])
        optimizer.step()
    return numpy.array(losses), settings


def adamw_values(generator):
    """Ten AdamW steps of one vector under given gradients: the update rule alone."""
    weights = torch.randn(6, generator=generator, dtype=torch.float64).requires_grad_()
    gradients = torch.randn(10, 6, generator=generator, dtype=torch.float64)
    settings = {"learning_rate": 0.02, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-6, "weight_decay": 0.1}
    optimizer = torch.optim.AdamW(
        [weights], lr=settings["learning_rate"], betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"], weight_decay=settings["weight_decay"],
    )
    trajectory = [array(weights).copy()]
    for gradient in gradients:
        weights.grad = gradient
        optimizer.step()
        trajectory.append(array(weights).copy())
    tensors = {"gradients": array(gradients), "weights": numpy.stack(trajectory)}
    write_safetensors("adamw.safetensors", tensors, versions() | settings)


def sinkformer(scale, layer, q, k, v):
    """Sinkhorn attention with detached column duals, as in the text experiments of Sander et al. 2022: five
    half-updates, rows first and last."""
    scores = scale * q @ k.T
    f, g = torch.zeros(len(q)), torch.zeros(len(k))
    for half in range(5):
        if half % 2 == 0:
            f = -torch.logsumexp(scores + g, dim=1)
        else:
            total = torch.log(torch.tensor(len(q) / len(k), dtype=q.dtype))
            g = (total - torch.logsumexp(scores + f[:, None], dim=0)).detach()
    return torch.exp(scores + f[:, None] + g) @ v


def espformer(scale, layer, q, k, v):
    """Expected sliced transport over all coordinates, for equal numbers of queries and keys."""
    x, y = scale**0.5 * q, scale**0.5 * k
    distances = ((x[:, None] - y[None]) ** 2).sum(-1)
    plans, costs = [], []
    for s, t in zip(x.T, y.T):
        soft = [torch.softmax(-5 * (side.sort().values[:, None] - side[None]) ** 2, dim=1) for side in (s, t)]
        plans.append(soft[0].T @ soft[1])
        costs.append((distances * plans[-1]).sum() / len(q))
    weights = torch.softmax(-0.3 * torch.stack(costs), dim=0)
    return (weights[:, None, None] * torch.stack(plans)).sum(0) @ v


def lotformer(scale, layer, q, k, v, learned):
    """Two Sinkhorn plans glued at the pivots."""
    return vit.sinkhorn_plan(scale * q @ learned.T, 2) @ vit.sinkhorn_plan(scale * learned @ k.T, 2) @ v


def differential(scale, layer, q, k, v, learned):
    """The difference of two softmaxes, normalised row by row without a gain (Ye et al. 2024)."""
    (q1, q2), (k1, k2) = q.chunk(2, dim=1), k.chunk(2, dim=1)
    start = 0.8 - 0.6 * numpy.exp(-0.3 * layer)
    a, b, c, d = learned
    weight = torch.exp(a @ b) - torch.exp(c @ d) + start
    first, second = (torch.softmax(scale * 2**0.5 * x @ y.T, dim=1) for x, y in ((q1, k1), (q2, k2)))
    mixed = (first - weight * second) @ v
    return (1 - start) * mixed * torch.rsqrt((mixed**2).mean(dim=1, keepdim=True) + 1e-5)


def with_gradients(name, function, inputs, normal):
    """Inputs and output of a function, and their gradients for a random gradient of the output, under `name`."""
    for value in inputs.values():
        value.requires_grad_()
    output = function(**inputs)
    gradient = normal(*output.shape)
    output.backward(gradient)
    tensors = {name + ".output": array(output), name + ".output_gradient": array(gradient)}
    for key, value in inputs.items():
        tensors |= {f"{name}.{key}": array(value), f"{name}.{key}_gradient": array(value.grad)}
    return tensors


def attention_values(generator):
    """Output and all gradients of one head, for every attention kind from the literature."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    tensors, settings = {}, {"scale": 0.6, "layer": 1}
    learned = {"lotformer": normal(3, 6), "differential": 0.5 * normal(4, 3)}
    for function in (sinkformer, espformer, lotformer, differential):
        name = function.__name__
        keys = 7 if name == "espformer" else 5
        inputs = {"q": normal(7, 6), "k": normal(keys, 6), "v": normal(keys, 4)}
        if name in learned:
            inputs["learned"] = learned[name]
        kind = functools.partial(function, settings["scale"], settings["layer"])
        tensors |= with_gradients(name, kind, inputs, normal)
    write_safetensors("attention_kinds.safetensors", tensors, versions() | settings)


def slack(scale, iterations, q, k, v, learned):
    """Sinkhorn attention whose columns sum to at most (1 + c) N / M, c = exp(learned): a slack row of mass c N takes
    the rest. Plain scalings, rows first and last."""
    gibbs, c = torch.exp(scale * q @ k.T), torch.exp(learned[0, 0])
    y = torch.ones(len(k), dtype=q.dtype)
    x = 1 / (gibbs @ y)
    for _ in range(iterations):
        y = (1 + c) * len(q) / len(k) / (gibbs.T @ x + c * len(q) / y.sum())
        x = 1 / (gibbs @ y)
    return x[:, None] * gibbs * y @ v


def slack_values(generator):
    """Output and all gradients of one head with slack, for small, middling and large c."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    tensors, settings = {}, {"scale": 0.6, "iterations": 4}
    for name, log_slack in {"small": -2.0, "middling": 0.5, "large": 5.0}.items():
        inputs = {"q": normal(7, 6), "k": normal(5, 6), "v": normal(5, 4)}
        inputs["learned"] = torch.full((1, 1), log_slack, dtype=torch.float64)
        attention = functools.partial(slack, settings["scale"], settings["iterations"])
        tensors |= with_gradients(name, attention, inputs, normal)
    write_safetensors("slack.safetensors", tensors, settings | {"torch": torch.__version__})


def landmark_bias(x, y, prototypes, start, iterations):
    """The column dual of Sinkhorn on x . y after `iterations` iterations from `start`, with every query replaced by
    the mean of the queries that share its nearest prototype."""
    nearest = torch.cdist(x, prototypes).argmin(1)
    means = torch.stack([x[nearest == nearest[i]].mean(0) for i in range(len(x))])
    scores = means @ y.T
    bias = start
    for _ in range(iterations):
        bias = -torch.logsumexp(scores - torch.logsumexp(scores + bias, 1, keepdim=True), 0)
    return bias


def key_bias_values(generator):
    """PyTorch's fused attention with a key bias that a compiled head in mode key_bias predicts."""

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    scale, iterations, width = 0.7, 3, 6
    inputs = {"q": normal(9, width) + 0.4, "k": normal(7, width) - 0.3, "v": normal(7, 5)}
    head = {
        "query_slices": 0.5 * normal(2, width),  # of keys: the sides change places
        "key_slices": 0.5 * normal(2, width),
        "landmarks": 0.5 * normal(3, width),
        "weights": 0.5 * normal(6),
    }
    root = scale**0.5
    means = {name: root * inputs[name].mean(0) for name in ("q", "k")}
    x, y = (root * inputs[name] - means[name] for name in ("q", "k"))
    s, t = y @ head["query_slices"].T, x @ head["key_slices"].T
    alpha, beta = (s**2).mean(0), (t**2).mean(0)
    curvature = 2 * beta / (1 + torch.sqrt(1 + 4 * alpha * beta))
    tilt = -y @ (torch.softmax(x @ means["k"], 0) @ x)
    start = y @ means["q"]  # the teacher's g = 0 in centred coordinates
    landmarks = landmark_bias(x, y, head["landmarks"], start, iterations)
    features = torch.cat([-0.5 * curvature * s**2, s, tilt[:, None], landmarks[:, None]], 1)
    bias = features @ head["weights"] - y @ means["q"]
    output = functional.scaled_dot_product_attention(
        inputs["q"] * scale * width**0.5, inputs["k"], inputs["v"], attn_mask=bias.expand(9, 7)
    )
    tensors = {key: array(value) for key, value in (inputs | head).items()}
    tensors |= {"bias": array(bias), "output": array(output)}
    settings = {"scale": scale, "iterations": iterations, "torch": torch.__version__}
    write_safetensors("key_bias.safetensors", tensors, settings)


def transport_values(random):
    """Costs of exact plans for the cost -s t on a line (POT's network simplex) and entropic plans with
    regularisation 1 (POT's Sinkhorn, converged), for equal and unequal numbers of points."""
    tensors = {}
    for case, (n, m) in {"equal": (9, 9), "fewer_keys": (10, 4), "more_keys": (3, 7), "coprime": (8, 5)}.items():
        s, t = random.normal(size=n), random.normal(size=m)
        a, b = numpy.full(n, 1 / n), numpy.full(m, 1 / m)
        tensors[f"line.{case}.s"], tensors[f"line.{case}.t"] = s, t
        tensors[f"line.{case}.cost"] = numpy.array([ot.emd2(a, b, -numpy.outer(s, t))])
        x, y = random.normal(size=(n, 3)), random.normal(size=(m, 3))
        plan = ot.sinkhorn(a, b, -x @ y.T, reg=1, method="sinkhorn_log", stopThr=1e-15, numItermax=100000)
        tensors[f"entropic.{case}.x"], tensors[f"entropic.{case}.y"] = x, y
        tensors[f"entropic.{case}.plan"] = n * plan  # rows sum to 1
    write_safetensors("transport.safetensors", tensors, versions())


def main():
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    small = dict(image=12, patch=4, width=8, heads=2, layers=2, hidden=16, classes=3)
    operator_values(torch.Generator().manual_seed(1))
    model_values(
        "vit_sinkhorn.safetensors",
        vit.Config(**small, iterations=5, epsilon=0.5),
        torch.Generator().manual_seed(2),
        with_training=True,
    )
    model_values(
        "vit_learned_epsilon.safetensors",
        vit.Config(**(small | {"layers": 1}), iterations=3, learn_epsilon=True, class_token=True),
        torch.Generator().manual_seed(3),
    )
    model_values(
        "vit_softmax.safetensors",
        vit.Config(**(small | {"layers": 1}), attention="softmax"),
        torch.Generator().manual_seed(4),
    )
    adamw_values(torch.Generator().manual_seed(5))
    convolutional_values(torch.Generator().manual_seed(10))
    attention_values(torch.Generator().manual_seed(7))
    key_bias_values(torch.Generator().manual_seed(8))
    slack_values(torch.Generator().manual_seed(9))
    transport_values(numpy.random.default_rng(6))


if __name__ == "__main__":
    main()
