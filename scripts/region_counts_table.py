#!/usr/bin/env python3
"""Counts linear regions of Fashion-MNIST networks before training, after the peaks were trained (phase one) and after raw
weights were (phase two), with region-constrained activations and with ReLU, and prints one table: means over seeds.

  scripts/region_counts_table.py [--seeds N] [--networks perceptron,vit] [--threads N] [--out DIR]

Along straight ways between two test images a perceptron is counted as a whole, a Transformer by the feed-forward part of
each layer. build/bin/asap-train and asap-eval must be there. Run again, it skips what is finished."""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRACTION = 0.8
RELU = ["model.feed_forward.kind=dense", "model.feed_forward.activation=relu"]
REGION = ["model.feed_forward.kind=region", "model.feed_forward.depth=4", f"train.peaks_fraction={FRACTION}"]

# Of each network: its configuration, what ReLU and what region-constrained activations are trained with.
NETWORKS = {
    "perceptron": ("fashion_mnist_perceptron", [*RELU, "train.weight_decay=0.05"],
                   [*REGION, "model.feed_forward.interval=10"]),
    "vit": ("fashion_mnist_softmax", RELU, [*REGION, "model.feed_forward.interval=3", "model.mlp_ratio=1.9"]),
}


def run(command):
    if subprocess.run(command).returncode != 0:
        sys.exit(f"region_counts_table: error: {' '.join(command)} failed")


def train(out, config, seed, threads, assignments, last_step=0):
    """Trains up to a step (0: to the end), going on from where it stopped before."""
    command = [str(ROOT / "build/bin/asap-train"), "--config", str(ROOT / f"configs/train/{config}.json"), "--seed",
               str(seed), "--resume", "--quiet", "--max-steps", str(last_step), "--out", str(out)]
    command += ["--threads", str(threads)] if threads else []
    for assignment in assignments:
        command += ["--set", assignment]
    run(command)


def count(run_folder, out, threads):
    """The summary of asap-eval regions; counts unless it is there."""
    summary = out / "summary.json"
    if not summary.is_file():
        run([str(ROOT / "build/bin/asap-eval"), "regions", "--run", str(run_folder), "--quiet", "--out", str(out)] +
            (["--threads", str(threads)] if threads else []))
    return json.loads(summary.read_text())


def stages(out, config, seed, threads, assignments, constrained):
    """Summaries of the stages of one training. The initial network is one after a step of next to no length."""
    found = {}
    counted = out / "counts"
    if not (counted / "initial/summary.json").is_file():
        train(out / "initial", config, seed, threads, [*assignments, "train.learning_rate=1e-30"], 1)
    found["before training"] = count(out / "initial", counted / "initial", threads)
    if constrained:
        if not (counted / "peaks/summary.json").is_file():
            total = json.loads((out / "initial/summary.json").read_text())["train"]["total_steps"]
            train(out / "run", config, seed, threads, assignments, int(FRACTION * total))
        found["phase one: peaks"] = count(out / "run", counted / "peaks", threads)
    if not (counted / "trained/summary.json").is_file():
        train(out / "run", config, seed, threads, assignments)
    found["phase two: raw weights" if constrained else "trained"] = count(out / "run", counted / "trained", threads)
    return found


def row(name, stage, summaries):
    def over(key):
        values = [s[key]["mean"] for s in summaries]
        return f"{statistics.mean(values):.1f} ({min(s[key]['min'] for s in summaries)} to " \
               f"{max(s[key]['max'] for s in summaries)})"

    own = over("channel_regions") if "channel_regions" in summaries[0] else "2"
    accuracy = statistics.mean(s["accuracy"] for s in summaries)
    return f"| {name} | {stage} | {own} | {over('regions')} | {accuracy:.4f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "runs/region_counts")
    arguments = parser.parse_args()
    print("| network | stage | regions of an activation | regions along a segment | test accuracy |")
    print("|---|---|---|---|---|")
    for network in arguments.networks.split(","):
        if network not in NETWORKS:
            sys.exit(f"region_counts_table: error: unknown network '{network}' (hint: {', '.join(NETWORKS)})")
        config, relu, region = NETWORKS[network]
        for name, assignments, constrained in ((f"{network}, ReLU", relu, False), (f"{network}, region", region, True)):
            seeds = [stages(arguments.out / network / ("region" if constrained else "relu") / f"seed-{seed}", config,
                            seed, arguments.threads, assignments, constrained)
                     for seed in range(1, arguments.seeds + 1)]
            for stage in seeds[0]:
                print(row(name, stage, [found[stage] for found in seeds]), flush=True)


if __name__ == "__main__":
    main()
