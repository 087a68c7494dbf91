#!/usr/bin/env python3
"""Fits noisy points and real series with `relu-fit fit --pieces auto` and with other fitters of straight pieces, and prints
two tables: the distance from the true function, and the error on held-out points of real series.

  scripts/straight_pieces_table.py [--draws N] [--first N] [--alone] [--out DIR]

Needs build/bin/relu-fit. The peers (pwlf, scipy's linear splines) and the series (the Nile's flow, carbon dioxide at Mauna
Loa and US unemployment, which come with statsmodels) are installed from PyPI into a virtual environment in DIR.
pwlf gets the true number of pieces of noisy points, and chooses it by BIC up to six for the series. For noisy points the
first table shows relu-fit with the true number as well. Where the function itself has these pieces, it shows least squares
with the true knots on the same draws, and what free knots leave on average, deviation * sqrt(2 pieces / points).
--first is the seed of the first draw. --alone leaves pwlf out of the first table, and the second table."""

import argparse
import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["numpy", "scipy", "pwlf", "statsmodels"]


def environment(out):
    """The Python of a virtual environment with the peers."""
    python = out / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(out / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def fit(x, y, out, pieces="auto", options=()):
    """The fitted function at any x, and its number of pieces."""
    import shutil

    import numpy
    shutil.rmtree(out / "fit", ignore_errors=True)
    numpy.savetxt(out / "points.csv", numpy.c_[x, y], delimiter=",", fmt="%.17g")
    subprocess.run([ROOT / "build/bin/relu-fit", "fit", "--data", out / "points.csv", "--pieces", pieces, *options,
                    "--threads", "1", "--quiet", "--out", out / "fit"], check=True)
    layers = json.loads((out / "fit" / "network.json").read_text())["layers"]

    def value(at):
        hidden = numpy.asarray(at, float)[:, None]
        for index, layer in enumerate(layers):
            hidden = hidden @ numpy.array(layer["weight"]).T + numpy.array(layer["bias"])
            if index + 1 < len(layers):
                hidden = numpy.maximum(hidden, 0)
        return hidden[:, 0]

    return value, json.loads((out / "fit" / "summary.json").read_text())["linear_regions"]


def fit_pwlf(x, y, pieces):
    """pwlf's fast search: the fitted function."""
    import numpy
    import pwlf
    numpy.random.seed(0)
    model = pwlf.PiecewiseLinFit(x, y, seed=0)
    model.fitfast(pieces, pop=10)
    return model.predict, len(x) * numpy.log(model.ssr / len(x)) + 2 * pieces * numpy.log(len(x))


def noisy_cases():
    import numpy
    lines = lambda x: numpy.where(x < 300, 0.1 * x, numpy.where(x < 700, 0.4 * (x - 300) + 30, 0.8 * (x - 700) + 190))
    return {"three lines": (lines, 0, 999, 1000, 30, 3),
            "sigmoid": (lambda x: 1 / (1 + numpy.exp(-8 * x)), -1, 1, 400, 0.05, 5),
            "tent": (lambda x: numpy.where(x < 4, x, 8 - x), 0, 10, 200, 0.1, 2),
            "sine": (numpy.sin, 0, 2 * numpy.pi, 300, 0.1, 6)}


TRUE_KNOTS = {"three lines": [300, 700], "tent": [4]}


def with_true_knots(x, y, knots):
    """Least squares with known knots, at x."""
    import numpy
    columns = numpy.column_stack([numpy.ones_like(x), x] + [numpy.maximum(x - knot, 0) for knot in knots])
    return columns @ numpy.linalg.lstsq(columns, y, rcond=None)[0]


def noise_table(draws, out, alone):
    """draws: their seeds."""
    import numpy
    print(f"Root mean squared distance from the function, mean of {len(draws)} draws\n")
    print("| case | true knots | free knots, on average | pwlf, true pieces | relu-fit, true pieces | relu-fit | pieces "
          "| --criterion cv | pieces |\n|---|---|---|---|---|---|---|---|---|")
    for name, (f, low, high, count, deviation, pieces) in noisy_cases().items():
        ours, told, theirs, known, crossed = [], [], [], [], []
        chosen, crossed_pieces = [], []
        for draw in draws:
            x = numpy.linspace(low, high, count)
            y = f(x) + numpy.random.default_rng(draw).normal(0, deviation, count)
            value, found = fit(x, y, out)
            distance = lambda fitted: numpy.sqrt(numpy.mean((fitted(x) - f(x)) ** 2))
            ours.append(distance(value))
            told.append(distance(fit(x, y, out, str(pieces))[0]))
            if not alone:
                theirs.append(distance(fit_pwlf(x, y, pieces)[0]))
            if name in TRUE_KNOTS:
                known.append(distance(lambda at: with_true_knots(at, y, TRUE_KNOTS[name])))
            chosen.append(found)
            value, found = fit(x, y, out, options=["--criterion", "cv"])
            crossed.append(distance(value))
            crossed_pieces.append(found)
        average = f"{deviation * numpy.sqrt(2 * pieces / count):.4g}" if known else ""
        mean = lambda errors: f"{numpy.mean(errors):.4g}" if errors else ""
        print(f"| {name} | {mean(known)} | {average} | {mean(theirs)} | {mean(told)} | {mean(ours)} "
              f"| {min(chosen)} to {max(chosen)} | {mean(crossed)} | {min(crossed_pieces)} to {max(crossed_pieces)} |",
              flush=True)


def series():
    """Name, x and y of each real series."""
    import numpy
    from statsmodels import datasets
    nile = datasets.nile.load_pandas().data
    yield "Nile", nile["year"].to_numpy(float), nile["volume"].to_numpy(float)
    carbon = datasets.co2.load_pandas().data["co2"].dropna()
    yield "CO2", carbon.index.to_julian_date().to_numpy(float) / 365.25, carbon.to_numpy(float)
    unemployment = datasets.macrodata.load_pandas().data
    yield "unemployment", (unemployment["year"] + (unemployment["quarter"] - 1) / 4).to_numpy(float), unemployment[
        "unemp"].to_numpy(float)


def scipy_spline(x, y, test_x):
    """scipy's linear smoothing spline, its smoothing chosen on every fourth training point."""
    import numpy
    from scipy.interpolate import UnivariateSpline
    held = numpy.arange(len(x)) % 4 == 3
    error = lambda s: numpy.mean((UnivariateSpline(x[~held], y[~held], k=1, s=s)(x[held]) - y[held]) ** 2)
    scale = len(x) * numpy.var(y)
    smoothing = min((scale * 10.0 ** (-k / 4) for k in range(1, 17)), key=error)
    return UnivariateSpline(x, y, k=1, s=smoothing)(test_x)


def series_table(out):
    import numpy
    print("\nRoot mean squared error on held-out points, every fifth one\n")
    print("| series | points | pwlf, BIC | scipy, linear spline | relu-fit | pieces | --criterion cv | pieces "
          "| --jumps 3 |\n|---|---|---|---|---|---|---|---|---|")
    for name, x, y in series():
        test = numpy.arange(len(x)) % 5 == 2
        value, pieces = fit(x[~test], y[~test], out)
        crossed, crossed_pieces = fit(x[~test], y[~test], out, options=["--criterion", "cv"])
        jumping, _ = fit(x[~test], y[~test], out, options=["--jumps", "3"])
        models = [fit_pwlf(x[~test], y[~test], count) for count in range(1, 7)]
        predict = min(models, key=lambda model: model[1])[0]
        error = lambda fitted: numpy.sqrt(numpy.mean((fitted - y[test]) ** 2))
        print(f"| {name} | {len(x)} | {error(predict(x[test])):.4g} | "
              f"{error(scipy_spline(x[~test], y[~test], x[test])):.4g} | {error(value(x[test])):.4g} | {pieces} | "
              f"{error(crossed(x[test])):.4g} | {crossed_pieces} | {error(jumping(x[test])):.4g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--alone", action="store_true", help="without pwlf, and noisy points only")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "straight_pieces")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    python = environment(options.out)
    if Path(sys.prefix) != options.out.resolve() / "venv":
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:]]).returncode)
    noise_table(range(options.first, options.first + options.draws), options.out, options.alone)
    if not options.alone:
        series_table(options.out)


if __name__ == "__main__":
    main()
