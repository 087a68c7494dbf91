#!/usr/bin/env python3
"""Fits functions of several inputs and two real data sets with `relu-fit fit --compare` and prints a table: the mean test
error over seeds of region-constrained, Kaiming, dense and Kolmogorov-Arnold networks of equal size.

  scripts/several_inputs_table.py [--seeds N] [--targets LIST] [--threads N] [--out DIR]

The targets friedman, friedman_noisy and tails are drawn rows, which are fitted alone. They have a table of their own: the
share of the variance of rows left out that the network explains (R^2), and the seconds of a fit. The seed draws the rows
of tails, too.

Needs build/bin/relu-fit. The real data sets, diabetes and wine, come with Debian's python3-sklearn; they are left out if
the package is missing. A second run skips finished fits."""

import argparse
import gzip
import json
import math
import random
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGED = Path("/usr/lib/python3/dist-packages/sklearn/datasets/data")
METHODS = ["region", "kaiming", "dense", "adam", "kan", "linear"]

# Options of `relu-fit fit` for each target; the real data sets also get --data and --target.
TARGETS = {
    "product": ["--function", "x*y", "--inputs", "x,y", "--interval", "-1", "1", "--ridges", "2"],
    "sine": ["--function", "sin(3*x)*y", "--inputs", "x,y", "--interval", "-1", "1", "--ridges", "2"],
    "ridges": ["--function", "sin(2*(a+b))+(c-d)^2/2+exp(a-c)/2", "--inputs", "a,b,c,d", "--interval", "-1", "1",
               "--points", "3000", "--ridges", "3", "--depth", "4"],
    "diabetes": ["--depth", "3"],
    "wine": ["--depth", "3"],
}

ALONE = ["friedman", "friedman_noisy", "tails"]


def diabetes():
    """Ten measurements of 442 patients; the target is the progression of their disease after a year (Efron et al., Annals
    of Statistics 2004)."""
    names = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression"]
    rows = [line.split() for line in gzip.open(PACKAGED / "diabetes_data_raw.csv.gz", "rt")]
    targets = [line.split() for line in gzip.open(PACKAGED / "diabetes_target.csv.gz", "rt")]
    return "progression", names, [row + target for row, target in zip(rows, targets)]


def wine():
    """Chemical analyses of 178 Italian wines (Forina et al. 1991); the target is alcohol, from twelve other measurements."""
    names = ["alcohol", "malic_acid", "ash", "alcalinity", "magnesium", "phenols", "flavanoids", "other_phenols",
             "proanthocyanins", "colour", "hue", "od280_od315", "proline"]
    lines = (PACKAGED / "wine_data.csv").read_text().splitlines()[1:]
    return "alcohol", names, [line.split(",")[:13] for line in lines]


def friedman(noise):
    """2,000 rows of ten even inputs, five of which matter (Friedman, Annals of Statistics 1991); with noise of deviation
    one no function explains more than .96 of the variance."""
    draw = random.Random(0)
    rows = []
    for _ in range(2000):
        x = [draw.random() for _ in range(10)]
        y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4] + draw.gauss(0, noise)
        rows.append([*x, y])
    return "y", [f"x{j}" for j in range(10)] + ["y"], rows


def tails(seed):
    """1,000 rows of four inputs with Student's distribution of two degrees of freedom: a few rows lie fifty deviations
    outside."""
    draw = random.Random(seed)
    rows = []
    for _ in range(1000):
        a, b, c, d = [draw.gauss(0, 1) / math.sqrt(draw.expovariate(1)) for _ in range(4)]
        rows.append([a, b, c, d, a + 2 * b - c + d / 2 + max(a - b, 0)])
    return "y", ["a", "b", "c", "d", "y"], rows


def data_options(name, out):
    """Writes a real data set as a CSV and returns the options that name it; None if the package is missing."""
    if not PACKAGED.is_dir():
        return None
    return written({"diabetes": diabetes, "wine": wine}[name](), out / f"{name}.csv")


def written(table, path):
    """Writes a target, the names of columns and rows as a CSV and returns the options that name it."""
    target, names, rows = table
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in [names, *rows]))
    return ["--data", str(path), "--target", target]


def fit(out, options, seed, threads):
    """The summary of one fit, which runs only if the summary is missing."""
    summary = out / "summary.json"
    if not summary.is_file():
        command = [str(ROOT / "build/bin/relu-fit"), "fit", *options, "--seed", str(seed), "--quiet", "--out",
                   str(out)] + (["--threads", str(threads)] if threads else [])
        if subprocess.run(command).returncode != 0:
            sys.exit(f"several_inputs_table: error: {' '.join(command)} failed")
    return json.loads(summary.read_text())


def number(value):
    return f"{value:.4g}" if value >= 0.01 else f"{value:.1e}".replace("e-0", "e-")


def row(name, summaries):
    cells = []
    for method in METHODS:
        errors = [m["test_mse"] for s in summaries for m in s["methods"] if m["name"] == method]
        cells.append(number(statistics.mean(errors)))
    regions = {m: statistics.mean(s["methods"][METHODS.index(m)]["regions"]["mean"] for s in summaries)
               for m in ("region", "dense")}
    folded = statistics.mean(s["folded"]["regions"]["mean"] for s in summaries)
    parameters = sorted({s["parameters"] for s in summaries})
    size = str(parameters[0]) if len(parameters) == 1 else f"{parameters[0]} to {parameters[-1]}"
    return (f"| {name} | {size} | {' | '.join(cells)} | {folded:.0f} / {regions['region']:.0f} | {regions['dense']:.0f} |")


def compared(names, out, seeds, threads):
    """The table of networks of equal size."""
    print("| target | parameters | region | kaiming | dense | adam | kan | linear | regions, folded / fitted | regions, dense |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in names:
        options = TARGETS[name]
        if "--function" not in options:
            data = data_options(name, out)
            if data is None:
                print(f"several_inputs_table: {name} is left out (hint: apt-get install python3-sklearn)",
                      file=sys.stderr)
                continue
            options = data + options
        print(row(name, [fit(out / f"{name}-{seed}", ["--compare", *options], seed, threads) for seed in range(seeds)]),
              flush=True)


def alone(names, out, seeds, threads):
    """The table of drawn rows."""
    print("| target | least R^2 | R^2 by seed | seconds |\n|---|---|---|---|")
    for name in names:
        summaries = []
        for seed in range(seeds):
            table = tails(seed) if name == "tails" else friedman(1 if name == "friedman_noisy" else 0)
            summaries.append(fit(out / f"{name}-{seed}", written(table, out / f"{name}-{seed}.csv"), seed, threads))
        explained = [summary["explained"] for summary in summaries]
        print(f"| {name} | {min(explained):.4f} | {', '.join(f'{value:.4f}' for value in explained)} "
              f"| {statistics.mean(summary['seconds'] for summary in summaries):.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--targets", default=",".join([*TARGETS, *ALONE]))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "runs/several_inputs")
    arguments = parser.parse_args()
    names = arguments.targets.split(",")
    for name in names:
        if name not in TARGETS and name not in ALONE:
            sys.exit(f"several_inputs_table: error: unknown target '{name}' "
                     f"(hint: one of {', '.join([*TARGETS, *ALONE])})")
    how = (arguments.out, arguments.seeds, arguments.threads)
    if equal := [name for name in names if name in TARGETS]:
        compared(equal, *how)
    if drawn := [name for name in names if name in ALONE]:
        alone(drawn, *how)


if __name__ == "__main__":
    main()
