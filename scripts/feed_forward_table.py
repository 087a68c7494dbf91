#!/usr/bin/env python3
"""Trains networks with fixed and with region-constrained activations and prints two tables for each network: parameters,
test accuracy (mean ± standard deviation over seeds) and milliseconds per training step; and the accuracy after every
epoch, which FIGURES/NETWORK_epochs.svg draws with bands of one deviation. Perceptrons and ViTs have equal numbers of
parameters in all rows; behind convolutions, region-constrained activations come on top.

  scripts/feed_forward_table.py [--seeds N] [--networks perceptron,vit,convolutional,cifar10] [--threads N] [--out DIR]
                                [--figures DIR]

Needs build/bin/asap-train and Fashion-MNIST, which is a Debian package (scripts/setup.sh); cifar10 needs that data set
(data/README.md). A second run skips finished trainings."""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from reproduce.figures.accuracy import epochs_figure

ROOT = Path(__file__).resolve().parent.parent

REGION = ["model.feed_forward.kind=region", "model.feed_forward.depth=4", "model.feed_forward.interval=10"]
RELU = ["model.feed_forward.kind=dense", "model.feed_forward.activation=relu"]
GELU = ["model.feed_forward.kind=dense", "model.feed_forward.activation=gelu"]
RELEASED = ["train.peaks_fraction=0.8"]
NORMALISED = ["model.feed_forward.interval=3"]  # after a layer norm, activations are smaller

# For each network: its configuration, and the additional settings of every row of the table. Widths compensate for the
# size of a channel's own network: 8 numbers while only peaks are trained, 53 (depth 3) once its weights are. Fixed
# activations get the weight decay that suits them best.
NETWORKS = {
    "perceptron": ("fashion_mnist_perceptron", {
        "ReLU": [*RELU, "train.weight_decay=0.05"], "GELU": [*GELU, "train.weight_decay=0.05"],
        "region, peaks": REGION,
        "region, then weights": [*REGION, *RELEASED, "model.feed_forward.depth=3", "model.width=29"]}),
    "vit": ("fashion_mnist_softmax", {
        "ReLU": RELU, "GELU": GELU, "region, peaks": [*REGION, *NORMALISED, "model.mlp_ratio=1.9"],
        "region, then weights": [*REGION, *NORMALISED, *RELEASED, "model.feed_forward.depth=3",
                                 "model.mlp_ratio=1.42"]}),
    "convolutional": ("fashion_mnist_convolutional", {"ReLU": RELU, "GELU": GELU, "region, peaks": REGION}),
    "cifar10": ("cifar10_convolutional", {"ReLU": RELU, "GELU": GELU, "region, peaks": REGION}),
}
TITLES = {"perceptron": "Perceptron on Fashion-MNIST", "vit": "ViT on Fashion-MNIST",
          "convolutional": "Convolutions on Fashion-MNIST", "cifar10": "Convolutions on CIFAR-10"}
KINDS = {"ReLU": "relu", "GELU": "gelu", "region, peaks": "region", "region, then weights": "weights"}  # in figures
DEFAULT_NETWORKS = ["perceptron", "vit", "convolutional"]


def train(out, config, seed, threads, assignments):
    """The summary of one training, which runs only if the summary is missing."""
    summary = out / "summary.json"
    if not summary.is_file():
        command = [str(ROOT / "build/bin/asap-train"), "--config", str(ROOT / f"configs/train/{config}.json"),
                   "--seed", str(seed), "--resume", "--quiet", "--out", str(out)]
        command += ["--threads", str(threads)] if threads else []
        for assignment in assignments:
            command += ["--set", assignment]
        if subprocess.run(command).returncode != 0:
            sys.exit(f"feed_forward_table: error: {' '.join(command)} failed")
    return json.loads(summary.read_text())


def accuracy_by_epoch(out):
    """Test accuracy after every epoch of one training."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["test_accuracy"] for line in lines if "test_accuracy" in line]


def spread(values):
    """Mean and standard deviation."""
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0


def epochs_table(curves):
    """curves: name -> accuracy by epoch of every seed. A line for each name, a column for each epoch."""
    count = min(len(curve) for seeds in curves.values() for curve in seeds)
    lines = ["| epoch | " + " | ".join(str(epoch + 1) for epoch in range(count)) + " |", "|---" * (count + 1) + "|"]
    for name, seeds in curves.items():
        cells = ["{:.4f} ± {:.4f}".format(*spread([curve[epoch] for curve in seeds])) for epoch in range(count)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def row(name, summaries):
    accuracy, deviation = spread([summary["test"]["accuracy"] for summary in summaries])
    train_part = summaries[0]["train"]
    milliseconds = statistics.median(1e3 * s["train"]["seconds"] / s["train"]["steps"] for s in summaries)
    return (f"| {name} | {train_part.get('parameters', summaries[0]['model']['parameters'])} "
            f"| {accuracy:.4f} ± {deviation:.4f} | {milliseconds:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--networks", type=lambda text: text.split(","), default=DEFAULT_NETWORKS)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "feed_forwards")
    parser.add_argument("--figures", type=Path, help="folder of NETWORK_epochs.svg; default: --out")
    options = parser.parse_args()
    for network in options.networks:
        if network not in NETWORKS:
            parser.error(f"--networks: unknown network '{network}' (hint: {', '.join(NETWORKS)})")
        config, rows = NETWORKS[network]
        print(f"\n| {network} | parameters | test accuracy | ms per step |\n|---|---|---|---|", flush=True)
        curves = {}
        for name, assignments in rows.items():
            folder = options.out / network / name.replace(", ", "-").replace(" ", "-").lower()
            summaries = [train(folder / f"seed-{seed}", config, seed, options.threads, assignments)
                         for seed in range(1, options.seeds + 1)]
            print(row(name, summaries), flush=True)
            curves[name] = [accuracy_by_epoch(folder / f"seed-{seed}") for seed in range(1, options.seeds + 1)]
        print("\n" + epochs_table(curves), flush=True)
        figure = epochs_figure(f"{TITLES[network]}: test accuracy by epoch",
                               {KINDS[name]: seeds for name, seeds in curves.items()})
        ((options.figures or options.out) / f"{network}_epochs.svg").write_text(figure)


if __name__ == "__main__":
    main()
