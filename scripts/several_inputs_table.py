#!/usr/bin/env python3
"""Fits functions of several inputs and two real data sets with `relu-fit fit --compare` and prints one table: the mean
test error over seeds of region-constrained, Kaiming, dense and Kolmogorov-Arnold networks of equal size.

  scripts/several_inputs_table.py [--seeds N] [--targets LIST] [--threads N] [--out DIR]

Needs build/bin/relu-fit. The real data sets, diabetes and wine, come with Debian's python3-sklearn; they are left out if
the package is missing. A second run skips finished fits."""

import argparse
import gzip
import json
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


def data_options(name, out):
    """Writes a real data set as a CSV and returns the options that name it; None if the package is missing."""
    if not PACKAGED.is_dir():
        return None
    target, names, rows = {"diabetes": diabetes, "wine": wine}[name]()
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [names, *rows]))
    return ["--data", str(path), "--target", target]


def fit(out, options, seed, threads):
    """The summary of one fit, which runs only if the summary is missing."""
    summary = out / "summary.json"
    if not summary.is_file():
        command = [str(ROOT / "build/bin/relu-fit"), "fit", *options, "--compare", "--seed", str(seed), "--quiet",
                   "--out", str(out)] + (["--threads", str(threads)] if threads else [])
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "runs/several_inputs")
    arguments = parser.parse_args()
    print("| target | parameters | region | kaiming | dense | adam | kan | linear | regions, folded / fitted | regions, dense |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in arguments.targets.split(","):
        if name not in TARGETS:
            sys.exit(f"several_inputs_table: error: unknown target '{name}' (hint: one of {', '.join(TARGETS)})")
        options = TARGETS[name]
        if "--function" not in options:
            data = data_options(name, arguments.out)
            if data is None:
                print(f"several_inputs_table: {name} is left out (hint: apt-get install python3-sklearn)",
                      file=sys.stderr)
                continue
            options = data + options
        summaries = [fit(arguments.out / f"{name}-{seed}", options, seed, arguments.threads)
                     for seed in range(arguments.seeds)]
        print(row(name, summaries), flush=True)


if __name__ == "__main__":
    main()
