#!/usr/bin/env python3
"""Trains networks with fixed and with region-constrained activations and prints two tables for each network: parameters,
test accuracy (mean ± standard deviation over seeds) and milliseconds per training step; and the accuracy after every
epoch, which OUT/NETWORK/epochs.svg draws with bands of one deviation if gnuplot is installed. Perceptrons and ViTs have
equal numbers of parameters in all rows; behind convolutions, region-constrained activations come on top.

  scripts/feed_forward_table.py [--seeds N] [--networks perceptron,vit,convolutional,cifar10] [--threads N] [--out DIR]

Needs build/bin/asap-train and Fashion-MNIST, which is a Debian package (scripts/setup.sh); cifar10 needs that data set
(data/README.md). A second run skips finished trainings."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

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


def draw_epochs(curves, picture):
    """Means with bands of one standard deviation, as SVG."""
    plots, data = [], ""
    for index, (name, seeds) in enumerate(curves.items(), 1):
        plots += [f"$d{index} using 1:($2-$3):($2+$3) with filledcurves fillcolor linetype {index} "
                  "fillstyle transparent solid 0.2 noborder notitle",
                  f"$d{index} using 1:2 with linespoints linetype {index} pointtype 7 pointsize 0.4 title '{name}'"]
        rows = ["{} {} {}".format(epoch, *spread(values)) for epoch, values in enumerate(zip(*seeds), 1)]
        data += f"$d{index} << end\n" + "\n".join(rows) + "\nend\n"
    script = (f"set terminal svg size 640,360 font 'sans-serif,13' background 'white'\nset output '{picture}'\n{data}"
              "set xlabel 'epoch'\nset ylabel 'test accuracy'\nset key bottom right\nset xtics 1\n"
              f"plot {', '.join(plots)}\n")
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


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
        if shutil.which("gnuplot"):
            draw_epochs(curves, options.out / network / "epochs.svg")


if __name__ == "__main__":
    main()
