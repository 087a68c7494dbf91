#!/usr/bin/python3
"""Writes the golden values of transport with any marginals to tests/golden/data: plans of POT (weighted, rectangular,
unbalanced), the layer with dustbins in plain PyTorch, in the log domain with autograd's gradients, and a fitted dual
map with its sparse polish. Run it only to change the values; the tests read the files. Sides that are relaxed
differently need POT 0.9.4 or later, which Debian 12 does not have:

  scripts/setup.sh --developer
  python3 -m venv --system-site-packages build/pot && build/pot/bin/pip install 'pot>=0.9.4'
  build/pot/bin/python scripts/weighted_golden.py
"""

import math

import numpy
import ot
import torch
from make_golden import array, versions, write_safetensors


def weighted_values(random):
    """Plans for costs in [0, 3), regularisation .5 and unequal weights, some of them zero; unbalanced with one penalty
    for rows and another for columns, on weights of different totals."""
    regularisation, tensors = 0.5, {}
    converged = {"numItermax": 200000, "stopThr": 1e-15}

    def record(name, a, b, costs, plan, relaxations=(math.inf, math.inf)):
        tensors[f"{name}.row_marginals"], tensors[f"{name}.column_marginals"] = a, b
        tensors[f"{name}.scores"] = -costs / regularisation
        tensors[f"{name}.relaxations"] = numpy.array(relaxations) / regularisation
        tensors[f"{name}.plan"] = plan

    for name, (n, m) in {"square": (9, 9), "wide": (5, 13), "tall": (14, 6)}.items():
        a, b = random.uniform(0.1, 1, n), random.uniform(0.1, 1, m)
        a, b, costs = a / a.sum(), b / b.sum(), random.uniform(0, 3, (n, m))
        plan = ot.sinkhorn(a, b, costs, regularisation, method="sinkhorn_log", **converged)
        record(f"balanced.{name}", a, b, costs, plan)
        masked = a.copy()
        masked[2] = 0
        masked /= masked.sum()
        live = masked > 0
        plan = numpy.zeros((n, m))
        plan[live] = ot.sinkhorn(masked[live], b, costs[live], regularisation, method="sinkhorn_log", **converged)
        record(f"masked.{name}", masked, b, costs, plan)
        b = 1.7 * b  # totals differ
        for kind, relaxations in {"both": (1.0, 1.0), "unequal": (0.3, 4.0), "rows": (0.6, math.inf)}.items():
            plan = ot.unbalanced.sinkhorn_unbalanced(
                a, b, costs, regularisation, relaxations, reg_type="entropy", **converged
            )
            record(f"unbalanced_{kind}.{name}", a, b, costs, plan, relaxations)
    write_safetensors("weighted_transport.safetensors", tensors, versions())


def log_plan(scores, log_rows, log_columns, iterations):
    """log of the plan after one row update from g = 0 and `iterations` column and row updates."""
    g = torch.zeros_like(log_columns)
    f = log_rows - torch.logsumexp(scores + g, 1)
    for _ in range(iterations):
        g = log_columns - torch.logsumexp(scores + f[:, None], 0)
        f = log_rows - torch.logsumexp(scores + g, 1)
    return scores + f[:, None] + g


def with_dustbins(scores, bin_score):
    n, m = scores.shape
    right, below = bin_score.expand(n, 1), bin_score.expand(1, m + 1)
    return torch.cat([torch.cat([scores, right], 1), below])


def layer_values(generator):
    """Log of the plan and gradients of the scores and of the dustbin's score, for scores that float32 holds exactly."""
    tensors, settings = {}, {"torch": torch.__version__}
    cases = {
        "single": (1, 1, 2, 1.0),
        "rows_only": (6, 4, 0, 2.0),
        "once": (5, 9, 1, 2.0),
        "tall": (24, 17, 20, 3.0),
        "sharp": (30, 34, 100, 9.0),
        "hundreds": (12, 9, 20, 90.0),
    }

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float32).double()

    def record(name, iterations, inputs, function):
        leaves = {key: value.clone().requires_grad_() for key, value in inputs.items()}
        output = function(**leaves)
        gradient = normal(*output.shape)
        output.backward(gradient)
        settings[name + ".iterations"] = iterations
        tensors[name + ".log_plan"], tensors[name + ".log_plan_gradient"] = array(output), array(gradient)
        for key, leaf in leaves.items():
            tensors[f"{name}.{key}"], tensors[f"{name}.{key}_gradient"] = array(leaf), array(leaf.grad)

    for name, (n, m, iterations, size) in cases.items():
        log_rows = torch.tensor([0.0] * n + [math.log(m)], dtype=torch.float64)
        log_columns = torch.tensor([0.0] * m + [math.log(n)], dtype=torch.float64)
        inputs = {"scores": (size * normal(n, m)).float().double(), "bin": normal(1)}
        record(
            "dustbins." + name,
            iterations,
            inputs,
            lambda scores, bin, a=log_rows, b=log_columns, t=iterations: log_plan(with_dustbins(scores, bin), a, b, t),
        )
    a, b = normal(7).abs() + 0.1, normal(10).abs() + 0.1
    b = (b * (a.sum() / b.sum())).float().double()
    record("weighted", 10, {"scores": 2 * normal(7, 10)}, lambda scores: log_plan(scores, a.log(), b.log(), 10))
    tensors["weighted.row_marginals"], tensors["weighted.column_marginals"] = array(a), array(b)
    write_safetensors("transport_layer.safetensors", tensors, settings)


def map_features(scores, bin_score):
    """The features of the dual map of every point: see src/attention/transport/transport_map.h."""
    (n, m), first = scores.shape, -torch.logsumexp(with_dustbins(scores, bin_score), 1)
    first[n] += math.log(m)
    z = (first[:n] - first[n])[:, None]
    hinges = torch.relu(z - torch.linspace(-12, 12, 9, dtype=torch.float64))
    sizes = torch.tensor([[math.log(n), math.log(m)]], dtype=torch.float64).expand(n, 2)
    ones = torch.ones(n, 1, dtype=torch.float64)
    return torch.cat([z, hinges, torch.sigmoid(z), sizes, scores.topk(2, 1).values, ones], 1)


def map_values(generator):
    """A dual map fitted to T = 30 on five pairs, the plan of its closure on a sixth, and the plan after 20 iterations
    on the entries above .001."""
    iterations, ridge, threshold, polishing = 30, 1e-5, 1e-3, 20
    bin_score = torch.tensor([2.5], dtype=torch.float64)
    tensors = {"bin": array(bin_score)}

    def log_margins(n, m):
        return [torch.tensor([0.0] * k + [math.log(other)], dtype=torch.float64) for k, other in ((n, m), (m, n))]

    def closed(full, log_rows, log_columns, dual, count):
        f = dual
        for _ in range(count):
            g = log_columns - torch.logsumexp(full + f[:, None], 0)
            f = log_rows - torch.logsumexp(full + g, 1)
        return f, g

    features, targets = [], []
    for p, (n, m) in enumerate([(12, 15), (20, 11), (16, 16), (9, 18), (22, 19), (17, 14)]):
        q, k = (torch.randn(size, 6, generator=generator, dtype=torch.float64) for size in (n, m))
        k[:8] = q[:8] + 0.3 * k[:8]
        scores = q @ k.T
        tensors[f"scores.{p}"] = array(scores)
        full, (log_rows, log_columns) = with_dustbins(scores, bin_score), log_margins(n, m)
        first = log_rows - torch.logsumexp(full, 1)
        target, _ = closed(full, log_rows, log_columns, first, iterations - 1)
        if p < 5:
            features.append(map_features(scores, bin_score))
            targets.append(target[:n] - target[n])
    rows, target = torch.cat(features), torch.cat(targets)
    gram, moments = rows.T @ rows, rows.T @ target
    # As RidgeRegression has it: relative to the diagonal, and a little more for hinges beyond all points.
    penalty = ridge * gram.diagonal() + 1e-12 * gram.diagonal().max()
    scale = (gram.diagonal() + penalty).rsqrt()
    system = (gram + torch.diag(penalty)) * scale[:, None] * scale
    weights = scale * torch.linalg.solve(system, scale * moments)
    tensors["features"] = array(map_features(scores, bin_score))
    tensors["predicted"] = tensors["features"] @ array(weights)
    predicted = torch.cat([torch.from_numpy(tensors["predicted"]), torch.zeros(1, dtype=torch.float64)])
    for count in (1, 2):
        f, g = closed(full, log_rows, log_columns, predicted, count)
        tensors[f"log_plan.{count}"] = array(full + f[:, None] + g)
    f, g = closed(full, log_rows, log_columns, predicted, 1)
    keep = full + f[:, None] + g > math.log(threshold)
    keep[n], keep[:, m] = True, True
    sparse = full.masked_fill(~keep, -math.inf)
    f, g = closed(sparse, log_rows, log_columns, f, polishing)
    tensors["polished"] = array(torch.exp(sparse + f[:, None] + g))
    settings = {"iterations": iterations, "threshold": threshold, "polishing": polishing, "pairs": 5}
    write_safetensors("transport_map.safetensors", tensors, settings | {"torch": torch.__version__})


def main():
    torch.set_num_threads(1)
    weighted_values(numpy.random.default_rng(10))
    layer_values(torch.Generator().manual_seed(11))
    map_values(torch.Generator().manual_seed(12))


if __name__ == "__main__":
    main()
