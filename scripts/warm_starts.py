#!/usr/bin/env python3
"""Iterations that POT and OTT-JAX need from the duals that a compiled operator predicts, against other starts.

    pip install ./src/python pot ott-jax
    scripts/warm_starts.py [--problems 40] [--families line,gaussians,rings,patches]

Problems come in families whose members have the same size: transport between two point clouds, uniform masses, cost
|x - y|², reg = .05 of the mean cost. An operator is fitted to 320 problems of a family and measured on others.

    line       100 and 100 points in one dimension, mixtures of two Gaussians
    gaussians  100 and 100 points in three dimensions, Gaussians of random means and covariances
    rings      100 and 100 points in the plane, noisy ellipses
    patches    the 49 patches (4 x 4 pixels) of one image of --images against those of another

Starts are zero, OTT-JAX's Gaussian start (the potentials of Gaussians of the same means and covariances, without reg),
sorting (the exact one-dimensional potential along the direction of largest variance), and two operators. The second
makes two corrected iterations, which are counted. An iteration updates columns, then rows. Printed is the median number
until the columns' sums differ from 1 / M by less than the tolerance in all (L1), what POT reports (it looks at every
tenth iteration, at an L2 norm), and what OTT-JAX reports (its own Gaussian and sorting starts; sorting only in one
dimension). Packages that are not installed leave a dash.
"""

import argparse
import functools
import gzip
import importlib.util
import os
import statistics
import warnings

import asap
import numpy as np

FITTED, HELD_OUT, MOST = 256, 64, 20000
OPERATORS = {"operator": "pot,gau,lin,tilt,lse,landmarks:16", "operator, it:2": "pot,gau,lin,tilt,lse,landmarks:16,it:2"}
CORRECTIONS = {"operator, it:2": 2}


def line(random, count):
    def cloud():
        centres = random.normal(size=(count, 2)) * 1.5
        chosen = random.integers(0, 2, (count, 100))
        return np.take_along_axis(centres, chosen, 1)[..., None] + 0.3 * random.normal(size=(count, 100, 1))
    return cloud(), cloud()


def gaussians(random, count):
    def cloud():
        shapes = random.normal(size=(count, 3, 3)) / 3**0.5
        return random.normal(size=(count, 100, 3)) @ shapes + random.normal(size=(count, 1, 3)) / 2
    return cloud(), cloud()


def rings(random, count):
    def cloud():
        angles = 2 * np.pi * random.random((count, 100, 1))
        axes = random.uniform(0.4, 1.6, (count, 1, 2))
        ring = axes * np.concatenate([np.cos(angles), np.sin(angles)], -1)
        turn = 2 * np.pi * random.random((count, 1, 1))
        rotation = np.concatenate([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], -1).reshape(count, 2, 2)
        return ring @ rotation + 0.1 * random.normal(size=ring.shape)
    return cloud(), cloud()


def patches_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path) as file:
        content = file.read()
    images = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28) / 255.0
    patches = images.reshape(-1, 7, 4, 7, 4).swapaxes(2, 3).reshape(-1, 49, 16)

    def family(random, count):
        chosen = random.choice(len(patches), 2 * count, replace=False)
        noise = 1e-3 * random.normal(size=(2 * count, 49, 16))  # backgrounds are equal
        return tuple(np.split(patches[chosen] + noise, 2))
    return family


def cost_of(x, y):
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def gaussian_start(x, y, reg):
    """|x|² - 2 φ(x), φ the Brenier potential between Gaussians: (x - m)ᵀ A (x - m) / 2 + m' x."""
    def root(matrix, power):
        values, vectors = np.linalg.eigh(matrix)
        return vectors * np.maximum(values, 1e-9) ** power @ vectors.T
    covariances = [np.atleast_2d(np.cov(points.T, bias=True)) for points in (x, y)]
    outer, inner = root(covariances[0], -0.5), root(covariances[0], 0.5)
    matrix = outer @ root(inner @ covariances[1] @ inner, 0.5) @ outer
    centred = x - x.mean(0)
    return ((x**2).sum(1) - ((centred @ matrix) * centred).sum(1) - 2 * x @ y.mean(0)) / reg


def sorting_start(x, y, reg):
    axis = np.linalg.svd(np.concatenate([x - x.mean(0), y - y.mean(0)]), full_matrices=False)[2][0]
    s, t = x @ axis, y @ axis
    return (s**2 + 2 * asap.potentials_1d(s, t)[0]) / reg


def log_sum_exp(x, axis):
    largest = x.max(axis, keepdims=True)
    return np.log(np.exp(x - largest).sum(axis)) + largest.squeeze(axis)


def iterations(scores, alpha, tolerance):
    """Of the loop of ot.sinkhorn, checked after every iteration."""
    n, m = scores.shape
    for t in range(MOST + 1):
        beta = -np.log(m) - log_sum_exp(scores + alpha[:, None], 0)
        if t > 0 and np.abs(np.exp(previous - beta) - 1).mean() < tolerance:
            return t
        alpha, previous = -np.log(n) - log_sum_exp(scores + beta, 1), beta
    return MOST


def pot_iterations(cost, reg, duals, tolerance):
    import ot
    n, m = cost.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = ot.sinkhorn(np.full(n, 1 / n), np.full(m, 1 / m), cost, reg, method="sinkhorn_log", stopThr=tolerance,
                          numItermax=MOST, warmstart=duals, log=True)[1]
    return log["niter"]


@functools.cache
def ott_solver(start, tolerance):
    """Iterations for x, y, reg and potentials, which OTT-JAX's own starts ("Gaussian", "sorting") ignore."""
    import jax
    jax.config.update("jax_enable_x64", True)
    from ott.geometry import pointcloud
    from ott.initializers.linear import initializers
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn
    own = {"Gaussian": initializers.GaussianInitializer, "sorting": initializers.SortingInitializer}
    settings = {"threshold": tolerance, "inner_iterations": 1, "max_iterations": MOST}
    if start in own:
        settings["initializer"] = own[start]()
    solver = sinkhorn.Sinkhorn(**settings)

    def solve(x, y, reg, potentials):
        problem = linear_problem.LinearProblem(pointcloud.PointCloud(x, y, epsilon=reg))
        return solver(problem, **({} if start in own else {"init": potentials})).n_iters
    return jax.jit(solve)


def ott_iterations(start, x, y, reg, potentials, tolerance):
    if start == "sorting" and x.shape[1] > 1:
        return None  # OTT-JAX's is for one dimension
    return int(ott_solver(start, tolerance)(x, y, reg, potentials))


def median(numbers):
    return f"{statistics.median(numbers):.0f}" if numbers else "-"


def measure(name, family, problems, has_pot, has_ott):
    random = np.random.default_rng(7)
    x, y = family(random, FITTED + HELD_OUT + problems)
    width = x.shape[-1]
    reg = 0.05 * np.mean([cost_of(a, b).mean() for a, b in zip(x[:FITTED], y[:FITTED])])
    operators = {
        start: asap.CompiledOperator.fit(
            x[:, None].astype(np.float32), y[:, None].astype(np.float32), iterations=200, features=features,
            slices=min(4, width), epsilon=reg / (2 * width**0.5), calibration=FITTED, held_out=HELD_OUT)
        for start, features in OPERATORS.items()}
    counts = {}
    for a, b in zip(x[FITTED + HELD_OUT:], y[FITTED + HELD_OUT:]):
        cost = cost_of(a, b)
        predicted = {start: asap.warm_start(operator, a, b, cost="sqeuclidean") for start, operator in operators.items()}
        starts = {"zero": np.zeros(len(a)), "Gaussian": gaussian_start(a, b, reg), "sorting": sorting_start(a, b, reg),
                  **{start: duals.alpha for start, duals in predicted.items()}}
        for start, alpha in starts.items():
            row = counts.setdefault(start, ([], [], [], []))
            extra = CORRECTIONS.get(start, 0)
            row[0].append(extra + iterations(-cost / reg, alpha, 1e-3))
            row[1].append(extra + iterations(-cost / reg, alpha, 1e-6))
            if has_pot:
                row[2].append(extra + pot_iterations(cost, reg, (alpha, np.zeros(len(b))), 1e-6))
            if has_ott:
                potentials = predicted[start].ott() if start in predicted else (reg * alpha, np.zeros(len(b)))
                number = ott_iterations(start, a, b, reg, potentials, 1e-6)
                row[3].extend([] if number is None else [extra + number])
    for start, row in counts.items():
        print(f"| {name} | {start} | " + " | ".join(median(column) for column in row) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("ASAP_DATA_DIR", "data")
    parser.add_argument("--images", default=f"{data}/mnist/train-images-idx3-ubyte.gz", help="IDX file of 28 x 28 pixels")
    parser.add_argument("--problems", type=int, default=40, help="problems of a family that are measured")
    parser.add_argument("--families", default="line,gaussians,rings,patches", help="which, with commas between them")
    arguments = parser.parse_args()
    families = {"line": line, "gaussians": gaussians, "rings": rings}
    names = arguments.families.split(",")
    if unknown := set(names) - {*families, "patches"}:
        parser.error(f"--families: there is no {sorted(unknown)[0]}")
    if "patches" in names and os.path.exists(arguments.images):
        families["patches"] = patches_of(arguments.images)
    elif "patches" in names:
        names.remove("patches")
        print(f"no {arguments.images}: without the family patches")
    asap.set_threads(1)  # small problems
    has_pot, has_ott = (importlib.util.find_spec(package) is not None for package in ("ot", "ott"))
    print("| family | start | to 1e-3 | to 1e-6 | POT to 1e-6 | OTT-JAX to 1e-6 |\n|---|---|---|---|---|---|")
    for name in names:
        measure(name, families[name], arguments.problems, has_pot, has_ott)


if __name__ == "__main__":
    main()
