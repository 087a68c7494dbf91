#!/usr/bin/env python3
"""Counts the linear regions of Fashion-MNIST networks and prints one table of means over seeds. ReLU networks are counted
before and after training; networks with region-constrained activations before training, after training their peaks
(phase one) and after training their raw weights (phase two).

  scripts/region_counts_table.py [--seeds N] [--networks perceptron,vit,convolutional] [--threads N] [--out DIR]

The regions are those along straight segments between two test images: of the whole network for a perceptron, of the
hidden layers behind convolutions, of the feed-forward part of each layer for a Transformer. Needs build/bin/asap-train
and asap-eval. A second run skips finished work."""

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

# For each network: its configuration, the settings for ReLU, and those for region-constrained activations.
NETWORKS = {
    "perceptron": ("fashion_mnist_perceptron", [*RELU, "train.weight_decay=0.05"],
                   [*REGION, "model.feed_forward.interval=10"]),
    "vit": ("fashion_mnist_softmax", RELU, [*REGION, "model.feed_forward.interval=3", "model.mlp_ratio=1.9"]),
    "convolutional": ("fashion_mnist_convolutional", RELU, [*REGION, "model.feed_forward.interval=10"]),
}


def run(command):
    if subprocess.run(command).returncode != 0:
        sys.exit(f"region_counts_table: error: {' '.join(command)} failed")


def train(out, config, seed, threads, assignments, last_step=0):
    """Trains up to a step (0: to the end), continuing where an earlier training stopped."""
    command = [str(ROOT / "build/bin/asap-train"), "--config", str(ROOT / f"configs/train/{config}.json"), "--seed",
               str(seed), "--resume", "--quiet", "--max-steps", str(last_step), "--out", str(out)]
    command += ["--threads", str(threads)] if threads else []
    for assignment in assignments:
        command += ["--set", assignment]
    run(command)


def count(run_folder, out, threads):
    """The summary of asap-eval regions, which runs only if the summary is missing."""
    summary = out / "summary.json"
    if not summary.is_file():
        run([str(ROOT / "build/bin/asap-eval"), "regions", "--run", str(run_folder), "--quiet", "--out", str(out)] +
            (["--threads", str(threads)] if threads else []))
    return json.loads(summary.read_text())


def stages(out, config, seed, threads, assignments, constrained):
    """One summary for each stage of a training. The initial network has taken one step of negligible length."""
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
