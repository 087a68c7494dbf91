#!/usr/bin/env python3
"""Trains teachers that are hard to imitate (sharp, one-to-one, or far from converged), compiles each, and measures the
compiled operator beside truncated loops: agreement with the teacher, plan L1, loss of accuracy, and attention time over
softmax's in the same run. Nothing is retrained. Finished stages are skipped on a second run.

  tests/bench/hard_teachers.py [--out DIR] [--teachers NAME,...] [--seeds N] [--threads N]

Needs the executables in build/bin; mnist and cifar10 need ASAP_DATA_DIR. Writes DIR/SEED/NAME and prints a table in
Markdown: means over seeds."""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ.get("ASAP_BINARY_DIR", ROOT / "build/bin"))
CONFIGS = ROOT / "configs/train"
LONG = ["model.patch=2", "train.batch=32", "train.epochs=1"]
TEACHERS = {  # name: (configuration, settings)
    "matching_hard": ("matching_hard_sinkhorn", []),
    "listops": ("listops_sinkhorn", []),
    "mnist": ("mnist_sinkhorn", []),
    "fashion, epsilon .25": ("fashion_mnist_sinkhorn", ["model.attention.epsilon=0.25"]),
    "fashion, 196 tokens, epsilon .25": ("fashion_mnist_sinkhorn", [*LONG, "model.attention.epsilon=0.25"]),
    "fashion, 196 tokens, learning rate .002": ("fashion_mnist_sinkhorn", [*LONG, "train.learning_rate=0.002"]),
}
METHODS = ["teacher", "softmax", "sinkhorn:3", "sinkhorn:5", "compiled", "compiled+1"]


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def measure(name, seed, folder, threads):
    config, settings = TEACHERS[name]
    common = ["--threads", threads, "--quiet"]
    if not (folder / "teacher/summary.json").exists():
        changes = [word for setting in settings for word in ("--set", setting)]
        run(BIN / "asap-train", "--config", CONFIGS / f"{config}.json", *changes, "--seed", seed, "--out",
            folder / "teacher", "--resume", *common)
    run(BIN / "asap-compile", "--run", folder / "teacher", "--out", folder / "operator", "--overwrite", *common)
    run(BIN / "asap-eval", "compare", "--run", folder / "teacher", "--compiled", folder / "operator", "--methods",
        ",".join(METHODS), "--out", folder / "compare", "--overwrite", "--threads", 1, "--quiet")
    summary = json.loads((folder / "compare/summary.json").read_text())
    layers = json.loads((folder / "operator/operator.json").read_text())["choice"]["layers"]
    operators = list(dict.fromkeys(layer["operator"] for layer in layers))
    return {method["name"]: method for method in summary["methods"]}, "; ".join(operators)


def rows(name, measured):
    softmax = [methods["softmax"]["attention_milliseconds"] for methods, _ in measured]
    teacher = [methods["teacher"]["accuracy"] for methods, _ in measured]
    for method in METHODS[2:]:
        values = [methods[method] for methods, _ in measured]
        mean = {key: statistics.mean(value[key] for value in values) for key in ("agreement", "plan_l1")}
        drop = statistics.mean(100 * (t - value["accuracy"]) for t, value in zip(teacher, values))
        time = statistics.mean(value["attention_milliseconds"] / s for value, s in zip(values, softmax))
        note = f" ({measured[0][1]})" if method == "compiled" else ""
        yield (f"| {name} | {method}{note} | {mean['agreement']:.4f} | {mean['plan_l1']:.4f} | {drop:.2f} | {time:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/hard_teachers"))
    parser.add_argument("--teachers", default=",".join(TEACHERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    # Names hold commas themselves.
    chosen = [name for name in TEACHERS if name in arguments.teachers]
    print("| teacher | method | agreement | plan L1 | loss of accuracy, points | attention time / softmax's |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in chosen:
        measured = []
        for seed in range(1, arguments.seeds + 1):
            folder = arguments.out / str(seed) / name.replace(", ", "-").replace(" ", "_")
            measured.append(measure(name, seed, folder, arguments.threads))
        print("\n".join(rows(name, measured)), flush=True)


if __name__ == "__main__":
    main()
