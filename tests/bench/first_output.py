#!/usr/bin/env python3
"""Measures how long every command takes to print something: milliseconds from its start to its first byte in a pipe,
median and maximum over several starts. Each command is killed after its first byte.

  tests/bench/first_output.py --run RUN --compiled OPERATOR [--starts N]

Needs the executables in build/bin. RUN and OPERATOR can be the folders teacher and operator of runs/quickstart, which
scripts/quickstart.sh makes."""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "build/bin"


def commands(run, compiled, out):
    eval_run = ["--run", run, "--out", out]
    return {
        "asap-train": ["asap-train", "--config", str(ROOT / "configs/train/fashion_mnist_sinkhorn.json"), "--out", out],
        "asap-train --dry-run": ["asap-train", "--config", str(ROOT / "configs/train/fashion_mnist_sinkhorn.json"),
                                 "--dry-run"],
        "asap-compile": ["asap-compile", "--run", run, "--out", out],
        "asap-eval compare": ["asap-eval", "compare", "--compiled", compiled, *eval_run],
        "asap-eval diagnose": ["asap-eval", "diagnose", "--compiled", compiled, *eval_run],
        "asap-eval drift": ["asap-eval", "drift", "--compiled", compiled, *eval_run],
        "asap-eval bench": ["asap-eval", "bench", "--out", out],
        "asap-eval regions": ["asap-eval", "regions", *eval_run],
        "relu-fit fit": ["relu-fit", "fit", "--function", "exp(x)", "--out", out],
        "relu-fit bench": ["relu-fit", "bench", "--out", out],
        "--help": ["asap-train", "--help"],
    }


def first_byte(command):
    """Milliseconds from the start of a process to its first byte."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(BIN / command[0]), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdout.read(1)
    milliseconds = 1e3 * (time.perf_counter() - begin)
    process.kill()
    process.communicate()
    return milliseconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--compiled", required=True)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    print("| command | first output, ms: median | maximum |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for index, name in enumerate(commands("", "", "")):
            times = []
            for start in range(arguments.starts):
                out = str(Path(folder) / f"{index}-{start}")
                times.append(first_byte(commands(arguments.run, arguments.compiled, out)[name]))
            print(f"| `{name}` | {statistics.median(times):.0f} | {max(times):.0f} |")


if __name__ == "__main__":
    main()
