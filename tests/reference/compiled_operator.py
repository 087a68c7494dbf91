"""The compiled operator in NumPy, from the two files of asap-compile alone: the definition for other programs to follow.

    layer = read_layer("runs/operator", 0)
    output = attend(layer, head, q, k, v)     # one head of one example: [N, D], [M, D], [M, Dv]

All in float64 and in the order of the definition, not fast. src/compile/README.md describes the files,
src/attention/README.md the features. Tokens that are masked are left out by the caller.
"""

import json
from pathlib import Path

import numpy as np


def read_safetensors(path):
    content = Path(path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype(float)
            for name, entry in header.items() if name != "__metadata__"}


def read_layer(folder, index):
    """What operator.json says of a layer, and its tensors by their short names."""
    description = json.loads(Path(folder, "operator.json").read_text())
    if description["operators"][index].get("slack"):
        raise NotImplementedError("attention with slack: src/attention/README.md has its closure")
    tensors = read_safetensors(Path(folder, "operator.safetensors"))
    prefix = f"layers.{index}."
    own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    return {**description["operators"][index], **own, "mode": description["fit"]["mode"],
            "teacher_iterations": description["teacher_iterations"]}


def log_sum_exp(x, axis):
    largest = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - largest).sum(axis=axis)) + largest.squeeze(axis)


def row_update(scores, g):  # up to a constant, like every dual here
    return -log_sum_exp(scores + g, 1)


def column_update(scores, f):
    return -log_sum_exp(scores + f[:, None], 0)


def potential(s, t):
    """The exact Kantorovich potential of s for the cost -s t, both uniform on the line: [N]."""
    n, m, order, sorted_t = len(s), len(t), np.argsort(s, kind="stable"), np.sort(t)
    ends = np.arange(1, n) * m  # where the mass of a point ends, in units of 1 / (n m)
    middle = (sorted_t[-(-ends // n) - 1] + sorted_t[ends // n]) / 2
    phi = np.empty(n)
    phi[order] = np.concatenate([[0], np.cumsum(-np.diff(s[order]) * middle)])
    return phi


def landmark_dual(x, y, x_mean, y_mean, landmarks, iterations, on_rows):
    """The teacher's loop against the means of the clusters of y around `landmarks`: [M', D]."""
    nearest = np.argmax(y @ landmarks.T - (landmarks**2).sum(1) / 2, axis=1)
    used = np.unique(nearest)
    centres = np.stack([y[nearest == p].mean(0) for p in used])
    log_sizes = np.log(np.bincount(nearest)[used])
    scores, g = x @ centres.T, centres @ x_mean
    f = x @ y_mean  # a loop that starts on the rows starts here
    for t in range(iterations):
        if t > 0 or on_rows:
            g = column_update(scores, f)
        f = row_update(scores, g + log_sizes)
    return f


def features(layer, head, x, y, x_mean, y_mean, scores):
    """Phi: [P, N], in the order of the weights, whatever the order of the names."""
    names, rows = layer["features"], []
    if any(name in ("pot", "gau", "lin") for name in names):
        s, t = layer["query_slices"][head] @ x.T, layer["key_slices"][head] @ y.T
    if "pot" in names:
        rows += [potential(a, b) for a, b in zip(s, t)]
    if "gau" in names:
        alpha, beta = (s**2).mean(1), (t**2).mean(1)
        rows += list(-(beta / (1 + np.sqrt(1 + 4 * alpha * beta)))[:, None] * s**2)
    if "lin" in names:
        rows += list(s)
    if "tilt" in names:
        weights = np.exp(y @ x_mean - (y @ x_mean).max())
        rows.append(-x @ (weights @ y / weights.sum()))
    if "lse" in names:
        rows.append(row_update(scores, np.zeros(len(y))))
    if "lse0" in names:
        rows.append(row_update(scores, y @ x_mean))
    if "landmarks" in layer:
        rows.append(landmark_dual(x, y, x_mean, y_mean, layer["landmarks"][head], layer["teacher_iterations"],
                                  layer["mode"] == "key_bias"))
    return np.array(rows).reshape(len(rows), len(x))


def predicted_dual(layer, head, x, y, x_mean, y_mean):
    """f-hat, or with x, y exchanged the key bias g-hat: [N], up to a constant."""
    scores = x @ y.T
    phi, weights = features(layer, head, x, y, x_mean, y_mean, scores), layer["weights"][head]
    corrections = sum(int(name.removeprefix("it:")) for name in layer["features"] if name.startswith("it:"))
    f, weights = weights[:len(phi)] @ phi, weights[len(phi):]
    if "start" in layer["features"]:
        f = row_update(scores, y @ x_mean)
    differences = []
    for t in range(1, corrections + 1):
        h = row_update(scores, column_update(scores, f))
        differences.append(h - f)
        f = h + weights[:t] @ np.array(differences) + weights[t:t + len(phi)] @ phi
        weights = weights[t + len(phi):]
    return f


def attend(layer, head, q, k, v):
    """softmax(S + g) V, where g closes the predicted row dual, is predicted itself, or ends a loop of K iterations."""
    root = np.sqrt(layer["score_scales"][head])
    x_mean, y_mean = root * q.mean(0), root * k.mean(0)
    x, y = root * q - x_mean, root * k - y_mean
    scores = x @ y.T
    if "iterations" in layer:
        g = y @ x_mean
        for _ in range(layer["iterations"]):
            g = column_update(scores, row_update(scores, g))
    elif layer["mode"] == "key_bias":
        g = predicted_dual(layer, head, y, x, y_mean, x_mean)
    else:
        g = column_update(scores, predicted_dual(layer, head, x, y, x_mean, y_mean))
    plan = np.exp(scores + g - log_sum_exp(scores + g, 1)[:, None])
    return plan @ v
