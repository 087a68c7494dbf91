#!/usr/bin/env python3
"""Compares the transport layer of matchers with PyTorch: from descriptors of two sets to the duals of transport with
dustbins, on one thread, interleaved in one run.

  tests/bench/peers_setup.sh                      the newest PyTorch, in .venv
  tests/bench/compare_transport.py
  tests/bench/compare_transport.py --sizes 512,1024 --iterations 20 --rounds 5 --python PATH --json

Our forms are those of asap-eval bench --transport. PyTorch's is the loop in the log domain that deployed matchers run
(Sarlin et al. 2020, "SuperGlue", log_sinkhorn_iterations): two torch.logsumexp an iteration. Every size and T gets
`rounds` turns of each side, one after the other; times are medians. PyTorch's descriptors are other draws of the same
shape, because its time does not depend on the values. Measure on an otherwise idle machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
WIDTH = 64


def numbers(text):
    return [int(number) for number in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers, default=[512, 1024, 2048, 4096], help="points of either set")
    parser.add_argument("--iterations", type=numbers, default=[20, 100], help="T of the loops (default 20,100)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default 3)")
    parser.add_argument("--binaries", type=Path, default=root / "build" / "bin", help="folder of asap-eval")
    parser.add_argument("--python", type=Path, default=root / ".venv/bin/python", help="interpreter with PyTorch")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--turn", nargs=2, type=int, metavar=("N", "T"), help=argparse.SUPPRESS)
    return parser.parse_args()


def pytorch_turn(points, iterations):
    """Prints the milliseconds of one call, the second of two."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    queries = torch.nn.functional.normalize(torch.randn(points, WIDTH), dim=1) * 30
    keys = torch.nn.functional.normalize(torch.randn(points, WIDTH), dim=1)
    bin_score = torch.tensor(9.0)

    def layer(iterations):
        scores = queries @ keys.T
        column = bin_score.expand(points, 1)
        scores = torch.cat([torch.cat([scores, column], 1), bin_score.expand(1, points + 1)])
        masses = torch.zeros(points + 1)
        masses[-1] = torch.log(torch.tensor(float(points)))
        f = masses - torch.logsumexp(scores, 1)
        g = torch.zeros(points + 1)
        for _ in range(iterations):
            g = masses - torch.logsumexp(scores + f[:, None], 0)
            f = masses - torch.logsumexp(scores + g[None], 1)
        return f, g

    with torch.inference_mode():
        layer(1)  # loads code and fills caches
        start = time.perf_counter()
        layer(iterations)
        print(1e3 * (time.perf_counter() - start))


def run_pytorch(python, points, iterations):
    limits = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    finished = subprocess.run([str(python), __file__, "--turn", str(points), str(iterations)], capture_output=True,
                              text=True, env=os.environ | limits)
    if finished.returncode != 0:
        sys.exit(f"{python}: {finished.stderr.strip()[-500:]} (hint: tests/bench/peers_setup.sh, or --python PATH)")
    return float(finished.stdout)


def run_ours(binaries, points, iterations, seed):
    """Milliseconds and plan L1 by form, of one round."""
    with tempfile.TemporaryDirectory() as folder:
        finished = subprocess.run(
            [binaries / "asap-eval", "bench", "--transport", "--sizes", str(points), "--iterations", str(iterations),
             "--head-width", str(WIDTH), "--rounds", "1", "--seed", str(seed), "--threads", "1", "--json", "--out",
             folder], capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(finished.stderr.strip())
    return json.loads(finished.stdout)["sizes"][0]["forms"]


def measure(arguments, points, iterations):
    turns, forms = {}, {}
    for round_ in range(arguments.rounds):
        turns.setdefault("pytorch", []).append(run_pytorch(arguments.python, points, iterations))
        for form in run_ours(arguments.binaries, points, iterations, round_ + 1):
            turns.setdefault(form["name"], []).append(form["milliseconds"])
            forms[form["name"]] = form
    milliseconds = {name: statistics.median(values) for name, values in turns.items()}
    polished = forms["compiled+sparse:100"]
    return {"points": points, "iterations": iterations, "milliseconds": milliseconds,
            "plan_l1": {name: form["plan_l1"] for name, form in forms.items()},
            "entries_per_row": polished["entries_per_row"], "polish_iterations": polished["polish_iterations"]}


def print_table(rows):
    names = ["pytorch", "log_domain", "stored", "tiled", "compiled", "compiled+1", "compiled+sparse:100"]
    print("milliseconds, one thread")
    print(f"{'points':>6} {'T':>4}" + "".join(f"{name:>20}" for name in names))
    for row in rows:
        print(f"{row['points']:>6} {row['iterations']:>4}"
              + "".join(f"{row['milliseconds'][name]:>20.4g}" for name in names))
    print("divided by compiled; plan L1 of the compiled forms")
    print(f"{'points':>6} {'T':>4}" + "".join(f"{name:>20}" for name in names[:4]) + f"{'polish':>20}"
          + "".join(f"{name:>20}" for name in names[4:]))
    for row in rows:
        times = row["milliseconds"]
        polish = (times["compiled+sparse:100"] - times["compiled"]) / times["compiled"]
        errors = [row["plan_l1"][name] for name in names[4:]]
        print(f"{row['points']:>6} {row['iterations']:>4}"
              + "".join(f"{times[name] / times['compiled']:>20.2f}" for name in names[:4]) + f"{polish:>20.2f}"
              + "".join(f"{'-' if error is None else format(error, '.4f'):>20}" for error in errors))


def main():
    arguments = parse_arguments()
    if arguments.turn:
        pytorch_turn(*arguments.turn)
        return
    rows = [measure(arguments, points, iterations) for iterations in arguments.iterations for points in arguments.sizes]
    if arguments.json:
        print(json.dumps({"width": WIDTH, "rounds": arguments.rounds, "rows": rows}, indent=2))
    else:
        print_table(rows)


if __name__ == "__main__":
    main()
