#!/usr/bin/python3
"""Writes the golden values of transport with any marginals to tests/golden/data: plans of POT (weighted, rectangular,
unbalanced) and the layer with dustbins in plain PyTorch, in the log domain with autograd's gradients. Run it only to
change the values; the tests read the files. Sides that are relaxed differently need POT 0.9.4 or later, which Debian 12
does not have:

  scripts/setup.sh --developer && python3 -m venv --system-site-packages /tmp/pot && /tmp/pot/bin/pip install 'pot>=0.9.4'
  /tmp/pot/bin/python scripts/weighted_golden.py
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


def main():
    torch.set_num_threads(1)
    weighted_values(numpy.random.default_rng(10))
    layer_values(torch.Generator().manual_seed(11))


if __name__ == "__main__":
    main()
