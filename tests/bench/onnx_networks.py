#!/usr/bin/env python3
"""Speed of exported networks in ONNX Runtime: milliseconds per example with softmax, with Sinkhorn's loop as published
(teacher_log), with the loop as we export it (teacher), and compiled.

  tests/bench/onnx_networks.py RUN OPERATOR [RUN OPERATOR ...] [--batch 4] [--rounds 7] [--threads 1]

RUN is a folder of asap-train, OPERATOR that of asap-compile for it. Every method is exported by build/bin/asap-eval. The
networks run interleaved on the same random inputs of full length, on which time does not depend; the table gives the
median over rounds. The last columns are the time of the whole network divided by that of the compiled one.

Needs numpy and onnxruntime:  python3 -m venv .venv && .venv/bin/pip install numpy onnxruntime
Then:                         .venv/bin/python tests/bench/onnx_networks.py ..."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    sys.exit(f"{error} (hint: python3 -m venv .venv && .venv/bin/pip install numpy onnxruntime)")

EVAL = Path(__file__).resolve().parent.parent.parent / "build/bin/asap-eval"
METHODS = ("softmax", "teacher_log", "teacher", "compiled")


def export(run, operator, method, folder):
    subprocess.run([EVAL, "export", "--run", run, "--compiled", operator, "--method", method, "--out", folder, "--quiet"],
                   check=True)
    return json.loads((folder / "summary.json").read_text())


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def random_inputs(summary, batch, tokens):
    random, arrays = np.random.default_rng(1), {}
    for value in summary["inputs"]:
        shape = [{"batch": batch, "tokens": tokens}.get(size, size) for size in value["shape"]]
        if value["name"] == "lengths":
            arrays["lengths"] = np.full(shape, tokens)
        elif value["type"] == "float32":
            arrays[value["name"]] = random.normal(size=shape).astype(np.float32) / 2
        else:
            arrays[value["name"]] = random.integers(0, 2 if value["name"] == "ids" else 256, shape).astype(value["type"])
    return arrays


def number_of_tokens(model, data):
    if model["kind"] == "vit":
        return None
    return model.get("max_tokens") or data.get("points", {}).get("points") or 512


def measure(run, operator, options):
    config = json.loads((Path(run) / "config.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        sessions = {}
        for method in METHODS:
            summary = export(run, operator, method, Path(folder, method))
            sessions[method] = session(Path(folder, method, "network.onnx"), options.threads)
    tokens = options.tokens or number_of_tokens(config["model"], config["data"])
    inputs = random_inputs(summary, options.batch, tokens)
    times = {method: [] for method in METHODS}
    for round_number in range(options.rounds + 1):  # the first warms up
        for method, network in sessions.items():
            begin = time.perf_counter()
            network.run(None, inputs)
            if round_number > 0:
                times[method].append(1e3 * (time.perf_counter() - begin) / options.batch)
    return {method: statistics.median(values) for method, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", metavar="RUN OPERATOR")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, help="of texts and sets; default: the longest")
    options = parser.parse_args()
    if len(options.networks) % 2:
        parser.error("every RUN needs its OPERATOR")
    print(f"ONNX Runtime {onnxruntime.__version__}, batch {options.batch}, {options.threads} threads")
    print("| run | " + " | ".join(METHODS) + " | teacher_log / compiled | teacher / compiled |")
    print("|---" * (len(METHODS) + 3) + "|")
    for run, operator in zip(options.networks[::2], options.networks[1::2]):
        times = measure(run, operator, options)
        ratios = [times[method] / times["compiled"] for method in ("teacher_log", "teacher")]
        cells = [f"{times[method]:.3g}" for method in METHODS] + [f"{ratio:.2f}" for ratio in ratios]
        print(f"| {run} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
